r"""Enclosures for all parameters of a box at once.

Let theta run through a box, and x solve ``F(x, theta) = 0``, F the gradient of Psi.
With t in the unit cube for theta in the box, Newton's method in power series finds
polynomials ``X(t)`` that nearly solve it, and C(t) that are nearly the inverse of
``F_x``. For every t at once the Krawczyk operator

.. math:: -C F(X, \theta) + (1 - C\, F_x(X + R))\, R

maps a small remainder R into itself: there is exactly one solution within R of the
polynomials, for every theta. All arithmetic is that of
:mod:`detequiv.numerics.arithmetic.taylor`. Every reported quantity is then a polynomial
in t with balls for coefficients; so are its derivatives by parameters, for which the
equations are differentiated.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import (
    Cube,
    Tangent,
    Taylor,
    add,
    cholesky,
    exact_ball,
    inverse_of,
    invert,
    join,
    precision,
    ranges,
    slopes,
    solve_rows,
    to_ball,
)
from detequiv.numerics.certificates.enclosed import EnclosedSystem
from detequiv.numerics.certificates.integrands import Basis, Integrands, dot
from detequiv.numerics.certificates.rectangle import boundary_fields, rectangle
from detequiv.numerics.certificates.rule import TrapezoidalRule
from detequiv.numerics.certificates.strips import FieldEnclosures
from detequiv.numerics.solving import QUANTITIES, Solution, solve
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.models import upper_triangle
from detequiv.theory.problem import (
    Problem,
    exact_parameters,
    law_of,
    spanning_groups,
)

__all__ = ["MOVABLE", "Box", "BoxEnclosure", "Enclosures", "cube_of"]

arb, arb_mat = flint.arb, flint.arb_mat
Box = Mapping[str, tuple[sp.Rational, sp.Rational]]  # closed intervals, by name
GOAL = 13.0  # averages are enclosed to 10^-GOAL
CARRIED = 30  # digits of the balls' midpoints
ORDERS = {1: 10, 2: 7}  # of the polynomials, by the number of variables
LOWEST = 5  # order in more variables
LARGER = 1.5  # times the first guess of the remainder
TRIES = 4  # of remainders
TINY = 1e-25  # share of an unknown that its remainder is at least
CLOSE = 1e-8  # share of an unknown by which float64 may be off
NEAR = 0.15  # relative changes of the unknowns that a rule is made for
REMEMBERED = 12  # rules, the newest first
# names of what may move, and its place among the model's parameters
MOVABLE = {
    "ridge.samples_per_dim": 0,
    "ridge.width_per_dim": 1,
    "ridge.penalty": 2,
    "target.noise": 4,
}


@dataclass(frozen=True)
class Enclosures:
    """What is proved of a box, as functions on the unit cube; balls at a point.

    Attributes
    ----------
    quantities : mapping of str to Taylor, or arb
        Each reported quantity.
    derivatives : mapping of (str, str) to Taylor, or arb
        Their total derivatives, by (quantity, parameter's name).
    """

    quantities: Mapping[str, Any]
    derivatives: Mapping[tuple[str, str], Any]


class BoxEnclosure:
    """Encloses the quantities of a problem over boxes of its parameters.

    Parameters
    ----------
    problem : Problem
        What stays fixed.

    Raises
    ------
    InputError
        A function that certificates do not support.
    """

    def __init__(self, problem: Problem) -> None:
        problem.require_regression("a box")
        self.problem, self.law = problem, law_of(problem)
        free = range(len(self.law.spikes), len(self.law.model.coefficients))
        self.basis: Basis = [[(k, 1)] for k in (*spanning_groups(self.law), *free)]
        self._fields = boundary_fields(self.law)
        self._rules: list[TrapezoidalRule] = []

    def over(
        self, box: Box, by: Sequence[str] = (), fixed: Collection[str] = ()
    ) -> Enclosures:
        """Enclose all quantities, and their derivatives by some parameters.

        Parameters
        ----------
        box : mapping of str to (Rational, Rational)
            Ends of closed intervals, equal ones for a point; names of `MOVABLE`.
        by : sequence of str
            Parameters to differentiate by.
        fixed : collection of str
            Names in the box that do not move here: the problem has a value of its own.

        Raises
        ------
        InputError
            A parameter that cannot be moved.
        ConvergenceError
            The box is too large for the proof.
        """
        moved = {name: ends for name, ends in box.items() if name not in fixed}
        for name, (low, high) in moved.items():
            if not low <= high:
                raise InputError(name, (low, high), "the first end must be the smaller")
        for name in (*moved, *by):
            if name not in MOVABLE:
                known = ", ".join(MOVABLE)
                raise InputError(name, box.get(name), f"ranges are over {known}")
        middle = {name: (low + high) / 2 for name, (low, high) in moved.items()}
        centre = self.problem.with_values(middle)
        solution = solve(centre, digits=15)
        with precision(CARRIED):
            return _Proof(self, moved, cube_of(box), centre, solution).enclosures(by)

    def rule(self, integrands: Integrands, x0: list[Any]) -> TrapezoidalRule:
        """Find a rule whose rectangle serves these unknowns; make one if none does."""
        near = _around(x0, NEAR)
        for rule in self._rules:
            if rule.boundary.excludes_zeros(partial(integrands.denominator, x=near)):
                return rule

        def everything(fields: list[Any], tail: bool = False) -> list[Any]:
            return [
                *integrands.gradient(x0)(fields, tail),
                *integrands.hessian(x0)(fields, tail),
                *integrands.normal(x0, self.basis)(fields, tail),
            ]

        boundary, half = rectangle(
            self.law, self._fields, integrands, everything, near, GOAL
        )
        rule = TrapezoidalRule(
            FieldEnclosures(self.law, GOAL + 5, derivatives=1), boundary, half
        )
        self._rules = [rule, *self._rules[: REMEMBERED - 1]]
        return rule


class _Proof:
    """One box: polynomials that nearly solve, and what is proved around them."""

    def __init__(
        self,
        over: BoxEnclosure,
        moved: Box,
        cube: tuple[Cube, Mapping[str, Any]],
        centre: Problem,
        solution: Solution,
    ) -> None:
        self.over, model = over, over.law.model
        upper = upper_triangle(len(over.law.spikes))
        self.x0 = [
            exact_ball(v).mid()
            for v in (*solution.g, *(solution.A[i][j] for i, j in upper))
        ]
        self.point = list(map(to_ball, exact_parameters(centre, law_of(centre))))
        self.deviation = to_ball(centre.target.noise)
        self.whole = list(self.point)
        self.cube, variables = cube
        self.moves = any(name in variables for name in moved)
        for name in moved:
            if name in variables:
                self.whole[MOVABLE[name]] = variables[name]
            if name == "target.noise" and name in variables:
                self.deviation = variables[name]
                self.whole[MOVABLE[name]] = self.deviation * self.deviation
        self.centre = Integrands(model, self.point, self._noise(self.point))
        self.rule = over.rule(self.centre, self.x0)

    def enclosures(self, by: Sequence[str]) -> Enclosures:
        """Enclose the quantities over the box, and their derivatives."""
        centre = EnclosedSystem(self.centre, self.rule, _around(self.x0, CLOSE))
        basis = self._orthogonal(centre)
        if self.moves:
            x, system = self._solutions()
        else:
            x, system = centre.solution(self.x0), centre
        quantities, _ = system.outputs(x, basis)
        derivatives: dict[tuple[str, str], Any] = {}
        hessian = system.hessian(x) if by else []
        for name in by:
            moving = self._system(self._moving(name), x)
            change = solve_rows(hessian, [-v for v in slopes(moving.gradient(x))])
            found, _ = moving.outputs(join(x, change), basis)
            for quantity, slope in zip(QUANTITIES, slopes(found), strict=True):
                derivatives[quantity, name] = slope
        return Enclosures(dict(zip(QUANTITIES, quantities, strict=True)), derivatives)

    def _orthogonal(self, system: EnclosedSystem) -> Basis:
        """Combine the functions so that their normal matrix is all but the identity.

        Those of similar spikes are nearly dependent, and balls would lose by it.
        """
        plain = self.over.basis
        matrix, _, _ = system.normal(self.x0, plain)
        mixed = inverse_of(cholesky(arb_mat(matrix)))
        return [
            [
                (place, mixed[i, j].mid() * factor)
                for j in range(i + 1)
                for place, factor in plain[j]
            ]
            for i in range(len(plain))
        ]

    def _solutions(self) -> tuple[list[Any], EnclosedSystem]:
        """Enclose the solutions of the box, by a Krawczyk step for all parameters."""
        near: list[Any] = [self.cube.constant(v) for v in self.x0]
        known = 1
        while known < 2 * self.cube.order:
            system = self._system(self.whole, near, rough=True)
            move = solve_rows(system.hessian(near), system.gradient(near))
            near = [(v - d).mid() for v, d in zip(near, move, strict=True)]
            known *= 2
        system = self._system(self.whole, near)
        chord = [[v.mid() for v in row] for row in invert(system.hessian(near))]
        move = _times(chord, system.gradient(near))
        rest = [
            arb(0, (LARGER * abs(d) + TINY * abs(v)).upper())
            for d, v in zip(ranges(move), self.x0, strict=True)
        ]
        for _ in range(TRIES):
            x = add(near, rest)
            system = self._system(self.whole, x)
            system.require_valid(x)
            if not self.rule.boundary.excludes_zeros(
                partial(system.integrands.over_range().denominator, x=ranges(x))
            ):
                raise ConvergenceError("zeros of 1 + chi could not be excluded")
            columns = zip(*system.hessian(x), strict=True)
            product = zip(*(_times(chord, list(c)) for c in columns), strict=True)
            defect = [
                ranges([int(i == j) - v for j, v in enumerate(row)])
                for i, row in enumerate(product)
            ]
            image = [
                s - d for s, d in zip(_times(defect, rest), ranges(move), strict=True)
            ]
            if all(r.contains_interior(v) for r, v in zip(rest, image, strict=True)):
                return x, system
            rest = [
                arb(0, (2 * abs(v) + r).upper())
                for v, r in zip(image, rest, strict=True)
            ]
        raise ConvergenceError(
            "no solution could be proved to exist for every parameter of the box"
        )

    def _system(
        self, parameters: list[Any], x: list[Any], *, rough: bool = False
    ) -> EnclosedSystem:
        integrands = Integrands(
            self.over.law.model, parameters, self._noise(parameters)
        )
        return EnclosedSystem(integrands, self.rule, ranges(x), rough=rough)

    def _moving(self, name: str) -> list[Any]:
        """Parameters, one of them with its tangent."""
        moving, place = list(self.whole), MOVABLE[name]
        # the parameter is the square of the noise
        slope = 2 * self.deviation if name == "target.noise" else arb(1)
        moving[place] = Tangent(moving[place], slope)
        return moving

    def _noise(self, parameters: list[Any]) -> Any:
        """Tell what the noise variance is more than in the fields."""
        known = to_ball(self.over.law.noise_variance)
        return parameters[MOVABLE["target.noise"]] - known


def cube_of(box: Box) -> tuple[Cube, dict[str, Taylor]]:
    """Make the unit cube of a box, and its parameters as functions on it."""
    sides = {n: ends for n, ends in box.items() if ends[0] < ends[1]}
    cube = Cube(len(sides), ORDERS.get(len(sides), LOWEST))
    return cube, {
        name: cube.variable(axis, to_ball((low + high) / 2), to_ball((high - low) / 2))
        for axis, (name, (low, high)) in enumerate(sides.items())
    }


def _times(rows: Sequence[Sequence[Any]], vector: Sequence[Any]) -> list[Any]:
    """Apply a matrix to a vector."""
    return [dot(row, vector) for row in rows]


def _around(x: list[Any], share: float) -> list[Any]:
    return [v + arb(0, (abs(v) * share).upper()) for v in x]
