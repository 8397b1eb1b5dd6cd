"""From a float64 solution to digits: chord steps; rules refined until they stand."""

from detequiv.numerics.refinement.chord import polish
from detequiv.numerics.refinement.refine import GUARD, SPARE, error_left, refine

__all__ = ["GUARD", "SPARE", "error_left", "polish", "refine"]
