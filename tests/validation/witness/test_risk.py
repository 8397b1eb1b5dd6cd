"""The exact test error and learned function, against slower routes to the same numbers.

Seeds are fixed. Each statistical test states the probability with which another seed
would fail it although the formula is right.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import sympy as sp
from numpy.polynomial.hermite_e import hermegauss
from numpy.random import SeedSequence
from scipy import integrate, stats
from scipy.special import factorial

from detequiv.theory.functions.expressions import parse_function
from detequiv.validation.trial.simulate import Elementwise
from detequiv.validation.witness import draws, risk
from detequiv.validation.witness.draws import (
    Dimensions,
    Experiment,
    draw,
    sampled_excess_error,
    sampled_learned_function,
)
from detequiv.validation.witness.hermite import (
    UnresolvedError,
    hermite_coefficients,
    hermite_expansion,
    hermite_functions,
)
from detequiv.validation.witness.model import (
    FirstLayer,
    FloatArray,
    Function,
    SpikedModel,
    draw_first_layer,
    draw_inputs,
)
from detequiv.validation.witness.ridge import RidgeFit, fit_ridge
from detequiv.validation.witness.risk import excess_error, learned_function


def relu(x: FloatArray) -> FloatArray:
    """Positive part."""
    return np.maximum(x, 0)


def elementwise(text: str) -> Elementwise:
    """Read a function of z, which knows its kinks."""
    return Elementwise(parse_function(text, "activation"))


MODEL = SpikedModel(
    activation=np.tanh,
    spike=(1.5, -0.8),
    bulk=(1.0, 0.7),
    weights=(0.5, 0.5),
    target=lambda t: t + (t**2 - 1) / 2,
    alignment=0.7,
    noise=0.3,
)


def fitted(
    model: SpikedModel, d: int, n: int, p: int, seed: int
) -> tuple[FirstLayer, RidgeFit]:
    """Draw and fit once."""
    rng = np.random.default_rng(seed)
    layer = draw_first_layer(model, dimension=d, width=p, rng=rng)
    inputs = draw_inputs(rng, n, d)
    labels = model.label(layer, inputs, rng)
    return layer, fit_ridge(model.features(layer, inputs), labels, 0.1)


def test_hermite_functions_are_normalised_polynomials() -> None:
    points = np.linspace(-4, 4, 9)
    exact = [
        np.polynomial.hermite_e.hermeval(points, np.eye(12)[k]) / np.sqrt(factorial(k))
        for k in range(12)
    ]
    np.testing.assert_allclose(hermite_functions(points, 12).T, exact, rtol=1e-11)


def test_coefficients_of_the_rectifier_and_of_a_wave() -> None:
    s = np.array([0.3, 1.0, 1.9, 2.4])
    a, moment = hermite_expansion(relu, s, 40)
    # E[(z)_+ He_k(z)]: 1/sqrt(2 pi), 1/2, then (-1)^(k/2 + 1) (k - 3)!! / sqrt(2 pi).
    np.testing.assert_allclose(a[:, 0], s / np.sqrt(2 * np.pi), rtol=1e-11)
    np.testing.assert_allclose(a[:, 1], s / 2, rtol=1e-11)
    for k in range(2, 40, 2):
        double = float(sp.factorial2(k - 3)) / np.sqrt(2 * np.pi * factorial(k))
        sign = (-1) ** (k // 2 + 1)
        np.testing.assert_allclose(a[:, k], sign * double * s, rtol=1e-9)
    np.testing.assert_allclose(a[:, 3::2], 0, atol=1e-10)
    np.testing.assert_allclose(moment, s**2 / 2, rtol=1e-11)
    # E[sin(s z) He_k(z)] = (-1)^((k - 1)/2) s^k exp(-s^2 / 2) for odd k.
    a = hermite_coefficients(np.sin, s, 30)
    for k in range(1, 30, 2):
        exact = (-1) ** ((k - 1) // 2) * s**k * np.exp(-(s**2) / 2)
        np.testing.assert_allclose(a[:, k], exact / np.sqrt(factorial(k)), atol=1e-10)


@pytest.mark.parametrize("text", ["min(z, 1/3)", "abs(z - 1)*tanh(z)", "step"])
def test_coefficients_at_kinks(text: str) -> None:
    function = elementwise(text)
    scales = np.array([0.8, 1.1, 1.6])
    a = hermite_coefficients(function, scales, 8)
    for s, k in product(range(3), range(8)):
        cuts = [kink / scales[s] for kink in function.kinks]

        def integrand(z: float, s: int = s, k: int = k) -> float:
            point = np.array([z])
            weight = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
            value = function(scales[s] * point)[0]
            return float(value * hermite_functions(point, k + 1)[0, k] * weight)

        exact, _ = integrate.quad(integrand, -11, 11, points=cuts, epsabs=1e-12)
        assert a[s, k] == pytest.approx(exact, abs=1e-10)


def test_the_kinks_of_an_expression_are_known() -> None:
    assert elementwise("min(z, 1/3)").kinks == (1 / 3,)
    assert elementwise("abs(z - 1) + relu(z)").kinks == (0, 1)
    assert elementwise("tanh").kinks == ()


def test_a_function_too_rough_is_not_integrated() -> None:
    with pytest.raises(UnresolvedError, match="too rough"):
        hermite_expansion(lambda z: np.sign(np.sin(500 * z)), np.ones(1), 4)


def test_a_function_that_grows_too_fast_is_not_integrated() -> None:
    # Its square has a finite mean at s^2 < 2, but not within reach of the nodes.
    def fast(z: FloatArray) -> FloatArray:
        return np.exp(z**2 / 8)

    a = hermite_coefficients(fast, np.ones(1), 1)
    assert a[0, 0] == pytest.approx(np.sqrt(4 / 3), rel=1e-10)
    with pytest.raises(UnresolvedError, match="grows too fast"):
        hermite_expansion(fast, np.array([1.0, 1.35]), 4)


# Three inputs, so that a product rule of 48^3 nodes reaches every input there is.
NODES, WEIGHTS = hermegauss(48)
CUBE = np.array(list(product(NODES, repeat=3)))
MASS = np.prod(list(product(WEIGHTS / WEIGHTS.sum(), repeat=3)), axis=1)
SQUARE = np.array(list(product(NODES, repeat=2)))
SQUARE_MASS = np.prod(list(product(WEIGHTS / WEIGHTS.sum(), repeat=2)), axis=1)


@pytest.mark.parametrize("activation", [np.tanh, np.sin, np.square])
def test_errors_are_averages_over_all_inputs(activation: Function) -> None:
    model = replace(MODEL, activation=activation, spike=(0.6, -0.4), bulk=(0.5, 0.4))
    layer, fit = fitted(model, d=3, n=6, p=4, seed=1)
    features = model.features(layer, CUBE)
    exact = MASS @ (model.signal(layer, CUBE) - fit.predict(features)) ** 2
    assert excess_error(model, layer, fit.readout) == pytest.approx(exact, rel=1e-8)
    # The plane orthogonal to v, and kappa along it.
    kappas = (-1.5, 0.0, 2.0)
    plane = np.linalg.svd(layer.direction[None])[2][1:]
    learned = [
        SQUARE_MASS
        @ fit.predict(model.features(layer, SQUARE @ plane + kappa * layer.direction))
        for kappa in kappas
    ]
    np.testing.assert_allclose(
        learned_function(model, layer, fit.readout, kappas), learned, atol=1e-7
    )


@pytest.mark.parametrize(
    ("activation", "spike"),
    [
        (np.tanh, (1.5, -0.8)),
        (relu, (2.0, 0.5)),
        (elementwise("min(z, 1/3)"), (1.0, 0.0)),
        (elementwise("step"), (0.7, 0.0)),
        (np.tanh, (0.0, 0.0)),
    ],
)
def test_sampled_errors_agree(activation: Function, spike: tuple[float, float]) -> None:
    model = replace(MODEL, activation=activation, spike=spike)
    layer, fit = fitted(model, d=40, n=90, p=210, seed=2)
    rng = np.random.default_rng(3)
    # Means of 30 batches; unlucky with probability 1e-6 each, by Student's law.
    batches = [sampled_excess_error(model, layer, fit, 2000, rng) for _ in range(30)]
    exact = excess_error(model, layer, fit.readout)
    assert stats.ttest_1samp(batches, exact).pvalue > 1e-6
    assert stats.sem(batches) < 0.02 * exact
    kappas = (-1.0, 0.5, 2.5)
    sampled = [
        sampled_learned_function(model, layer, fit, kappas, rng) for _ in range(30)
    ]
    values = learned_function(model, layer, fit.readout, kappas)
    assert np.all(stats.ttest_1samp(sampled, values).pvalue > 1e-6 / 3)


def test_a_linear_model_has_its_closed_form() -> None:
    model = replace(MODEL, activation=np.positive, target=np.positive)
    # 450 units: several tiles, the last of them not full.
    layer, fit = fitted(model, d=30, n=80, p=450, seed=4)
    b = layer.rows.T @ fit.readout / np.sqrt(450)
    exact = np.sum((layer.teacher - b) ** 2)
    assert excess_error(model, layer, fit.readout) == pytest.approx(exact, rel=1e-10)
    learned = learned_function(model, layer, fit.readout, (-1.0, 2.0))
    np.testing.assert_allclose(learned, b @ layer.direction * np.array([-1, 2]))


@pytest.mark.parametrize("activation", [np.tanh, relu])
def test_what_is_left_out_is_within_the_bound(
    activation: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = replace(MODEL, activation=activation)
    layer, fit = fitted(model, d=40, n=90, p=60, seed=5)
    exact = excess_error(model, layer, fit.readout)
    # E g^2 = 3/2 is less than the size that the tolerance multiplies.
    monkeypatch.setattr(risk, "ORDERS", range(2, 130, 2))
    errors = []
    for tolerance in (1e-1, 1e-3, 1e-5, 1e-7):
        monkeypatch.setattr(risk, "TOLERANCE", tolerance)
        errors.append(abs(excess_error(model, layer, fit.readout) - exact))
        assert errors[-1] < tolerance * 1.5
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 1e-9


def test_rows_nearly_parallel_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    model = replace(MODEL, activation=relu, target=np.positive, spike=(60.0, 60.0))
    layer, fit = fitted(model, d=20, n=50, p=30, seed=7)
    with pytest.raises(UnresolvedError, match="rows are too nearly parallel"):
        excess_error(model, layer, fit.readout)
    with pytest.raises(UnresolvedError, match="too nearly parallel to the spike"):
        learned_function(model, layer, fit.readout, (1.0,))
    experiment = Experiment(
        model=model,
        dimensions=Dimensions(d=20, n=50, p=30),
        penalty=0.1,
        repetitions=2,
        projections=(1.0,),
    )
    asked: list[int] = []

    def sampled(*arguments: object) -> float:
        asked.append(1)
        return 0.25

    monkeypatch.setattr(draws, "sampled_excess_error", sampled)
    one = draw(experiment, SeedSequence(8))
    assert (one.values["excess_error"], asked) == (0.25, [1])
    assert np.all(np.isfinite(one.learned))
