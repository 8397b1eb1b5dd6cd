"""Float64 solves of many points that share their features and target.

The points are solved together on one rule in kappa, which is refined until the
result no longer depends on it: the difference that is left between the rule and
its every second node is rounding. It is what is vouched for, together with what
cancels in a quantity, on which two rules may agree by chance.
"""

from dataclasses import dataclass
from math import log, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import float64_guard
from detequiv.numerics.averages import Fields, FieldSource, first_step, float_fields
from detequiv.numerics.equations import FloatSystem
from detequiv.numerics.iteration import TOLERANCE, minimise
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import Model

__all__ = [
    "FloatSolutions",
    "PointSolutions",
    "analyticity",
    "solve_floats",
]

Array = NDArray[Any]
REFINEMENTS = 6  # of the rule in kappa
SETTLED = 1e-12  # relative change under refinement at which float64 has converged
COARSE = 1e-7  # Newton step that is the last on a rule that serves as comparison
ROUGH = 1e-3  # Newton step that is the last where only a guess is wanted
APART = 10  # points from one that is solved for guesses to the next
SAFETY = 10.0  # between the change seen and the error vouched for


@dataclass(frozen=True)
class PointSolutions:
    """Solutions of B points.

    Attributes
    ----------
    unknowns : (B, N) array
    quantities : (B, Q) array
    coefficients : (B, C) array
    errors : (B,) array
        Relative error vouched for, of every quantity of a point.
    """

    unknowns: Array
    quantities: Array
    coefficients: Array
    errors: Array


@dataclass(frozen=True)
class FloatSolutions(PointSolutions):
    """Solutions of B points, and the rule that they are on.

    Attributes
    ----------
    fields : Fields
        On the rule that was fine enough.
    step : float
        Step of that rule.
    """

    fields: Fields
    step: float


def solve_floats(
    model: Model, source: FieldSource, parameters: Array
) -> FloatSolutions:
    """Solve B points of one model in float64.

    Parameters
    ----------
    model : Model
        The potentials.
    source : FieldSource
        Of the fields that the points share.
    parameters : (B, P) array
        Parameters in the model's order.

    Raises
    ------
    ConvergenceError
        The branch was lost, or the rule in kappa could not be refined enough.
    """
    with float64_guard("ask for digits to solve in higher precision"):
        return _solve_floats(model, source, parameters)


def _solve_floats(
    model: Model, source: FieldSource, parameters: Array
) -> FloatSolutions:
    smallest = parameters[:, model.parameters.index(model.ridge)].min()
    # small conditional variances are multiplied by g ~ 1/lambda
    digits = 20.0 + (max(0.0, -float(np.log10(smallest))) if smallest else 10.0)
    first, best, start = first_step(28.0), np.inf, None
    for halvings in range(REFINEMENTS):
        fields = float_fields(source, digits, first, halvings)
        step = first / 2**halvings
        if start is None:
            start = _first_guess(FloatSystem.of(model, fields, parameters, 4))
        found = {}
        # each rule begins where the coarser one ended
        for stride, tolerance in ((2, COARSE), (1, TOLERANCE)):
            system = FloatSystem.of(model, fields, parameters, stride)
            x, accuracy = minimise(system, start, tolerance)
            lost = np.isinf(accuracy)
            start = np.where(lost[:, None], system.start, x)
            found[stride] = system.outputs(x)
        if lost.any():
            raise ConvergenceError(_lost(model, parameters[lost][0]))
        quantities, rounding, y = found[1]
        size = np.maximum(np.abs(quantities), 1e-300)
        # Newton's last step, where rounding kept it from being negligible
        left = np.where(accuracy < TOLERANCE, 0, accuracy) + (rounding / size).max(1)
        gap = (np.abs(found[2][0] - quantities) / size).max(1)
        worst = np.nanmax(gap)
        if worst < SETTLED or worst > best / 10:
            # refining changes nothing more: what is left is rounding
            # at one point two rules may agree by chance, hardly at its neighbours too
            gap = np.pad(np.where(np.isfinite(gap), gap, np.inf), 1, mode="edge")
            gap = np.maximum(np.maximum(gap[:-2], gap[2:]), gap[1:-1])
            return FloatSolutions(
                x,
                quantities,
                y,
                SAFETY * (gap + left) + 1e-15,
                fields,
                step,
            )
        best = min(best, worst)
    raise ConvergenceError(
        f"the average over kappa reached a relative error of {best:.1e} in float64; "
        "ask for digits to solve in higher precision"
    )


def analyticity(model: Model, parameters: Array, found: FloatSolutions) -> float:
    """Half-width of the strip in which the integrands behave as if analytic.

    In the variable of the rule: its error falls as ``exp(-2 pi a / step)``. What the
    rule's every fourth node makes of the first point shows it.
    """
    system = FloatSystem.of(model, found.fields, parameters[:1], 4)
    x, _ = minimise(system, found.unknowns[:1], COARSE)
    exact = found.quantities[0]
    gap = np.abs(system.outputs(x)[0][0] - exact) / np.maximum(np.abs(exact), 1e-300)
    error = float(np.clip(np.nan_to_num(gap, nan=1.0).max(), 1e-16, 0.9))
    return float(np.clip(-log(error) * 4 * found.step / (2 * pi), 0.02, 1.0))


def _first_guess(system: FloatSystem) -> Array:
    """Where to begin: on lines between solutions of a few of the points.

    The points mostly come in the order of a curve. Whatever their order, a mean of
    two points of a convex cone lies in it, and leads to the same minimum.
    """
    guess = system.start
    count = len(guess)
    if count < 4 * APART:
        return guess
    few = np.unique(np.append(np.arange(0, count, APART), count - 1))
    found, accuracy = minimise(system.select(few), guess[few], ROUGH)
    few, found = few[np.isfinite(accuracy)], found[np.isfinite(accuracy)]
    if len(few):
        for k in range(guess.shape[1]):
            guess[:, k] = np.interp(np.arange(count), few, found[:, k])
    return guess


def _lost(model: Model, parameters: Array) -> str:
    values = dict(zip((str(p) for p in model.parameters), parameters, strict=True))
    return (
        "the equations could not be solved in float64 at samples_per_dim = "
        f"{values['alpha']:.6g}, width_per_dim = {values['beta']:.6g}, penalty = "
        f"{values['lambda']:.6g}; try a larger ridge.penalty or smaller spikes"
    )
