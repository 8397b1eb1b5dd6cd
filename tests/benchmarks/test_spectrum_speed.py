"""Speed of the spectrum, as ratios within one run (printed by -s)."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
from threadpoolctl import threadpool_limits

import detequiv as de

pytestmark = pytest.mark.bench
TANH = "tanh", ["3/2", "-4/5"]


def law(activation: str, spike: Any, **features: Any) -> de.Law:
    return de.spectrum(
        de.Problem(
            features=de.SpikedFeatures(activation=activation, spike=spike, **features),
            target=de.Target(function="z"),
            ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=1),
        )
    )


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    with threadpool_limits(limits=1, user_api="blas"):
        begin = time.process_time()
        result = function()
        return result, time.process_time() - begin


def unit() -> float:
    """Seconds of a fixed piece of work: ten million complex divisions."""
    values = np.arange(1, 1001) * (1 + 1j)
    return timed(lambda: [1 / values for _ in range(10_000)])[1]


@pytest.mark.parametrize(("activation", "spike"), [TANH, ("he2", 0)])
def test_two_thousand_points(activation: str, spike: Any) -> None:
    found = law(activation, spike)
    x = found.grid(2000)
    found.density(x)
    seconds = min(timed(lambda: found.density(x))[1] for _ in range(3))
    print(f"density of {activation}: {seconds:.3g} s, {seconds / unit():.2f} units")


def test_atoms_of_a_population() -> None:
    """Their cost grows slowly: nothing couples groups of an even activation."""
    seconds = {}
    for count in (2, 5, 8):
        bulk = [sp.root(sp.Integer(k), 4) for k in range(1, count + 1)]
        found = law("he2", [0] * count, bulk=bulk)
        seconds[count] = timed(lambda found=found: found.density(found.grid(1000)))[1]
    for count in (5, 8):
        print(f"{count} atoms over 2: {seconds[count] / seconds[2]:.1f}")


def test_a_threshold() -> None:
    found = law(*TANH)
    found.density(1.0)
    threshold, seconds = timed(lambda: found.threshold("1/10", 3))
    print(f"threshold: {seconds:.3g} s, {seconds / unit():.1f} units")
    assert float(threshold.scale) == pytest.approx(0.985917879324)
