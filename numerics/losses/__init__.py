"""What labels of -1 and 1, and losses other than the square, add."""

from detequiv.numerics.losses.convex import Place
from detequiv.numerics.losses.rates import error_rates
from detequiv.numerics.losses.solved import ConvexSolution, solve_convex
from detequiv.numerics.losses.threshold import separability_threshold
from detequiv.numerics.losses.values import loss_values

__all__ = [
    "ConvexSolution",
    "Place",
    "error_rates",
    "loss_values",
    "separability_threshold",
    "solve_convex",
]
