r"""Polynomials with ball coefficients that enclose functions on a cube.

A `Taylor` number encloses ``f`` on ``abs(t_i) <= 1``: for every such t there are
numbers in its balls for which the polynomial is ``f(t)``. Sums, products and quotients
keep that; what a product has beyond the order is put into the radius of a coefficient.
A function that is smooth over the cube loses little by it, however wide the cube is,
and correlations between numbers are kept.

Polynomials in several variables are packed into one, by powers that cannot meet in a
product.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from detequiv.theory.errors import ConvergenceError
from detequiv.theory.precision import ONE_AT_A_TIME

__all__ = ["Cube", "Taylor", "at_centre", "is_positive", "range_of", "series_length"]

arb, arb_poly, arb_series = flint.arb, flint.arb_poly, flint.arb_series
UNIT = arb(0, 1)
HALF = arb(0.5)
CELLS = 1000  # into which a cube is split to find a sign


@dataclass(frozen=True)
class Cube:
    """The variables, and the order to which polynomials in them are kept.

    Parameters
    ----------
    variables : int
    order : int
        Powers of total degree below it are kept.
    """

    variables: int
    order: int

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """Powers of the packed polynomial that stand for the variables."""
        return tuple((2 * self.order - 1) ** k for k in range(self.variables))

    @cached_property
    def excess(self) -> tuple[int, ...]:
        """Powers of a product that are not kept."""
        degrees = product(range(2 * self.order - 1), repeat=self.variables)
        return tuple(
            sorted(
                sum(d * s for d, s in zip(each, self.strides, strict=True))
                for each in degrees
                if self.order <= sum(each) < 2 * self.order - 1
            )
        )

    @cached_property
    def kept(self) -> NDArray[np.float64]:
        """Whether a power of a polynomial is kept, by its place."""
        kept = np.zeros((self.order - 1) * self.strides[-1] + 1)
        for each in product(range(self.order), repeat=self.variables):
            if sum(each) < self.order:
                kept[sum(d * s for d, s in zip(each, self.strides, strict=True))] = 1
        return kept

    @cached_property
    def lines(self) -> tuple[tuple[int, ...], ...]:
        """For each variable, where the lines along it begin."""
        return tuple(
            tuple(
                sum(d * s for d, s in zip(each, self.strides, strict=True))
                for each in product(range(self.order), repeat=self.variables)
                if each[axis] == 0 and sum(each) < self.order
            )
            for axis in range(self.variables)
        )

    def variable(self, axis: int, centre: Any, half: Any) -> "Taylor":
        """``centre + half t``, t the variable of this number."""
        return Taylor(self, arb_poly([centre, *[0] * (self.strides[axis] - 1), half]))

    def constant(self, value: Any) -> "Taylor":
        """Make a number that does not depend on t."""
        return Taylor(self, arb_poly([value]))


class Taylor:
    """A function on a cube, enclosed by a polynomial.

    Parameters
    ----------
    cube : Cube
    poly : arb_poly
        Packed as the cube says.
    """

    __slots__ = ("cube", "poly")

    def __init__(self, cube: Cube, poly: Any) -> None:
        self.cube, self.poly = cube, poly

    def __add__(self, other: Any) -> "Taylor":
        """Add."""
        if isinstance(other, Taylor):
            return Taylor(self.cube, self.poly + other.poly)
        if isinstance(other, arb | int):
            return Taylor(self.cube, self.poly + other)
        return NotImplemented

    __radd__ = __add__

    def __neg__(self) -> "Taylor":
        """Change the sign."""
        return Taylor(self.cube, -self.poly)

    def __sub__(self, other: Any) -> "Taylor":
        """Subtract."""
        if isinstance(other, Taylor):
            return Taylor(self.cube, self.poly - other.poly)
        if isinstance(other, arb | int):
            return Taylor(self.cube, self.poly - other)
        return NotImplemented

    def __rsub__(self, other: Any) -> "Taylor":
        """Subtract from another."""
        difference: Taylor = -self + other
        return difference

    def __mul__(self, other: Any) -> "Taylor":
        """Multiply, and enclose what is beyond the order."""
        if isinstance(other, Taylor):
            return Taylor(self.cube, self._cut(self.poly * other.poly))
        if isinstance(other, arb | int):
            return Taylor(self.cube, self.poly * other)
        return NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "Taylor":
        """Divide."""
        if isinstance(other, Taylor):
            return self * other._reciprocal()
        if isinstance(other, arb | int):
            return Taylor(self.cube, self.poly * (1 / arb(other)))
        return NotImplemented

    def __rtruediv__(self, other: Any) -> "Taylor":
        """Divide another by it."""
        quotient: Taylor = self._reciprocal() * other
        return quotient

    @property
    def centre(self) -> Any:
        """Enclose the value at t = 0."""
        return self.poly[0]

    def range(self) -> Any:
        """Enclose all values, in one ball."""
        first, *others = self.poly.coeffs() or [arb(0)]
        return sum((c * UNIT for c in others), first)

    def mid(self) -> "Taylor":
        """Leave out the radii."""
        return Taylor(self.cube, arb_poly([c.mid() for c in self.poly.coeffs()]))

    def halves(self, axis: int) -> "tuple[Taylor, Taylor]":
        """Cut the cube across one side: the number on the two halves."""
        lower, upper = (self._moved(axis, end) for end in (-HALF, HALF))
        return lower, upper

    def variation(self, axis: int) -> float:
        """How much it varies along one side, at most."""
        stride, size = self.cube.strides[axis], self.poly.length()
        places = (k for k in range(size) if k // stride % (2 * self.cube.order - 1) > 0)
        return float(sum((abs(self.poly[k]) for k in places), arb(0)))

    def _moved(self, axis: int, end: Any) -> "Taylor":
        """Put ``end + t / 2`` for t along one side."""
        cube, stride = self.cube, self.cube.strides[axis]
        length = (cube.order - 1) * cube.strides[-1] + 1
        coefficients = self.poly.coeffs()
        coefficients += [arb(0)] * (length - len(coefficients))
        step = arb_poly([end, HALF])
        for start in cube.lines[axis]:
            places = range(start, length, stride)[: cube.order]
            moved = arb_poly([coefficients[k] for k in places])(step).coeffs()
            for place, value in zip(places, moved, strict=False):
                coefficients[place] = value
        return Taylor(cube, arb_poly(coefficients))

    def _cut(self, poly: Any) -> Any:
        """Enclose powers beyond the order by radii."""
        order, size = self.cube.order, poly.length()
        if size <= order:
            return poly
        coefficients = poly.coeffs()
        if self.cube.variables == 1:
            beyond = arb_poly(coefficients[order:])(UNIT) * UNIT
            coefficients[order - 1] += beyond
            return arb_poly(coefficients[:order])
        beyond = arb(0)
        for k in self.cube.excess:
            if k >= size:
                break
            beyond += coefficients[k] * UNIT
            coefficients[k] = arb(0)
        coefficients[0] += beyond
        return arb_poly(coefficients)

    def _reciprocal(self) -> "Taylor":
        """``1 / f = g / (1 - d)`` with ``d = 1 - f g``, g the inverse power series."""
        if self.poly[0].contains(0):
            raise ConvergenceError("the box is too large: a denominator may vanish")
        inverse = Taylor(self.cube, arb_poly(self._near_inverse()))
        defect = abs((1 - self * inverse).range()).upper()
        if not defect < 1:
            raise ConvergenceError("the box is too large: a denominator may vanish")
        size = abs(inverse.range()).upper()
        return inverse + arb(0, (size * defect / (1 - defect)).upper())

    def _near_inverse(self) -> list[float]:
        """Approximate the inverse power series, in float64."""
        kept = self.cube.kept
        series = np.zeros(len(kept))
        series[: self.poly.length()] = [float(c) for c in self.poly.coeffs()]
        inverse = np.zeros(len(kept))
        inverse[0], known = 1 / series[0], 1
        while known < self.cube.order:
            twice = -np.convolve(series, inverse)[: len(kept)] * kept
            twice[0] += 2
            inverse = np.convolve(inverse, twice)[: len(kept)] * kept
            known *= 2
        return list(map(float, inverse))


@contextmanager
def series_length(order: int) -> Iterator[None]:
    """Set the length of power series for a block."""
    with ONE_AT_A_TIME:
        before = flint.ctx.cap
        flint.ctx.cap = order
        try:
            yield
        finally:
            flint.ctx.cap = before


def range_of(number: Any) -> Any:
    """Enclose all values of a number that may depend on t, in one ball."""
    return number.range() if isinstance(number, Taylor) else number


def at_centre(number: Any) -> Any:
    """Enclose the value at t = 0."""
    return number.centre if isinstance(number, Taylor) else number


def is_positive(number: Any, *, strict: bool = True) -> bool:
    """Whether a number is proved to be positive on its cube, which is split if need be.

    Parameters
    ----------
    number : Taylor or arb
    strict : bool
        Whether 0 is not enough.
    """
    cells = [number]
    for _ in range(CELLS):
        cell = cells.pop()
        values = range_of(cell)
        if not (values > 0 if strict else values >= 0):
            centre = at_centre(cell)
            if cell is values or not (centre > 0 if strict else centre >= 0):
                return False
            axes = range(cell.cube.variables)
            cells += cell.halves(max(axes, key=cell.variation))
        if not cells:
            return True
    return False
