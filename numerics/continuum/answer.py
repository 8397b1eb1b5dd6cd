"""A density of readouts at a width: nodes doubled until the digits agree."""

from dataclasses import dataclass, replace
from math import floor, log10

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import (
    check_digits,
    check_whole,
    float64_guard,
    to_float,
)
from detequiv.numerics.averages import OVERLAPS, dimension_of, refined
from detequiv.numerics.continuum.nodes import READOUTS, Nodes, nodes_of
from detequiv.numerics.continuum.system import Outputs, State, System
from detequiv.theory.continuum import Continuum, continuum
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.problem import FeatureLaw, Problem, ridge_parameters

__all__ = ["ContinuumAnswer", "law_on_nodes", "solve_continuum"]

Array = NDArray[np.float64]
FIRST = 16  # of them, on which the overlaps are refined
USUAL = 4  # digits
TOLERANCE = 1e-11  # Newton step at which iteration stops
ROUNDING = 1e-7  # below which steps may cease to shrink
SWEEPS, ITERATIONS = 25, 60
HIGHER, CONTINUED = 10.0, 12  # factor to the penalty, and how often
REFINEMENTS = 5  # of the rule in kappa
UNITS = 1e-15  # relative, of a few in the last place
SAFETY = 10.0  # between the change seen and the error vouched for


@dataclass(frozen=True)
class ContinuumAnswer:
    """Quantities of a width, and what they come from.

    Attributes
    ----------
    quantities : array
        In the order of the model.
    nodes : Nodes
    g : (K,) array
        Of the nodes in the readout.
    outputs : Outputs
    digits : int
        Vouched for.
    residual : float
        Largest of the equations.
    """

    quantities: Array
    nodes: Nodes
    g: Array
    outputs: Outputs
    digits: int
    residual: float


@dataclass(frozen=True)
class _Found:
    """A solution on given nodes, with its error but for theirs."""

    nodes: Nodes
    state: State
    outputs: Outputs
    error: float


def solve_continuum(
    problem: Problem, width: int | None, digits: int | None = None
) -> ContinuumAnswer:
    """Solve a network whose readouts have a density, at `width` units.

    Parameters
    ----------
    problem : Problem
        With a law as ``network.readout``.
    width : int or None
        p; None is refused, with the reason.
    digits : int, optional
        Of every quantity, 4 by default.

    Raises
    ------
    InputError
        No width, no penalty, or labels of -1 and 1.
    ConvergenceError
        The digits cannot be vouched for.
    """
    network, ridge = problem.network, problem.ridge
    assert network is not None
    if width is None:
        network.vocabulary  # noqa: B018 - says why there is no limit
        raise AssertionError
    check_whole("width", width)
    wanted = USUAL if digits is None else digits
    check_digits(wanted)
    problem.require_regression("a density of readouts")
    if not ridge.penalty.is_positive:
        raise InputError(
            "ridge.penalty",
            ridge.penalty,
            "must be positive with such readouts",
        )
    units, dimension = continuum(problem), dimension_of(problem, width)
    goal = 0.2 * 10.0**-wanted

    def at(count: int, overlaps: int) -> _Found:
        return _solve(units, Nodes(units, count, overlaps, dimension), width)

    with float64_guard():
        few, beside = refined(OVERLAPS, lambda count: at(FIRST, count), _gap, goal)
        overlaps = few.nodes.overlaps
        found, left = refined(READOUTS, lambda count: at(count, overlaps), _gap, goal)
    error = beside + left + found.error
    reached = floor(-log10(error)) if 0 < error < 1 else 0
    if reached < wanted:
        raise ConvergenceError(
            f"{reached} of {wanted} digits can be vouched for with {READOUTS[-1]} "
            "nodes in the readout; ask for fewer, or for a larger ridge.penalty"
        )
    return ContinuumAnswer(
        quantities=found.outputs.quantities,
        nodes=found.nodes,
        g=found.state.g,
        outputs=found.outputs,
        digits=wanted,
        residual=float(np.abs(found.state.residual).max()),
    )


def law_on_nodes(
    problem: Problem, width: int, groups: int, overlaps: int
) -> FeatureLaw:
    """Features on the nodes that a solution with so many groups has."""
    units, dimension = continuum(problem), dimension_of(problem, width)
    return nodes_of(units, dimension, groups, overlaps).whole_law


