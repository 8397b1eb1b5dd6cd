"""Speed against what a user would write, measured in the same run (printed by -s)."""

import time
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from baselines import damped_curve, mpmath_trace

import detequiv as de

pytestmark = pytest.mark.bench


def problem(spike: list[str], **ridge: object) -> de.Problem:
    values = {"samples_per_dim": 2, "width_per_dim": "3/2", "penalty": "1/20"} | ridge
    return de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=spike),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(**values),
    )


def timed(function: Callable[[], Any], rounds: int = 1) -> tuple[Any, float]:
    """Result, and processor time of the fastest of some rounds, in seconds."""
    seconds = []
    for _ in range(rounds):
        begin = time.process_time()
        result = function()
        seconds.append(time.process_time() - begin)
    return result, min(seconds)


def report(name: str, slow: float, fast: float) -> None:
    print(f"{name}: {slow:.3g} s over {fast:.3g} s is {slow / fast:.1f}")


def test_a_curve_against_damped_iteration() -> None:
    alphas = [f"{k}/200" for k in range(40, 1040)]
    base = problem(["3/2", "-4/5"])
    vary = {"ridge.samples_per_dim": alphas}
    _, cold = timed(lambda: de.curve(base, vary=vary))
    curve, warm = timed(lambda: de.curve(base, vary=vary), rounds=3)
    numbers = np.array([float(a.partition("/")[0]) / 200 for a in alphas])
    errors, slow = timed(lambda: damped_curve(numbers, 1.5, 0.05, [1.5, -0.8], 0.3))
    assert curve.values("generalization_error") == pytest.approx(errors, rel=1e-8)
    report("damped iteration over a warm curve, 1000 points", slow, warm)
    report("damped iteration over a cold curve, 1000 points", slow, cold)


def test_fifty_digits_against_mpmath() -> None:
    base = problem(["1"])
    de.solve(base, digits=30)
    point, fast = timed(lambda: de.solve(base, digits=50))
    numbers = mp.mpf(2), mp.mpf("1.5"), mp.mpf(1) / 20, mp.mpf(1)
    with mp.workdps(60):
        numbers = mp.mpf(2), mp.mpf("1.5"), mp.mpf(1) / 20, mp.mpf(1)
        trace, slow = timed(lambda: mpmath_trace(*numbers, 50))
        assert abs(trace / point.resolvent_trace - 1) < mp.mpf(10) ** -40
    report("mpmath over balls, 50 digits", slow, fast)


def test_a_hundred_digits_against_fifty() -> None:
    base = problem(["3/2", "-4/5"])
    de.solve(base, digits=30)
    _, fifty = timed(lambda: de.solve(base, digits=50))
    _, hundred = timed(lambda: de.solve(base, digits=100))
    report("100 digits over 50", hundred, fifty)


def test_eight_groups_against_two() -> None:
    two = problem(["3/2", "-4/5"])
    eight = problem(["3/2", "-4/5", "1/2", "1/3", "-1", "1/5", "-1/4", "2/3"])
    for base in (two, eight):
        de.solve(base)
    _, fast = timed(lambda: de.solve(two))
    _, slow = timed(lambda: de.solve(eight))
    report("K = 8 over K = 2", slow, fast)
