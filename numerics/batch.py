"""Float64 solves of many points that share their features and target.

The points are solved together on one rule in kappa, which is refined until the
result no longer depends on it: the difference that is left between the rule and
its every second node is rounding. It is what is vouched for, together with what
cancels in a quantity, on which two rules may agree by chance.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import log, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from detequiv.numerics.equations import float_equations
from detequiv.numerics.fields import Fields, evaluate_fields, refine_fields
from detequiv.numerics.newton import TOLERANCE, FloatSystem, minimise
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.features import FeatureLaw
from detequiv.theory.potential import Model

__all__ = [
    "FloatSolutions",
    "first_step",
    "float_fields",
    "float_system",
    "solve_floats",
]

Array = NDArray[Any]
REFINEMENTS = 6  # of the rule in kappa
SETTLED = 1e-12  # relative change under refinement at which float64 has converged
COARSE = 1e-7  # Newton step that is the last on a rule that serves as comparison
ROUGH = 1e-3  # Newton step that is the last where only a guess is wanted
APART = 16  # points from one that is solved for guesses to the next
SAMPLE = 8  # points that show how fast the rules converge
SAFETY = 10.0  # between the change seen and the error vouched for


@dataclass(frozen=True)
class FloatSolutions:
    """Solutions of B points.

    Attributes
    ----------
    unknowns : (B, N) array
    quantities : (B, Q) array
    coefficients : (B, C) array
    errors : (B,) array
        Relative error vouched for, of every quantity of a point.
    analyticity : float
        Half-width of the strip, in the variable of the rule, in which the
        integrands behave as if analytic: the error falls as exp(-2 pi a / step).
    """

    unknowns: Array
    quantities: Array
    coefficients: Array
    errors: Array
    analyticity: float
    fields: Fields
    step: float


def first_step(digits: float, analyticity: float = 0.45) -> float:
    """Step at which a trapezoidal rule in kappa has `digits` digits."""
    return 2 * pi * analyticity / (digits * log(10))


@lru_cache(maxsize=16)
def float_fields(
    law: FeatureLaw,
    digits: float,
    step: float,
    interpolating: bool = False,
    halvings: int = 0,
) -> Fields:
    """Fields for float64 use, `step` halved so often; remembered, for sweeps."""
    if not halvings:
        return evaluate_fields(law, digits, step, interpolating=interpolating)
    coarser = float_fields(law, digits, step, interpolating, halvings - 1)
    return refine_fields(law, coarser, step / 2**halvings)


def float_system(
    model: Model, fields: Fields, parameters: Array, stride: int = 1
) -> FloatSystem:
    """Put float64 numbers into a model's equations."""
    weights, columns = fields.floats(stride)
    return FloatSystem(float_equations(model), weights, columns, parameters)


def solve_floats(
    model: Model, law: FeatureLaw, parameters: Array, *, interpolating: bool = False
) -> FloatSolutions:
    """Solve B points of one model in float64.

    Parameters
    ----------
    model : Model
        The potentials.
    law : FeatureLaw
        Features and target shared by the points.
    parameters : (B, P) array
        Parameters in the model's order.
    interpolating : bool
        Whether the model is the ridgeless limit with fewer samples than units.

    Raises
    ------
    ConvergenceError
        The branch was lost, or the rule in kappa could not be refined enough.
    """
    smallest = parameters[:, model.parameters.index(model.ridge)].min()
    # small conditional variances are multiplied by g ~ 1/lambda
    digits = 20.0 + (max(0.0, -float(np.log10(smallest))) if smallest else 10.0)
    few = np.arange(0, len(parameters), 1 + len(parameters) // SAMPLE)
    first, best, start = first_step(28.0), np.inf, None
    for halvings in range(REFINEMENTS):
        fields = float_fields(law, digits, first, interpolating, halvings)
        step = first / 2**halvings
        found = {}
        # each rule begins where the coarser one ended
        for stride, tolerance in ((4, COARSE), (2, COARSE), (1, TOLERANCE)):
            system = float_system(model, fields, parameters, stride)
            if start is None:
                start = _first_guess(system)
            x, accuracy = minimise(system, start, tolerance)
            lost = np.isinf(accuracy)
            start = np.where(lost[:, None], system.start, x)
            if stride == 4:
                system, x = system.select(few), x[few]
            found[stride] = system.outputs(x)
        if lost.any():
            raise ConvergenceError(_lost(model, parameters[lost][0]))
        quantities, rounding, y = found[1]
        size = np.maximum(np.abs(quantities), 1e-300)
        # Newton's last step, where rounding kept it from being negligible
        left = np.where(accuracy < TOLERANCE, 0, accuracy) + (rounding / size).max(1)
        gap = (np.abs(found[2][0] - quantities) / size).max(1)
        coarser = (np.abs(found[4][0] - quantities[few]) / size[few]).max(1)
        worst = np.nanmax(gap)
        typical = float(np.median(np.maximum(coarser, 1e-16)))
        if worst < SETTLED or worst > best / 10:
            # refining changes nothing more: what is left is rounding
            # at one point two rules may agree by chance, hardly at its neighbours too
            gap = maximum_filter1d(np.where(np.isfinite(gap), gap, np.inf), 3)
            return FloatSolutions(
                x,
                quantities,
                y,
                SAFETY * (gap + left) + 1e-15,
                min(1.0, max(0.02, -log(min(typical, 0.9)) * 4 * step / (2 * pi))),
                fields,
                step,
            )
        best = min(best, worst)
    raise ConvergenceError(
        f"the average over kappa reached a relative error of {best:.1e} in float64; "
        "ask for digits to solve in higher precision"
    )


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
