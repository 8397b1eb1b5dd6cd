"""Polynomials with ball coefficients enclose functions on the whole cube."""

from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import flint
import pytest

from detequiv.numerics.arithmetic import (
    Cube,
    Tangent,
    Taylor,
    invert,
    is_definite,
    is_positive,
    precision,
    range_of,
    solve_rows,
)
from detequiv.theory.errors import ConvergenceError

arb, fmpq = flint.arb, flint.fmpq


def evaluate(number: Taylor, point: list[Fraction]) -> Any:
    """Value of the polynomial at a point of the cube, by its definition."""
    base, total = 2 * number.cube.order - 1, arb(0)
    for place, coefficient in enumerate(number.poly.coeffs()):
        rest, term = place, coefficient
        for t in point:
            rest, power = divmod(rest, base)
            term *= arb(fmpq(t.numerator, t.denominator)) ** power
        assert rest == 0
        total += term
    return total


def draw_point(draw: Random, variables: int) -> list[Fraction]:
    return [Fraction(draw.randint(-60, 60), 60) for _ in range(variables)]


# made of the four operations, in x and y
FUNCTIONS = [
    lambda x, y: x * y - 3 * x + 1,
    lambda x, y: (x + 2 * y) * (x - y) * (x * y + 1) * x * y,
    lambda x, y: 1 / (x + 3 * y + 9),
    lambda x, y: (x - y) / (1 + x * x + y * y) - 2 / (y + 5) + (3 - x) * (y / 7),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=range(len(FUNCTIONS)))
@pytest.mark.parametrize(
    ("variables", "order"), [(1, 2), (1, 8), (2, 3), (2, 6), (3, 4)]
)
def test_every_value_lies_in_the_polynomial(
    function: Any, variables: int, order: int
) -> None:
    draw, cube = Random(order), Cube(variables, order)
    with precision(30):
        x = cube.variable(0, arb(1), arb(fmpq(1, 3)))
        y = cube.variable(variables - 1, arb(2), arb(fmpq(1, 2)))
        enclosed = function(x, y)
        for _ in range(50):
            point = draw_point(draw, variables)
            exact = function(1 + point[0] / 3, 2 + point[-1] / 2)
            value = evaluate(enclosed, point)
            assert value.overlaps(arb(fmpq(exact.numerator, exact.denominator)))
            assert enclosed.range().overlaps(value)


def test_what_is_beyond_the_order_is_all_that_is_lost() -> None:
    radii = []
    with precision(40):
        for half in (arb(1), arb(0.5), arb(0.25)):
            x = Cube(1, 8).variable(0, arb(3), half)
            radii.append(float((1 / x).centre.rad()))
    # the first power that is left out is the eighth
    assert radii[0] / radii[1] > 2**7
    assert radii[1] / radii[2] > 2**7


@pytest.mark.parametrize(("variables", "order"), [(1, 5), (2, 4), (3, 4)])
def test_halves_are_the_number_on_half_the_cube(variables: int, order: int) -> None:
    draw, cube = Random(1), Cube(variables, order)
    with precision(30):
        axes = [cube.variable(k, arb(k), arb(1)) for k in range(variables)]
        number = sum(((k + 2) * t * t - t for k, t in enumerate(axes)), axes[0])
        number = number * axes[-1]
        for axis, side in product(range(variables), (0, 1)):
            half = number.halves(axis)[side]
            point = draw_point(draw, variables)
            there = list(point)
            there[axis] = (point[axis] + (-1, 1)[side]) / 2
            assert evaluate(half, point).overlaps(evaluate(number, there))
            gap = evaluate(half, point) - evaluate(number, there)
            assert abs(gap) < 1e-20


def test_signs_are_found_by_splitting_and_never_invented() -> None:
    with precision(30):
        t, s = (Cube(2, 5).variable(k, arb(0), arb(1)) for k in (0, 1))
        assert is_positive(t * t - t * s + s * s + arb(0.01))
        assert not is_positive(t * t - t * s + s * s - arb(0.01))
        assert not is_positive((t - s) * (t - s))  # it vanishes
        assert not is_positive((t - s) * (t - s), strict=False)
        assert not is_positive(t + 1)  # 0 at a corner
        assert is_positive(arb(0), strict=False)
        assert not is_positive(arb(0))


def test_a_denominator_that_may_vanish_is_refused() -> None:
    t = Cube(1, 6).variable(0, arb(0.5), arb(1))
    with pytest.raises(ConvergenceError, match="may vanish"):
        1 / t
    with pytest.raises(ConvergenceError, match="may vanish"):
        1 / (t - arb(0.5))


def test_linear_equations_are_solved_for_every_t() -> None:
    with precision(30):
        t = Cube(1, 8).variable(0, arb(0), arb(0.0625))
        slope = Tangent(t, arb(1))
        # the inverse of ((1 + t, t), (t, 2)) is ((2, -t), (-t, 1 + t)) / (2 + 2t - t^2)
        for x in (t, slope):
            rows = [[1 + x, x], [x, 2 + 0 * x]]
            scale = 2 + 2 * x - x * x
            found = [*invert(rows)[0], *solve_rows(rows, [arb(0), arb(1)])]
            known = [2 / scale, -x / scale, -x / scale, (1 + x) / scale]
            for a, b in zip(found, known, strict=True):
                gap = a - b
                parts = (gap.value, gap.slope) if x is slope else (gap,)
                assert all(range_of(part).contains(0) for part in parts)
                assert all(range_of(part).rad() < 1e-4 for part in parts)
        assert is_definite([[1 + t, t], [t, 2 + t]])
        assert not is_definite([[1 + t, t], [t, t]])
        with pytest.raises(ConvergenceError, match="singular"):
            invert([[t, t], [t, t]])
