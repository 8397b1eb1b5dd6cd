"""The differentiation rule of log det against explicit determinants."""

import pytest
import sympy as sp

from detequiv.theory.models.matrices import (
    InverseEntry,
    LogDet,
    symmetric,
    upper_triangle,
)


def entries(size: int) -> tuple[sp.Symbol, ...]:
    return tuple(sp.Symbol(f"a{i}{j}", real=True) for i, j in upper_triangle(size))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_first_derivatives_equal_those_of_the_explicit_determinant(size: int) -> None:
    upper = entries(size)
    by_rule, explicit = LogDet(*upper), LogDet(*upper).doit()
    for entry in upper:
        difference = by_rule.diff(entry).doit() - explicit.diff(entry)
        assert sp.cancel(difference) == 0


@pytest.mark.parametrize("size", [1, 2, 3])
def test_second_derivatives_equal_those_of_the_explicit_determinant(size: int) -> None:
    upper = entries(size)
    by_rule, explicit = LogDet(*upper), LogDet(*upper).doit()
    for i, a in enumerate(upper):
        for b in upper[i:]:
            difference = by_rule.diff(a, b).doit() - explicit.diff(a, b)
            assert sp.cancel(difference) == 0


def test_second_derivatives_commute_at_the_largest_size() -> None:
    upper = entries(8)
    value = LogDet(*upper)
    for a, b in [(upper[0], upper[9]), (upper[3], upper[30]), (upper[5], upper[20])]:
        assert sp.expand(value.diff(a, b) - value.diff(b, a)) == 0


def test_entries_are_those_of_the_inverse() -> None:
    numbers = tuple(map(sp.Integer, (4, 1, 0, 3, -1, 5)))
    inverse = symmetric(numbers).inv()
    for i in range(3):
        for j in range(3):
            assert InverseEntry(i, j, *numbers).doit() == inverse[i, j]


def test_no_determinant_is_expanded() -> None:
    upper = entries(8)
    hessian = [LogDet(*upper).diff(upper[0], b) for b in upper]
    # 36 second derivatives, each a product of two inverse entries or two of them
    assert max(len(sp.Add.make_args(h)) for h in hessian) <= 2
