r"""Numbers with a tangent, and linear equations in any numbers.

A tangent number ``a + a' t`` with ``t^2 = 0`` carries a number, a ball or a polynomial
that encloses a function, and its derivative by one parameter through any formula made
of arithmetic.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flint

from detequiv.numerics.arithmetic.compiled import BALLS, integer_power
from detequiv.numerics.arithmetic.matrices import SINGULAR, inverse_of, solve_linear
from detequiv.numerics.arithmetic.taylor import Taylor, range_of
from detequiv.theory.errors import ConvergenceError

__all__ = [
    "TANGENTS",
    "Tangent",
    "flat",
    "invert",
    "is_definite",
    "join",
    "ranges",
    "slopes",
    "solve_rows",
    "values",
]

arb = flint.arb


class Tangent:
    """A number, and its derivative.

    Parameters
    ----------
    value, slope : arb, acb or Taylor
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


def ranges(numbers: Sequence[Any]) -> list[Any]:
    """Numbers that depend on no variable, and hold all values of these."""
    return [
        Tangent(range_of(v.value), range_of(v.slope))
        if isinstance(v, Tangent)
        else range_of(v)
        for v in numbers
    ]


def invert(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Invert a matrix of any numbers."""
    if _are_balls(rows):
        inverse: list[list[Any]] = inverse_of(flint.arb_mat(rows)).tolist()
        return inverse
    order = range(len(rows))
    return _eliminate(rows, [[arb(int(i == j)) for j in order] for i in order])


def solve_rows(rows: Sequence[Sequence[Any]], right: Sequence[Any]) -> list[Any]:
    """Solve linear equations in any numbers."""
    if _are_balls([*rows, right]):
        return solve_linear(flint.arb_mat(rows), list(right))
    return [row[0] for row in _eliminate(rows, [[v] for v in right])]


def is_definite(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether a symmetric matrix is proved to be positive definite, wherever it is."""
    work = [list(row) for row in rows]
    for k, pivot in enumerate(work):
        if not range_of(pivot[k]) > 0:
            return False
        for row in work[k + 1 :]:
            factor = row[k] / pivot[k]
            row[k:] = [a - factor * b for a, b in zip(row[k:], pivot[k:], strict=True)]
    return True


def _eliminate(
    rows: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]]
) -> list[list[Any]]:
    """Gauss and Jordan, with the pivot that is largest at the centre."""
    size = len(rows)
    work = [[*a, *b] for a, b in zip(rows, right, strict=True)]
    for k in range(size):
        best = max(range(k, size), key=lambda i: _size(work[i][k]))
        work[k], work[best] = work[best], work[k]
        if not _size(work[k][k]) > 0:
            raise ConvergenceError(SINGULAR)
        pivot = [v / work[k][k] for v in work[k][k + 1 :]]
        for i, row in enumerate(work):
            if i != k:
                row[k + 1 :] = [
                    a - row[k] * b for a, b in zip(row[k + 1 :], pivot, strict=True)
                ]
        work[k][k + 1 :] = pivot
    return [row[size:] for row in work]


def _size(number: Any) -> float:
    """Tell how far a number is from 0, at the centre of its variables."""
    if isinstance(number, Tangent):
        return _size(number.value)
    if isinstance(number, Taylor):
        number = number.centre
    return float(abs(number).lower())


def _are_balls(rows: Sequence[Sequence[Any]]) -> bool:
    return not any(isinstance(v, Tangent | Taylor) for row in rows for v in row)
