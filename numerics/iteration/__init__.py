"""Newton's method in float64 and in balls; rules refined until digits stand."""

from detequiv.numerics.iteration.chord import polish
from detequiv.numerics.iteration.descent import descend
from detequiv.numerics.iteration.newton import TOLERANCE, minimise
from detequiv.numerics.iteration.refine import GUARD, SPARE, error_left, refine

__all__ = [
    "GUARD",
    "SPARE",
    "TOLERANCE",
    "descend",
    "error_left",
    "minimise",
    "polish",
    "refine",
]
