"""Finite-size trend: differences at several dimensions, carried to d -> infinity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["Trend", "fit_trend", "z_threshold"]


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Weighted least squares fit ``difference = intercept + slope / d``.

    Attributes
    ----------
    intercept, standard_error : float
        The difference carried to infinite dimension, and its standard error.
    slope : float
        Coefficient of 1/d.
    goodness : float
        Probability of a chi-square at least as large as the one seen, if the trend has
        this form; 1 when as many dimensions as coefficients leave nothing to test.
    """

    intercept: float
    standard_error: float
    slope: float
    goodness: float

    @property
    def z(self) -> float:
        """Intercept over its standard error."""
        return self.intercept / self.standard_error


def z_threshold(level: float, freedom: int) -> float:
    """Find what ``|z|`` exceeds with probability `level` when nothing differs.

    Parameters
    ----------
    level : float
        Probability, two-sided.
    freedom : int
        Degrees of freedom of the least known standard error. Student's law with these
        stands in for the unknown law of z, and is wider.

    Examples
    --------
    >>> round(z_threshold(0.05, 10**6), 2), round(z_threshold(0.05, 10), 2)
    (1.96, 2.23)
    """
    return float(stats.t.isf(level / 2, freedom))


def fit_trend(
    dimensions: Sequence[int],
    differences: Sequence[float],
    standard_errors: Sequence[float],
) -> Trend:
    """Fit ``difference = c0 + c1 / d`` with weights ``1 / standard_error^2``.

    Parameters
    ----------
    dimensions : sequence of int
        The d, two different ones at least.
    differences, standard_errors : sequence of float
        Simulation minus theory at each d, and its standard error.

    Returns
    -------
    Trend
        The intercept c0 with its standard error, c1, and the quality of the fit.

    Raises
    ------
    ValueError
        If fewer than two dimensions differ.

    Examples
    --------
    >>> trend = fit_trend([100, 200, 400], [0.13, 0.08, 0.055], [0.01, 0.01, 0.01])
    >>> round(trend.intercept, 6), round(trend.slope, 6), round(trend.goodness, 6)
    (0.03, 10.0, 1.0)
    """
    if len(set(dimensions)) < 2:
        raise ValueError(f"dimensions = {list(dimensions)}: two different ones needed")
    inverse = 1 / np.asarray(dimensions, dtype=np.float64)
    weight = 1 / np.asarray(standard_errors, dtype=np.float64)
    design = np.column_stack([weight, weight * inverse])
    covariance = np.linalg.inv(design.T @ design)
    intercept, slope = covariance @ design.T @ (weight * np.asarray(differences))
    misfit = weight * (differences - intercept - slope * inverse)
    spare = len(dimensions) - 2
    goodness = stats.chi2.sf(misfit @ misfit, spare) if spare else 1.0
    return Trend(
        intercept=float(intercept),
        standard_error=float(np.sqrt(covariance[0, 0])),
        slope=float(slope),
        goodness=float(goodness),
    )
