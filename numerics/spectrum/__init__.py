"""The spectrum of the features: density, support, outliers."""

from detequiv.numerics.spectrum.fluctuations import trace_covariance
from detequiv.numerics.spectrum.isolated import OUTLIER_DIGITS, OVERLAP_DECIMALS
from detequiv.numerics.spectrum.landmarks import Edge, Interval, Outlier, Threshold
from detequiv.numerics.spectrum.outliers import REAL, FiniteWidth, log_determinant
from detequiv.numerics.spectrum.spectrum import Spectrum

__all__ = [
    "OUTLIER_DIGITS",
    "OVERLAP_DECIMALS",
    "REAL",
    "Edge",
    "FiniteWidth",
    "Interval",
    "Outlier",
    "Spectrum",
    "Threshold",
    "log_determinant",
    "trace_covariance",
]
