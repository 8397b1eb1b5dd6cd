r"""How many samples the features can separate.

With p weights, labels of -1 and 1 of fewer than ``alpha_c d`` samples are separated: a
readout has the right sign on each. Where that just fails, no readout of norm one does
better than margin zero, which is a fit by the loss that is 0 for the right sign and
infinite for the wrong one, without a penalty:

.. math:: M_\chi(v) = \min(v, 0)^2 / \chi, \qquad v = y z .

Phi is then homogeneous, of degree -1 in x = (g, A) and of degree 2 in the square roots
of the multipliers x' and in y: at a stationary point it vanishes, and two sizes are
free. With both fixed, the number of samples takes the place of an unknown.
"""

from dataclasses import replace
from math import floor, inf, log10
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import check_digits, float64_guard, to_float
from detequiv.numerics.losses.convex import ConvexSystem, Place, Rules
from detequiv.numerics.losses.descent import (
    Measure,
    coefficients,
    multipliers,
    natural_basis,
    unknowns,
    weights_of,
)
from detequiv.numerics.losses.separable import separated_for_free
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.losses import SEPARATION
from detequiv.theory.problem import Problem, check_problem, exact_parameters, law_of

__all__ = ["separability_threshold", "side_of_threshold"]

Array = NDArray[Any]
SAMPLES, WIDTH = 0, 1  # places of n/d and p/d among the parameters
TURNS = (10, 20, 60)  # steps in turn before each try of Newton's method
STEPS = 30  # of Newton's method
LARGEST = 1.0  # logarithmic change of the unknowns in a step
HALVINGS = 10
TOLERANCE = 1e-12  # relative Newton step that is the last
ROUNDING = 1e-7  # below which steps may cease to shrink
SOLVED = 1e-7  # residual, in natural sizes, of what is a solution
DEPENDENT = 1e-13  # singular values that belong to coefficients without effect
ROUGH = 4, 0.5  # stride in kappa and fineness in s and G, on the way
PAIR = (1, 1.0), (2, 0.8)  # the same of the two that are compared
REFINEMENTS = 3
SAFETY = 3.0  # between the change seen and the error vouched for


def separability_threshold(problem: Problem, *, digits: int = 8) -> mpmath.mpf:
    """Count the samples per input dimension that the readout can separate.

    The limit ``alpha_c`` of the largest number n of samples, over d, whose labels of -1
    and 1 a second layer can fit with the right signs. Labels that are random have
    ``alpha_c = 2 p/d``. Below it, fits of a loss of the margin grow without bound as
    the penalty vanishes (logistic) or tend to the hard margin (hinge losses).

    Parameters
    ----------
    problem : Problem
        With labels of -1 and 1; number of samples, penalty and loss play no part.
    digits : int
        Significant decimal digits that must be vouched for.

    Returns
    -------
    mpf
        ``alpha_c``; infinite where mean features, which cost nothing in the limit of
        infinite width, have the sign of every label.

    Raises
    ------
    InputError
        Labels that are no signs.
    ConvergenceError
        The equations were not solved, or have not so many digits in float64.

    Examples
    --------
    >>> from detequiv.theory.problem import Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    ...     target=Target(function="z", labels="logit", slope=2),
    ...     ridge=Ridge(samples_per_dim=1, width_per_dim="4/5", penalty=1),
    ... )
    >>> round(float(separability_threshold(problem)), 4)
    2.3193
    """
    check_problem(problem)
    check_digits(digits)
    if not problem.target.binary:
        raise InputError(
            "target.labels",
            problem.target.labels,
            "no sign separates such labels; give 'sign' or 'logit'",
        )
    law = law_of(problem)
    rules = Rules(law, law.model, SEPARATION)
    with float64_guard("try another activation"):
        if separated_for_free(rules):
            return mpmath.inf
        parameters = np.array(list(map(to_float, exact_parameters(problem, law))))
        parameters[law.model.parameters.index(law.model.ridge)] = 0.0
        value, error = _vouched(rules, parameters)
    reached = floor(-log10(error)) if error < 1 else 0
    if reached < digits:
        raise ConvergenceError(
            f"float64 vouches for {reached} of {digits} digits of the separability "
            "threshold here; ask for fewer"
        )
    return mpmath.mpf(value)


def side_of_threshold(problem: Problem) -> str:
    """Say on which side of the threshold the samples are, and what that means.

    For losses of the margin; a clause that ends a message, empty where the threshold is
    not found.
    """
    try:
        threshold = separability_threshold(problem, digits=3)
    except ConvergenceError:
        return ""
    below = to_float(problem.ridge.samples_per_dim) < threshold
    side, means = (
        ("below", "the labels are separated, and fits grow as the penalty falls")
        if below
        else ("above", "fits have a finite limit as the penalty falls")
    )
    return (
        f"; n/d is {side} the separability threshold {float(threshold):.4g}, "
        f"where {means}"
    )


