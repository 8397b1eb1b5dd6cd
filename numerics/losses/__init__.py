"""What labels of -1 and 1, and losses other than the square, add."""

from detequiv.numerics.losses.convex import Place, Rules
from detequiv.numerics.losses.descent import Found
from detequiv.numerics.losses.outcomes import outcomes
from detequiv.numerics.losses.rates import error_rates
from detequiv.numerics.losses.solved import ConvexSolution, solve_convex
from detequiv.numerics.losses.threshold import separability_threshold
from detequiv.numerics.losses.values import (
    LossValues,
    loss_values,
    loss_values_of_mixture,
)

__all__ = [
    "ConvexSolution",
    "Found",
    "LossValues",
    "Place",
    "Rules",
    "error_rates",
    "loss_values",
    "loss_values_of_mixture",
    "outcomes",
    "separability_threshold",
    "solve_convex",
]
