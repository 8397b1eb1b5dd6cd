r"""A model's stationarity equations and outputs in proved enclosures.

Every average over kappa is a ball that contains it
(:mod:`detequiv.numerics.certificates.strips`), for all unknowns within the balls given.
The Krawczyk operator then proves that a box around an approximate solution contains
exactly one: with C an approximate inverse of the Hessian, ``m - C grad(m) + (1 - C
Hess(X)) (X - m)`` lies inside X.

Parameters and unknowns may be tangent numbers
(:mod:`detequiv.numerics.certificates.tangents`): all results then carry their
derivative.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import (
    add,
    column,
    compile_expressions,
    inverse_of,
    symmetric,
)
from detequiv.numerics.certificates.strips import TrapezoidalRule
from detequiv.numerics.certificates.tangents import (
    TANGENTS,
    Tangent,
    flat,
    invert,
    join,
    solve_rows,
    tangent_equations,
)
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import Model, upper_triangle

__all__ = ["Basis", "EnclosedSystem", "Integrands", "identity"]

arb, arb_mat = flint.arb, flint.arb_mat


Basis = Sequence[Sequence[tuple[int, Any]]]


class Integrands:
    """What is averaged over kappa, in terms of the fields at one kappa.

    Functions of chi are compiled in ``v = 1 / (1 + chi)``, which for real kappa lies
    in (0, 1] however large the fields are.

    Parameters
    ----------
    model : Model
        The potentials.
    parameters : list of arb, or of Tangent
        Their parameters.
    noise : arb or Tangent, optional
        What the variance of the label noise is more than in the fields.
    """

    def __init__(self, model: Model, parameters: list[Any], noise: Any = None) -> None:
        self.equations = tangent_equations(model)
        self.parameters = parameters
        self.rows = len(model.energy_residuals)
        self._functions = _functions_of_chi(model)
        self._noise = arb(0) if noise is None else noise

    @property
    def moving(self) -> bool:
        """Whether the parameters, and all results, have tangents."""
        return any(isinstance(v, Tangent) for v in self.parameters)

    def denominator(self, fields: list[Any], x: list[Any]) -> Any:
        """``1 + chi``."""
        return 1 + _dot(self.equations.form(fields, self.parameters), x)

    def gradient(self, x: list[Any]) -> Any:
        """Averaged part of grad Psi."""

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            form, values = self._at(fields, x, tail)
            return [values[0] * a for a in form]

        return integrand

    def hessian(self, x: list[Any]) -> Any:
        """Averaged part of Hess Psi, upper triangle."""

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            form, values = self._at(fields, x, tail)
            bent = [values[1] * a for a in form]
            return [bent[i] * form[j] for i, j in upper_triangle(len(form))]

        return integrand

    def normal(self, x: list[Any], basis: Basis) -> Any:
        """Least squares: the quadratic form of ``(basis, target)``, upper triangle.

        The last entry is the average of the weighted squared target and of the rest.
        """

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            _, values = self._at(fields, x, tail)
            offsets, slopes = self._residuals(fields)
            vectors = [
                [*_in_basis(row, basis), o]
                for row, o in zip(slopes, offsets, strict=True)
            ]
            pairs = upper_triangle(len(basis) + 1)
            products = [sum((r[i] * r[j] for r in vectors), arb(0)) for i, j in pairs]
            products[-1] += self._rest(fields)
            return [values[2] * p for p in products]

        return integrand

    def sensitivities(self, x: list[Any], basis: Basis, y: list[Any]) -> Any:
        """Averaged parts of the derivatives of Energy and of grad Psi.

        The derivative of Energy by x; for each source, that of grad Psi by it, and
        that of Energy.
        """

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            form, values = self._at(fields, x, tail)
            offsets, slopes = self._residuals(fields)
            residuals = [
                o - _dot(_in_basis(row, basis), y)
                for row, o in zip(slopes, offsets, strict=True)
            ]
            square = sum((r * r for r in residuals), arb(0))
            square += self._rest(fields)
            return [
                *(values[3] * square * a for a in form),
                *(values[4] * a for a in form),
                *(values[5] * a for a in form),
                values[6] * square,
                values[7] * square,
            ]

        return integrand

    def _at(
        self, fields: list[Any], x: list[Any], tail: bool
    ) -> tuple[list[Any], list[Any]]:
        form = self.equations.form(fields, self.parameters)
        chi = _dot(form, x)
        if tail:
            # chi >= 0 for real kappa: cs and A are nonnegative
            v: Any = arb(0.5, 0.5)
            if isinstance(chi, Tangent):
                v = Tangent(v, -v * v * chi.slope)
        else:
            v = 1 / (1 + chi)
        return form, self._functions(v, *self.parameters)

    def _rest(self, fields: list[Any]) -> Any:
        """Tell what is added to the squared residuals, label noise included."""
        return self.equations.rest(fields, self.parameters)[0] + self._noise

    def _residuals(self, fields: list[Any]) -> tuple[list[Any], list[list[Any]]]:
        offsets = self.equations.offsets(fields, self.parameters)
        slopes = self.equations.slopes(fields, self.parameters)
        width = len(slopes) // self.rows
        return offsets, [slopes[k * width : (k + 1) * width] for k in range(self.rows)]


@lru_cache(maxsize=16)
def _functions_of_chi(model: Model) -> Callable[..., list[Any]]:
    """Compile what depends on kappa through chi alone, in ``v = 1 / (1 + chi)``."""
    system, v = model.system, sp.Symbol("v", positive=True)
    sources = [system.source_derivatives(s) for s in (model.source, model.ridge)]
    return compile_expressions(
        (v, *model.parameters),
        [
            sp.cancel(e.subs(model.chi, 1 / v - 1))
            for e in (
                system.average_slope,
                system.average_curvature,
                model.energy_weight,
                system.weight_slope,
                *(d.average_slope for d in sources),
                *(d.energy_weight for d in sources),
            )
        ],
        TANGENTS,
    )


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
    """

    def __init__(
        self, integrands: Integrands, rule: TrapezoidalRule, domain: list[Any]
    ) -> None:
        self.integrands, self.rule, self.domain = integrands, rule, domain
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
        value = square - _dot(right, kept)
        y = [arb(0)] * len(eq.model.coefficients)
        for function, coefficient in zip(basis, kept, strict=True):
            for place, factor in function:
                y[place] += factor * coefficient

        size = eq.size
        averages = self._average(self.integrands.sensitivities(x, basis, kept))
        by_x = add(eq.energy_gradient(x, y, p), averages[:size])
        adjoint = solve_rows(self.hessian(x), by_x)
        totals = []
        for k, (local_gradient, _, local_energy) in enumerate(eq.sources):
            by_source = add(
                self._local(local_gradient, x),
                averages[(k + 1) * size : (k + 2) * size],
            )
            direct = averages[3 * size + k] + local_energy(x, y, p)[0]
            totals.append(direct - _dot(adjoint, by_source))
        return list(map(_number, eq.quantities([value, *totals], x, p))), y

    def normal(
        self, x: list[Any], basis: Basis
    ) -> tuple[list[list[Any]], list[Any], Any]:
        """Enclose the normal equations: matrix, right side, and squared target."""
        count, eq = len(basis), self.equations
        form = _square(self._average(self.integrands.normal(x, basis)), count + 1)
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
        averages = self._average(self.integrands.gradient(x))
        return add(self._local(self.equations.local_gradient, x), averages)

    def hessian(self, x: list[Any]) -> list[list[Any]]:
        """Enclose the rows of Hess Psi."""
        averages = self._average(self.integrands.hessian(x))
        local = self._local(self.equations.local_hessian, x)
        return _square(add(local, averages), self.equations.size)

    def _average(self, integrand: Any) -> list[Any]:
        if not self.integrands.moving:
            return self.rule.average(integrand)

        def both(fields: list[Any], tail: bool = False) -> list[Any]:
            return flat(integrand(fields, tail))

        averages = self.rule.average(both)
        half = len(averages) // 2
        return join(averages[:half], averages[half:])

    def _local(self, function: Any, x: list[Any]) -> list[Any]:
        eq = self.equations
        inverse: list[Any] = []
        if eq.order:
            rows = invert(_square(x[eq.size - len(eq.inverse) :], eq.order))
            inverse = [rows[i][j] for i, j in upper_triangle(eq.order)]
        return list(map(_number, function(x, inverse, self.integrands.parameters)))

    def require_valid(self, box: list[Any]) -> None:
        """Check that the unknowns are positive, the matrix positive definite."""
        if not all(d.contains(b) for d, b in zip(self.domain, box, strict=True)):
            raise ConvergenceError(
                "the approximate solution is too far from the exact one"
            )
        eq = self.equations
        matrix = symmetric(box[eq.size - len(eq.inverse) :], eq.order)
        minors = [
            arb_mat([[matrix[i, j] for j in range(k)] for i in range(k)]).det()
            for k in range(1, eq.order + 1)
        ]
        if not all(v > 0 for v in [*box[: eq.size - len(eq.inverse)], *minors]):
            raise ConvergenceError("the solution could not be proved to be positive")


def _square(upper: Sequence[Any], order: int) -> list[list[Any]]:
    """Rows of a symmetric matrix from its upper triangle."""
    rows: list[list[Any]] = [[arb(0)] * order for _ in range(order)]
    for value, (i, j) in zip(upper, upper_triangle(order), strict=True):
        rows[i][j] = rows[j][i] = _number(value)
    return rows


def _number(value: Any) -> Any:
    """Leave balls and tangent numbers as they are, make a ball of a plain number."""
    return value if isinstance(value, Tangent) else arb(value)


def identity(size: int) -> Any:
    """Make a unit matrix of balls."""
    return arb_mat([[int(i == j) for j in range(size)] for i in range(size)])


def _in_basis(row: Sequence[Any], basis: Basis) -> list[Any]:
    """Values of the basis, from those of the coefficients' functions."""
    return [sum((f * row[k] for k, f in function), arb(0)) for function in basis]


def _dot(left: Sequence[Any], right: Sequence[Any]) -> Any:
    return sum((a * b for a, b in zip(left, right, strict=True)), arb(0))
