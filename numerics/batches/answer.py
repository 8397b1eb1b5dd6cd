"""A batch solved to the digits asked for, or to those of float64."""

from dataclasses import dataclass
from math import floor, log10
from typing import Any

import mpmath
import numpy as np

from detequiv.numerics.arithmetic import to_float
from detequiv.numerics.batches.points import FloatPoint, solve_in_floats
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.models import upper_triangle
from detequiv.theory.problem import Problem, batch_law

__all__ = ["BatchAnswer", "solve_batch"]

FEWEST = 6  # digits, below which nothing is reported unless asked for


@dataclass(frozen=True)
class BatchAnswer:
    """What is reported of a batch.

    Attributes
    ----------
    quantities : dict of str to mpf
        By the names of the model.
    g : list of mpf
        Length K.
    coupling : list of list of mpf
        ``A / (rho rho^T)``: that of the groups' linear parts in units of ``c1``.
    coefficients : list of mpf
        Of the learned function, in the order of the model.
    digits : int
        Vouched for.
    residual : float
        Largest component of grad Psi, unknowns in natural sizes.
    """

    quantities: dict[str, Any]
    g: list[Any]
    coupling: list[list[Any]]
    coefficients: list[Any]
    digits: int
    residual: float


def solve_batch(
    problem: Problem, digits: int | None = None, width: int | None = None
) -> BatchAnswer:
    """Solve a network after a step on a batch.

    Parameters
    ----------
    problem : Problem
        With ``network.batch_per_dim``.
    digits : int, optional
        Of every quantity; by default those that float64 has.
    width : int, optional
        Units; their means of the groups then cost what they cost at this width.

    Raises
    ------
    InputError
        No penalty.
    ConvergenceError
        The digits cannot be vouched for.
    """
    ridge = problem.ridge
    if not ridge.penalty.is_positive:
        raise InputError(
            "ridge.penalty", ridge.penalty, "must be positive with a batch_per_dim"
        )
    point = solve_in_floats(problem, batch_law(problem), width)
    reached = floor(-log10(point.error)) if 0 < point.error < 1 else 0
    wanted = FEWEST if digits is None else digits
    if reached < wanted:
        raise ConvergenceError(
            f"{reached} of {wanted} digits can be vouched for after a step on a batch; "
            "ask for fewer, or for a larger ridge.penalty"
        )
    return _in_floats(point, reached if digits is None else digits)


def _in_floats(point: FloatPoint, digits: int) -> BatchAnswer:
    energy = point.energy
    system, x = energy.system, energy.x
    model, groups = system.equations.batch.model, system.equations.groups
    scales = [to_float(bulk) for bulk in system.law.law.bulks]
    coupling = np.zeros((groups, groups))
    for k, (i, j) in enumerate(upper_triangle(groups), groups):
        coupling[i, j] = coupling[j, i] = x[k] / scales[i] / scales[j]
    gradient, _ = system.derivatives(x)
    return BatchAnswer(
        quantities=dict(
            zip(model.quantities, map(mpmath.mpf, energy.quantities), strict=True)
        ),
        g=list(map(mpmath.mpf, x[:groups])),
        coupling=[list(map(mpmath.mpf, row)) for row in coupling],
        coefficients=list(map(mpmath.mpf, energy.coefficients)),
        digits=digits,
        residual=float(np.abs(gradient * system.sizes(x)).max()),
    )
