"""Digits agree with more digits: at the peak n = p, and for the whole catalogue."""

import time
from typing import Any

import mpmath
import pytest

import detequiv as de
from detequiv.numerics.solving.solution import QUANTITIES

CATALOGUE = (
    "linear", "relu", "leaky_relu(z, 1/10)", "abs", "sign", "step", "erf", "tanh",
    "sigmoid", "softplus", "gelu", "silu", "sin", "cos", "exp", "he2", "he3",
    "gaussian",
)  # fmt: skip
SPIKES = {1: ["3/2"], 2: ["3/2", "-4/5"], 4: ["3/2", "-4/5", 0, "1/3"]}


def problem(activation: str, groups: int, **ridge: object) -> de.Problem:
    values = {"samples_per_dim": 2, "width_per_dim": "3/2", "penalty": "1/20"} | ridge
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=SPIKES[groups]),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(**values),
    )


def assert_agree(few: Any, many: Any, digits: int) -> None:
    for name in QUANTITIES:
        expected = getattr(many, name)
        # differences of mpmath numbers are taken at the precision that these have
        with mpmath.workdps(2 * digits + 20):
            gap = abs(getattr(few, name) - expected)
        assert gap <= mpmath.mpf(10) ** -digits * abs(expected), name


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [2, 4, 6, 8, 10])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_ten_digits_at_the_peak_are_those_of_sixty(
    activation: str, exponent: int
) -> None:
    peak = problem(
        activation,
        2,
        samples_per_dim="3/2",
        width_per_dim="3/2",
        penalty=f"1e-{exponent}",
    )
    assert_agree(de.solve(peak, digits=10), de.solve(peak, digits=60), 10)


@pytest.mark.slow
@pytest.mark.parametrize("groups", SPIKES)
@pytest.mark.parametrize("activation", CATALOGUE)
def test_fewer_digits_are_those_of_more(activation: str, groups: int) -> None:
    case = problem(activation, groups)
    solutions, seconds = {}, {}
    for digits in (30, 50, 100):
        begin = time.process_time()
        solutions[digits] = de.solve(case, digits=digits)
        seconds[digits] = time.process_time() - begin
    times = ", ".join(f"{n} digits {t:.2f} s" for n, t in seconds.items())
    print(f"{activation}, K = {groups}, processor time: {times}")
    assert_agree(solutions[30], solutions[100], 30)
    assert_agree(solutions[50], solutions[100], 50)
