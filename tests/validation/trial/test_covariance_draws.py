"""Inputs with a covariance in simulation, and theories of it that are wrong."""

from dataclasses import replace
from functools import cache
from statistics import NormalDist

import numpy as np
import pytest

import detequiv as de

DIMENSIONS, DRAWS = (96, 192), 60
INPUTS = de.Inputs(
    eigenvalues=["2.8", "0.4"], weights=["1/4", "3/4"], target_power=["1/10", "9/10"]
)
PROBLEM = de.Problem(
    network=de.Network(activation="relu", readout=[1, "-1/2"], step=2),
    inputs=INPUTS,
    target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)
QUANTITIES = ("generalization_error", "training_error", "resolvent_trace")
LEVEL = 1e-3  # probability of refusing a right theory, all quantities together


@cache
def limits() -> dict[str, tuple[float, float]]:
    """Extrapolate draws, a + b/d: a and its standard error."""
    small, large = (
        de.simulate(PROBLEM, dimension=d, repetitions=DRAWS, rng=d) for d in DIMENSIONS
    )
    return {
        name: (
            2 * large.mean[name] - small.mean[name],
            float(np.hypot(2 * large.standard_error[name], small.standard_error[name])),
        )
        for name in QUANTITIES
    }


def distance(problem: de.Problem) -> float:
    """Largest distance of theory from the draws, in standard errors."""
    found = de.solve(problem)
    return max(
        abs(float(getattr(found, name)) - mean) / error
        for name, (mean, error) in limits().items()
    )


@pytest.mark.slow
def test_the_draws_agree_with_theory() -> None:
    bound = NormalDist().inv_cdf(1 - LEVEL / 2 / len(QUANTITIES))
    assert distance(PROBLEM) < bound


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        None,  # isotropic inputs
        de.Inputs(eigenvalues=["2.8", "0.4"], target_power=["1/10", "9/10"]),
        de.Inputs(eigenvalues=["2.8", "0.4"], weights=["1/4", "3/4"]),
    ],
    ids=["Sigma forgotten", "levels without weights", "power not the target's"],
)
def test_draws_refuse_wrong_theories(wrong: de.Inputs | None) -> None:
    assert distance(replace(PROBLEM, inputs=wrong)) > 6
