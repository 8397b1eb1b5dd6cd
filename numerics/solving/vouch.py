"""Solve one set of equations to so many digits, and vouch for them.

Float64 finds the branch, or balls where it is too coarse for that; balls bring the
digits, on rules that are refined until they stand.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from math import floor, inf, log2, log10
from typing import Any

import flint
import numpy as np

from detequiv.numerics.arithmetic import precision, relative_error
from detequiv.numerics.averages import Fields, LawFields, first_step
from detequiv.numerics.equations import BallOutputs, BallSystem, Cone, FloatSystem
from detequiv.numerics.iteration import (
    GUARD,
    SPARE,
    descend,
    error_left,
    polish,
    refine,
)
from detequiv.numerics.losses import error_rates
from detequiv.numerics.solving.batch import (
    FloatSolutions,
    analyticity,
    solve_floats,
)
from detequiv.numerics.solving.task import Task
from detequiv.theory.errors import ConvergenceError

__all__ = ["Vouched", "follow", "polish_system", "vouch"]

arb = flint.arb


@dataclass(frozen=True)
class Vouched:
    """A solution, and how many of its digits stand.

    Attributes
    ----------
    unknowns : list of arb
        Exact midpoints.
    outputs : BallOutputs
        Reported quantities and coefficients.
    residual : float
        Largest component of grad Psi, unknowns in their natural sizes.
    digits : float
        What rounding and quadrature leave, of every quantity.
    quadrature_limited : bool
        Whether it is the quadrature that leaves no more.
    fields : Fields
        On the rule of the solution.
    step : float
        Step of that rule.
    """

    unknowns: list[Any]
    outputs: BallOutputs
    residual: float
    digits: float
    quadrature_limited: bool
    fields: Fields
    step: float


def vouch(
    task: Task,
    digits: int,
    near: Vouched | None = None,
    start: list[Any] | None = None,
) -> Vouched:
    """Go up the precisions and refine the rules until the digits are there.

    Parameters
    ----------
    task : Task
        The equations.
    digits : int
        Of every reported quantity.
    near : Vouched, optional
        The solution of a task of the same law; its rule is tried first.
    start : list of arb, optional
        Unknowns near the solution, on its branch; by default float64 finds them.

    Raises
    ------
    ConvergenceError
        They cannot be vouched for; the message says how many can.
    """
    extra = _extra(task)
    enough = digits + extra + SPARE
    floats = _floats(task) if start is None else None
    step, fields = first_step(digits + 4), None
    if floats is not None:
        strip = analyticity(task.model, task.floats, floats)
        step, fields = first_step(digits + 4, 0.8 * strip), floats.fields
        if fields.digits >= enough:
            # nodes are shared; a finer rule only where this one proves too coarse
            step = floats.step * 2.0 ** max(0, floor(log2(step / floats.step)))
    if near is not None and near.fields.digits >= enough:
        step, fields = near.step, near.fields

    def attempt(fields: Fields, step: float, digits: float, guard: int) -> Vouched:
        # one that failed: float64 was too far off, or rounding is amplified beyond it
        known = (floats, start) if guard == GUARD else (None, None)
        return _attempt(task, *known, fields, step, digits, guard, measured=True)

    found: Vouched = refine(task.fields, attempt, digits, extra, step, fields)
    return found


def follow(task: Task, digits: int, near: Vouched, start: list[Any]) -> Vouched:
    """Solve near a solved task, on its rule, whose error is not measured again.

    This is for families of tasks that `vouch` has seen on both sides.

    Parameters
    ----------
    task, digits, near, start
        As of `vouch`.

    Raises
    ------
    ConvergenceError
        The start is too far off, or rounding leaves too few digits.
    """
    extra = _extra(task)
    if near.fields.digits < digits + extra + SPARE:
        raise ConvergenceError("the fields have too few digits")
    found = _attempt(
        task,
        None,
        start,
        near.fields,
        near.step,
        digits + extra,
        GUARD,
        measured=False,
    )
    if found.digits < digits:
        raise ConvergenceError(f"rounding leaves {found.digits:.0f} digits")
    return found


def _extra(task: Task) -> float:
    """Digits carried beyond those asked for, as the penalty wants them."""
    penalty = task.floats[0, task.model.parameters.index(task.model.ridge)]
    # g ~ 1/lambda multiplies conditional variances that cancel
    return 2.0 + (max(0.0, -log10(penalty)) if penalty else 0.0)


def _floats(task: Task) -> FloatSolutions | None:
    """Solve in float64; None where it does not hold the solution."""
    try:
        return solve_floats(task.model, task.fields, task.floats)
    except ConvergenceError:
        return None


def _attempt(
    task: Task,
    floats: FloatSolutions | None,
    start: list[Any] | None,
    fields: Fields,
    step: float,
    digits: float,
    guard: int,
    *,
    measured: bool,
) -> Vouched:
    """Solve on one rule; to measure its error, on coarser and disturbed ones too."""
    float_system = None
    if floats is not None:
        float_system = FloatSystem.of(task.model, fields, task.floats)
    with precision(digits + guard):
        results: list[tuple[list[Any], BallOutputs]] = []
        x: Any = start if floats is None else floats.unknowns[0]
        residual = inf
        rules = [(fields, 1, 1)]
        if measured:
            rules += [(fields, 2, 2), (fields, 4, 4), (fields.disturbed(4), 1, 4)]
        for rule, stride, places in rules:
            system = task.balls(rule, stride)
            if x is None:
                x = descend(system)
            goal = digits if results else digits + 10
            try:
                found, found_residual = polish_system(system, float_system, x, goal)
            except ConvergenceError:
                if not results:
                    raise
                # a rule from whose equations this solution is so far is too coarse
                coarse = len(results) < 3
                return Vouched(x, results[0][1], residual, -inf, coarse, fields, step)
            outputs = system.outputs(found)
            source = task.fields
            if isinstance(source, LawFields) and source.law.binary:
                outputs = _with_rates(
                    source, system, fields, places, step, digits, found, outputs
                )
            if not results:
                x, residual, labels = found, found_residual, system.labels()
            results.append((found, outputs))
        # entries of A that vanish by symmetry have no digits of their own
        cone = Cone(np.array([[float(v) for v in x]]), system.equations.order)
        sizes = [
            v if abs(v) > arb(10) ** -digits * s else arb(s)
            for v, s in zip(x, cone.sizes[0].tolist(), strict=True)
        ]
    values = [[*o.quantities, *u] for u, o in results]
    references = [*values[0][: len(values[0]) - len(x)], *sizes]
    outputs = results[0][1]
    error = relative_error(
        outputs.quantities, [v.rad() for v in outputs.quantities], labels
    )
    limited = False
    if measured:
        error, limited = error_left(values, references, error, labels)
    error = max(error, 10.0**-digits)
    return Vouched(x, outputs, residual, -log10(error), limited, fields, step)


def polish_system(
    system: BallSystem, floats: FloatSystem | None, start: Any, digits: float
) -> tuple[list[Any], float]:
    """Chord steps, unknowns in the sizes that they have on the cone."""
    cone = Cone(np.array([[float(v) for v in start]]), system.equations.order)
    inverse, sizes = None, cone.sizes[0]
    if floats is not None:
        # a singular matrix: float64 does not hold it
        with suppress(np.linalg.LinAlgError):
            inverse = floats.inverse_hessian(cone)[0] / sizes[:, None] / sizes
    return polish(system.gradient, system.hessian, start, sizes, inverse, digits)


def _with_rates(
    source: LawFields,
    system: BallSystem,
    fields: Fields,
    stride: int,
    step: float,
    digits: float,
    x: list[Any],
    outputs: BallOutputs,
) -> BallOutputs:
    """Append how often the sign of the fit is wrong to what is reported."""
    predictor = system.predictor(x, outputs)
    if source.interpolating:
        # samples that are fitted exactly have the leverage of a vanishing penalty
        infinite = [arb.pos_inf()] * len(predictor.leverage)
        predictor = replace(predictor, leverage=infinite)
    rates = error_rates(source.law, fields, stride, step, predictor, digits)
    return replace(outputs, quantities=[*outputs.quantities, *rates])
