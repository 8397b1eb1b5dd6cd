"""Inputs with a covariance: equations summed over levels, solved and vouched for."""

from detequiv.numerics.covariance.floats import Covered, solve_covariance_floats
from detequiv.numerics.covariance.vouch import CoveredDigits, vouch_covariance

__all__ = ["Covered", "CoveredDigits", "solve_covariance_floats", "vouch_covariance"]
