"""What training changes, theory against the network: ``python -m``, or `make network`.

A trained network differs by a few per cent from the pure spiked model with the same
strengths and bulk scales. Here the difference itself is measured, on draws that the two
share, at several dimensions, set beside theory at the widths drawn, and carried to
infinite dimension. Theory is right when it lies within the standard error of what it
predicts, and says something when that is far from zero. Further tables do the same for
steps on a finite batch, less the population step. The exit status is 1 if the first
ones contradict the theory.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from detequiv.numerics.solve import solve, solve_at_width
from detequiv.theory.features import spiked_problem
from detequiv.theory.problem import Network, Problem, Ridge, Target
from detequiv.validation.compare import sampler
from detequiv.validation.draws import Dimensions
from detequiv.validation.extrapolation import Trend, fit_trend, z_threshold
from detequiv.validation.together import excess_errors

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
class Difference:
    """Excess error of one problem less that of another, theory beside simulation.

    Attributes
    ----------
    theory : float
        Value at infinite dimension.
    dimensions : tuple of int
        The d of the simulations.
    at_widths : tuple of float
        Theory with the penalty of order 1/p, at the width of each d.
    means, standard_errors : tuple of float
        Mean over the draws at each d, and its standard error.
    trend : Trend
        Fit of simulation less theory at its width against 1/d.
    """

    theory: float
    dimensions: tuple[int, ...]
    at_widths: tuple[float, ...]
    means: tuple[float, ...]
    standard_errors: tuple[float, ...]
    trend: Trend

    @property
    def measured(self) -> float:
        """The difference carried to infinite dimension."""
        return self.theory + self.trend.intercept


def compare_together(
    reference: Problem,
    others: Sequence[Problem],
    repetitions: Mapping[int, int],
    *,
    rng: int,
    executor: Executor | None = None,
    advance: Callable[[int], None] | None = None,
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
    problems, ridge = [reference, *others], reference.ridge
    limits = np.array([float(solve(problem).excess_error) for problem in problems])
    models = [sampler(problem) for problem in problems]
    samples, predicted = [], []
    for d, count in repetitions.items():
        sizes = Dimensions.proportional(
            d,
            samples_per_dim=float(ridge.samples_per_dim),
            width_per_dim=float(ridge.width_per_dim),
        )
        errors = excess_errors(
            models,
            sizes,
            float(ridge.penalty),
            repetitions=count,
            seed=SeedSequence([rng, d]),
            executor=executor,
            progress=None if advance is None else lambda d=d: advance(d),  # type: ignore[misc]
        )
        samples.append(errors[:, 1:] - errors[:, :1])
        predicted.append([_at_width(problem, sizes.p) for problem in problems])
    expected = np.array(predicted)[:, 1:] - np.array(predicted)[:, :1]
    found = []
    for i, limit in enumerate(limits[1:] - limits[0]):
        means = [float(np.mean(s[:, i])) for s in samples]
        spread = [float(np.std(s[:, i], ddof=1) / np.sqrt(len(s))) for s in samples]
        found.append(
            Difference(
                theory=float(limit),
                dimensions=tuple(repetitions),
                at_widths=tuple(map(float, expected[:, i])),
                means=tuple(means),
                standard_errors=tuple(spread),
                trend=fit_trend(
                    list(repetitions), list(np.array(means) - expected[:, i]), spread
                ),
            )
        )
    return found


def _at_width(problem: Problem, width: int) -> float:
    return float(solve_at_width(problem, width).excess_error)


def main() -> int:
    """Measure every case, print the tables, and return the exit status."""
    console, bars = Console(), Console(stderr=True)
    threshold = z_threshold(LEVEL / len(CASES), min(REPETITIONS.values()) - 1)
    steps = len(CASES) * sum(n * d**2 for d, n in REPETITIONS.items())
    steps += len(BATCHES) * sum(n * d**2 for d, n in BATCH_REPETITIONS.items())
    # Fresh interpreters: forking one that already runs BLAS threads may deadlock.
    with (
        ProcessPoolExecutor(mp_context=get_context("spawn")) as executor,
        Progress(console=bars, disable=not bars.is_terminal) as progress,
    ):
        task = progress.add_task("simulating", total=steps)

        def measure(
            reference: Problem,
            others: Sequence[Problem],
            counts: Mapping[int, int],
        ) -> list[Difference]:
            return compare_together(
                reference,
                others,
                counts,
                rng=SEED,
                executor=executor,
                advance=lambda d: progress.advance(task, d**2),
            )

        scores = []
        for case, problem in CASES.items():
            (one,) = measure(spiked_problem(problem), [problem], REPETITIONS)
            console.print(_table(f"{case}: trained less pure spiked", one))
            scores.append(abs(one.trend.z))
        for case, problem in BATCHES.items():
            batches = [
                problem.with_values({"network.batch_per_dim": size}) for size in PER_DIM
            ]
            found = measure(problem, batches, BATCH_REPETITIONS)
            for size, one in zip(PER_DIM, found, strict=True):
                title = f"{case}: step on n0 = {size} d samples less population step"
                console.print(_table(title, one))
    agree = max(scores) <= threshold
    console.print(
        f"Trained less pure spiked: {'agreement' if agree else 'DISAGREEMENT'}, "
        f"largest |z| of an intercept {max(scores):.2f}, threshold {threshold:.2f} "
        f"(family-wise error probability {LEVEL:g}), seed {SEED}. "
        "The theory of steps on samples is an expansion in d/n0, and not judged."
    )
    return 0 if agree else 1


def _table(title: str, one: Difference) -> Table:
    """Lay out one difference, a line a dimension and one for the trend."""
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading in ("d", "theory", "simulation", "s.e.", "z", "from 0"):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = [
        *zip(
            map(str, one.dimensions),
            one.at_widths,
            one.means,
            one.standard_errors,
            strict=True,
        ),
        (
            f"inf, p = {one.trend.goodness:.2f}",
            one.theory,
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
