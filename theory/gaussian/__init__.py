"""Averages over the Gaussian g: smoothing, Hermite coefficients, special functions."""

from detequiv.theory.gaussian.hermite import hermite_coefficient
from detequiv.theory.gaussian.portrait import Portrait
from detequiv.theory.gaussian.rational import quadratic_mean
from detequiv.theory.gaussian.smoothing import Moments, conditional_moments, m, rho
from detequiv.theory.gaussian.special import GaussianMean, NormalCdf, OwenT

__all__ = [
    "GaussianMean",
    "Moments",
    "NormalCdf",
    "OwenT",
    "Portrait",
    "conditional_moments",
    "hermite_coefficient",
    "m",
    "quadratic_mean",
    "rho",
]
