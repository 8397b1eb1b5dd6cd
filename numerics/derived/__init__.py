"""What follows from a solution."""

from detequiv.numerics.derived.diagnosis import Diagnosis, diagnose
from detequiv.numerics.derived.learned import (
    combine_functions,
    learned_function,
    target_function,
)
from detequiv.numerics.derived.optimum import Optimum, optimal_penalty
from detequiv.numerics.derived.reach import Reach, reach
from detequiv.numerics.derived.sensitivity import derivatives

__all__ = [
    "Diagnosis",
    "Optimum",
    "Reach",
    "combine_functions",
    "derivatives",
    "diagnose",
    "learned_function",
    "optimal_penalty",
    "reach",
    "target_function",
]
