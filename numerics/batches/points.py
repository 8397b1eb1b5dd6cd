"""Solve a point in float64, and vouch for its digits by coarser rules."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.averages import (
    LawFields,
    first_step,
    float_fields,
    geometric_error,
)
from detequiv.numerics.batches.energy import FloatEnergy
from detequiv.numerics.batches.floats import FloatBatch
from detequiv.numerics.batches.path import follow_down, newton
from detequiv.numerics.batches.residuals import residual_rule
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.problem import BatchLaw, Problem

__all__ = ["FloatPoint", "solve_in_floats"]

Array = NDArray[Any]
FIELD_DIGITS = 20.0  # small conditional variances are multiplied by g ~ 1/lambda
RULE_DIGITS = 17.0
RULE_STEP = 0.2
REFINEMENTS = 6  # of a rule
ARRIVED = 1e-12  # Newton step, in natural sizes, that is the last
SETTLED = 1e-12  # change under refinement at which float64 has converged
ROUNDED = 1e-8  # error below which it may be rounding that is left
ROOM = 2e7  # numbers in the matrices of all nodes
SAFETY = 10.0  # between the change seen and the error vouched for


@dataclass(frozen=True)
class FloatPoint:
    """Solution of one point.

    Attributes
    ----------
    energy : FloatEnergy
        On the rules that were fine enough: unknowns, coefficients and quantities.
    error : float
        Relative error vouched for, of every quantity.
    """

    energy: FloatEnergy
    error: float


def solve_in_floats(
    problem: Problem, law: BatchLaw, width: int | None = None
) -> FloatPoint:
    """Solve one point, refining the two rules until nothing changes.

    Four solutions are compared: on the rules, on coarser ones for the residuals at
    twice and four times the step, and on a coarser one in kappa.

    Raises
    ------
    ConvergenceError
        The branch was lost, or float64 does not hold the solution.
    """
    penalty = float(problem.ridge.penalty)
    digits = FIELD_DIGITS + max(0.0, -float(np.log10(penalty)))
    halvings, x, best = [0, 0], None, None
    source = LawFields(law.law)
    for _ in range(REFINEMENTS):
        fields = float_fields(source, digits, first_step(28.0), halvings[0])
        residuals = residual_rule(law, RULE_DIGITS, RULE_STEP / 2 ** halvings[1])
        if best and len(residuals.weights) * (4 * problem.groups) ** 2 > ROOM:
            break  # the matrices at all nodes would not fit in memory
        system = FloatBatch.of(problem, law, fields, residuals)
        if x is None:
            x = follow_down(system.on(fields, 4, residuals.every(4)))
        energy = _solved(system, x, width)
        x = energy.x
        halved, quartered = (
            _solved(system.on(fields, 1, residuals.every(k)), x, width) for k in (2, 4)
        )
        coarse = _solved(system.on(fields, 2, residuals.every(2)), x, width)
        in_kappa = _gap(coarse, halved)
        in_rule = geometric_error(_gap(quartered, energy), _gap(halved, energy))
        size = np.maximum(np.abs(energy.quantities), 1e-300)
        rounding = float((energy.rounding / size).max())
        error = SAFETY * (in_kappa + in_rule + rounding) + 1e-15
        improved = best is None or error < best.error / 10
        if best is None or error < best.error:
            best = FloatPoint(energy, error)
        if max(in_kappa, in_rule) < SETTLED or (error < ROUNDED and not improved):
            break
        halvings[0] += in_kappa > SETTLED
        halvings[1] += in_rule > SETTLED
    assert best is not None
    return best


def _solved(system: FloatBatch, start: Array, width: int | None) -> FloatEnergy:
    x = newton(system, start, ARRIVED)
    if x is None:
        raise ConvergenceError(
            "the equations of the batch could not be solved in float64; try a larger "
            "ridge.penalty or a smaller network.step"
        )
    return FloatEnergy(system, x, width)


def _gap(one: FloatEnergy, other: FloatEnergy) -> float:
    """Largest relative difference of the quantities."""
    size = np.maximum(np.abs(other.quantities), 1e-300)
    return float((np.abs(one.quantities - other.quantities) / size).max())
