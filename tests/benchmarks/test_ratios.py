"""Speed against what a user would write, measured in the same run (printed by -s)."""

import time
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from baselines import damped_curve, mpmath_moments, mpmath_seconds
from flint import arb
from threadpoolctl import threadpool_limits

import detequiv as de
from detequiv.numerics.arithmetic.compiled import to_mpf
from detequiv.numerics.averages.moments import conditional_values
from detequiv.theory.functions.expressions import z
from detequiv.theory.gaussian.smoothing import conditional_moments

pytestmark = pytest.mark.bench


def problem(spike: list[str], **ridge: object) -> de.Problem:
    values = {"samples_per_dim": 2, "width_per_dim": "3/2", "penalty": "1/20"} | ridge
    return de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=spike),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(**values),
    )


def timed(function: Callable[[], Any], rounds: int = 1) -> tuple[Any, float]:
    """Result, and processor time of the fastest of some rounds, on one thread."""
    seconds = []
    with threadpool_limits(limits=1, user_api="blas"):
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
    curve, warm = timed(lambda: de.curve(base, vary=vary), rounds=5)
    numbers = np.array([float(a.partition("/")[0]) / 200 for a in alphas])
    arguments = numbers, 1.5, 0.05, [1.5, -0.8], 0.3
    (energy, tests), slow = timed(lambda: damped_curve(*arguments))
    (_, norms), more = timed(lambda: damped_curve(*arguments, by="ridge"))
    training = (energy - 0.05 * norms) * 1.5 / numbers
    assert curve.values("generalization_error") == pytest.approx(tests, rel=1e-8)
    assert curve.values("training_error") == pytest.approx(training, rel=1e-8)
    report("damped iteration for test errors over a warm curve", slow, warm)
    report("the same over a cold curve", slow, cold)
    report("for training errors too, over a warm curve", slow + more, warm)


def test_fifty_digits_against_mpmath() -> None:
    base = problem(["1"])
    de.solve(base, digits=30)
    _, fast = timed(lambda: de.solve(base, digits=50), rounds=3)
    moments = conditional_moments(sp.tanh(z))
    with mp.workdps(60):
        ours = conditional_values(moments, [arb("0.5")], sp.Integer(1), 55)
        for theirs, (one,) in zip(
            mpmath_moments(mp.mpf("0.5"), mp.mpf(1)), (ours.c1, ours.cs), strict=True
        ):
            assert abs(theirs - to_mpf(one)) < mp.mpf(10) ** -50
    slow = mpmath_seconds(mp.mpf(1), digits=50)
    report("mpmath, its moments alone, over balls, 50 digits", slow, fast)


def test_a_hundred_digits_against_fifty() -> None:
    base = problem(["3/2", "-4/5"])
    de.solve(base, digits=30)
    _, fifty = timed(lambda: de.solve(base, digits=50), rounds=3)
    _, hundred = timed(lambda: de.solve(base, digits=100), rounds=3)
    report("100 digits over 50", hundred, fifty)


def test_eight_groups_against_two() -> None:
    two = problem(["3/2", "-4/5"])
    eight = problem(["3/2", "-4/5", "1/2", "1/3", "-1", "1/5", "-1/4", "2/3"])
    for base in (two, eight):
        de.solve(base)
    _, fast = timed(lambda: de.solve(two), rounds=3)
    _, slow = timed(lambda: de.solve(eight), rounds=3)
    report("K = 8 over K = 2", slow, fast)
