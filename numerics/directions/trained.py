"""A network of heads after its steps: the map of theory with numbers in it."""

from functools import lru_cache
from math import ceil
from typing import Any, cast

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import FLOATS, compile_expressions, to_float
from detequiv.numerics.averages import gaussian_radius, geometric_error
from detequiv.numerics.directions.rules import Lattice
from detequiv.numerics.directions.tables import PANEL, moment_table
from detequiv.theory.directions import higher_moments, step_map
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.functions import projections, z
from detequiv.theory.gaussian import conditional_moments
from detequiv.theory.problem import Network, Problem

__all__ = ["trained_states"]

Array = NDArray[np.float64]
DIGITS = 24.0  # reach of the rule into the tails
STEP = 0.17  # of the first lattice, over the reach of its functions' changes
WIDTH, WIDEST = 1.6, 3.0  # of these, over std/|b|, and without a spike
FINER = (1, 2, 4)  # lattices to try
SETTLED = 1e-12  # error of averages; what is left of it, another lattice tells
NO_BULK = 1e-12  # of rows that a step has cancelled


def trained_states(problem: Problem, panel: float = PANEL, finer: int = 1) -> Array:
    """Take the steps of a network of several heads, or of several projections.

    Parameters
    ----------
    problem : Problem
        With a network.
    panel : float
        Of the tables of the activation's averages.
    finer : int
        Divides the step of the first lattice. Results of other panels and lattices
        differ by their errors.

    Returns
    -------
    (K, S) array
        States of the groups, in the order of `StepMap`.

    Raises
    ------
    InputError
        A step cancels a group's rows.
    ConvergenceError
        The averages are not resolved.
    """
    network = cast(Network, problem.network)
    count = problem.target.projections
    size = len(step_map(count).state)
    states = np.zeros((problem.groups, size))
    states[:, 0] = 1
    for rate in network.rates:
        states = _step(problem, states, to_float(rate), panel, finer)
        if np.abs(states[:, 0]).min() < NO_BULK:
            raise InputError(
                "network.step",
                network.step,
                "cancels a group's rows; change it a little",
            )
    return states


def _step(
    problem: Problem, states: Array, rate: float, panel: float, finer: int
) -> Array:
    """Average on finer and finer lattices, until the step is resolved."""
    count = problem.target.projections
    slope = np.linalg.norm(states[:, 1 + count : 1 + 2 * count], axis=1)
    width = min(WIDEST, WIDTH / max((slope / np.abs(states[:, 0])).max(), 1e-9))
    _, update = _compiled(count)
    for factor in FINER:
        steps = (STEP * width / finer / factor,) * count
        lattice = Lattice(np.eye(count), steps, gaussian_radius(DIGITS))
        values = _integrands(problem, states, lattice.nodes, panel) * lattice.weights
        averages, sizes = values.sum(2), np.abs(values).sum(2) + 1e-300
        gaps = []
        for stride in (4, 2):
            keep = lattice.every(stride)
            coarse = values[:, :, keep].sum(2) * stride**count
            gaps.append(float((np.abs(coarse - averages) / sizes).max()))
        if geometric_error(*gaps) < SETTLED:
            increments = rate * averages
            return np.array(
                [update(*s, *i) for s, i in zip(states, increments, strict=True)]
            )
    raise ConvergenceError(
        "the averages of a gradient step are not resolved in float64; ask for smaller "
        "steps, or a smoother target"
    )


def _integrands(problem: Problem, states: Array, nodes: Array, panel: float) -> Array:
    """Evaluate what a step averages, residuals multiplied, shape (K, S, n)."""
    network, count = cast(Network, problem.network), nodes.shape[1]
    integrands, _ = _compiled(count)
    vectors = np.array([[to_float(a) for a in row] for row in network.vectors])
    weights = np.array(list(map(to_float, network.weights)))
    smoothed = [_smoothed(network, state, nodes, panel) for state in states]
    code = compile_expressions(projections[:count], problem.target.heads, FLOATS)
    targets = np.array([np.broadcast_to(v, len(nodes)) for v in code(*nodes.T)])
    outputs = (weights[:, None] * vectors).T @ np.array([d[0] for d in smoothed])
    residuals = vectors @ (targets - outputs)
    shape = (len(states[0]), len(nodes))
    values = np.empty((len(states), *shape))
    for q, (state, d) in enumerate(zip(states, smoothed, strict=True)):
        found = integrands(*state, *nodes.T, *d[1:], np.sign(state[0]))
        for i, value in enumerate(found):
            values[q, i] = value * residuals[q]
    return values


def _smoothed(network: Network, state: Array, nodes: Array, panel: float) -> Array:
    """``D_0 .. D_4`` of a group, shape (5, n)."""
    count = nodes.shape[1]
    means = nodes @ state[1 + count : 1 + 2 * count]
    scale = abs(state[0])
    reach, exact = 1 + ceil(np.abs(means).max()), sp.Rational(scale)
    tables = [
        moment_table(conditional_moments(function), exact, reach, panel)(means)
        for function in (z**n * network.activation for n in range(3))
    ]
    c0, c1, c2 = tables[0][:3]
    c3, c4 = _higher()(means, scale, c0, c1, c2, tables[1][2], tables[2][2])
    return np.array([c / scale**n for n, c in enumerate((c0, c1, c2, c3, c4))])


@lru_cache(maxsize=4)
def _compiled(directions: int) -> tuple[Any, Any]:
    """Integrands and update of the map, for arrays."""
    found = step_map(directions)
    arguments = (*found.state, *found.fields)
    return (
        compile_expressions(arguments, found.integrands, FLOATS),
        compile_expressions((*found.state, *found.increments), found.moved, FLOATS),
    )


@lru_cache(maxsize=1)
def _higher() -> Any:
    return compile_expressions(*higher_moments(), FLOATS)
