"""Inputs with a covariance: equations summed over levels, solved and vouched for."""

from detequiv.numerics.covariance.floats import Covered, solve_covariance_floats


__all__ = ["Covered", "solve_covariance_floats"]
