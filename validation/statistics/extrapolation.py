"""Finite-size trend: differences at several dimensions, carried to d -> infinity."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
from scipy import stats

__all__ = ["ONSET", "Trend", "fit_trend", "p_value"]

ONSET = 50.0
"""Dimension at which successive powers of 1/d are taken to be of one size.

What a finite width costs the mean readouts is in the theory that simulations are set
beside. What is left comes from fluctuations, which the few functions and outliers of
the groups correct by their number over n, p or their difference: of order 10 over d in
most problems, so that this allows for several times as much.
"""


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Weighted least squares fit ``difference = intercept + slope / d + ...``.

    Attributes
    ----------
    intercept, standard_error : float
        The difference carried to infinite dimension, and its standard error.
    corrections : tuple of float
        Coefficients of 1/d, 1/d^2, ...: as many as the degree.
    goodness : float
        Probability of a chi-square at least as large as the one seen, if the trend has
        this form; 1 when as many dimensions as coefficients leave nothing to test.
    birge_ratio : float
        Square root of chi-square over its mean, by which the scatter about the trend
        exceeds what the standard errors explain; 1 where nothing is left to test.
    neglected : float
        Allowance for the first power of 1/d left out: what it does to the intercept if
        the coefficients of successive powers have the ratio `ONSET`, counted from the
        one kept that makes it largest.
    neglected_error : float
        Standard error of this allowance.
    """

    intercept: float
    standard_error: float
    corrections: tuple[float, ...]
    goodness: float
    birge_ratio: float
    neglected: float
    neglected_error: float

    @property
    def error(self) -> float:
        """Standard error of the intercept with the allowance for what is neglected."""
        return hypot(self.standard_error, self.neglected)

    @property
    def z(self) -> float:
        """Intercept over its standard error."""
        return self.intercept / self.standard_error


def p_value(z: float, freedom: int) -> float:
    """Find how probable a ``|z|`` as large is when nothing differs.

    Parameters
    ----------
    z : float
        Estimate over its standard error.
    freedom : int
        Degrees of freedom of the least known standard error. Student's law with these
        stands in for the unknown law of z, and is wider.

    Examples
    --------
    >>> round(p_value(1.96, 10**6), 3), round(p_value(-1.96, 10), 3)
    (0.05, 0.078)
    """
    return float(2 * stats.t.sf(abs(z), freedom))


def fit_trend(
    dimensions: Sequence[int],
    differences: Sequence[float],
    standard_errors: Sequence[float],
    degree: int = 1,
) -> Trend:
    """Fit ``difference = c0 + c1 / d + ...`` with weights ``1 / standard_error^2``.

    Parameters
    ----------
    dimensions : sequence of int
        The d, more different ones than `degree`.
    differences, standard_errors : sequence of float
        Simulation minus theory at each d, and its standard error.
    degree : int
        Highest power of 1/d, at least 1.

    Returns
    -------
    Trend
        The intercept c0 with its standard error, the rest, and the quality of the fit.

    Raises
    ------
    ValueError
        If too few dimensions differ, or a standard error is not positive.

    Examples
    --------
    >>> trend = fit_trend([100, 200, 400], [0.13, 0.08, 0.055], [0.01, 0.01, 0.01])
    >>> round(trend.intercept, 6), round(trend.goodness, 6)
    (0.03, 1.0)
    >>> [round(c, 6) for c in trend.corrections]
    [10.0]
    """
    if len(set(dimensions)) <= degree:
        raise ValueError(
            f"dimensions = {list(dimensions)}: {degree + 1} different ones needed"
        )
    if not min(standard_errors) > 0:
        raise ValueError(f"standard_errors = {list(standard_errors)}: must be positive")
    smallest = min(dimensions)
    # in units of the smallest d, for the columns to be of one size
    ratio = smallest / np.asarray(dimensions, dtype=np.float64)
    weight = 1 / np.asarray(standard_errors, dtype=np.float64)
    powers = np.vander(ratio, degree + 1, increasing=True)
    factor = np.linalg.pinv(weight[:, None] * powers)
    coefficients = factor @ (weight * np.asarray(differences))
    misfit = weight * (np.asarray(differences) - powers @ coefficients)
    leverage = abs(factor[0] @ (weight * ratio ** (degree + 1)))
    allowance = leverage * (ONSET / smallest) ** np.arange(degree, 0, -1)
    square, spare = float(misfit @ misfit), len(dimensions) - degree - 1
    return Trend(
        intercept=float(coefficients[0]),
        standard_error=float(np.linalg.norm(factor[0])),
        corrections=tuple(
            float(c) * smallest**k for k, c in enumerate(coefficients[1:], start=1)
        ),
        goodness=float(stats.chi2.sf(square, spare)) if spare else 1.0,
        birge_ratio=float(np.sqrt(square / spare)) if spare else 1.0,
        neglected=float(np.max(allowance * np.abs(coefficients[1:]))),
        neglected_error=float(np.max(allowance * np.linalg.norm(factor[1:], axis=1))),
    )
