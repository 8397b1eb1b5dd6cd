"""Every activation of the catalogue, and composite ones, as networks after a step."""

from typing import Any

import pytest
import sympy as sp

import detequiv as de
from detequiv.theory.functions import CATALOGUE, sign
from detequiv.theory.problem import batch_law, feature_law, spiked_problem

COMPOSITE = [
    *("tanh(z+1)", "sigmoid(2*z)", "exp(-z**2)*z", "max(z, -z/2)", "z*erf(z)"),
    *("tanh(z)**2", "sin(z) + z/3", "z*abs(z)", "max(z, 0) - cos(z)", "He(3, z)/4 - 1"),
]
JUMPS = {"sign", "step"}
NOT_SQUARE_INTEGRABLE_OR_POLES = {"log", "sqrt", "tan"}
SMOOTH = {*CATALOGUE, *COMPOSITE} - JUMPS - NOT_SQUARE_INTEGRABLE_OR_POLES


def slow(activation: str, batch: str | None) -> Any:
    """Leave a case to `make slow`."""
    return pytest.param(activation, batch, marks=pytest.mark.slow)


def network(activation: str, batch: str | None, target: str = "sin(z)") -> de.Problem:
    """Set up a network whose moments mostly have no closed form."""
    return de.Problem(
        network=de.Network(
            activation=activation, readout=[1, "-1/2"], step=2, batch_per_dim=batch
        ),
        target=de.Target(function=target),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )


@pytest.mark.parametrize(
    ("activation", "batch"),
    [
        *((a, None) for a in COMPOSITE),
        ("tanh", "20"),
        *(slow(a, None) for a in sorted({*SMOOTH, *JUMPS} - {*COMPOSITE})),
        *(slow(a, "4") for a in sorted(SMOOTH)),
    ],
)
def test_networks_become_spiked_problems(activation: str, batch: str | None) -> None:
    problem = network(activation, batch)
    spiked = spiked_problem(problem).features
    assert spiked is not None
    law = feature_law(problem) if batch is None else batch_law(problem).law
    # written the same way or not
    for a, b in zip(spiked.spike, law.spikes, strict=True):
        assert abs(sp.N(a - b, 40, maxn=200)) < sp.Float("1e-38")
    assert all(sign(bulk) == 1 for bulk in law.bulks)


@pytest.mark.slow
def test_a_large_batch_is_the_population() -> None:
    target = "3/10 + z + (z**2 - 1)/4"
    whole = de.solve(network("tanh(z+1)", None, target), digits=8)
    large = de.solve(network("tanh(z+1)", "1e9", target), digits=8)
    small = de.solve(network("tanh(z+1)", "4", target), digits=8)
    error = float(whole.generalization_error)
    assert float(large.generalization_error) == pytest.approx(error, rel=1e-6)
    assert float(small.generalization_error) > error
