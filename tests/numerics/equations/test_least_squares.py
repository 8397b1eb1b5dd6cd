"""Many small least squares at once agree with each alone."""

import numpy as np
import pytest

from detequiv.numerics.equations.least_squares import least_squares
from detequiv.numerics.equations.linear_form import LinearForm

POINTS, COUNT, NODES = 3, 5, 40


def fitted(
    slopes: np.ndarray, offsets: np.ndarray, factors: np.ndarray, penalty: np.ndarray
) -> np.ndarray:
    """Coefficients, after a check of the squared residuals beside them."""
    forms = [LinearForm(a, np.ones(NODES)) for a in slopes.swapaxes(0, 1)]
    y, squares = least_squares(forms, list(offsets.swapaxes(0, 1)), factors, penalty)
    residuals = offsets - np.einsum("brcn,bc->brn", slopes, y)
    # each residual is a difference as exact as its terms
    allowed = 1e-14 * (1 + np.abs(slopes).max() * np.abs(y).max())
    expected = np.sqrt((residuals**2).sum(1))
    assert np.sqrt(squares) == pytest.approx(expected, rel=1e-14, abs=allowed)
    return y


def columns(rng: np.random.Generator, condition: float) -> np.ndarray:
    """Columns in one residual, of singular values from 1 down to 1/condition."""
    left, _ = np.linalg.qr(rng.normal(size=(NODES, COUNT)))
    right, _ = np.linalg.qr(rng.normal(size=(COUNT, COUNT)))
    design = (left * np.geomspace(1, 1 / condition, COUNT)) @ right
    return design.T[None, None]


@pytest.mark.parametrize("condition", [1, 1e3, 1e5, 1e7, 1e10])
def test_no_digits_are_lost_to_squared_condition_numbers(condition: float) -> None:
    rng = np.random.default_rng(1)
    slopes = columns(rng, condition)
    offsets = rng.normal(size=(1, 1, NODES))
    weights = rng.uniform(0.5, 2, (POINTS, NODES))
    found = fitted(slopes, offsets, weights, np.zeros((POINTS, COUNT, COUNT)))
    for y, w in zip(found, weights, strict=True):
        root = np.sqrt(w)
        design, target = (slopes[0, 0] * root).T, offsets[0, 0] * root
        expected, *_ = np.linalg.lstsq(design, target, rcond=1e-14)
        # what rounding the design does to the best fit
        allowed = 1e-14 * condition * np.linalg.norm(target)
        assert np.linalg.norm(design @ (y - expected)) < allowed


def test_dependent_columns_give_the_fit_of_the_independent_ones() -> None:
    rng = np.random.default_rng(2)
    slopes = rng.normal(size=(1, 2, COUNT, NODES))
    offsets = rng.normal(size=(1, 2, NODES))
    weights = rng.uniform(0.5, 2, (POINTS, NODES))
    penalty = np.zeros((POINTS, COUNT + 2, COUNT + 2))
    penalty[:, 1, 1] = 3
    twice = np.concatenate([slopes, slopes[:, :, :1], 0 * slopes[:, :, :1]], axis=2)
    found = fitted(twice, offsets, weights, penalty)
    alone = fitted(slopes, offsets, weights, penalty[:, :COUNT, :COUNT])
    assert found[:, 1:COUNT] == pytest.approx(alone[:, 1:], rel=1e-10)
    assert found[:, 0] + found[:, COUNT] == pytest.approx(alone[:, 0], rel=1e-10)
    assert found[:, 0] == pytest.approx(found[:, COUNT], rel=1e-10)  # least norm
    assert found[:, -1] == pytest.approx(0)


def test_shared_coefficients_give_what_everyones_own_give() -> None:
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(1, COUNT, NODES))
    weights = rng.uniform(0.5, 2, NODES)
    one = LinearForm(shared, weights)
    each = LinearForm(np.repeat(shared, POINTS, axis=0), weights)
    x, factors = rng.normal(size=(POINTS, COUNT)), rng.normal(size=(POINTS, NODES))
    assert one.values(x) == pytest.approx(each.values(x), abs=1e-13)
    assert one.vectors(factors) == pytest.approx(each.vectors(factors), abs=1e-13)
    assert one.matrices(factors) == pytest.approx(each.matrices(factors), abs=1e-13)
