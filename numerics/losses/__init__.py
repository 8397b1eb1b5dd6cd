"""What labels of -1 and 1, and losses other than the square, add."""

from detequiv.numerics.losses.convex import Place
from detequiv.numerics.losses.rates import error_rates
from detequiv.numerics.losses.separable import check_separable
from detequiv.numerics.losses.solved import ConvexSolution, solve_convex
from detequiv.numerics.losses.values import loss_values

__all__ = [
    "ConvexSolution",
    "Place",
    "check_separable",
    "error_rates",
    "loss_values",
    "solve_convex",
]
