"""Float64 solves of points that share features of several directions.

The points are solved on a lattice in kappa and on its every second and fourth node;
what these differ by tells the error of the finest. It is vouched for together with
rounding, and with what other tables of the fields make of the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import float64_guard, to_float
from detequiv.numerics.averages import geometric_error
from detequiv.numerics.directions import NodeFields, directions_law, other_law
from detequiv.numerics.equations import FloatSystem, float_equations
from detequiv.numerics.iteration import TOLERANCE, minimise
from detequiv.numerics.solving.batch import COARSE, SAFETY, PointSolutions
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import Model
from detequiv.theory.problem import DirectionsLaw, Problem, exact_parameters

__all__ = ["DirectionSolutions", "solve_directions"]

Array = NDArray[Any]
STRIDES = (4, 2, 1)
FINER = (1, 2, 4)  # lattices to try
SETTLED = 1e-14  # error of a lattice that is fine enough for float64
AT_ONCE = 4_000_000  # values of chi that are held in memory


@dataclass(frozen=True)
class DirectionSolutions(PointSolutions):
    """Solutions of B points of several directions.

    Attributes
    ----------
    residuals : (B,) array
        Largest component of grad Psi, unknowns in natural sizes.
    """

    residuals: Array


def solve_directions(
    jobs: Sequence[tuple[Problem, int | None]],
) -> DirectionSolutions:
    """Solve B problems that differ in their ridge regression alone.

    Parameters
    ----------
    jobs : sequence of (Problem, int or None)
        With the width of each, or None in all for the limit.

    Raises
    ------
    ConvergenceError
        The branch was lost, or no lattice is fine enough.
    """
    law = directions_law(jobs[0][0])
    model = law.model if jobs[0][1] is None else law.model.at_width
    parameters = np.array(
        [
            [
                *map(to_float, exact_parameters(problem, law)),
                *([width] if width else []),
            ]
            for problem, width in jobs
        ]
    )
    with float64_guard():
        return _solve(model, law, other_law(jobs[0][0]), parameters)


def _solve(
    model: Model, law: DirectionsLaw, other: DirectionsLaw, parameters: Array
) -> DirectionSolutions:
    best: DirectionSolutions | None = None
    for finer in FINER:
        try:
            fields = NodeFields.evaluate(law, finer)
        except ConvergenceError:
            if best is None:
                raise
            break
        count = max(1, AT_ONCE // fields.columns.shape[1])
        parts = [
            _on_lattice(model, fields, other, parameters[start : start + count])
            for start in range(0, len(parameters), count)
        ]
        found = DirectionSolutions(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in DirectionSolutions.__dataclass_fields__
            )
        )
        # finer lattices help until rounding is what is left
        gained = best is None or found.errors.max() < best.errors.max() / 2
        if gained:
            best = found
        if not gained or found.errors.max() < SAFETY * SETTLED:
            break
    assert best is not None
    return best


def _on_lattice(
    model: Model, fields: NodeFields, law: DirectionsLaw, parameters: Array
) -> DirectionSolutions:
    """Solve on a lattice and on coarser ones, which tell its error."""
    equations, x = float_equations(model), None
    found = []
    for stride in STRIDES:
        system = FloatSystem(equations, *fields.rule(stride), parameters)
        goal = TOLERANCE if stride == 1 else COARSE
        x, accuracy = minimise(system, x, goal)
        if np.isinf(accuracy).any():
            raise ConvergenceError(
                "the equations could not be solved in float64; try a larger "
                "ridge.penalty or smaller spikes"
            )
        found.append(system.outputs(x))
    assert x is not None
    quantities, rounding, y = found[-1]
    size = np.maximum(np.abs(quantities), 1e-300)
    gaps = [(np.abs(other[0] - quantities) / size).max(1) for other in found[:-1]]
    lattice = np.array([geometric_error(*pair) for pair in zip(*gaps, strict=True)])
    other = FloatSystem(equations, *fields.disturbed(STRIDES[0], law), parameters)
    moved = other.outputs(minimise(other, x, TOLERANCE)[0])[0]
    plain = FloatSystem(equations, *fields.rule(STRIDES[0]), parameters)
    there = plain.outputs(minimise(plain, x, TOLERANCE)[0])[0]
    tables = (np.abs(moved - there) / size).max(1)
    left = np.where(accuracy < TOLERANCE, 0, accuracy) + (rounding / size).max(1)
    cone = system.cone(x)
    gradient, _ = system.derivatives(cone)
    # sums over many nodes: what is left of as many roundings of either sign
    sums = np.finfo(float).eps * np.sqrt(len(fields.rule(1)[0]))
    errors = SAFETY * (lattice + tables + left) + sums
    return DirectionSolutions(
        x,
        quantities,
        y,
        np.where(np.isfinite(errors), errors, np.inf),
        np.abs(gradient * cone.sizes).max(1),
    )
