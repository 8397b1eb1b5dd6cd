"""The spectrum of the features: density, support, outliers."""

from detequiv.numerics.spectrum.fluctuations import trace_covariance
from detequiv.numerics.spectrum.landmarks import Edge, Interval, Outlier, Threshold
from detequiv.numerics.spectrum.outliers import REAL, FiniteWidth, log_determinant
from detequiv.numerics.spectrum.resolvent import Resolvent, follow_down
from detequiv.numerics.spectrum.spectrum import Spectrum
from detequiv.numerics.spectrum.support import RealBranch

__all__ = [
    "REAL",
    "Edge",
    "FiniteWidth",
    "Interval",
    "Outlier",
    "RealBranch",
    "Resolvent",
    "Spectrum",
    "Threshold",
    "follow_down",
    "log_determinant",
    "trace_covariance",
]
