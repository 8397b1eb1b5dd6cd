"""Theory engine for spiked deterministic equivalents.

Everything public is a name of this package. Nothing is imported before its name
is used: SymPy alone takes over a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "Ball",
    "Certificate",
    "ConvergenceError",
    "Curve",
    "Derivation",
    "DetequivError",
    "Diagnosis",
    "Edge",
    "Estimates",
    "Expansion",
    "Finding",
    "Identification",
    "IncompleteCurveError",
    "InputError",
    "Inputs",
    "Interval",
    "Law",
    "MeasuredInputs",
    "Network",
    "Optimum",
    "Outlier",
    "Point",
    "Problem",
    "Reach",
    "Relation",
    "Report",
    "Ridge",
    "Simulation",
    "Solution",
    "SpikedFeatures",
    "Target",
    "Threshold",
    "Trial",
    "Verdict",
    "__version__",
    "certify",
    "check",
    "compare",
    "curve",
    "derivatives",
    "derive",
    "diagnose",
    "eliminate",
    "expand",
    "identify",
    "learned_function",
    "load",
    "measure_inputs",
    "numerics",
    "optimal_penalty",
    "reach",
    "separability_threshold",
    "simulate",
    "solve",
    "solve_model",
    "spectrum",
    "target_function",
    "theory",
    "validate",
    "validation",
]

if TYPE_CHECKING:
    from detequiv import numerics, theory, validation
    from detequiv.formats.problem_file import load
    from detequiv.formats.table import Simulation
    from detequiv.numerics.certificates import Ball, Certificate, certify, compare
    from detequiv.numerics.covariance import MeasuredInputs, measure_inputs
    from detequiv.numerics.derived import (
        Diagnosis,
        Optimum,
        Reach,
        derivatives,
        diagnose,
        learned_function,
        optimal_penalty,
        reach,
        target_function,
    )
    from detequiv.numerics.discovery import (
        Expansion,
        Identification,
        Relation,
        Verdict,
        check,
        eliminate,
        expand,
        identify,
    )
    from detequiv.numerics.losses import separability_threshold
    from detequiv.numerics.solving import Point, Solution, solve, solve_model
    from detequiv.numerics.spectrum import Edge, Interval, Outlier, Threshold
    from detequiv.results.curves import Curve, IncompleteCurveError, curve
    from detequiv.results.law import Law, spectrum
    from detequiv.results.report import Report, validate
    from detequiv.theory.derivation import Derivation, derive
    from detequiv.theory.errors import ConvergenceError, DetequivError, InputError
    from detequiv.theory.problem import (
        Inputs,
        Network,
        Problem,
        Ridge,
        SpikedFeatures,
        Target,
    )
    from detequiv.validation.statistics import Finding
    from detequiv.validation.trial import Trial, simulate
    from detequiv.validation.witness import Estimates

    __version__: str
else:
    _HOMES = {
        "detequiv.formats.problem_file": ("load",),
        "detequiv.formats.table": ("Simulation",),
        "detequiv.numerics.certificates": ("Ball", "Certificate", "certify", "compare"),
        "detequiv.numerics.covariance": ("MeasuredInputs", "measure_inputs"),
        "detequiv.numerics.derived": (
            "Diagnosis",
            "Optimum",
            "Reach",
            "derivatives",
            "diagnose",
            "learned_function",
            "optimal_penalty",
            "reach",
            "target_function",
        ),
        "detequiv.numerics.discovery": (
            "Expansion",
            "Identification",
            "Relation",
            "Verdict",
            "check",
            "eliminate",
            "expand",
            "identify",
        ),
        "detequiv.numerics.losses": ("separability_threshold",),
        "detequiv.numerics.solving": ("Point", "Solution", "solve", "solve_model"),
        "detequiv.numerics.spectrum": ("Edge", "Interval", "Outlier", "Threshold"),
        "detequiv.results.curves": ("Curve", "IncompleteCurveError", "curve"),
        "detequiv.results.law": ("Law", "spectrum"),
        "detequiv.results.report": ("Report", "validate"),
        "detequiv.theory.derivation": ("Derivation", "derive"),
        "detequiv.theory.errors": ("ConvergenceError", "DetequivError", "InputError"),
        "detequiv.theory.problem": (
            "Inputs",
            "Network",
            "Problem",
            "Ridge",
            "SpikedFeatures",
            "Target",
        ),
        "detequiv.validation.statistics": ("Finding",),
        "detequiv.validation.trial": ("Trial", "simulate"),
        "detequiv.validation.witness": ("Estimates",),
    }
    _HOME = {name: home for home, names in _HOMES.items() for name in names}

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
