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
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import precision, solve_linear, to_ball, to_mpf
from detequiv.numerics.solving import Task, Vouched, vouch
from detequiv.theory.errors import ConvergenceError

__all__ = ["Slopes", "differentiate"]

ATTEMPTS = 4  # with smaller steps and more digits carried
GUARD = 25  # digits carried beyond those of the solution, at first
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
