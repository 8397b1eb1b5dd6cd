"""The finite-size fit and its errors."""

import numpy as np
import pytest
from scipy import stats

from detequiv.validation.statistics.extrapolation import ONSET, fit_trend, p_value

DIMENSIONS = [150, 300, 600]
ERRORS = np.array([0.01, 0.02, 0.015])


def test_it_is_the_weighted_polynomial_fit() -> None:
    differences = np.array([0.1, 0.02, 0.05])
    trend = fit_trend(DIMENSIONS, list(differences), list(ERRORS))
    (slope, intercept), covariance = np.polyfit(
        1 / np.array(DIMENSIONS), differences, 1, w=1 / ERRORS, cov="unscaled"
    )
    assert trend.corrections == pytest.approx((slope,))
    assert trend.intercept == pytest.approx(intercept)
    assert trend.standard_error == pytest.approx(np.sqrt(covariance[1, 1]))
    assert trend.z == pytest.approx(intercept / np.sqrt(covariance[1, 1]))
    misfit = (differences - intercept - slope / np.array(DIMENSIONS)) / ERRORS
    assert trend.goodness == pytest.approx(stats.chi2.sf(np.sum(misfit**2), 1))


def test_z_and_goodness_have_their_laws() -> None:
    # 1500 samples around a true trend without intercept. z must be standard normal and
    # the goodness uniform: Kolmogorov-Smirnov, unlucky with probability 1e-6 each.
    rng = np.random.default_rng(9)
    truth = 3.0 / np.array(DIMENSIONS)
    trends = [
        fit_trend(DIMENSIONS, list(truth + ERRORS * noise), list(ERRORS))
        for noise in rng.standard_normal((1500, 3))
    ]
    assert stats.kstest([one.z for one in trends], "norm").pvalue > 1e-6
    assert stats.kstest([one.goodness for one in trends], "uniform").pvalue > 1e-6


def test_what_is_neglected_is_allowed_for() -> None:
    # All powers of a/d, with a the onset: the fit keeps a few, and its intercept is
    # off by the rest.
    d = np.array([100, 150, 200, 300])
    for degree in (1, 2):
        trend = fit_trend(list(d), list(ONSET / (d + ONSET)), [1e-3] * 4, degree=degree)
        assert trend.neglected / 4 < abs(trend.intercept) < trend.neglected
        assert trend.neglected_error < trend.standard_error


def test_two_dimensions_leave_nothing_to_test() -> None:
    trend = fit_trend([100, 200], [0.3, 0.2], [0.01, 0.01])
    assert trend.goodness == 1
    assert trend.intercept == pytest.approx(0.1)


def test_one_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dimensions = \[100, 100\]: 2 different"):
        fit_trend([100, 100], [0.3, 0.2], [0.01, 0.01])


def test_the_p_value_is_two_sided_and_wider_than_normal() -> None:
    assert p_value(-2.5, 10**7) == pytest.approx(2 * stats.norm.sf(2.5), rel=1e-5)
    assert p_value(2.5, 20) > p_value(2.5, 200) > 2 * stats.norm.sf(2.5)
