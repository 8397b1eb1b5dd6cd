"""Labels of -1 and 1, losses other than the square, and the fits that minimise them."""

from detequiv.validation.witness.losses.fit import ConvexFit, fit_convex
from detequiv.validation.witness.losses.labels import Labels
from detequiv.validation.witness.losses.loss import Loss

__all__ = ["ConvexFit", "Labels", "Loss", "fit_convex"]
