"""The part of a fitted network that is a function of the projection alone."""

from collections.abc import Sequence

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from detequiv.numerics.arithmetic import check_finite, exact_ball, precision, to_ball
from detequiv.numerics.averages import conditional_values, feature_columns
from detequiv.numerics.directions import (
    direction_functions,
    directions_law,
    target_at,
)
from detequiv.numerics.solving import Solution, law_of_solution
from detequiv.theory.errors import InputError
from detequiv.theory.problem import DirectionsLaw, FeatureLaw, Problem, law_of

__all__ = ["combine_functions", "learned_function", "target_function"]

FARTHEST = 1000.0  # value of kappa; moments of several directions are tabulated
DIGITS = 18  # of the conditional moments, for float64 results


def learned_function(solution: Solution, kappa: ArrayLike) -> NDArray[np.float64]:
    r"""Evaluate what the network has learned of the projection.

    The average of the fitted predictor over inputs with ``<v, x> = kappa``, in the
    limit of large dimension, or at the width of the solution:

    .. math:: \sum_q m_q c_{0,q}(\kappa) + t_q h_q(\kappa).

    Parameters
    ----------
    solution : Solution
        Result of `detequiv.solve`.
    kappa : array_like
        Values of the projection, any shape; with several directions the last axis has
        their values.

    Returns
    -------
    ndarray
        In the units of the labels, of the shape of `kappa`.

    Raises
    ------
    InputError
        No solution; or, with several directions, values of kappa beyond 1000.
    ConvergenceError
        A conditional moment has not the digits of float64.

    Examples
    --------
    >>> import detequiv as de
    >>> problem = de.Problem(
    ...     features=de.SpikedFeatures(activation="relu", spike=[1, -1]),
    ...     target=de.Target(function="abs(z)"),
    ...     ridge=de.Ridge(samples_per_dim=100, width_per_dim=2, penalty=1),
    ... )
    >>> de.learned_function(de.solve(problem), [0, 1, 2]).round(3)
    array([0.524, 0.915, 1.742])
    """
    if not isinstance(solution, Solution):
        raise InputError("solution", solution, "give a result of detequiv.solve")
    coefficients = [float(v) for v in solution.m + solution.t]
    if solution.problem.several:
        law = directions_law(solution.problem)
        nodes, shape = _nodes(law, kappa)
        if not nodes.size:
            return np.empty(shape)
        if np.abs(nodes).max() > FARTHEST:
            raise InputError(
                "kappa", kappa, f"give values of at most {FARTHEST:.0f} in size"
            )
        functions = direction_functions(law, nodes)
        parts = np.concatenate([functions["c0"], functions["h"]])
        learned: NDArray[np.float64] = (np.array(coefficients) @ parts).reshape(shape)
        return learned
    return combine_functions(law_of_solution(solution), coefficients, kappa)


def target_function(problem: Problem, kappa: ArrayLike) -> NDArray[np.float64]:
    r"""Evaluate what the network is to learn of the projection.

    The average of the labels over inputs with ``<v, x> = kappa``,
    ``E f*(zeta kappa + sqrt(1 - zeta^2) s)`` with s standard normal.

    Parameters
    ----------
    problem : Problem
        With a target.
    kappa : array_like
        Values of the projection, as for `learned_function`.

    Returns
    -------
    ndarray
        Of the shape of `kappa`.

    Examples
    --------
    >>> from detequiv.theory.problem import Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="relu", spike=1),
    ...     target=Target(function="z**2", alignment="1/2"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    ... )
    >>> target_function(problem, [0, 2])
    array([0.75, 1.75])
    """
    if problem.several:
        directions = directions_law(problem)
        nodes, shape = _nodes(directions, kappa)
        return target_at(directions, nodes)[0].reshape(shape)
    law, places = law_of(problem), check_finite("kappa", kappa)
    with precision(DIGITS + 15):
        factor = to_ball(law.alignment)
        means = [(factor * exact_ball(float(k))).mid() for k in places.ravel()]
        spread = sp.sqrt(1 - law.alignment**2)
        values = conditional_values(law.target, means, spread, DIGITS).c0
    return np.array([float(v) for v in values]).reshape(places.shape)


def _nodes(
    law: DirectionsLaw, kappa: ArrayLike
) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Values of kappa, shape (n, r), and the shape that they came in."""
    places, directions = check_finite("kappa", kappa), len(law.spikes[0])
    if places.shape == (0,):  # no place has no axis of numbers either
        places = places.reshape(0, directions)
    if places.shape[-1:] != (directions,):
        raise InputError(
            "kappa", kappa, f"give {directions} numbers a place, along the last axis"
        )
    return places.reshape(-1, directions), places.shape[:-1]


def combine_functions(
    law: FeatureLaw, coefficients: Sequence[float], kappa: ArrayLike
) -> NDArray[np.float64]:
    """Add up the functions ``c0_q`` and ``h_q`` of a law, with these coefficients.

    Parameters
    ----------
    law : FeatureLaw
        Whose functions they are.
    coefficients : sequence of float
        m, then t, in the order of `detequiv.numerics.solving.solution.Solution`.
    kappa : array_like
        Values of the projection, any shape.

    Returns
    -------
    ndarray
        Of the shape of `kappa`.
    """
    places = check_finite("kappa", kappa)
    if not places.size:
        return np.empty(places.shape)
    with precision(DIGITS + 15):
        nodes = [exact_ball(float(k)) for k in places.ravel()]
        functions = feature_columns(law, nodes, DIGITS)
    columns = functions["c0"] + functions["h"]
    values = np.array([[float(v) for v in column] for column in columns])
    learned: NDArray[np.float64] = np.asarray(coefficients) @ values
    return learned.reshape(places.shape)
