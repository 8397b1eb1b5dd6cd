"""What training changes, theory against the network: ``python -m``, or `make network`.

A trained network differs by a few per cent from the pure spiked model with the same
strengths and bulk scales. Here the difference itself is measured, on draws that the two
share, at several dimensions, set beside theory at the widths drawn, and carried to
infinite dimension. Theory is right when it lies within the standard error of what it
predicts, and says something when that is far from zero. Further tables do the same for
steps on a finite batch, less the population step. The exit status is 1 if they
contradict the theory.
"""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from detequiv.numerics.solving import solve, solve_at_width
from detequiv.theory.problem import Network, Problem, Ridge, Target, spiked_problem
from detequiv.validation.studies.tables import new_table, verdict
from detequiv.validation.studies.work import (
    Advance,
    Comparison,
    at_work,
    draw_from,
    mean_and_error,
    squares,
)
from detequiv.validation.trial import sampler, sizes
from detequiv.validation.witness import draw_together

__all__ = ["BATCHES", "CASES", "Difference", "compare_together", "main"]

LEVEL = 0.01
REPETITIONS = {150: 800, 300: 300, 600: 80}
BATCH_REPETITIONS = {300: 40, 600: 24}
SEED = 20241018


def _problem(target: str, ridge: tuple[Any, ...], **network: Any) -> Problem:
    alpha, beta, penalty = ridge
    return Problem(
        network=Network(**network),
        target=Target(function=target, noise="3/10"),
        ridge=Ridge(
            samples_per_dim=alpha,
            width_per_dim=beta,
            penalty=penalty,
        ),
    )


_SMALL = (2, "3/2", "1/20")
CASES: Mapping[str, Problem] = {
    "tanh, A = (1, -1), eta = 2, target He_1 + He_2": _problem(
        "z + He(2, z)", (6, 3, "1/10"), activation="tanh", readout=[1, -1], step=2
    ),
    "relu, A = (1, -1/2), eta = 3, target He_1 + He_2/2 + He_3/6": _problem(
        "z + He(2, z)/2 + He(3, z)/6",
        _SMALL,
        activation="relu",
        readout=[1, "-1/2"],
        step=3,
    ),
    "relu, A = (1, -1/2), eta = 2, target of mean 1/2": _problem(
        "1/2 + z + He(2, z)/2",
        _SMALL,
        activation="relu",
        readout=[1, "-1/2"],
        step=2,
    ),
    "relu, A = (1, -1/2), eta = 2, Gaussian rows": _problem(
        "z + He(2, z)/2",
        _SMALL,
        activation="relu",
        readout=[1, "-1/2"],
        step=2,
        rows="gaussian",
    ),
}
BATCHES: Mapping[str, Problem] = {
    "tanh, A = (1, -1), eta = 2": _problem(
        "z + He(2, z)/2", _SMALL, activation="tanh", readout=[1, -1], step=2
    ),
    "relu, A = (1, -1/2), eta = 2": _problem(
        "z + He(2, z)/2", _SMALL, activation="relu", readout=[1, "-1/2"], step=2
    ),
}
PER_DIM = (5, 20, 80)


@dataclass(frozen=True, kw_only=True)
class Difference(Comparison):
    """Excess error of one problem less that of another, theory beside simulation.

    Theory has the penalty of order 1/p, at the width of each d.

    Attributes
    ----------
    limit : float
        Theory at infinite dimension.
    """

    limit: float

    @property
    def measured(self) -> float:
        """The difference carried to infinite dimension."""
        return self.limit + self.trend.intercept


def compare_together(
    reference: Problem,
    others: Sequence[Problem],
    repetitions: Mapping[int, int],
    *,
    rng: int,
    executor: Executor | None = None,
    advance: Advance | None = None,
) -> list[Difference]:
    """Measure excess errors less that of `reference`, on draws shared by all.

    Parameters
    ----------
    reference, others : Problem
        With the same target and ridge regression.
    repetitions : mapping of int to int
        Number of draws at each dimension d, two dimensions at least.
    rng : int
        Seed. Draws at different d take theirs from ``(rng, d)``, independently.
    executor : concurrent.futures.Executor, optional
        Where the draws run.
    advance : callable, optional
        Called with the d of each draw that ends.

    Returns
    -------
    list of Difference
        One for each of the others.
    """
    problems = [reference, *others]
    limits = np.array([float(solve(problem).excess_error) for problem in problems])
    models = tuple(sampler(problem) for problem in problems)
    samples, predicted = [], []
    for d, count in repetitions.items():
        size, penalty = sizes(reference, d), float(reference.ridge.penalty)
        draw = partial(draw_together, models, size, penalty)
        errors = np.array(
            draw_from(draw, d, count, rng=rng, executor=executor, advance=advance)
        )
        samples.append(errors[:, 1:] - errors[:, :1])
        predicted.append([_at_width(problem, size.p) for problem in problems])
    expected = np.array(predicted)[:, 1:] - np.array(predicted)[:, :1]
    return [
        Difference.fit(
            "excess error",
            repetitions,
            expected[:, i],
            [mean_and_error(sample[:, i]) for sample in samples],
            limit=float(limit),
        )
        for i, limit in enumerate(limits[1:] - limits[0])
    ]


def _at_width(problem: Problem, width: int) -> float:
    return float(solve_at_width(problem, width).excess_error)


def main() -> int:
    """Measure every case, print the tables, and return the exit status."""
    console = Console()
    total = len(CASES) * squares(REPETITIONS) + len(BATCHES) * squares(
        BATCH_REPETITIONS
    )
    with at_work(total) as (executor, advance):
        measure = partial(
            compare_together, rng=SEED, executor=executor, advance=advance
        )
        scores = []
        for case, problem in CASES.items():
            (one,) = measure(spiked_problem(problem), [problem], REPETITIONS)
            console.print(_table(f"{case}: trained less pure spiked", one))
            scores.append(one.trend.z)
        for case, problem in BATCHES.items():
            batches = [
                problem.with_values({"network.batch_per_dim": size}) for size in PER_DIM
            ]
            found = measure(problem, batches, BATCH_REPETITIONS)
            for size, one in zip(PER_DIM, found, strict=True):
                title = f"{case}: step on n0 = {size} d samples less population step"
                console.print(_table(title, one))
                scores.append(one.trend.z)
    draws = min(*REPETITIONS.values(), *BATCH_REPETITIONS.values())
    return verdict(console, scores, level=LEVEL, draws=draws, seed=SEED)


def _table(title: str, one: Difference) -> Table:
    """Lay out one difference, a line a dimension and one for the trend."""
    headings = "d", "theory", "simulation", "s.e.", "z", "from 0"
    table = new_table(title, *headings, named=0)
    rows = [
        *zip(
            map(str, one.dimensions),
            one.theory,
            one.estimates,
            one.standard_errors,
            strict=True,
        ),
        (
            f"inf, p = {one.trend.goodness:.2f}",
            one.limit,
            one.measured,
            one.trend.standard_error,
        ),
    ]
    for d, theory, mean, error in rows:
        table.add_row(
            d,
            f"{theory:+.5f}",
            f"{mean:+.5f}",
            f"{error:.5f}",
            f"{(mean - theory) / error:+.2f}",
            f"{mean / error:+.1f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
