"""Many problems at once, each with its own verdict.

Points that share features and target are solved together in float64. A point that
float64 cannot vouch for is solved alone, in balls; one that cannot be solved at all
keeps its error, and the others keep their values.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from threading import Lock

import mpmath
import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import to_float
from detequiv.numerics.averages import LawFields
from detequiv.numerics.solving.batch import solve_floats
from detequiv.numerics.solving.convex import loss_values
from detequiv.numerics.solving.solution import QUANTITIES, reported
from detequiv.numerics.solving.solve import solve
from detequiv.theory.errors import ConvergenceError, DetequivError
from detequiv.theory.problem import (
    Problem,
    exact_parameters,
    law_of,
    ridge_parameters,
)

__all__ = ["Point", "sweep"]

TOGETHER = 1024  # points solved in one batch
ENOUGH = 10  # digits, below which a float64 result is not good enough
# The working precision of balls is global: threads of one process take turns.
ONE_AT_A_TIME = Lock()


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
    width: int | None = None,
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
    width : int, optional
        The number of units, as for `solve`; each point is solved by itself then.
    executor : concurrent.futures.Executor, optional
        Where the work runs; in this thread by default.
    progress : callable, optional
        Called as ``progress(done, total)``, in points.

    Returns
    -------
    list of Point
        In the order of the problems.
    """
    if digits is None and width is None:
        batches, work = _batches(problems), _solve_together
    else:
        batches = [[i] for i in range(len(problems))]
        work = partial(_solve_each, digits=digits or ENOUGH, width=width)
    jobs = [[problems[i] for i in batch] for batch in batches]
    results: Iterable[list[Point]] = (
        map(work, jobs) if executor is None else executor.map(work, jobs)
    )
    points: dict[int, Point] = {}
    for batch, found in zip(batches, results, strict=True):
        points.update(zip(batch, found, strict=True))
        if progress is not None:
            progress(len(points), len(problems))
    return [points[i] for i in range(len(problems))]


def _batches(problems: Sequence[Problem]) -> list[list[int]]:
    """Gather the positions of problems that differ in their ridge regression alone."""
    alike: dict[object, list[int]] = {}
    last: object = None
    for i, problem in enumerate(problems):
        # the ridgeless limit is not one of the float64 solver's
        ridgeless = to_float(problem.ridge.penalty) == 0
        key = (
            problem.features,
            problem.network,
            problem.target,
            (ridgeless, problem.ridge.loss, problem.ridge.delta),
        )
        if key != last:  # to compare with the neighbour costs less than to hash
            last, positions = key, alike.setdefault(key, [])
        positions.append(i)
    return [
        positions[start : start + TOGETHER]
        for positions in alike.values()
        for start in range(0, len(positions), TOGETHER)
    ]


def _solve_each(
    problems: Sequence[Problem], *, digits: int, width: int | None
) -> list[Point]:
    """Solve one by one, to the digits asked for."""
    with ONE_AT_A_TIME:
        return _solve_in_balls(problems, digits, width)


def _solve_in_balls(
    problems: Sequence[Problem], digits: int, width: int | None = None
) -> list[Point]:
    points = []
    for problem in problems:
        try:
            solution = solve(problem, digits=digits, width=width)
        except DetequivError as error:
            points.append(Point(problem=problem, values={}, digits=0, failure=error))
        else:
            values = {name: getattr(solution, name) for name in reported(problem)}
            points.append(Point(problem=problem, values=values, digits=solution.digits))
    return points


def _solve_together(problems: Sequence[Problem]) -> list[Point]:
    """Solve problems that share features and target, in float64 where it serves."""
    with ONE_AT_A_TIME:
        if problems[0].ridge.loss != "square":
            return _solve_losses(problems)
        return _solve_in_floats(problems)


def _solve_losses(problems: Sequence[Problem]) -> list[Point]:
    """Solve in turn, each from the one before."""
    points, near = [], None
    for problem in problems:
        try:
            near, values, digits = loss_values(problem, near)
        except DetequivError as error:
            points.append(Point(problem=problem, values={}, digits=0, failure=error))
        else:
            points.append(Point(problem=problem, values=values, digits=digits))
    return points


def _solve_in_floats(problems: Sequence[Problem]) -> list[Point]:
    try:
        law = law_of(problems[0])
        if to_float(problems[0].ridge.penalty) == 0 or law.binary:
            return _solve_in_balls(problems, ENOUGH)
        shared = list(map(to_float, exact_parameters(problems[0], law)))
        own = [list(map(to_float, ridge_parameters(p.ridge))) for p in problems]
        parameters = np.tile(shared, (len(problems), 1))
        parameters[:, : len(own[0])] = own
        found = solve_floats(law.model, LawFields(law), parameters)
    except ConvergenceError:
        # one lost point loses its batch: halve until it is alone
        if len(problems) == 1:
            return _solve_in_balls(problems, ENOUGH)
        middle = len(problems) // 2
        halves = problems[:middle], problems[middle:]
        return [point for half in halves for point in _solve_in_floats(half)]
    except DetequivError as failure:
        return [
            Point(problem=problem, values={}, digits=0, failure=failure)
            for problem in problems
        ]
    reached = np.floor(-np.log10(found.errors))
    reached = np.where(np.isfinite(reached), reached, 0).astype(int).tolist()
    points = []
    for problem, row, digits in zip(problems, found.quantities, reached, strict=True):
        if digits < ENOUGH:
            points += _solve_in_balls([problem], ENOUGH)
        else:
            points.append(Point(problem=problem, values=_Floats(row), digits=digits))
    return points
