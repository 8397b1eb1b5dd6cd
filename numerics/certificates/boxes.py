r"""Enclosures for all parameters of a box at once.

Let theta run through a box around ``theta_0``, and x solve ``F(x, theta) = 0``, F the
gradient of Psi. Around the line ``x_0 + x_1 (theta - theta_0)``, with a rough
derivative ``x_1``, the Krawczyk operator

.. math:: -C F(line, \theta) + (1 - C\, F_x)\, R

maps a remainder R into itself when the box has exactly one solution within R of the
line for every theta. F on the line is of second order in the box's width, for its
derivative there is all but 0. The exact derivatives ``x' = -F_x^{-1} F_theta``,
enclosed over the whole box, then give those of every reported quantity, and the mean
value theorem its range: its excess over the true one falls with the square of the
width.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import (
    add,
    cholesky,
    column,
    exact_ball,
    inverse_of,
    precision,
    to_ball,
)
from detequiv.numerics.certificates.enclosed import EnclosedSystem, identity
from detequiv.numerics.certificates.integrands import Basis, Integrands
from detequiv.numerics.certificates.rectangle import rectangle
from detequiv.numerics.certificates.strips import FieldEnclosures, TrapezoidalRule
from detequiv.numerics.certificates.tangents import (
    Tangent,
    join,
    slopes,
    solve_rows,
)
from detequiv.numerics.solving import QUANTITIES, Solution, solve
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.models import upper_triangle
from detequiv.theory.problem import (
    Problem,
    exact_parameters,
    law_of,
    spanning_groups,
)

__all__ = ["MOVABLE", "Box", "BoxEnclosure", "Enclosures"]

arb, arb_mat = flint.arb, flint.arb_mat
Box = Mapping[str, tuple[sp.Rational, sp.Rational]]  # closed intervals, by name
GOAL = 11.0  # averages are enclosed to 10^-GOAL
CARRIED = 40  # digits of the balls' midpoints
LARGER = 3  # times the first guess of the remainder
TRIES = 4  # of remainders
TINY = 1e-30  # share of an unknown that its remainder is at least
CLOSE = 1e-8  # share of an unknown by which float64 may be off
NEAR = 0.03  # relative changes of the unknowns that a rule is made for
REMEMBERED = 4  # rules, the newest first
# names of what may move, and its place among the model's parameters
MOVABLE = {
    "ridge.samples_per_dim": 0,
    "ridge.width_per_dim": 1,
    "ridge.penalty": 2,
    "target.noise": 4,
}


@dataclass(frozen=True)
class Enclosures:
    """What is proved of a box.

    Attributes
    ----------
    centre, quantities : mapping of str to arb
        Enclosures of each quantity at the box's centre, and of its range over the box.
    derivatives : mapping of (str, str) to arb
        Of the ranges of its total derivatives, by (quantity, parameter's name).
    """

    centre: Mapping[str, Any]
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
        self.problem, self.law = problem, law_of(problem)
        free = range(len(self.law.spikes), len(self.law.model.coefficients))
        self.basis: Basis = [[(k, 1)] for k in (*spanning_groups(self.law), *free)]
        self._rules: list[TrapezoidalRule] = []

    def over(self, box: Box) -> Enclosures:
        """Enclose all quantities, and their derivatives by the box's parameters.

        Parameters
        ----------
        box : mapping of str to (Rational, Rational)
            Ends of closed intervals, equal ones for a point; names of `MOVABLE`.

        Raises
        ------
        InputError
            A parameter that cannot be moved.
        ConvergenceError
            The box is too large for the proof.
        """
        for name in box:
            if name not in MOVABLE:
                known = ", ".join(MOVABLE)
                raise InputError(name, box[name], f"ranges are proved over {known}")
        middle = {name: (low + high) / 2 for name, (low, high) in box.items()}
        centre = self.problem.with_values(middle)
        solution = solve(centre, digits=15)
        with precision(CARRIED):
            return _Proof(self, box, centre, solution).enclosures()

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

        boundary, half = rectangle(self.law, integrands, everything, near, GOAL)
        rule = TrapezoidalRule(
            FieldEnclosures(self.law, GOAL + 5, derivatives=1), boundary, half
        )
        self._rules = [rule, *self._rules[: REMEMBERED - 1]]
        return rule


class _Proof:
    """One box: the line through its centre, and what is proved around it."""

    def __init__(
        self, over: BoxEnclosure, box: Box, centre: Problem, solution: Solution
    ) -> None:
        self.over, self.names, model = over, list(box), over.law.model
        upper = upper_triangle(len(over.law.spikes))
        self.x0 = [
            exact_ball(v).mid()
            for v in (*solution.g, *(solution.A[i][j] for i, j in upper))
        ]
        self.point = list(map(to_ball, exact_parameters(centre, law_of(centre))))
        self.whole, self.shifts = list(self.point), []
        self.moves: list[dict[int, Any]] = []
        for name, (low, high) in box.items():
            place, shift = MOVABLE[name], arb(0, to_ball((high - low) / 2).upper())
            self.shifts.append(shift)
            if name == "target.noise":  # the parameter is its square
                deviation = to_ball((low + high) / 2) + shift
                self.moves.append({place: 2 * deviation})
                self.whole[place] = deviation * deviation
            else:
                self.moves.append({place: arb(1)})
                self.whole[place] += shift
        self.centre = Integrands(model, self.point, self._noise(self.point))
        self.rule = over.rule(self.centre, self.x0)

    def enclosures(self) -> Enclosures:
        """Enclose ranges and derivatives of the quantities over the box."""
        system = EnclosedSystem(self.centre, self.rule, _around(self.x0, CLOSE))
        exact = system.solution(self.x0)
        basis = self._orthogonal(system)
        quantities, _ = system.outputs(exact, basis)
        centre = dict(zip(QUANTITIES, quantities, strict=True))
        if not self.moves:
            return Enclosures(centre, centre, {})
        x, hessian = self._solutions(system)
        derivatives: dict[tuple[str, str], Any] = {}
        for name, p, shift in zip(
            self.names, self._moving(self.whole), self.shifts, strict=True
        ):
            moving = self._system(p, x)
            right = [-v for v in slopes(moving.gradient(x))]
            by = solve_rows(hessian, right)
            found, _ = moving.outputs(join(x, by), basis)
            for k, slope in enumerate(slopes(found)):
                derivatives[QUANTITIES[k], name] = slope
                quantities[k] = quantities[k] + slope * shift
        ranges = dict(zip(QUANTITIES, quantities, strict=True))
        return Enclosures(centre, ranges, derivatives)

    def _orthogonal(self, system: EnclosedSystem) -> Basis:
        """Combine the functions so that their normal matrix is all but the identity.

        Those of similar spikes are nearly dependent, and intervals would lose by it.
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

    def _solutions(self, system: EnclosedSystem) -> tuple[list[Any], list[list[Any]]]:
        """Enclose the solutions of the box, and the Hessian at them.

        By a parametric Krawczyk step.
        """
        x0 = self.x0
        chord = _middle(inverse_of(arb_mat(system.hessian(x0))))
        residual, line, rough = system.gradient(x0), list(x0), []
        for p, shift in zip(self._moving(self.point), self.shifts, strict=True):
            by = slopes(self._system(p, x0).gradient(x0))
            rough.append([-v.mid() for v in (chord * column(by)).entries()])
            line = [v + d * shift for v, d in zip(line, rough[-1], strict=True)]
        for p, x1, shift in zip(
            self._moving(self.whole), rough, self.shifts, strict=True
        ):
            along = slopes(self._system(p, line).gradient(join(line, x1)))
            residual = [r + s * shift for r, s in zip(residual, along, strict=True)]
        move = list((chord * column(residual)).entries())
        rest = [
            arb(0, (LARGER * abs(d) + TINY * abs(v)).upper())
            for d, v in zip(move, x0, strict=True)
        ]
        for _ in range(TRIES):
            x = add(line, rest)
            system = self._system(self.whole, x)
            system.require_valid(x)
            if not self.rule.boundary.excludes_zeros(
                partial(system.integrands.denominator, x=x)
            ):
                raise ConvergenceError("zeros of 1 + chi could not be excluded")
            hessian = self._hessian(rest, x, rough)
            defect = identity(len(x)) - chord * arb_mat(hessian)
            spread = (defect * column(rest)).entries()
            image = [s - d for d, s in zip(move, spread, strict=True)]
            if all(r.contains_interior(v) for r, v in zip(rest, image, strict=True)):
                return add(line, image), hessian
            rest = [
                arb(0, (2 * abs(v) + r).upper())
                for v, r in zip(image, rest, strict=True)
            ]
        raise ConvergenceError(
            "no solution could be proved to exist for every parameter of the box"
        )

    def _hessian(
        self, rest: list[Any], x: list[Any], rough: list[list[Any]]
    ) -> list[list[Any]]:
        """Enclose the Hessian over the box, by the mean value theorem."""
        near = add(self.x0, rest)
        rows = self._system(self.point, near).hessian(near)
        for p, x1, shift in zip(
            self._moving(self.whole), rough, self.shifts, strict=True
        ):
            along = self._system(p, x).hessian(join(x, x1))
            rows = [
                [v + s * shift for v, s in zip(row, slopes(by), strict=True)]
                for row, by in zip(rows, along, strict=True)
            ]
        return rows

    def _system(self, parameters: list[Any], x: list[Any]) -> EnclosedSystem:
        integrands = Integrands(
            self.over.law.model, parameters, self._noise(parameters)
        )
        return EnclosedSystem(integrands, self.rule, x)

    def _moving(self, parameters: list[Any]) -> list[list[Any]]:
        """Parameters with their tangent along each side of the box."""
        return [
            [Tangent(v, move[k]) if k in move else v for k, v in enumerate(parameters)]
            for move in self.moves
        ]

    def _noise(self, parameters: list[Any]) -> Any:
        """Tell what the noise variance is more than in the fields."""
        known = to_ball(self.over.law.noise_variance)
        return parameters[MOVABLE["target.noise"]] - known


def _around(x: list[Any], share: float) -> list[Any]:
    return [v + arb(0, (abs(v) * share).upper()) for v in x]


def _middle(matrix: Any) -> Any:
    return arb_mat([[v.mid() for v in row] for row in matrix.tolist()])
