"""Samplers of several directions, against integrals on grids and fresh inputs."""

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss

import detequiv as de
from detequiv.numerics.solving import solve_at_width
from detequiv.theory.functions import projections, read_function
from detequiv.validation.trial.simulate import Elementwise, Projected, sampler
from detequiv.validation.witness.directions import StepsModel, target_series
from detequiv.validation.witness.draws import sampled_excess_error
from detequiv.validation.witness.model import draw_first_layer
from detequiv.validation.witness.ridge import RidgeFit
from detequiv.validation.witness.risk import excess_error

Z1, Z2, _, *_ = projections
SPIKES = [[1.5, 0.2], [-0.8, 1.0]]


def spiked(alignment, target="z1 + z1*z2", activation="tanh") -> de.Problem:
    """Features of two spikes."""
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=SPIKES),
        target=de.Target(function=target, alignment=alignment, noise="3/10"),
        ridge=de.Ridge(samples_per_dim=3, width_per_dim=2, penalty="1/10"),
    )


def trained(steps: int, readout, functions=None) -> de.Problem:
    """A network on the staircase."""
    return de.Problem(
        network=de.Network(
            activation="tanh(z + 1)", readout=readout, step=2, steps=steps
        ),
        target=de.Target(function="z1 + z1*z2", functions=functions, noise="3/10"),
        ridge=de.Ridge(samples_per_dim=3, width_per_dim=2, penalty="1/10"),
    )


def test_series_of_a_polynomial() -> None:
    series = target_series(Projected(Z1 + 2 * Z1 * Z2**2, 2), 2, 5)
    found = dict(
        zip(map(tuple, series.indices.tolist()), series.coefficients, strict=True)
    )
    # 2 z1 z2^2 = 2 z1 + 2 sqrt(2) h_1 h_2, and 3!/(1! 2!) = 3
    assert abs(found[1, 0] - 3) < 1e-12
    assert abs(found[1, 2] - 2 * np.sqrt(2) * np.sqrt(3)) < 1e-12
    assert abs(series.square - 17) < 1e-11


@pytest.mark.parametrize(
    "problem",
    [
        spiked([["3/5", "1/5"], [0, "4/5"]]),
        spiked(1, "z1*tanh((z1 + z2)/2)", "relu"),
        trained(2, [1, -1.5]),
    ],
    ids=["misaligned", "mixed", "two steps"],
)
def test_the_error_is_that_on_fresh_inputs(problem: de.Problem) -> None:
    """Of any readout; 4 standard errors are passed with probability 6e-5."""
    model = sampler(problem)
    rng = np.random.default_rng(3)
    layer = draw_first_layer(model, dimension=60, width=40, rng=rng)
    assert np.abs(layer.teacher @ layer.teacher.T - np.eye(2)).max() < 1e-12
    readout = rng.standard_normal(40)
    fit = RidgeFit(
        readout=readout,
        training_error=0,
        readout_norm=0,
        ridge_objective=0,
        resolvent_trace=0,
    )
    drawn = [sampled_excess_error(model, layer, fit, 5000, rng) for _ in range(20)]
    error = np.std(drawn, ddof=1) / np.sqrt(len(drawn))
    assert abs(np.mean(drawn) - excess_error(model, layer, readout)) < 4 * error


@pytest.mark.parametrize("heads", [1, 2])
def test_a_step_is_the_gradient_on_a_grid(heads: int) -> None:
    """In three dimensions, where the average over all inputs is a sum."""
    model = StepsModel(
        activation=Elementwise(read_function("tanh(z + 1)", "activation")),
        weights=(0.5, 0.5),
        target=Projected(Z1, 2),
        noise=0.0,
        projections=2,
        readout=((1.0, 0.5), (-1.5, 1.0)) if heads == 2 else ((1.0,), (-1.5,)),
        steps=(1.0,),
        heads=(Projected(Z1 + Z1 * Z2, 2), Projected(Z2**2, 2))[:heads],
    )
    rng = np.random.default_rng(0)
    rows, readout = rng.standard_normal((6, 3)) * 0.6, np.repeat(model.readout, 3, 0)
    places, weights = hermegauss(70)
    weights /= weights.sum()
    inputs = np.stack(np.meshgrid(*[places] * 3, indexing="ij"), -1)
    seen = inputs @ rows.T
    # heads' means given z, the first two coordinates
    outputs = np.einsum("abcj,c,jh->abh", model.activation(seen), weights, readout) / 6
    z = inputs[:, :, 0, :2].reshape(-1, 2)
    targets = np.stack([g(z).reshape(70, 70) for g in model.heads], -1)
    residual = np.einsum("abh,jh->abj", targets - outputs, readout)
    slope = 1 - np.tanh(seen + 1) ** 2
    known = np.einsum(
        *("abj,abcj,abci,a,b,c->ji", residual, slope, inputs),
        *(weights, weights, weights),
        optimize=True,
    )
    found = model._pull(rows, readout, np.eye(2, 3))
    assert np.abs(found - known).max() < 1e-7


def test_labels_and_sizes() -> None:
    estimates = de.simulate(spiked(1), dimension=20, repetitions=2, rng=0)
    assert estimates.experiment.dimensions.p == 40
    again = de.simulate(spiked(1), dimension=20, repetitions=2, rng=0)
    assert estimates.mean == again.mean
    assert "Projected" in estimates.experiment.definition


def test_curves_are_simulated_beside_the_theory_of_the_width() -> None:
    curve = de.curve(spiked(1), {"ridge.samples_per_dim": [2, 4]})
    drawn = curve.simulate(dimension=20, repetitions=2, rng=0)
    header, *rows = str(drawn.to_csv()).splitlines()
    row = dict(zip(header.split(","), rows[0].split(","), strict=True))
    at_width = solve_at_width(
        spiked(1).with_values({"ridge.samples_per_dim": 2}), 40, digits=10
    )
    gap = float(row["excess_error_at_width"]) - float(at_width.excess_error)
    assert abs(gap) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem",
    [
        spiked(1),
        spiked([["3/5", "1/5"], [0, "4/5"]], activation="relu"),
        trained(2, [1, -1.5]),
        trained(1, [[1, 0.5], [-0.7, 1]], ["z1", "z2 + z1*z2"]),
    ],
    ids=["spikes", "misaligned", "two steps", "two heads"],
)
def test_theory_is_the_limit_of_simulations(problem: de.Problem) -> None:
    """Residuals fitted by ``a + b/d``: a is within three standard errors of 0.

    A right theory fails one of the three quantities with probability 0.8 percent.
    """
    sizes, counts = (60, 120, 240), (200, 100, 40)
    drawn = [
        de.simulate(problem, dimension=d, repetitions=count, rng=d)
        for d, count in zip(sizes, counts, strict=True)
    ]
    theory = [solve_at_width(problem, 2 * d) for d in sizes]
    for name in ("excess_error", "training_error", "readout_norm"):
        errors = np.array([one.standard_error[name] for one in drawn])
        means = np.array([one.mean[name] for one in drawn])
        gaps = means - np.array([float(getattr(one, name)) for one in theory])
        design = np.stack([np.ones(3), 1 / np.array(sizes)], 1) / errors[:, None]
        covariance = np.linalg.inv(design.T @ design)
        limit = covariance[0] @ (design.T @ (gaps / errors))
        assert abs(limit) < 3 * np.sqrt(covariance[0, 0])
