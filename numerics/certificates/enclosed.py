r"""A model's stationarity equations and outputs in proved enclosures.

Every average over kappa is a ball that contains it
(:mod:`detequiv.numerics.certificates.strips`), for all unknowns within the balls given.
The Krawczyk operator then proves that a box around an approximate solution contains
exactly one: with C an approximate inverse of the Hessian, ``m - C grad(m) + (1 - C
Hess(X)) (X - m)`` lies inside X.
"""

from collections.abc import Sequence
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import (
    BALLS,
    add,
    column,
    compile_expressions,
    inverse_of,
    solve_linear,
    symmetric,
)
from detequiv.numerics.certificates.strips import TrapezoidalRule
from detequiv.numerics.equations import Equations, ball_equations
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import Model, upper_triangle

__all__ = ["EnclosedSystem", "Integrands"]

arb, arb_mat = flint.arb, flint.arb_mat


class Integrands:
    """What is averaged over kappa, in terms of the fields at one kappa.

    Functions of chi are compiled in ``v = 1 / (1 + chi)``, which for real kappa lies
    in (0, 1] however large the fields are.

    Parameters
    ----------
    model : Model
        The potentials.
    parameters : list of arb
        Their parameters.
    """

    def __init__(self, model: Model, parameters: list[Any]) -> None:
        self.equations: Equations = ball_equations(model)
        self.parameters = parameters
        system, v = model.system, sp.Symbol("v", positive=True)
        sources = [system.source_derivatives(s) for s in (model.source, model.ridge)]
        self._functions = compile_expressions(
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
            BALLS,
        )
        self.rows = len(model.energy_residuals)

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

    def normal(self, x: list[Any], columns: Sequence[int]) -> Any:
        """Least squares: the quadratic form of ``(columns, target)``, upper triangle.

        The last entry is the average of the weighted squared target and of the rest.
        """

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            _, values = self._at(fields, x, tail)
            offsets, slopes = self._residuals(fields)
            vectors = [
                [*(row[k] for k in columns), o]
                for row, o in zip(slopes, offsets, strict=True)
            ]
            pairs = upper_triangle(len(columns) + 1)
            products = [sum((r[i] * r[j] for r in vectors), arb(0)) for i, j in pairs]
            products[-1] += self.equations.rest(fields, self.parameters)[0]
            return [values[2] * p for p in products]

        return integrand

    def sensitivities(self, x: list[Any], y: list[Any]) -> Any:
        """Averaged parts of the derivatives of Energy and of grad Psi.

        The derivative of Energy by x; for each source, that of grad Psi by it, and
        that of Energy.
        """

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            form, values = self._at(fields, x, tail)
            offsets, slopes = self._residuals(fields)
            residuals = [o - _dot(r, y) for r, o in zip(slopes, offsets, strict=True)]
            square = sum((r * r for r in residuals), arb(0))
            square += self.equations.rest(fields, self.parameters)[0]
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
        # chi >= 0 for real kappa: cs and A are nonnegative
        v = arb(0.5, 0.5) if tail else 1 / (1 + _dot(form, x))
        return form, self._functions(v, *self.parameters)

    def _residuals(self, fields: list[Any]) -> tuple[list[Any], list[list[Any]]]:
        offsets = self.equations.offsets(fields, self.parameters)
        slopes = self.equations.slopes(fields, self.parameters)
        width = len(slopes) // self.rows
        return offsets, [slopes[k * width : (k + 1) * width] for k in range(self.rows)]


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
        inverse = inverse_of(self._hessian(centre))
        chord = arb_mat([[v.mid() for v in row] for row in inverse.tolist()])
        move = (chord * column(self._gradient(centre))).entries()
        tiny = arb(2) ** (10 - flint.ctx.prec)
        box = [
            c + arb(0, (4 * abs(d) + tiny * abs(c)).upper())
            for c, d in zip(centre, move, strict=True)
        ]
        self._require_valid(box)
        defect = _identity(len(box)) - chord * self._hessian(box)
        offsets = column([b - c for b, c in zip(box, centre, strict=True)])
        spread = (defect * offsets).entries()
        image = [c - d + s for c, d, s in zip(centre, move, spread, strict=True)]
        if not all(b.contains_interior(v) for b, v in zip(box, image, strict=True)):
            raise ConvergenceError(
                "no solution could be proved to exist near the approximate one"
            )
        return image

    def outputs(
        self, x: list[Any], columns: Sequence[int]
    ) -> tuple[list[Any], list[Any]]:
        """Enclose the reported quantities, and the coefficients.

        Parameters
        ----------
        x : list of arb
            Enclosure of the solution.
        columns : sequence of int
            Coefficients whose functions are independent and span those of all; the
            others are 0.
        """
        eq, p = self.equations, self.integrands.parameters
        count = len(columns)
        total = len(eq.model.coefficients)
        penalty = symmetric(eq.penalty(x, p), total)
        form = symmetric(
            self.rule.average(self.integrands.normal(x, columns)), count + 1
        )
        normal = arb_mat(
            [
                [form[i, j] + penalty[a, b] for j, b in enumerate(columns)]
                for i, a in enumerate(columns)
            ]
        )
        right = [form[i, count] for i in range(count)]
        kept = solve_linear(normal, right) if count else []
        value = form[count, count] - _dot(right, kept)
        y = [arb(0)] * total
        for place, coefficient in zip(columns, kept, strict=True):
            y[place] = coefficient

        size = eq.size
        averages = self.rule.average(self.integrands.sensitivities(x, y))
        by_x = add(eq.energy_gradient(x, y, p), averages[:size])
        adjoint = solve_linear(self._hessian(x), by_x)
        totals = []
        for k, (local_gradient, _, local_energy) in enumerate(eq.sources):
            by_source = add(
                self._local(local_gradient, x),
                averages[(k + 1) * size : (k + 2) * size],
            )
            direct = averages[3 * size + k] + local_energy(x, y, p)[0]
            totals.append(direct - _dot(adjoint, by_source))
        return [arb(q) for q in eq.quantities([value, *totals], x, p)], y

    def _gradient(self, x: list[Any]) -> list[Any]:
        averages = self.rule.average(self.integrands.gradient(x))
        return add(self._local(self.equations.local_gradient, x), averages)

    def _hessian(self, x: list[Any]) -> Any:
        averages = self.rule.average(self.integrands.hessian(x))
        local = self._local(self.equations.local_hessian, x)
        return symmetric(add(local, averages), self.equations.size)

    def _local(self, function: Any, x: list[Any]) -> list[Any]:
        eq = self.equations
        inverse: list[Any] = []
        if eq.order:
            matrix = symmetric(x[eq.size - len(eq.inverse) :], eq.order)
            matrix = inverse_of(matrix)
            inverse = [matrix[i, j] for i, j in upper_triangle(eq.order)]
        return [arb(v) for v in function(x, inverse, self.integrands.parameters)]

    def _require_valid(self, box: list[Any]) -> None:
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


def _identity(size: int) -> Any:
    return arb_mat([[int(i == j) for j in range(size)] for i in range(size)])


def _dot(left: Sequence[Any], right: Sequence[Any]) -> Any:
    return sum((a * b for a, b in zip(left, right, strict=True)), arb(0))
