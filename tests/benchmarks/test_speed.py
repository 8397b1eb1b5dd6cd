"""How fast the engine is: ``make bench`` measures, ``make test`` leaves this out."""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import detequiv as de

pytestmark = pytest.mark.bench


@pytest.fixture
def problem() -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )


@pytest.mark.parametrize("digits", [15, 50])
def test_one_point(
    benchmark: BenchmarkFixture, problem: de.Problem, digits: int
) -> None:
    point = benchmark.pedantic(
        de.solve, (problem,), {"digits": digits}, rounds=3, warmup_rounds=1
    )
    assert point.digits >= digits


def test_a_curve(benchmark: BenchmarkFixture, problem: de.Problem) -> None:
    alphas = [f"{tenths}/10" for tenths in range(2, 62)]
    curve = benchmark.pedantic(
        de.curve,
        (problem,),
        {"vary": {"ridge.samples_per_dim": alphas}},
        rounds=3,
        warmup_rounds=1,
    )
    assert len(curve.points) == len(alphas)


def test_a_density(benchmark: BenchmarkFixture, problem: de.Problem) -> None:
    """Two thousand points, features known."""
    law = de.spectrum(problem)
    x = law.grid(2000)
    density = benchmark.pedantic(law.density, (x,), rounds=5, warmup_rounds=1)
    assert np.trapezoid(density, x) == pytest.approx(1, abs=1e-3)
