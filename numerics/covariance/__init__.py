"""Inputs with a covariance: equations summed over levels, solved and vouched for."""

from detequiv.numerics.covariance.floats import (
    solve_covariance_floats,
    solve_covariance_points,
)
from detequiv.numerics.covariance.measure import MeasuredInputs, measure_inputs
from detequiv.numerics.covariance.vouch import CoveredDigits, vouch_covariance

__all__ = [
    "CoveredDigits",
    "MeasuredInputs",
    "measure_inputs",
    "solve_covariance_floats",
    "solve_covariance_points",
    "vouch_covariance",
]
