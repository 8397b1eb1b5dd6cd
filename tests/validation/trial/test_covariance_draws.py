"""Inputs with a covariance in simulation, and theories of it that are wrong."""

from dataclasses import replace
from functools import cache
from statistics import NormalDist

import numpy as np
import pytest
import sympy as sp

import detequiv as de
from detequiv.numerics.covariance import solve_covariance_floats
from detequiv.theory.problem import (
    CovarianceLaw,
    covariance_law,
    covariance_parameters,
)

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
STRONG = replace(  # where the strength of the spike shows
    PROBLEM,
    network=de.Network(activation="tanh", readout=[1, "-1/2"], step=2),
    inputs=de.Inputs(
        eigenvalues=["2.8", "0.4"],
        weights=["1/4", "3/4"],
        target_power=["9/10", "1/10"],
    ),
    target=de.Target(function="z", noise="3/10"),
)
QUANTITIES = ("generalization_error", "training_error", "resolvent_trace")
LEVEL = 1e-3  # probability of refusing a right theory, all quantities together


@cache
def limits(problem: de.Problem) -> dict[str, tuple[float, float]]:
    """Extrapolate draws, a + b/d: a and its standard error."""
    small, large = (
        de.simulate(problem, dimension=d, repetitions=DRAWS, rng=d) for d in DIMENSIONS
    )
    return {
        name: (
            2 * large.mean[name] - small.mean[name],
            float(np.hypot(2 * large.standard_error[name], small.standard_error[name])),
        )
        for name in QUANTITIES
    }


def distance(problem: de.Problem, theory: CovarianceLaw | de.Problem) -> float:
    """Largest distance of a theory from a problem's draws, in standard errors."""
    if isinstance(theory, de.Problem):
        found = de.solve(theory)
        values = {name: float(getattr(found, name)) for name in QUANTITIES}
    else:
        numbers = list(map(float, covariance_parameters(problem, theory)))
        solved = solve_covariance_floats(theory, numbers).quantities
        names = theory.model.quantities
        values = dict(zip(names, map(float, solved), strict=True))
    return max(
        abs(values[name] - mean) / error
        for name, (mean, error) in limits(problem).items()
    )


@pytest.mark.slow
@pytest.mark.parametrize("problem", [PROBLEM, STRONG], ids=["relu", "tanh"])
def test_the_draws_agree_with_theory(problem: de.Problem) -> None:
    bound = NormalDist().inv_cdf(1 - LEVEL / 2 / len(QUANTITIES) / 2)
    assert distance(problem, problem) < bound
    # the way in which slips are solved is that of the theory
    assert distance(problem, covariance_law(problem)) < bound


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
    assert distance(PROBLEM, replace(PROBLEM, inputs=wrong)) > 6


def moment(problem: de.Problem, power: int) -> float:
    """Mean of ``s^power`` over the target: the metric's square norm of what it scales.

    ``w*^T Sigma^(power + 1) w*``.
    """
    assert problem.inputs is not None
    levels = problem.inputs.levels
    terms = zip(levels.s, levels.power, strict=True)
    return float(sum(p * s**power for s, p in terms))


def spikes_times(law: CovarianceLaw, factor: float) -> CovarianceLaw:
    spikes = tuple(u * sp.Float(factor) for u in law.features.spikes)
    return replace(law, features=replace(law.features, spikes=spikes))


def test_the_slips_begin_with_the_right_lengths() -> None:
    # u = eta A mu_1(relu) N
    law = covariance_law(PROBLEM)
    assert float(law.features.spikes[0]) == pytest.approx(moment(PROBLEM, 2) ** 0.5)


@pytest.mark.slow
def test_draws_refuse_a_spike_of_the_euclidean_norm() -> None:
    # |Sigma w*|, and not that of the metric, in which kappa has variance 1
    factor = (moment(STRONG, 1) / moment(STRONG, 2)) ** 0.5
    assert distance(STRONG, spikes_times(covariance_law(STRONG), factor)) > 6


@pytest.mark.slow
def test_draws_refuse_a_gradient_along_the_square_of_sigma() -> None:
    law, levels = covariance_law(PROBLEM), INPUTS.levels
    size = moment(PROBLEM, 4) ** 0.5
    zeta = moment(PROBLEM, 2) / size
    beside = (1 - zeta**2) ** 0.5
    columns = []
    for s, tt in zip(levels.s, levels.power, strict=True):
        vt = s**2 * tt / size
        vv = s**2 * vt / size
        vp, pt = (vt - zeta * vv) / beside, (tt - zeta * vt) / beside
        columns.append((vv, vp, (pt - zeta * vp) / beside, vt, pt, tt))
    shares = tuple(zip(*columns, strict=True))
    turned = replace(
        spikes_times(law, size / moment(PROBLEM, 2) ** 0.5),
        levels=(*law.levels[: -len(shares)], *shares),
    )
    features = replace(turned.features, alignment=sp.Float(zeta))
    assert distance(PROBLEM, replace(turned, features=features)) > 6
