"""Solve one convex loss in float64, and vouch for its digits.

Two solutions are compared whose rules in kappa, in s and in G all differ in fineness.
Rules are refined as long as that brings them together.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import float64_guard
from detequiv.numerics.losses.convex import FLOOR, ConvexSystem, Place, Rules
from detequiv.numerics.losses.descent import Found, beginning, descend, newton
from detequiv.numerics.losses.outcomes import outcomes, wrong_signs
from detequiv.numerics.losses.separable import separated_for_free
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.losses import Loss
from detequiv.theory.models import Model
from detequiv.theory.problem import FeatureLaw

__all__ = ["ConvexSolution", "solve_convex"]

Array = NDArray[np.float64]
REFINEMENTS = 6
LARGEST_RULE = 40000  # samples that stand for all, beyond which rules are not refined
ENOUGH = 1e-7  # error below which a refinement that gains little is the last, and
FEW = 2  # how many are made there
FINEST = 7  # halvings of the step in kappa for error rates
SETTLED = 1e-10  # error that is small enough
FACTOR = 5.0  # between penalties on the way from a large one
SMOOTHINGS = 1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 0.0  # of kinks, on the way
ROUGH = 4, 0.5  # stride in kappa and fineness in s and G, on the way
PAIR = (1, 1.0), (2, 0.8)  # the same of the two that are compared
SAFETY = 2.0  # between the change seen and the error vouched for
RATE_SAFETY = 8.0  # the same of error rates, whose steps coarse rules miss


@dataclass(frozen=True)
class ConvexSolution:
    """Numbers of one problem, and how far they are vouched for.

    Attributes
    ----------
    place : Place
        Unknowns, multipliers and coefficients.
    values : dict of str to float
        Quantities by name.
    error : float
        Relative error vouched for, of every quantity.
    residual : float
        Of the equations, in natural sizes.
    """

    place: Place
    values: dict[str, float]
    error: float
    residual: float


def solve_convex(
    law: FeatureLaw,
    model: Model,
    parameters: Array,
    loss: Loss,
    start: Place | None = None,
) -> ConvexSolution:
    """Solve for the parameters (P,) of the model.

    Parameters
    ----------
    law : FeatureLaw
        Features and target.
    model : Model
        Whose Psi and Energy become Phi.
    parameters : (P,) array
        In the model's order; the penalty is positive.
    loss : Loss
        The loss.
    start : Place, optional
        The solution of a neighbour, tried first.

    Raises
    ------
    InputError
        The mean features separate the labels at no cost.
    ConvergenceError
        The equations, or the averages, were not solved.
    """
    with float64_guard():
        return _solve(law, model, parameters, loss, start)


def _solve(
    law: FeatureLaw,
    model: Model,
    parameters: Array,
    loss: Loss,
    start: Place | None,
) -> ConvexSolution:
    costless = model.width not in model.parameters
    if costless and loss.margin and separated_for_free(Rules(law, model, loss)):
        raise InputError(
            "ridge.loss",
            loss.name,
            "the mean features separate the labels at no cost, so that no fit is "
            "finite in the limit of infinite width; give target.noise, labels = "
            "'logit', or an alignment below 1",
        )
    place, best = None, np.inf
    for halvings in range(REFINEMENTS):
        rules = Rules(law, model, loss, halvings)
        if place is None:
            place = _approach(rules, parameters, start)
        results: list[tuple[Found, dict[str, float]]] = []
        for stride, fineness in PAIR:
            fine = fineness * 1.5**halvings
            system = rules.system(parameters, stride, fine)
            found = newton(system, place)
            if not np.isfinite(found.step):
                found = descend(system, place)
            results.append((found, outcomes(system, found)))
        place, values = results[0][0].place, dict(results[0][1])
        rates = {name: values.pop(name) for name in wrong_signs(system, place)}
        error = SAFETY * (_gap(values, results[1][1]) + results[0][0].step)
        second = values.pop("training_loss_from_objective")
        # what cancels in the objective is that of the second route alone
        scale = values["ridge_objective"] / system.ratio
        error += abs(second - values["training_loss"]) / abs(scale)
        # fresh samples are fitted with a leverage that is not quite 0
        error += FLOOR / max(values["generalization_error"], FLOOR)
        values |= rates
        apart = _gap(rates, results[1][1], values["generalization_error"])
        residual = results[0][0].residual
        solution = ConvexSolution(place, values, error + 1e-15, residual)
        settles = error < ENOUGH and (error > best / 4 or halvings >= FEW)
        if error < SETTLED or settles or system.samples.s.size > LARGEST_RULE:
            break
        best = error
    solution = _with_rates(solution, rules, parameters, apart)
    if not solution.error < 1e-3:
        raise ConvergenceError(
            f"the averages of the loss reached a relative error of {solution.error:.1e}"
            "; try another ridge.penalty or smaller spikes"
        )
    return solution


def _descend(system: ConvexSystem, start: Place) -> Place:
    """Solve; where a kink of the loss is in the way, smooth it less and less."""
    try:
        return descend(system, start).place
    except ConvergenceError:
        if not system.channel.loss.breaks:
            raise
    place = start
    for smoothing in SMOOTHINGS:
        place = descend(replace(system, smoothing=smoothing), place).place
    return place


def _with_rates(
    solution: ConvexSolution, rules: Rules, parameters: Array, gap: float
) -> ConvexSolution:
    """Add what the rules leave of the error rates, on finer ones in kappa if need be.

    Where the fit hardly depends on anything else, its sign is a step in kappa.
    """
    values, place = dict(solution.values), solution.place
    for halvings in range(rules.halvings + 1, FINEST):
        if RATE_SAFETY * gap < max(solution.error, SETTLED):
            break
        finer = replace(rules, halvings=halvings)
        rates, coarser = (
            wrong_signs(finer.system(parameters, stride, fine * 1.5**halvings), place)
            for stride, fine in PAIR
        )
        gap = _gap(rates, coarser, values["generalization_error"])
        values |= rates
    return replace(solution, values=values, error=solution.error + RATE_SAFETY * gap)


def _gap(
    first: dict[str, float], second: dict[str, float], scale: float | None = None
) -> float:
    """Largest relative difference of two sets of quantities.

    Of what is zero to twice the digits, relative to the test error.
    """
    worst = 0.0
    scale = first["generalization_error"] if scale is None else scale
    for name, value in first.items():
        change = abs(value - second[name])
        if change and name != "training_loss_from_objective":
            worst = max(worst, change / max(abs(value), np.sqrt(change * scale)))
    return float(worst)


def _approach(rules: Rules, parameters: Array, start: Place | None) -> Place:
    """Come near the solution on coarse rules, from a neighbour or a large penalty."""
    if start is not None:
        near = newton(rules.system(parameters, *ROUGH), start)
        if np.isfinite(near.step):
            return near.place
    model = rules.model
    k = model.parameters.index(model.ridge)
    goal, now = parameters[k], max(1.0, parameters[k])
    place = None
    while True:
        there = parameters.copy()
        there[k] = now
        system = rules.system(there, *ROUGH)
        place = _descend(system, beginning(system) if place is None else place)
        if now == goal:
            return place
        now = max(goal, now / FACTOR)