def _gap(coarser: _Found, finer: _Found) -> float:
    return _distance(coarser.outputs.quantities, finer.outputs.quantities)


def _distance(coarser: Array, finer: Array) -> float:
    """Largest relative difference of a quantity."""
    return float(np.max(np.abs(coarser - finer) / np.maximum(np.abs(finer), 1e-300)))


def _solve(units: Continuum, nodes: Nodes, width: int) -> _Found:
    """Refine the rule in kappa on given nodes until float64 has nothing to gain."""
    best = np.inf
    for halvings in range(REFINEMENTS):
        found: list[_Found] = []
        for stride in (2, 1):
            state = _follow(_system(units, nodes, width, halvings, stride))
            found.append(_Found(nodes, state, state.outputs(), 0.0))
        gap = _gap(*found)
        if gap < TOLERANCE or gap > best / 10:
            return replace(found[-1], error=SAFETY * gap + _rounding(found[-1]))
        best = min(best, gap)
    raise ConvergenceError(
        f"the average over kappa reached a relative error of {best:.1e} in float64; "
        "try a larger ridge.penalty"
    )


def _rounding(found: _Found) -> float:
    """Find what a few units in the last place of the unknowns do to the quantities."""
    size = len(found.state.g) + len(found.state.w)
    step = np.where(np.arange(size) % 2, UNITS, -UNITS)
    moved = found.state.moved(step).outputs()
    return SAFETY * _distance(moved.quantities, found.outputs.quantities)


def _system(
    units: Continuum, nodes: Nodes, width: int, halvings: int, stride: int
) -> System:
    """Put numbers into the equations, on every stride-th node in kappa."""
    ridge, law = units.problem.ridge, nodes.law
    parameters = list(map(to_float, ridge_parameters(ridge)))
    fields = nodes.fields(halvings, parameters[2])
    weights, columns = fields.floats(stride)
    assert fields.rule is not None
    means = nodes.means(fields)[..., fields.rule.every(stride)]
    places, groups = law.families, len(law.spikes)

    def family(name: str) -> Array:
        return columns[places.get(name, slice(0))]

    return System(
        weights=weights,
        c1=family("c1"),
        cs=family("cs"),
        c0=means,
        tangents=family("h").reshape(-1, groups, len(weights)),
        target=columns[places["tau0"].start :],
        shares=nodes.rule[1],
        overlaps=nodes.mixture[2],
        parameters=(*parameters, 0.0, to_float(law.noise_variance)),
        width=float(width),
    )


def _follow(system: System) -> State:
    """Find the stationary point, through larger penalties where it takes them.

    Raises
    ------
    ConvergenceError
        It was lost.
    """
    alpha, beta, penalty, *rest = system.parameters
    for power in range(CONTINUED):
        state: State | None = None
        for higher in range(power, -1, -1):
            own = (alpha, beta, penalty * HIGHER**higher, *rest)
            there = replace(system, parameters=own)
            state = _newton(there, state)
            if state is None:
                break
        if state is not None:
            return state
    raise ConvergenceError(
        f"the equations could not be solved in float64 at penalty = {penalty:.6g}; "
        "try a larger ridge.penalty"
    )


def _swept(system: System) -> State:
    """Iterate from no leverage: chi, then w, then g, each from the others."""
    none = np.zeros_like(system.weights)
    g = np.full_like(system.shares, 1 / system.parameters[2])
    state = State(system, g, *system.evaluate("chi", none))
    for _ in range(SWEEPS):
        # Psi is -log g in a slowly varying field
        g = state.g / (1 + state.g * state.slope / system.shares)
        state = State(system, g, *system.evaluate("chi", state.leverage))
    return state


def _newton(system: System, near: State | None) -> State | None:
    """Newton's method in the logarithms, from a neighbour's state if there is one.

    None if it is lost: no state may even be a state, in numbers or in matrices.
    """
    try:
        start = _swept(system) if near is None else State(system, near.g, near.w)
        return _iterated(start)
    except np.linalg.LinAlgError:
        return None


def _iterated(state: State) -> State | None:
    last = np.inf
    for _ in range(ITERATIONS):
        step = -np.linalg.solve(state.jacobian, state.residual)
        size = float(np.max(np.abs(step)))
        if not np.isfinite(size):
            return None
        state = state.moved(step * min(1.0, 1 / size) if size else step)
        if size < TOLERANCE or (size < ROUNDING and size > last / 2):
            return state
        last = size
    return None
