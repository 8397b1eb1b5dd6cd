"""Many problems at once, each with its own verdict.

Points that share features and target are solved together in float64. A point that
float64 cannot vouch for is solved alone, in balls; one that cannot be solved at all
keeps its error, and the others keep their values.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import mpmath
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import to_float
from detequiv.numerics.averages import (
    LawFields,
    dimension_of,
    mixture,
    refine_overlaps,
)
from detequiv.numerics.batches import solve_batch
from detequiv.numerics.covariance import solve_covariance_points
from detequiv.numerics.losses import loss_values, loss_values_of_mixture
from detequiv.numerics.solving.batch import solve_floats
from detequiv.numerics.solving.directions import solve_directions
from detequiv.numerics.solving.solution import QUANTITIES, reported
from detequiv.numerics.solving.solve import solve
from detequiv.theory.errors import ConvergenceError, DetequivError
from detequiv.theory.problem import (
    FeatureLaw,
    Problem,
    exact_parameters,
    law_of,
    ridge_parameters,
)

__all__ = ["Point", "sweep"]

Array = NDArray[np.float64]
Job = tuple[Problem, int | None]  # with its number of units; None is the limit
TOGETHER = 1024  # points solved in one batch
ENOUGH = 10  # digits, below which a float64 result is not good enough
SETTLED = 10.0 ** -(ENOUGH + 1)  # error of float64 results from nodes in the overlap


@dataclass(frozen=True, kw_only=True)
class Point:
    """One problem of a sweep: its quantities, or why it has none.

    Attributes
    ----------
    problem : Problem
        What was to be solved.
    values : mapping of str to mpf
        The quantities of `detequiv.numerics.solving.solution.Solution` that have a
        meaning; empty if it failed.
    digits : int
        Decimal digits vouched for in each of them; 0 if it failed.
    failure : DetequivError or None
        The error that solving it raised.
    """

    problem: Problem
    values: Mapping[str, mpmath.mpf]
    digits: int
    failure: DetequivError | None = None

    def text(self, name: str) -> str:
        """One quantity as a decimal string with the digits vouched for, or ""."""
        if name not in self.values:
            return ""
        return str(mpmath.nstr(self.values[name], self.digits, strip_zeros=False))


class _Floats(Mapping[str, mpmath.mpf]):
    """Quantities in float64, made into numbers of mpmath where they are looked at."""

    def __init__(self, row: NDArray[np.float64]) -> None:
        self._row = row

    def __getitem__(self, name: str) -> mpmath.mpf:
        if name not in QUANTITIES:
            raise KeyError(name)
        return mpmath.mpf(self._row[QUANTITIES.index(name)])

    def __iter__(self) -> Iterator[str]:
        return iter(QUANTITIES)

    def __len__(self) -> int:
        return len(QUANTITIES)


def sweep(
    problems: Sequence[Problem],
    *,
    digits: int | None = None,
    widths: Sequence[int] | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Point]:
    """Solve many problems.

    Parameters
    ----------
    problems : sequence of Problem
        In any order; those that share features and target are found and solved
        together.
    digits : int, optional
        Significant decimal digits of every quantity. By default what float64 gives,
        and `ENOUGH` at least.
    widths : sequence of int, optional
        The number of units of each problem, as for `solve`; by default the limit.
    executor : concurrent.futures.Executor, optional
        Where the work runs; in this thread by default.
    progress : callable, optional
        Called as ``progress(done, total)``, in points.

    Returns
    -------
    list of Point
        In the order of the problems.
    """
    units: Sequence[int | None] = widths or [None] * len(problems)
    jobs = list(zip(problems, units, strict=True))
    if digits is None:
        batches, work = _batches(jobs), _solve_together
    else:
        batches, work = [[i] for i in range(len(jobs))], partial(_solve_each, digits)
    parts = [[jobs[i] for i in batch] for batch in batches]
    results: Iterable[list[Point]] = (
        map(work, parts) if executor is None else executor.map(work, parts)
    )
    points: dict[int, Point] = {}
    for batch, found in zip(batches, results, strict=True):
        points.update(zip(batch, found, strict=True))
        if progress is not None:
            progress(len(points), len(problems))
    return [points[i] for i in range(len(problems))]


def _batches(jobs: Sequence[Job]) -> list[list[int]]:
    """Gather the places of problems that differ in their ridge regression alone.

    And of one dimension, if they are of finite width.
    """
    alike: dict[object, list[int]] = {}
    last: object = None
    for i, (problem, width) in enumerate(jobs):
        # the ridgeless limit is not one of the float64 solver's
        ridgeless = to_float(problem.ridge.penalty) == 0
        dimension = width and sp.Integer(width) / problem.ridge.width_per_dim
        layer = problem.features, problem.network, problem.inputs
        loss = problem.ridge.loss, problem.ridge.delta
        key = *layer, problem.target, ridgeless, dimension, loss
        if key != last:  # to compare with the neighbour costs less than to hash
            last, positions = key, alike.setdefault(key, [])
        positions.append(i)
    return [
        positions[start : start + TOGETHER]
        for positions in alike.values()
        for start in range(0, len(positions), TOGETHER)
    ]


def _solve_each(digits: int | None, jobs: Sequence[Job]) -> list[Point]:
    """Solve one by one, to the digits asked for."""
    points = []
    for problem, width in jobs:
        try:
            solution = solve(problem, digits=digits, width=width)
        except DetequivError as error:
            points.append(Point(problem=problem, values={}, digits=0, failure=error))
        else:
            values = {name: getattr(solution, name) for name in reported(problem)}
            points.append(Point(problem=problem, values=values, digits=solution.digits))
    return points


def _solve_together(jobs: Sequence[Job]) -> list[Point]:
    """Solve problems that share features and target, in float64 where it serves."""
    problem, _ = jobs[0]
    if problem.inputs is not None:
        return _solve_in_floats(jobs)
    if problem.on_batch:
        return [_solve_on_batch(*job) for job in jobs]
    if problem.readout_law is not None:
        return _solve_each(None, jobs)
    if problem.ridge.loss != "square":
        return _solve_losses(jobs)
    return _solve_in_floats(jobs)


def _solve_on_batch(problem: Problem, width: int | None) -> Point:
    """Solve one step on a batch, to the digits that float64 has."""
    try:
        found = solve_batch(problem, width=width)
    except DetequivError as failure:
        return Point(problem=problem, values={}, digits=0, failure=failure)
    return Point(problem=problem, values=found.quantities, digits=found.digits)


def _solve_losses(jobs: Sequence[Job]) -> list[Point]:
    """Solve in turn, each from the one before."""
    points, near = [], None
    for problem, width in jobs:
        try:
            if width is None:
                found = loss_values(problem, near)
            else:
                found = loss_values_of_mixture(problem, width, near)
        except DetequivError as error:
            points.append(Point(problem=problem, values={}, digits=0, failure=error))
        else:
            near = found.found.place
            values = {name: found.values[name] for name in reported(problem)}
            points.append(Point(problem=problem, values=values, digits=found.digits))
    return points


def _solve_in_floats(jobs: Sequence[Job]) -> list[Point]:
    problem, width = jobs[0]
    try:
        if problem.several:
            if width is not None:
                dimension_of(problem, width)
            found = solve_directions(jobs)
            values, errors = found.quantities, found.errors
        elif to_float(problem.ridge.penalty) == 0 or problem.target.binary:
            return _solve_each(ENOUGH, jobs)
        elif width is None and problem.inputs is not None:
            values, errors = solve_covariance_points([job for job, _ in jobs])
        elif width is None:
            values, errors = _floats(jobs, law_of(problem), [])
        else:
            values, errors = _floats_at_widths(jobs)
    except ConvergenceError:
        # one lost point loses its batch: halve until it is alone
        if len(jobs) == 1:
            return _solve_each(ENOUGH, jobs)
        middle = len(jobs) // 2
        halves = jobs[:middle], jobs[middle:]
        return [point for half in halves for point in _solve_in_floats(half)]
    except DetequivError as failure:
        return [
            Point(problem=problem, values={}, digits=0, failure=failure)
            for problem, _ in jobs
        ]
    reached = np.floor(-np.log10(errors))
    reached = np.where(np.isfinite(reached), reached, 0).astype(int).tolist()
    points = []
    for job, row, digits in zip(jobs, values, reached, strict=True):
        if digits < ENOUGH:
            points += _solve_each(ENOUGH, [job])
        else:
            points.append(Point(problem=job[0], values=_Floats(row), digits=digits))
    return points


def _floats(
    jobs: Sequence[Job], law: FeatureLaw, rule: Sequence[sp.Expr]
) -> tuple[Array, Array]:
    """Quantities (B, Q) and their relative errors (B,), features of one law.

    `rule` has the weights of the nodes in the overlap, if there are any.
    """
    shared = list(map(to_float, exact_parameters(jobs[0][0], law)))
    own = [list(map(to_float, ridge_parameters(p.ridge))) for p, _ in jobs]
    parameters = np.tile(shared, (len(jobs), 1))
    parameters[:, : len(own[0])] = own
    if rule:
        widths = np.array([[float(width or 0)] for _, width in jobs])
        weights = np.tile(list(map(to_float, rule)), (len(jobs), 1))
        parameters = np.hstack([parameters, widths, weights])
    found = solve_floats(law.model, LawFields(law), parameters)
    return found.quantities, found.errors


def _floats_at_widths(jobs: Sequence[Job]) -> tuple[Array, Array]:
    """Solve problems of one dimension, with as many nodes as it takes."""
    problem, width = jobs[0]
    assert width is not None

    def at(count: int) -> tuple[Array, Array]:
        return _floats(jobs, *mixture(problem, width, count, ENOUGH))

    def gap(coarser: tuple[Array, Array], finer: tuple[Array, Array]) -> float:
        return float(np.max(np.abs(coarser[0] / finer[0] - 1)))

    values, errors = refine_overlaps(at, gap, SETTLED)
    return values, errors + SETTLED
