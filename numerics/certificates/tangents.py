r"""Balls with a tangent: values and their derivative by one parameter.

A tangent number ``a + a' t`` with ``t^2 = 0`` carries a ball and the ball of its
derivative through any formula made of arithmetic. For parameters in intervals both are
enclosures: the second bounds how the first can change (the mean value theorem).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import flint

from detequiv.numerics.arithmetic import (
    BALLS,
    column,
    integer_power,
    inverse_of,
    solve_linear,
)
from detequiv.numerics.equations import Equations
from detequiv.theory.models import Model

__all__ = [
    "TANGENTS",
    "Tangent",
    "flat",
    "invert",
    "join",
    "slopes",
    "solve_rows",
    "tangent_equations",
    "values",
]

arb, arb_mat = flint.arb, flint.arb_mat


class Tangent:
    """A ball, and the ball of its derivative.

    Parameters
    ----------
    value, slope : arb or acb
    """

    __slots__ = ("slope", "value")

    def __init__(self, value: Any, slope: Any) -> None:
        self.value, self.slope = value, slope

    def __add__(self, other: Any) -> "Tangent":
        """Add."""
        if isinstance(other, Tangent):
            return Tangent(self.value + other.value, self.slope + other.slope)
        return Tangent(self.value + other, self.slope)

    __radd__ = __add__

    def __neg__(self) -> "Tangent":
        """Change the sign."""
        return Tangent(-self.value, -self.slope)

    def __sub__(self, other: Any) -> "Tangent":
        """Subtract."""
        if isinstance(other, Tangent):
            return Tangent(self.value - other.value, self.slope - other.slope)
        return Tangent(self.value - other, self.slope)

    def __rsub__(self, other: Any) -> "Tangent":
        """Subtract from another."""
        return Tangent(other - self.value, -self.slope)

    def __mul__(self, other: Any) -> "Tangent":
        """Multiply, by the product rule."""
        if isinstance(other, Tangent):
            return Tangent(
                self.value * other.value,
                self.slope * other.value + self.value * other.slope,
            )
        return Tangent(self.value * other, self.slope * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "Tangent":
        """Divide, by the quotient rule."""
        if isinstance(other, Tangent):
            value = self.value / other.value
            return Tangent(value, (self.slope - value * other.slope) / other.value)
        return Tangent(self.value / other, self.slope / other)

    def __rtruediv__(self, other: Any) -> "Tangent":
        """Divide another by it."""
        value = other / self.value
        return Tangent(value, -value * self.slope / self.value)


# the derived equations are rational: of their functions only powers meet tangents
TANGENTS: Mapping[str, Callable[..., Any]] = {**BALLS, "integer_power": integer_power}


@lru_cache(maxsize=16)
def tangent_equations(model: Model) -> Equations:
    """Compile for balls that may have tangents."""
    return Equations(model, TANGENTS)


def values(numbers: Sequence[Any]) -> list[Any]:
    """Balls without their tangents."""
    return [v.value if isinstance(v, Tangent) else v for v in numbers]


def slopes(numbers: Sequence[Any]) -> list[Any]:
    """Take the derivatives; 0 of what has none."""
    return [v.slope if isinstance(v, Tangent) else arb(0) for v in numbers]


def join(numbers: Sequence[Any], derivatives: Sequence[Any]) -> list[Any]:
    """Balls with these derivatives."""
    return [Tangent(v, d) for v, d in zip(numbers, derivatives, strict=True)]


def flat(numbers: Sequence[Any]) -> list[Any]:
    """Values, then derivatives, as one list of balls."""
    return values(numbers) + slopes(numbers)


def invert(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Invert a matrix: ``P' = -P A' P``."""
    inverse = precise_inverse(arb_mat(list(map(values, rows))))
    if not _any_moves(rows):
        plain: list[list[Any]] = inverse.tolist()
        return plain
    change = -(inverse * arb_mat(list(map(slopes, rows))) * inverse)
    return [join(a, b) for a, b in zip(inverse.tolist(), change.tolist(), strict=True)]


def precise_inverse(matrix: Any) -> Any:
    """Invert a matrix of wide balls: by way of its midpoint's inverse."""
    size = matrix.nrows()
    unit = arb_mat([[int(i == j) for j in range(size)] for i in range(size)])
    try:
        return matrix.solve(unit, algorithm="precond")
    except ZeroDivisionError:
        return inverse_of(matrix)


def solve_rows(rows: Sequence[Sequence[Any]], right: Sequence[Any]) -> list[Any]:
    """Solve linear equations: ``A y' = b' - A' y``."""
    matrix = arb_mat(list(map(values, rows)))
    solution = solve_linear(matrix, values(right))
    if not _any_moves([*rows, right]):
        return solution
    moved = (arb_mat(list(map(slopes, rows))) * column(solution)).entries()
    change = [b - m for b, m in zip(slopes(right), moved, strict=True)]
    return join(solution, solve_linear(matrix, change))


def _any_moves(rows: Sequence[Sequence[Any]]) -> bool:
    return any(isinstance(v, Tangent) for row in rows for v in row)
