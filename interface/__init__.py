"""Theory engine for spiked deterministic equivalents.

Everything public is a name of this package. Nothing is imported before its name
is used: SymPy alone takes over a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "Certificate",
    "ConvergenceError",
    "Curve",
    "Derivation",
    "DetequivError",
    "Diagnosis",
    "InputError",
    "Law",
    "Network",
    "Optimum",
    "Problem",
    "Report",
    "Ridge",
    "SpikedFeatures",
    "Target",
    "__version__",
    "certify",
    "compare",
    "curve",
    "derivatives",
    "derive",
    "diagnose",
    "learned_function",
    "load",
    "numerics",
    "optimal_penalty",
    "reach",
    "solve",
    "spectrum",
    "theory",
    "validate",
    "validation",
]

if TYPE_CHECKING:
    from detequiv import numerics, theory, validation
    from detequiv.formats.problem_file import load
    from detequiv.numerics.certificates import Certificate, certify, compare
    from detequiv.numerics.derived import (
        Diagnosis,
        Optimum,
        derivatives,
        diagnose,
        learned_function,
        optimal_penalty,
        reach,
    )
    from detequiv.numerics.solving import solve
    from detequiv.results.curves import Curve, curve
    from detequiv.results.law import Law, spectrum
    from detequiv.results.report import Report, validate
    from detequiv.theory.derivation import Derivation, derive
    from detequiv.theory.errors import ConvergenceError, DetequivError, InputError
    from detequiv.theory.problem import (
        Network,
        Problem,
        Ridge,
        SpikedFeatures,
        Target,
    )

    __version__: str
else:
    _HOME = {
        "Certificate": "detequiv.numerics.certificates",
        "ConvergenceError": "detequiv.theory.errors",
        "Curve": "detequiv.results.curves",
        "Derivation": "detequiv.theory.derivation",
        "DetequivError": "detequiv.theory.errors",
        "Diagnosis": "detequiv.numerics.derived",
        "InputError": "detequiv.theory.errors",
        "Law": "detequiv.results.law",
        "Network": "detequiv.theory.problem",
        "Optimum": "detequiv.numerics.derived",
        "Problem": "detequiv.theory.problem",
        "Report": "detequiv.results.report",
        "Ridge": "detequiv.theory.problem",
        "SpikedFeatures": "detequiv.theory.problem",
        "Target": "detequiv.theory.problem",
        "certify": "detequiv.numerics.certificates",
        "compare": "detequiv.numerics.certificates",
        "curve": "detequiv.results.curves",
        "derive": "detequiv.theory.derivation",
        "learned_function": "detequiv.numerics.derived",
        "derivatives": "detequiv.numerics.derived",
        "diagnose": "detequiv.numerics.derived",
        "load": "detequiv.formats.problem_file",
        "optimal_penalty": "detequiv.numerics.derived",
        "reach": "detequiv.numerics.derived",
        "solve": "detequiv.numerics.solving",
        "spectrum": "detequiv.results.law",
        "validate": "detequiv.results.report",
    }

    def __getattr__(name):
        """Import the home of a public name on its first use."""
        if name in _HOME:
            value = getattr(import_module(_HOME[name]), name)
        elif name == "__version__":
            value = import_module("importlib.metadata").version("detequiv")
        elif name in __all__:
            value = import_module(f"detequiv.{name}")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__():
        """List the public names, imported or not."""
        return sorted({*globals(), *__all__})
