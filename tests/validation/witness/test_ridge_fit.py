"""The ridge fit, against slower routes to the same minimiser."""

import numpy as np
import pytest

from detequiv.validation.witness.ridge import fit_ridge

SHAPES = [(40, 25), (25, 40), (30, 30)]


@pytest.mark.parametrize(("n", "p"), SHAPES)
@pytest.mark.parametrize("penalty", [1e-3, 0.5])
def test_the_readout_solves_the_augmented_least_squares(
    n: int, p: int, penalty: float
) -> None:
    rng = np.random.default_rng(n)
    features, labels = rng.standard_normal((n, p)) + 1, rng.standard_normal(n)
    fit = fit_ridge(features, labels, penalty)
    design = features / np.sqrt(p)
    readout, *_ = np.linalg.lstsq(
        np.vstack([design, np.sqrt(penalty) * np.eye(p)]),
        np.concatenate([labels, np.zeros(p)]),
    )
    scale = np.linalg.norm(readout)
    np.testing.assert_allclose(fit.readout, readout, rtol=0, atol=1e-10 * scale)
    residual = labels - design @ readout
    np.testing.assert_allclose(fit.predict(features), design @ readout, atol=1e-9)
    np.testing.assert_allclose(fit.training_error, np.mean(residual**2), rtol=1e-8)
    np.testing.assert_allclose(fit.readout_norm, readout @ readout / p, rtol=1e-9)
    # The minimum is also y^T (y - prediction).
    np.testing.assert_allclose(fit.ridge_objective, labels @ residual / p, rtol=1e-8)
    inverse = np.linalg.inv(features.T @ features / p + penalty * np.eye(p))
    np.testing.assert_allclose(fit.resolvent_trace, np.trace(inverse) / p, rtol=1e-9)


def test_primal_and_dual_agree() -> None:
    # A sample of zero features and zero label changes no fit but the shape: 30 x 31 is
    # solved in the dual, 32 x 31 in the primal.
    rng = np.random.default_rng(7)
    features, labels = rng.standard_normal((30, 31)), rng.standard_normal(30)
    dual = fit_ridge(features, labels, 0.1)
    primal = fit_ridge(
        np.vstack([features, np.zeros((2, 31))]), np.append(labels, [0, 0]), 0.1
    )
    np.testing.assert_allclose(primal.readout, dual.readout, rtol=0, atol=1e-11)
    np.testing.assert_allclose(primal.training_error * 32, dual.training_error * 30)
    np.testing.assert_allclose(primal.ridge_objective, dual.ridge_objective)
    np.testing.assert_allclose(primal.resolvent_trace, dual.resolvent_trace)


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan")])
def test_a_penalty_that_is_not_positive_is_refused(penalty: float) -> None:
    with pytest.raises(ValueError, match=rf"penalty = {penalty}: .* positive"):
        fit_ridge(np.ones((3, 2)), np.ones(3), penalty)


def test_features_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="infs or NaNs"):
        fit_ridge(np.full((3, 2), np.nan), np.ones(3), 1.0)
