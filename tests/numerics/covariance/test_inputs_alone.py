"""Ridge regression on the inputs themselves: neither features nor a network."""

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

import detequiv as de
from detequiv.theory.models import anisotropic_model

INPUTS = de.Inputs(
    eigenvalues=["5", 1, "1/5"],
    weights=["1/5", "3/10", "1/2"],
    target_power=["3/10", "2/5", "3/10"],
)
QUANTITIES = (
    "generalization_error",
    "training_error",
    "excess_error",
    "readout_norm",
    "ridge_objective",
    "resolvent_trace",
)


def problem(function: str = "z", **changes: Any) -> de.Problem:
    parts = {
        "inputs": INPUTS,
        "target": de.Target(function=function, noise="3/10"),
        "ridge": de.Ridge(samples_per_dim="13/10", width_per_dim=1, penalty="1/5"),
    }
    return de.Problem(**(parts | changes))


def test_it_is_the_model_with_an_unknown_a_level() -> None:
    levels = INPUTS.levels
    values: dict[str, Any] = {"alpha": "13/10", "lambda": "1/5", "Delta": "9/100"}
    for q, (s, power) in enumerate(zip(levels.s, levels.power, strict=True), start=1):
        weight = ["1/5", "3/10", "1/2"][q - 1]
        values |= {f"pi_{q}": weight, f"s_{q}": s, f"theta_{q}": (power / s) ** 0.5}
    slow = de.solve_model(anisotropic_model(3), values, digits=14)
    found = de.solve(problem(), digits=14)
    for name in QUANTITIES:
        size = float(slow.text(name))
        assert float(getattr(found, name)) == pytest.approx(size, rel=1e-12), name
    assert found.equations == "inputs"
    assert found.g == (found.resolvent_trace,)


def test_the_rest_of_the_labels_is_noise() -> None:
    # z + z^2/2 has the linear part of z, and beside it 1/4 + 1/2
    bent, plain = problem("z + z**2/2"), problem("z")
    noisy = plain.with_values({"target.noise": "sqrt(9/100 + 3/4)"})
    a, b = (de.solve(p, digits=20) for p in (bent, noisy))
    for name in QUANTITIES[:2]:
        assert a.text(name) == b.text(name)


def test_what_is_learned_is_linear_in_the_projection() -> None:
    found = de.solve(problem(), digits=20)
    slopes = de.learned_function(found, [1.0, 2.0]) / [1, 2]
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-13)
    assert 0 < slopes[0] < 1


def test_many_levels_at_every_penalty() -> None:
    inputs = de.Inputs(power_law={"exponent": 2, "levels": 2000})
    curve = de.curve(
        problem(inputs=inputs), vary={"ridge.penalty": ["1e-9", "1e-4", 1, 1000]}
    )
    for point in curve.points:
        exact = de.solve(point.problem, digits=12)
        for name in QUANTITIES:
            gap = abs(point.values[name] / getattr(exact, name) - 1)
            assert gap < 10.0**-point.digits, name


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"inputs": None}, "no features"),
        (
            {"ridge": de.Ridge(samples_per_dim=1, width_per_dim=2, penalty=1)},
            "width_per_dim = 2: is 1 for ridge on the inputs",
        ),
        ({"target": de.Target(function="z", alignment="1/2")}, "target.alignment"),
    ],
)
def test_a_forgotten_layer_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(de.InputError, match=says):
        problem(**changes)


def test_draws_agree() -> None:
    made = problem("z + z**2/2")
    draws = de.simulate(made, dimension=200, repetitions=40, rng=5)
    found = de.solve(made)
    names = ("generalization_error", "training_error", "readout_norm")
    # a right theory fails with probability 1e-3, but for what is of order 1/d
    bound = NormalDist().inv_cdf(1 - 1e-3 / 2 / len(names))
    for name in names:
        gap = abs(draws.mean[name] - float(getattr(found, name)))
        assert gap < bound * draws.standard_error[name], name
    isotropic = de.solve(problem("z + z**2/2", inputs=de.Inputs(eigenvalues=[1])))
    gap = abs(draws.mean["training_error"] - float(isotropic.training_error))
    assert gap > 2 * bound * draws.standard_error["training_error"]
    assert np.isfinite(list(draws.mean.values())).all()
