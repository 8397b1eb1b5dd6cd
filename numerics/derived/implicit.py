r"""How what is reported moves with a number s, by implicit differentiation.

The unknowns obey ``grad Psi(x; s) = 0``, and what is reported is a function ``Q(x, s)``
without further equations, so that

.. math::

   \frac{dx}{ds} = -(\nabla^2 \Psi)^{-1} \partial_s \nabla \Psi, \qquad
   \frac{dQ}{ds} = \partial_s Q + (\partial_x Q)^T \frac{dx}{ds}:

one solution, and two derivatives of known functions. These are differences over steps
far below the digits asked for, whose error is seen by halving the step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import (
    check_whole,
    precision,
    solve_linear,
    to_ball,
    to_mpf,
)
from detequiv.numerics.averages import refine_overlaps
from detequiv.numerics.solving import Task, Vouched, task_at_width, task_of, vouch
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.problem import Problem, law_of

__all__ = ["Slopes", "check_differentiable", "differentiate", "differentiate_problem"]

ATTEMPTS = 4  # with smaller steps and more digits carried
GUARD = 25  # digits carried beyond those of the solution, at first
SPARE = 20  # digits of nodes beyond twice those of a derivative
SIDES = (-4, -2, -1, 1, 2, 4)  # steps at which a function is seen


@dataclass(frozen=True)
class Slopes:
    """Reported quantities and their derivatives, in the order of the model.

    Attributes
    ----------
    values, slopes : list of mpf
        The quantities, and their derivatives.
    errors : list of mpf
        What is vouched for in each derivative: an absolute error.
    """

    values: list[mpmath.mpf]
    slopes: list[mpmath.mpf]
    errors: list[mpmath.mpf]


def check_differentiable(problem: Problem, width: int | None) -> None:
    """Refuse problems of which derivatives are not worked out.

    Raises
    ------
    InputError
        A width that is none; or features, a loss or labels that only `solve` knows.
    """
    if width is not None:
        check_whole("width", width)
        problem.require_square("a derivative at a width")
        if problem.readout_law is not None:
            says = (
                "is known to solve and curve at a width; here give a list of readouts"
            )
            raise InputError("network.readout", problem.readout_law, says)
    law_of(problem)


def differentiate_problem(
    moved: Callable[[sp.Expr], Problem],
    size: sp.Expr,
    digits: int,
    least: mpmath.mpf,
    width: int | None = None,
) -> Slopes:
    """Differentiate by one number of a problem, in the limit or at a width.

    Parameters
    ----------
    moved : callable
        The problem with so much added to the number.
    size, digits, least
        As of `differentiate`.
    width : int, optional
        The number of units; by default the limit.

    Raises
    ------
    InputError
        A width that is none, or is not taken for such a problem.
    ConvergenceError
        The digits cannot be vouched for.
    """
    check_differentiable(moved(sp.S.Zero), width)
    if width is None:

        def task(change: sp.Expr) -> Task:
            return task_of(there := moved(change), law_of(there))

        return differentiate(task(sp.S.Zero), task, size, digits, least)

    def at(count: int) -> Slopes:
        def task(change: sp.Expr) -> Task:
            # nodes that move with the number have digits enough for its differences
            return task_at_width(moved(change), width, count, 2 * digits + SPARE)

        return differentiate(task(sp.S.Zero), task, size, digits, least)

    def units(found: Slopes) -> list[mpmath.mpf]:
        scale = to_mpf(to_ball(size))
        return [
            max(abs(slope), least * abs(value) / scale)
            for slope, value in zip(found.slopes, found.values, strict=True)
        ]

    def gap(coarser: Slopes, finer: Slopes) -> float:
        rows = zip(coarser.slopes, finer.slopes, units(finer), strict=True)
        return float(max(abs(a - b) / unit if a != b else 0 for a, b, unit in rows))

    found = refine_overlaps(at, gap, goal := 10.0**-digits)
    pairs = zip(found.errors, units(found), strict=True)
    return replace(found, errors=[error + goal * unit for error, unit in pairs])


def differentiate(
    task: Task,
    moved: Callable[[sp.Expr], Task],
    size: sp.Expr,
    digits: int,
    least: mpmath.mpf,
) -> Slopes:
    """Differentiate all that is reported by one number.

    Parameters
    ----------
    task : Task
        Where.
    moved : callable
        The task with so much added to the number.
    size : Expr
        On which scale of the number the task changes.
    digits : int
        Significant decimal digits of every derivative.
    least : mpf
        In units of the quantity over `size`, how small a derivative still has digits
        of its own: smaller ones share the error of one as large as this.

    Raises
    ------
    ConvergenceError
        The digits cannot be vouched for.
    """
    wanted = mpmath.mpf(10) ** -digits
    for attempt in range(ATTEMPTS):
        # halving the step shows an error of step^4, and leaves one of step^6
        places = ceil(digits / 4) + 2 + 2 * attempt
        step = size * sp.Rational(1, 10**places)
        # the rounding error of a difference is that of the quantity over the step; what
        # vanishes, by a symmetry say, is small only to the digits of the fields
        working = digits * (1 + attempt) + places + 4
        found = vouch(task, working)
        sides = {k: moved(k * step) for k in SIDES}
        with precision(working + GUARD * 2**attempt):
            columns = zip(*_along_tangent(task, found, sides).values(), strict=True)
            pairs = [_slope(dict(zip(SIDES, c, strict=True))) for c in columns]
            h, scale = to_ball(step), to_mpf(to_ball(size))
            values = [to_mpf(v) for v in found.outputs.quantities]
            slopes = [to_mpf(slope / h) for slope, _ in pairs]
            errors = [to_mpf((error / h).upper()) for _, error in pairs]
        units = [
            max(abs(slope), least * abs(value) / scale)
            for slope, value in zip(slopes, values, strict=True)
        ]
        missed = [
            error / unit if unit else mpmath.inf
            for error, unit in zip(errors, units, strict=True)
            if error > wanted * unit
        ]
        if not missed:
            return Slopes(values, slopes, errors)
    reached = max(0, floor(-mpmath.log10(max(missed))))
    raise ConvergenceError(
        f"{reached} of {digits} digits of the derivatives can be vouched for; ask for "
        "fewer"
    )


def _along_tangent(
    task: Task, found: Vouched, sides: Mapping[int, Task]
) -> dict[int, list[Any]]:
    """Quantities at k steps, the unknowns moved along their tangent."""
    systems = {}
    for k, side in sides.items():
        fields = found.fields
        if side.fields != task.fields:
            fields = side.fields.evaluate(fields.digits, found.step)
        systems[k] = side.balls(fields)
    x = found.unknowns
    gradients = zip(*(system.gradient(x) for system in systems.values()), strict=True)
    mixed = [_slope(dict(zip(SIDES, g, strict=True)))[0] for g in gradients]
    tangent = solve_linear(task.balls(found.fields).hessian(x), mixed)
    return {
        k: system.outputs(
            [(v - k * t).mid() for v, t in zip(x, tangent, strict=True)]
        ).quantities
        for k, system in systems.items()
    }


def _slope(values: Mapping[int, Any]) -> tuple[Any, Any]:
    """Differentiate by the number of steps; the error, rounding included."""
    d1, d2, d4 = ((values[k] - values[-k]) / (2 * k) for k in (1, 2, 4))
    fine, coarse = (4 * d1 - d2) / 3, (4 * d2 - d4) / 3
    best = (16 * fine - coarse) / 15
    return best.mid(), abs(fine - coarse).mid() + best.rad()
