"""The sampled network: rows after the step, against its definition."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate

from detequiv.validation.witness.hermite import hermite_coefficients
from detequiv.validation.witness.model import SpikedModel, draw_first_layer
from detequiv.validation.witness.trained import TrainedModel

Array = NDArray[Any]


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def step(x: Array) -> Array:
    return np.heaviside(x, 0.5)


def sech2(x: Array) -> Array:
    return 1 / np.cosh(x) ** 2


def curved(x: Array) -> Array:
    return x + x**2 / 2 - x**3 / 5


MODEL = TrainedModel(
    activation=relu,
    slope=step,
    readout=(1.0, -0.5),
    weights=(0.5, 0.5),
    step=3.0,
    target=curved,
    noise=0.3,
)


def start(model: TrainedModel, seed: int, d: int, p: int) -> Array:
    """Return the rows before the step, drawn from the same seed."""
    return draw_first_layer(
        replace(model, step=0.0),
        dimension=d,
        width=p,
        rng=np.random.default_rng(seed),
    ).rows


@pytest.mark.parametrize("rows", ["spherical", "gaussian"])
@pytest.mark.parametrize(("activation", "slope"), [(relu, step), (np.tanh, sech2)])
@pytest.mark.parametrize(("target", "j"), [(curved, 0), (np.abs, 3)])
def test_the_population_step_is_its_definition(
    rows: str, activation: Any, slope: Any, target: Any, j: int
) -> None:
    """Average over the plane of a row and the teacher, by adaptive quadrature."""
    model = replace(MODEL, activation=activation, slope=slope, target=target, rows=rows)
    d, p = 12, 4
    before = start(model, 5, d, p)
    layer = draw_first_layer(model, dimension=d, width=p, rng=np.random.default_rng(5))
    norms = np.linalg.norm(before, axis=1)
    assert np.allclose(norms, 1) == (rows == "spherical")
    readout = np.array([1, 1, -0.5, -0.5])

    def mean(f: Any, kinks: list[float]) -> float:
        edges = [-9.0, *kinks, 9.0]
        return sum(
            integrate.quad_vec(
                lambda s: f(s) * np.exp(-s * s / 2) / np.sqrt(2 * np.pi),
                *edges[i : i + 2],
                epsabs=1e-10,
            )[0]
            for i in range(len(edges) - 1)
        )

    outputs = [mean(lambda s, r=r: activation(r * s), [0.0]) for r in norms]
    output = float(readout @ outputs) / p
    r, unit = norms[j], before[j] / norms[j]
    omega = unit @ layer.teacher
    root = np.sqrt(1 - omega**2)
    other = (layer.teacher - omega * unit) / root

    def given(s: float) -> Array:
        kink = float(np.clip(-omega * s / root, -8.9, 8.9))
        return slope(r * s) * mean(
            lambda t: (target(omega * s + root * t) - output) * np.array([s, t]),
            [kink],
        )

    along = mean(given, [0.0])
    expected = before[j] + 3 * readout[j] * (along[0] * unit + along[1] * other)
    np.testing.assert_allclose(layer.rows[j], expected, rtol=0, atol=3e-5)


def test_the_step_on_samples_descends_the_squared_loss() -> None:
    """Differentiate the loss of the network itself, numerically, on the same batch."""
    d, p, n0 = 7, 6, 21
    model = replace(
        MODEL, activation=np.tanh, slope=sech2, batch_per_dim=3.0, rows="gaussian"
    )
    axes = np.eye(2, d)
    normals = np.random.default_rng(1).standard_normal((p, d))
    group = np.repeat([0, 1], 3)
    layer = model.first_layer(
        normals, group, axes, np.ones(normals.shape[1]), np.random.default_rng(2)
    )
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((n0, d))
    labels = curved(inputs @ axes[0]) + 0.3 * rng.standard_normal(n0)
    readout = np.array([1, 1, 1, -0.5, -0.5, -0.5])

    def loss(rows: Array) -> float:
        output = np.tanh(inputs @ rows.T) @ readout / p
        return float(np.mean((labels - output) ** 2) / 2)

    before, h = normals / np.sqrt(d), 1e-5
    for j, i in [(0, 0), (1, 3), (5, 6)]:
        change = np.zeros((p, d))
        change[j, i] = h
        gradient = (loss(before + change) - loss(before - change)) / (2 * h)
        expected = before[j, i] - 3 * p * gradient
        assert layer.rows[j, i] == pytest.approx(expected, abs=1e-7)


def test_a_large_batch_approaches_the_population() -> None:
    # A large target with a small step: the network's own output, whose fluctuation
    # the population step leaves out, counts for nothing.
    model = replace(MODEL, target=lambda x: 100 * curved(x), step=0.03, noise=0.0)
    errors = []
    for batch in (100, 10_000):
        whole, part = (
            draw_first_layer(
                replace(model, batch_per_dim=size),
                dimension=10,
                width=40,
                rng=np.random.default_rng(3),
            )
            for size in (None, batch)
        )
        errors.append(np.sqrt(np.mean(np.sum((whole.rows - part.rows) ** 2, axis=1))))
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.3)
    assert errors[1] < 0.05


def test_models_share_their_draws() -> None:
    """From one seed: the same start, teacher, inputs and labels, batch or none."""
    spiked = SpikedModel(
        activation=relu,
        spike=(0.0, 0.0),
        bulk=(1.0, 1.0),
        weights=(0.5, 0.5),
        target=curved,
        alignment=1.0,
        noise=0.3,
    )
    unmoved = replace(MODEL, step=0.0)
    found = []
    for model in (spiked, unmoved, replace(unmoved, batch_per_dim=2.0)):
        rng = np.random.default_rng(4)
        layer = draw_first_layer(model, dimension=9, width=5, rng=rng)
        found.append((layer.rows, layer.teacher, rng.standard_normal(3)))
    for other in found[1:]:
        for first, second in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(first, second)


def test_hermite_coefficients_of_kinks_and_jumps() -> None:
    root = np.sqrt(2 * np.pi)
    scales = np.array([1.0, 0.7])
    found = hermite_coefficients(relu, scales, 5)
    exact = np.array(
        [1 / root, 1 / 2, 1 / (2 * np.sqrt(np.pi)), 0, -1 / (root * 24**0.5)]
    )
    np.testing.assert_allclose(found, np.outer(scales, exact), atol=3e-6)
    jump = hermite_coefficients(np.sign, scales[:1], 4)[0]
    np.testing.assert_allclose(jump, [0, 2 / root, 0, -2 / (root * 6**0.5)], atol=3e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"readout": (1.0,)}, "readout, weights have lengths 1, 2"),
        ({"rows": "uniform"}, "rows = 'uniform': one of spherical, gaussian"),
        ({"batch_per_dim": 2.0, "slope": None}, "slope = None: a step on samples"),
    ],
)
def test_what_cannot_be_sampled_is_refused(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(MODEL, **change)  # type: ignore[arg-type]
