"""Exact coefficients of expansions: small spikes and steps, algebraic branches."""

from detequiv.theory.series.features import SmallFeatures, small_features
from detequiv.theory.series.field import OpenFieldError
from detequiv.theory.series.puiseux import Branch, follow_branch, tau
from detequiv.theory.series.small import SmallSeries

__all__ = [
    "Branch",
    "OpenFieldError",
    "SmallFeatures",
    "SmallSeries",
    "follow_branch",
    "small_features",
    "tau",
]
