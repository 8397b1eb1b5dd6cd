r"""A model's stationarity equations and outputs in proved enclosures.

Every average over kappa is a ball that contains it
(:mod:`detequiv.numerics.certificates.strips`), for all unknowns within the balls given.
The Krawczyk operator then proves that a box around an approximate solution contains
exactly one: with C an approximate inverse of the Hessian, ``m - C grad(m) + (1 - C
Hess(X)) (X - m)`` lies inside X.

Parameters and unknowns may enclose functions on a cube
(:mod:`detequiv.numerics.arithmetic.taylor`), or have tangents
(:mod:`detequiv.numerics.arithmetic.tangents`): so do all results then.
"""

from collections.abc import Callable, Sequence
from typing import Any

import flint

from detequiv.numerics.arithmetic import (
    Tangent,
    Taylor,
    add,
    column,
    flat,
    inverse_of,
    invert,
    is_definite,
    join,
    range_of,
    ranges,
    solve_rows,
)
from detequiv.numerics.certificates.integrands import Basis, Integrands, dot
from detequiv.numerics.certificates.rule import TrapezoidalRule
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import upper_triangle

__all__ = ["EnclosedSystem", "identity"]

arb, arb_mat = flint.arb, flint.arb_mat


class EnclosedSystem:
    """The equations with every average enclosed.

    Parameters
    ----------
    integrands : Integrands
        What is averaged.
    rule : TrapezoidalRule
        How.
    domain : list of arb
        Unknowns for which the rule's boundary has been established.
    rough : bool
        Whether the rule's error is left out: nothing is proved then.
    """

    def __init__(
        self,
        integrands: Integrands,
        rule: TrapezoidalRule,
        domain: list[Any],
        *,
        rough: bool = False,
    ) -> None:
        self.integrands, self.rule, self.domain = integrands, rule, domain
        self._over_range = integrands.over_range()
        self._rough, self._seen = rough, (domain, domain)
        self._hessian: tuple[list[Any], list[list[Any]]] = ([], [])
        self.equations = integrands.equations

    def solution(self, start: list[Any]) -> list[Any]:
        """Prove that there is exactly one solution near `start`, and enclose it.

        Raises
        ------
        ConvergenceError
            That could not be proved.
        """
        centre = [v.mid() for v in start]
        inverse = inverse_of(arb_mat(self.hessian(centre)))
        chord = arb_mat([[v.mid() for v in row] for row in inverse.tolist()])
        move = (chord * column(self.gradient(centre))).entries()
        tiny = arb(2) ** (10 - flint.ctx.prec)
        box = [
            c + arb(0, (4 * abs(d) + tiny * abs(c)).upper())
            for c, d in zip(centre, move, strict=True)
        ]
        self.require_valid(box)
        defect = identity(len(box)) - chord * arb_mat(self.hessian(box))
        offsets = column([b - c for b, c in zip(box, centre, strict=True)])
        spread = (defect * offsets).entries()
        image = [c - d + s for c, d, s in zip(centre, move, spread, strict=True)]
        if not all(b.contains_interior(v) for b, v in zip(box, image, strict=True)):
            raise ConvergenceError(
                "no solution could be proved to exist near the approximate one"
            )
        return image

    def outputs(self, x: list[Any], basis: Basis) -> tuple[list[Any], list[Any]]:
        """Enclose the reported quantities, and the coefficients.

        Parameters
        ----------
        x : list of arb
            Enclosure of the solution.
        basis : sequence of sequence of (int, number)
            Combinations of coefficients, by place and factor, whose functions are
            independent and span those of all.
        """
        eq, p = self.equations, self.integrands.parameters
        normal, right, square = self.normal(x, basis)
        kept = solve_rows(normal, right) if basis else []
        value = square - dot(right, kept)
        y = [arb(0)] * len(eq.model.coefficients)
        for function, coefficient in zip(basis, kept, strict=True):
            for place, factor in function:
                y[place] += factor * coefficient

        size = eq.size
        averages = self._average(
            lambda of, read: of.sensitivities(read(x), basis, read(kept))
        )
        by_x = add(eq.energy_gradient(x, y, p), averages[:size])
        adjoint = solve_rows(self.hessian(x), by_x)
        totals = []
        for k, (local_gradient, _, local_energy) in enumerate(eq.sources):
            by_source = add(
                self._local(local_gradient, x),
                averages[(k + 1) * size : (k + 2) * size],
            )
            direct = averages[3 * size + k] + local_energy(x, y, p)[0]
            totals.append(direct - dot(adjoint, by_source))
        return list(map(_number, eq.quantities([value, *totals], x, p))), y

    def normal(
        self, x: list[Any], basis: Basis
    ) -> tuple[list[list[Any]], list[Any], Any]:
        """Enclose the normal equations: matrix, right side, and squared target."""
        count, eq = len(basis), self.equations
        form = _square(
            self._average(lambda of, read: of.normal(read(x), basis)), count + 1
        )
        upper = eq.penalty(x, self.integrands.parameters)
        penalty = _square(upper, len(eq.model.coefficients))
        matrix = [
            [
                form[i][j]
                + sum((f * h * penalty[k][n] for k, f in a for n, h in b), arb(0))
                for j, b in enumerate(basis)
            ]
            for i, a in enumerate(basis)
        ]
        return matrix, [form[i][count] for i in range(count)], form[count][count]

    def gradient(self, x: list[Any]) -> list[Any]:
        """Enclose grad Psi."""
        averages = self._average(lambda of, read: of.gradient(read(x)))
        return add(self._local(self.equations.local_gradient, x), averages)

    def hessian(self, x: list[Any]) -> list[list[Any]]:
        """Enclose the rows of Hess Psi; those at the last unknowns are remembered."""
        if self._hessian[0] is not x:
            self._hessian = x, self._new_hessian(x)
        return self._hessian[1]

    def _new_hessian(self, x: list[Any]) -> list[list[Any]]:
        averages = self._average(lambda of, read: of.hessian(read(x)))
        local = self._local(self.equations.local_hessian, x)
        return _square(add(local, averages), self.equations.size)

    def _average(self, make: Callable[[Integrands, Any], Any]) -> list[Any]:
        """Enclose averages, of an integrand made of the numbers or of their ranges."""
        integrand = make(self.integrands, lambda numbers: numbers)
        if self._rough:
            return self.rule.sum(integrand)
        over_range = make(self._over_range, self._ranges)
        if not self.integrands.moving:
            return self.rule.average(integrand, over_range)
        averages = self.rule.average(_flat(integrand), _flat(over_range))
        half = len(averages) // 2
        return join(averages[:half], averages[half:])

    def _ranges(self, numbers: list[Any]) -> list[Any]:
        """Numbers for their values over the box: the same list for the same one."""
        if self._seen[0] is not numbers:
            self._seen = numbers, ranges(numbers)
        return self._seen[1]

    def _local(self, function: Any, x: list[Any]) -> list[Any]:
        eq = self.equations
        inverse: list[Any] = []
        if eq.order:
            rows = invert(_square(x[eq.size - len(eq.inverse) :], eq.order))
            inverse = [rows[i][j] for i, j in upper_triangle(eq.order)]
        return list(map(_number, function(x, inverse, self.integrands.parameters)))

    def require_valid(self, box: list[Any]) -> None:
        """Check that the unknowns are positive, the matrix positive definite."""
        if not all(
            d.contains(range_of(b)) for d, b in zip(self.domain, box, strict=True)
        ):
            raise ConvergenceError(
                "the approximate solution is too far from the exact one"
            )
        eq = self.equations
        scalars = eq.size - len(eq.inverse)
        positive = all(range_of(v) > 0 for v in box[:scalars])
        if not (positive and is_definite(_square(box[scalars:], eq.order))):
            raise ConvergenceError("the solution could not be proved to be positive")


def _flat(integrand: Any) -> Any:
    """Return values and slopes, as one list."""
    return lambda fields, tail=False: flat(integrand(fields, tail))


def _square(upper: Sequence[Any], order: int) -> list[list[Any]]:
    """Rows of a symmetric matrix from its upper triangle."""
    rows: list[list[Any]] = [[arb(0)] * order for _ in range(order)]
    for value, (i, j) in zip(upper, upper_triangle(order), strict=True):
        rows[i][j] = rows[j][i] = _number(value)
    return rows


def _number(value: Any) -> Any:
    """Make a ball of a plain number, and leave all others as they are."""
    return value if isinstance(value, Tangent | Taylor) else arb(value)


def identity(size: int) -> Any:
    """Make a unit matrix of balls."""
    return arb_mat([[int(i == j) for j in range(size)] for i in range(size)])
