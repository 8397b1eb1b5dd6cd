"""Powers found in functions that are known, and refused where there are none."""

from collections.abc import Callable
from typing import Any

import flint
import mpmath
import pytest
import sympy as sp

from detequiv.numerics.arithmetic import precision, to_ball
from detequiv.numerics.discovery.expansions import find_powers
from detequiv.theory.errors import ConvergenceError

arb = flint.arb
Function = Callable[[Any], Any]
root_two = arb(2).sqrt()


def sampled(
    function: Function, sign: int = 1
) -> Callable[[sp.Rational, int, bool], Any]:
    """Values as a solver gives them: right to so many digits, not more."""

    def sample(h: sp.Rational, digits: int, sure: bool) -> Any:
        with precision(digits + 20):
            value = function(sign * to_ball(h))
            error = abs(value) * arb(10) ** -digits
            return value.mid() * (1 + arb(10) ** (-digits - 1)) + arb(0, error.upper())

    return sample


@pytest.mark.parametrize(
    ("function", "terms", "following"),
    [
        (lambda h: h.exp(), "0 1, 1 1, 2 1/2, 3 1/6", "4"),
        (lambda h: (h * h).cos(), "0 1, 4 -1/2, 8 1/24", "12"),
        (lambda h: 1 / (1 + 1000 * h), "0 1, 1 -1000, 2 1000000", "3"),
        (
            lambda h: 1 / h + 3 * h.sqrt() + h / (1 + h.sqrt()),
            "-1 1, 1/2 3, 1 1",
            "3/2",
        ),
        (lambda h: (h + h * h) ** (arb(1) / 3), "1/3 1, 4/3 1/3, 7/3 -1/9", "10/3"),
        (lambda h: 2 + 3 * h**2, "0 2, 2 3", "oo"),
        (lambda h: (1 + h**2 * 7) * (3 / h.sqrt()), "-1/2 3, 3/2 21", "oo"),
        (lambda h: h - 7 * h**3, "1 1", "3"),
        (lambda h: arb(0), "", "oo"),
    ],
    ids=list("abcdefghi"),
)
def test_known_expansions(function: Function, terms: str, following: str) -> None:
    pairs = [tuple(map(sp.Rational, t.split())) for t in terms.split(", ") if t]
    found = find_powers(sampled(function), max(1, len(pairs)), 30)
    assert [e for e, _ in found.terms] == [e for e, _ in pairs]
    with mpmath.workdps(40):
        for (_, c), (_, exact) in zip(found.terms, pairs, strict=True):
            assert abs(c * exact.q / exact.p - 1) < 1e-30
    assert found.next_exponent == sp.sympify(following)


@pytest.mark.parametrize(
    "function",
    [
        lambda h: 1 + h * h.log(),
        lambda h: 1 + h + h**2 * h.log(),
        lambda h: 1 + h**root_two,
        lambda h: 1 + h / h.log(),
        lambda h: 1 + h * (1 + (1 / h).sin() / 2),
        lambda h: 2 + h.log().sin(),
        lambda h: h.log(),
        lambda h: (-1 / h).exp(),
    ],
    ids=list("abcdefgh"),
)
def test_what_has_no_such_powers_is_refused(function: Function) -> None:
    with pytest.raises(ConvergenceError, match="powers found"):
        find_powers(sampled(function), 3, 20)


def test_the_same_expansion_on_the_other_side() -> None:
    smooth, kink = (lambda h: 1 / (1 - h)), (lambda h: 1 + h + abs(h) ** 3)
    found = find_powers(sampled(smooth), 3, 20)
    assert found.misses(sampled(smooth, -1), mirrored=True) == ""
    found = find_powers(sampled(kink), 3, 20)
    assert found.misses(sampled(kink)) == ""
    assert found.misses(sampled(kink, -1), mirrored=True) != ""
