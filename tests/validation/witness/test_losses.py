"""Labels of -1 and 1, and fits of other losses than the square, by other means."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import erf

from detequiv.validation.witness import Dimensions, Labels, Loss, SpikedModel, run
from detequiv.validation.witness.draws import LOSS_QUANTITIES, QUANTITIES, Experiment
from detequiv.validation.witness.losses import fit_convex

Array = NDArray[np.float64]
SMOOTH = ("logistic", "squared_hinge", "huber")


def data(n: int, p: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(n)
    features = np.tanh(rng.standard_normal((n, p)))
    return features, np.sign(features[:, 0] + rng.standard_normal(n))


@pytest.mark.parametrize("penalty", [1, 0.01])
@pytest.mark.parametrize(("n", "p"), [(60, 40), (40, 60)])
@pytest.mark.parametrize("name", SMOOTH)
def test_a_smooth_fit_is_the_minimum(name: str, n: int, p: int, penalty: float) -> None:
    features, labels = data(n, p)
    loss, rows = Loss(name=name, delta=0.5), features / np.sqrt(p)

    def objective(a: Array) -> tuple[float, Array]:
        fit = rows @ a
        slope = rows.T @ loss.slope(labels, fit) + 2 * penalty * a
        return float(loss.value(labels, fit).sum() + penalty * a @ a), slope

    found = fit_convex(features, labels, penalty, loss)
    searched = minimize(
        objective, np.zeros(p), jac=True, method="BFGS", options={"gtol": 1e-8}
    )
    assert found.ridge_objective == pytest.approx(searched.fun / p, rel=1e-9)
    assert np.allclose(found.readout, searched.x, atol=1e-5)
    bend = loss.curvature(labels, rows @ found.readout) / 2
    inverse = np.linalg.inv((rows.T * bend) @ rows + penalty * np.eye(p))
    assert found.resolvent_trace == pytest.approx(np.trace(inverse) / p, rel=1e-9)


@pytest.mark.parametrize("name", SMOOTH)
def test_slopes_are_those_of_the_loss(name: str) -> None:
    loss, step = Loss(name=name, delta=0.5), 1e-6
    fit = np.linspace(-3, 3, 50)
    for sign in (1.0, -1.0):
        y = np.full_like(fit, sign)
        values = [loss.value(y, fit + s * step) for s in (1, -1)]
        slopes = [loss.slope(y, fit + s * step) for s in (1, -1)]
        by_value = (values[0] - values[1]) / (2 * step)
        by_slope = (slopes[0] - slopes[1]) / (2 * step)
        assert np.allclose(by_value, loss.slope(y, fit), atol=1e-8)
        assert np.allclose(by_slope, loss.curvature(y, fit), atol=1e-8)


@pytest.mark.parametrize("penalty", [1, 0.01, 1e-4])
@pytest.mark.parametrize(("n", "p"), [(60, 40), (40, 60)])
def test_a_hinge_fit_is_the_minimum(n: int, p: int, penalty: float) -> None:
    """Against the dual programme, searched within its bounds."""
    features, labels = data(n, p)
    signed = labels[:, None] * features / np.sqrt(p)

    def dual(share: Array) -> tuple[float, Array]:
        pull = signed.T @ share
        value = pull @ pull / (4 * penalty) - share.sum()
        return float(value), signed @ pull / (2 * penalty) - 1

    searched = minimize(
        dual,
        np.full(n, 0.5),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, 1)] * n,
        options={"maxiter": 20000, "maxfun": 40000, "ftol": 1e-15, "gtol": 1e-10},
    )
    found = fit_convex(features, labels, penalty, Loss(name="hinge"))
    # the dual objective bounds the minimum from below
    assert 0 <= found.ridge_objective + searched.fun / p + 1e-12
    assert found.ridge_objective == pytest.approx(-searched.fun / p, rel=1e-6)
    margin = signed @ found.readout
    at_kink = np.sum(np.abs(margin - 1) < 1e-4)
    assert found.resolvent_trace == pytest.approx((p - at_kink) / penalty / p)


@pytest.mark.parametrize(("slope", "noise"), [(None, 0.7), (2.0, 0.0)])
def test_labels_have_their_mean(slope: float | None, noise: float) -> None:
    """Five means at 4 standard errors: right labels fail once in 3000 seeds."""
    rng, count = np.random.default_rng(1), 20000
    model = logit_model()
    labels = model.labels if slope else Labels(mean=np.tanh)
    assert labels is not None
    for signal in (-1.0, -0.2, 0.0, 0.4, 1.5):
        drawn = labels.draw(np.full(count, signal), noise, rng)
        assert set(drawn) == {-1.0, 1.0}
        if slope is None:
            expected = erf(signal / noise / np.sqrt(2))
        else:
            expected = np.tanh(slope * signal / 2)
        error = np.sqrt((1 - expected**2) / count)
        assert abs(drawn.mean() - expected) < 4 * error


def logit_model() -> SpikedModel:
    return SpikedModel(
        activation=np.tanh,
        weights=(1.0,),
        target=np.positive,
        noise=0.0,
        spike=(1.5,),
        bulk=(1.0,),
        alignment=1.0,
        labels=Labels(mean=np.tanh, slope=2.0),
    )


def test_draws_measure_losses_and_wrong_signs() -> None:
    given = Experiment(
        model=logit_model(),
        dimensions=Dimensions(d=30, n=60, p=40),
        penalty=0.1,
        repetitions=3,
        loss=Loss(name="logistic"),
    )
    found = run(given, rng=1)
    assert set(found.names) == {*QUANTITIES, *LOSS_QUANTITIES}
    mean = found.mean
    objective = 60 * mean["training_loss"] / 40 + 0.1 * mean["readout_norm"]
    assert mean["ridge_objective"] == pytest.approx(objective)
    assert mean["training_loss"] < mean["test_loss"]
    assert mean["training_classification_error"] < mean["classification_error"] < 0.5
    assert "Loss(name='logistic', delta=0.0)" in given.definition
    assert "slope=2.0" in given.definition
