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
    from detequiv.curves import Curve, curve
    from detequiv.law import Law, spectrum
    from detequiv.numerics.certificate import Certificate, certify, compare
    from detequiv.numerics.diagnosis import Diagnosis, diagnose
    from detequiv.numerics.learned import learned_function
    from detequiv.numerics.optimum import Optimum, optimal_penalty
    from detequiv.numerics.reach import reach
    from detequiv.numerics.sensitivity import derivatives
    from detequiv.numerics.solve import solve
    from detequiv.problem_file import load
    from detequiv.report import Report, validate
    from detequiv.theory.derivation import Derivation
    from detequiv.theory.errors import ConvergenceError, DetequivError, InputError
    from detequiv.theory.problem import (
        Network,
        Problem,
        Ridge,
        SpikedFeatures,
        Target,
    )
    from detequiv.theory.spiked_derivation import derive

    __version__: str
else:
    _HOME = {
        "Certificate": "detequiv.numerics.certificate",
        "ConvergenceError": "detequiv.theory.errors",
        "Curve": "detequiv.curves",
        "Derivation": "detequiv.theory.derivation",
        "DetequivError": "detequiv.theory.errors",
        "Diagnosis": "detequiv.numerics.diagnosis",
        "InputError": "detequiv.theory.errors",
        "Law": "detequiv.law",
        "Network": "detequiv.theory.problem",
        "Optimum": "detequiv.numerics.optimum",
        "Problem": "detequiv.theory.problem",
        "Report": "detequiv.report",
        "Ridge": "detequiv.theory.problem",
        "SpikedFeatures": "detequiv.theory.problem",
        "Target": "detequiv.theory.problem",
        "certify": "detequiv.numerics.certificate",
        "compare": "detequiv.numerics.certificate",
        "curve": "detequiv.curves",
        "derive": "detequiv.theory.spiked_derivation",
        "learned_function": "detequiv.numerics.learned",
        "derivatives": "detequiv.numerics.sensitivity",
        "diagnose": "detequiv.numerics.diagnosis",
        "load": "detequiv.problem_file",
        "optimal_penalty": "detequiv.numerics.optimum",
        "reach": "detequiv.numerics.reach",
        "solve": "detequiv.numerics.solve",
        "spectrum": "detequiv.law",
        "validate": "detequiv.report",
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