def _vouched(rules: Rules, parameters: Array) -> tuple[float, float]:
    """Solve on two rules; the threshold and the relative error vouched for."""
    now = parameters.copy()
    now[SAMPLES] = 2 * parameters[WIDTH]  # of random labels
    system, place = _approach(rules.system(now, *ROUGH))
    best = value = inf
    for halvings in range(REFINEMENTS):
        found = []
        for stride, fineness in PAIR:
            finer = replace(rules, halvings=halvings)
            start = finer.system(system.parameters, stride, fineness * 1.5**halvings)
            found.append(_newton(start, place))
        (system, place, step), (other, _, _) = found
        if not np.isfinite(step):
            raise ConvergenceError(
                "the equations of the separability threshold were not solved on fine "
                "rules; try smaller spikes"
            )
        new = float(system.parameters[SAMPLES])
        error = SAFETY * (abs(other.parameters[SAMPLES] / new - 1) + step) + 1e-15
        if error < best:
            best, value = error, new
        if best < 1e-11:
            break
    return value, best


def _approach(system: ConvexSystem) -> tuple[ConvexSystem, Place]:
    """Take steps in turn from labels without a meaning, then Newton's."""
    ones = system.parameters.copy()
    ones[system.model.parameters.index(system.model.ridge)] = 1.0
    x = np.array(system.equations.start(ones), float)
    place = _sized(system, Place(x, x, np.zeros(len(system.model.coefficients))))
    for turns in TURNS:
        system, place = _alternate(system, place, turns)
        found = _newton(system, place)
        if np.isfinite(found[2]):
            return found[:2]
    raise ConvergenceError(
        "the equations of the separability threshold were not solved; labels that "
        "are nearly sure given the spike's projection may have none that is finite"
    )


def _sized(system: ConvexSystem, place: Place) -> Place:
    """Bring unknowns and multipliers to the sizes that are free to choose."""
    count = len(system.model.unknowns.positive)
    x, norm = place.x / place.x[:count].sum(), place.multipliers[:count].sum()
    return Place(x, place.multipliers / norm, place.y / np.sqrt(norm))


def _with_samples(system: ConvexSystem, factor: float) -> ConvexSystem:
    """Multiply the number of samples."""
    parameters = system.parameters.copy()
    parameters[SAMPLES] *= factor
    return replace(system, parameters=parameters)


def _alternate(
    system: ConvexSystem, place: Place, turns: int
) -> tuple[ConvexSystem, Place]:
    """Take the steps in turn; the size that x would have is the samples' instead."""
    count = len(system.model.unknowns.positive)
    last: tuple[Array, Array] | None = None
    for _ in range(turns):
        weights, errors = weights_of(system, system.moments(place))
        if last is not None:
            weights, errors = (weights + last[0]) / 2, (errors + last[1]) / 2
        last = weights, errors
        x = unknowns(system, place.x, weights)
        system = _with_samples(system, float(x[:count].sum()))
        place = coefficients(system, replace(place, x=x / x[:count].sum()))
        place = _sized(system, multipliers(system, place, errors))
    return system, place


def _newton(system: ConvexSystem, start: Place) -> tuple[ConvexSystem, Place, float]:
    """Solve all equations for the unknowns and the number of samples.

    Returns
    -------
    system, place
        With the number of samples found.
    step : float
        The last step; inf if this is no solution.
    """
    place, size = start, len(start.x)
    count = len(system.model.unknowns.positive)
    moments = system.moments(place)
    gradient = system.gradient(place, moments)
    measure = Measure(system, place, moments)
    residual, last = measure(gradient), inf
    for _ in range(STEPS):
        cone, dual = system.cone(place.x), system.cone(place.multipliers)
        hessian = system.hessian(place, moments)
        basis = natural_basis(place, cone, dual, hessian)
        by_samples = np.concatenate(system.sample_gradient(moments))
        matrix = basis.T @ np.column_stack([hessian @ basis, by_samples])
        if not np.isfinite(matrix).all():
            break
        fixed = np.zeros((2, matrix.shape[1]))
        fixed[0, :count], fixed[1, size : size + count] = (
            place.x[:count],
            place.multipliers[:count],
        )
        rows = np.maximum(np.abs(matrix).max(1), 1e-300)[:, None]
        right = np.concatenate([-(basis.T @ np.concatenate(gradient)), [0.0, 0.0]])
        right[:-2] /= rows[:, 0]
        change = np.linalg.lstsq(np.vstack([matrix / rows, fixed]), right, DEPENDENT)[0]
        by_x, by_multipliers, by_y, by_alpha = np.split(
            change, [size, 2 * size, len(change) - 1]
        )
        far = max(
            float(cone.size(by_x[None])[0]),
            float(dual.size(by_multipliers[None])[0]),
            float(abs(by_alpha[0])),
        )
        if far < TOLERANCE or (far < ROUNDING and far > last / 2):
            return system, place, far if residual < SOLVED else inf
        last, factor = far, min(1.0, LARGEST / max(far, 1e-300))
        for _ in range(HALVINGS):
            trial = _sized(
                system,
                Place(
                    cone.move(factor * by_x[None])[0][0],
                    dual.move(factor * by_multipliers[None])[0][0],
                    place.y + factor * basis[2 * size :, 2 * size :] @ by_y,
                ),
            )
            new = _with_samples(system, float(np.exp(factor * by_alpha[0])))
            trial_moments = new.moments(trial)
            trial_gradient = new.gradient(trial, trial_moments)
            better = measure(trial_gradient)
            if better < residual * (1 - 0.1 * factor) or (
                far < 1e-4 and better < 10 * residual + 1e-9  # rounding decides
            ):
                break
            factor /= 2
        else:
            break
        system, place, moments, gradient = new, trial, trial_moments, trial_gradient
        measure = Measure(system, place, moments)
        residual = measure(gradient)
    return system, place, inf
