"""The bridge between the two sides, and the comparison it serves."""

import pickle

import numpy as np
import pytest
import sympy as sp

from detequiv.numerics.solving.solution import QUANTITIES as SOLVED
from detequiv.theory.errors import InputError
from detequiv.theory.functions.expressions import parse_function, z
from detequiv.theory.problem import (
    Network,
    Problem,
    Ridge,
    SpikedFeatures,
    Target,
)
from detequiv.validation.studies import trend
from detequiv.validation.trial.measured import QUANTITIES as JUDGED
from detequiv.validation.trial.simulate import Elementwise, sampler, simulate
from detequiv.validation.trial.trial import predict
from detequiv.validation.witness.runs import QUANTITIES
from detequiv.validation.witness.trained import TrainedModel

PROBLEM = Problem(
    features=SpikedFeatures(
        activation="tanh",
        spike=["3/2", "-4/5"],
        bulk=["1/2", 1],
        weights=["1/3", "2/3"],
    ),
    target=Target(function="z + (z**2 - 1)/2", alignment="7/10", noise="3/10"),
    ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)


@pytest.mark.parametrize(
    "text",
    [
        *("tanh", "relu", "erf", "sigmoid", "softplus", "gelu", "silu", "sin", "step"),
        *("abs", "sign", "He(3, z)", "leaky_relu(z, 0.1)", "min(z, 1/3)*sech(z)", "2"),
    ],
)
def test_expressions_become_elementwise_functions(text: str) -> None:
    expression = parse_function(text, "activation")
    function = Elementwise(expression)
    points = np.array([[-30.0, -2.5, -0.1], [0.0, 0.3, 4.0]])
    exact = [[float(expression.subs(z, sp.Rational(x))) for x in row] for row in points]
    for copy in (function, pickle.loads(pickle.dumps(function))):
        np.testing.assert_allclose(copy(points), exact, rtol=1e-12, atol=1e-15)


def test_what_overflows_on_the_way_is_still_right() -> None:
    silu = Elementwise(parse_function("silu", "activation"))
    assert silu(np.array([-1e4, 1e4])).tolist() == [0, 1e4]


def test_the_problem_reaches_the_sampler() -> None:
    model = sampler(PROBLEM)
    assert model.spike == (1.5, -0.8)
    assert model.bulk == (0.5, 1.0)
    assert model.weights == (1 / 3, 2 / 3)
    assert (model.alignment, model.noise) == (0.7, 0.3)
    points = np.linspace(-2, 2, 5)
    np.testing.assert_allclose(model.activation(points), np.tanh(points))
    np.testing.assert_allclose(model.target(points), points + (points**2 - 1) / 2)
    experiment = simulate(PROBLEM, dimension=20, repetitions=2, rng=0).experiment
    sizes = experiment.dimensions
    assert (sizes.d, sizes.n, sizes.p) == (20, 40, 30)
    assert (experiment.penalty, experiment.repetitions) == (0.05, 2)


def test_both_sides_use_the_same_names() -> None:
    assert set(QUANTITIES) == set(SOLVED)
    assert set(JUDGED) <= set(QUANTITIES)


def network(**fields: object) -> Problem:
    """Return a problem with a network of two groups."""
    given = {"activation": "relu", "readout": [1, "-1/2"], "step": 3, **fields}
    return Problem(
        network=Network(**given),  # type: ignore[arg-type]
        target=Target(function="z + He(2, z)/2", noise="3/10"),
        ridge=PROBLEM.ridge,
    )


def test_the_network_reaches_the_sampler() -> None:
    model = sampler(network(rows="gaussian", batch_per_dim=5))
    assert isinstance(model, TrainedModel)
    assert model.readout == (1.0, -0.5)
    assert model.weights == (0.5, 0.5)
    assert (model.step, model.rows, model.batch_per_dim) == (3.0, "gaussian", 5.0)
    assert model.slope is not None
    np.testing.assert_array_equal(model.slope(np.array([-1.0, 2.0])), [0, 1])
    assert sampler(network()) != model


def test_a_step_on_samples_of_an_activation_that_jumps_is_refused() -> None:
    with pytest.raises(InputError, match=r"network.activation = .*: jumps"):
        sampler(network(activation="sign", batch_per_dim=5))


def test_a_batch_without_samples_names_the_dimension() -> None:
    few = network(batch_per_dim="1/100")
    with pytest.raises(InputError, match="dimension = 20: too small"):
        simulate(few, dimension=20, repetitions=2, rng=0)


@pytest.mark.parametrize(
    ("dimension", "repetitions", "message"),
    [
        (1, 2, "dimension = 1: too small"),
        (20, 1, "repetitions = 1: at least 2"),
    ],
)
def test_sizes_too_small_name_their_field(
    dimension: int, repetitions: int, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        simulate(PROBLEM, dimension=dimension, repetitions=repetitions, rng=0)


def test_too_few_samples_name_the_dimension() -> None:
    few = PROBLEM.with_values({"ridge.samples_per_dim": "1/100"})
    with pytest.raises(InputError, match="dimension = 20: too small"):
        simulate(few, dimension=20, repetitions=2, rng=0)


def test_no_penalty_is_refused() -> None:
    ridgeless = PROBLEM.with_values({"ridge.penalty": 0})
    with pytest.raises(InputError, match=r"ridge.penalty = 0: must be positive"):
        simulate(ridgeless, dimension=20, repetitions=2, rng=0)


@pytest.mark.usefixtures("in_one_process")
@pytest.mark.parametrize(("offset", "status"), [(0.0, 0), (1.0, 1)])
def test_the_trend_command_fails_when_theory_is_wrong(
    offset: float,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Misaligned target, unequal groups, rho != 1. Unlucky for the right theory with
    # probability 0.01 at most.
    def planted(problem: Problem, width: int | None = None) -> dict[str, float]:
        return {name: v + offset for name, v in predict(problem, width).items()}

    monkeypatch.setattr(trend, "predict", planted)
    monkeypatch.setattr(trend, "CASES", {"planted": PROBLEM})
    monkeypatch.setattr(trend, "REPETITIONS", {40: 60, 60: 40, 80: 30})
    assert trend.main() == status
    printed, progress = capsys.readouterr()
    assert ("DISAGREEMENT" in printed) == (status == 1)
    assert f"seed {trend.SEED}" in " ".join(printed.split())
    assert progress == ""
