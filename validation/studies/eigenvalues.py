"""Eigenvalues of simulated matrices against their law: ``python -m``, `make spectra`.

The trace of the resolvent is drawn at several dimensions and points off the axis.
Theory is taken at the sizes and the width of the draws: an outlier on its way out of
the bulk moves the trace by 1/p, but by no power series in 1/d. What is left of the
mean, and n times the variance less what the samples' kappa make of it, both fall with
1/d: fitted by a polynomial ``c0 + c1 / d + c2 / d^2``, both must have c0 = 0. The exit
status is 1 if some ``|c0|`` is too large for that, at family-wise error probability
LEVEL over all that is compared (Bonferroni).

The points keep clear of where a single eigenvalue counts by its own fluctuation: at a
distance y from an outlier of standard deviation s, by ``(s/y)^2`` of its share.

The distances between the distribution functions of a matrix and of the law are printed.
Without a spike they fall like ``sqrt(log d) / d``, for eigenvalues repel one another; a
spike adds what varies with ``1/sqrt(d)``.
"""

import sys
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from detequiv.numerics.spectrum import Spectrum, trace_covariance
from detequiv.theory.problem import (
    Network,
    Problem,
    Ridge,
    SpikedFeatures,
    Target,
)
from detequiv.validation.studies.distribution import Distribution
from detequiv.validation.studies.tables import new_table, verdict
from detequiv.validation.studies.work import (
    Advance,
    Comparison,
    at_work,
    draw_from,
    mean_and_error,
    squares,
)
from detequiv.validation.trial import at_sizes, sampler, sizes, width_corrections
from detequiv.validation.witness import Dimensions, FloatArray, Model, draw_eigenvalues

__all__ = [
    "CASES",
    "LEVEL",
    "Comparisons",
    "compare_law",
    "main",
]

LEVEL = 0.01
REPETITIONS = {125: 400, 250: 160, 500: 60, 1000: 16}
SEED = 20241018
WIDTH = 100  # of the tables
# Real and imaginary parts of the points, over the end of the bulk: 20 points.
REAL = (-0.1, 0.1, 0.4, 0.8, 1.2)
IMAGINARY = (0.1, 0.2, 0.4, 0.8)
DEGREE = 2  # of the fits in 1/d

_RIDGE = Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=1)  # no penalty counts
CASES: Mapping[str, Problem] = {
    "tanh, no spike": Problem(
        features=SpikedFeatures(activation="tanh", spike=0),
        target=Target(function="z"),
        ridge=_RIDGE,
    ),
    "tanh, u = (3/2, -4/5)": Problem(
        features=SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
        target=Target(function="z"),
        ridge=_RIDGE,
    ),
    "relu trained, A = (1, -1/2, 1/2), eta = 2, target He_1 + He_2/2": Problem(
        network=Network(activation="relu", readout=[1, "-1/2", "1/2"], step=2),
        target=Target(function="z + He(2, z)/2"),
        ridge=_RIDGE,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """What the draws of one problem say.

    Attributes
    ----------
    means, spreads : list of Comparison
        Of real and imaginary part of the resolvent's trace at each point: the mean, and
        n times the variance.
    distances : ndarray, shape (dimensions, 2, 2)
        Mean and largest distance from the law at each dimension, each averaged over
        draws and with its standard error.
    """

    means: list[Comparison]
    spreads: list[Comparison]
    distances: FloatArray


def compare_law(
    problem: Problem,
    repetitions: Mapping[int, int],
    *,
    rng: int,
    executor: Executor | None = None,
    advance: Advance | None = None,
) -> Comparisons:
    """Simulate the eigenvalues of a problem at several dimensions.

    Parameters
    ----------
    problem : Problem
        What to compare; its support must be one interval with regular ends.
    repetitions : mapping of int to int
        Number of draws at each dimension d, two dimensions at least.
    rng : int
        Seed. Draws at different d take theirs from ``(rng, d)``, independently.
    executor : concurrent.futures.Executor, optional
        Where the draws run; in this thread by default.
    advance : callable, optional
        Called with the d of each draw that ends.
    """
    distribution, model = Distribution(Spectrum(problem)), sampler(problem)
    points = np.array([x + 1j * y for x in REAL for y in IMAGINARY])
    points *= distribution.high
    traces, apart, theory, samples = [], [], [], []
    for d, count in repetitions.items():
        size = sizes(problem, d)
        found = draw_from(
            partial(_measure, model, size, points, distribution),
            d,
            count,
            rng=rng,
            executor=executor,
            advance=advance,
        )
        at_d, distances = (np.array(values) for values in zip(*found, strict=True))
        traces.append(_parts(at_d))
        apart.append([mean_and_error(kind) for kind in distances.T])
        theory.append(_parts(_at_sizes(problem, d, size.p, points)[None])[0])
        samples.append(size.n)
    variance = np.diagonal(trace_covariance(problem, points), axis1=1, axis2=2).ravel()
    means, spreads = [], []
    for k, name in enumerate(
        f"{part} s({z:.3f})" for z in points for part in ("Re", "Im")
    ):
        drawn = [each[:, k] for each in traces]
        means.append(
            Comparison.fit(
                name,
                repetitions,
                [each[k] for each in theory],
                map(mean_and_error, drawn),
                degree=DEGREE,
            )
        )
        spreads.append(
            Comparison.fit(
                name,
                repetitions,
                [variance[k]] * len(drawn),
                map(_variance_and_error, drawn, samples),
                degree=DEGREE,
            )
        )
    return Comparisons(means=means, spreads=spreads, distances=np.array(apart))


def _at_sizes(
    problem: Problem, d: int, width: int, points: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Trace of the resolvent by theory, at the sizes of a draw and its width."""
    sized = at_sizes(problem, d)
    moved, _ = width_corrections(sized, width, points)
    return Spectrum(sized).stieltjes(points) + moved


def _measure(
    model: Model,
    size: Dimensions,
    points: NDArray[np.complex128],
    distribution: Distribution,
    seed: SeedSequence,
) -> tuple[NDArray[np.complex128], tuple[float, float]]:
    """Draw eigenvalues: the resolvent's trace at the points, and the distances."""
    values = draw_eigenvalues(model, size, np.random.default_rng(seed))
    trace = np.mean(1 / (values[:, None] - points), axis=0)
    return trace, distribution.distances(values)


def _parts(values: NDArray[np.complex128]) -> FloatArray:
    """Real and imaginary parts side by side, (B, points) to (B, 2 points)."""
    return np.stack([values.real, values.imag], axis=2).reshape(len(values), -1)


def _variance_and_error(sample: FloatArray, n: int) -> tuple[float, float]:
    """Estimate n times a variance, and its error for what is nearly Gaussian."""
    variance = n * float(np.var(sample, ddof=1))
    return variance, variance * float(np.sqrt(2 / (len(sample) - 1)))


def main() -> int:
    """Compare every case, print the tables, and return the exit status."""
    console, scores = Console(width=WIDTH), []
    with at_work(len(CASES) * squares(REPETITIONS)) as (executor, advance):
        for case, problem in CASES.items():
            found = compare_law(
                problem, REPETITIONS, rng=SEED, executor=executor, advance=advance
            )
            console.print(_resolvent_table(case, found))
            console.print(_distance_table(found.distances))
            scores += [one.z for one in (*found.means, *found.spreads)]
    draws = min(REPETITIONS.values())
    return verdict(console, scores, level=LEVEL, draws=draws, seed=SEED)


def _resolvent_table(case: str, found: Comparisons) -> Table:
    """Lay out means and spreads at the largest dimension."""
    d = max(REPETITIONS)
    headings = ("trace", "theory", f"d = {d}", "s.e.", "z of c0")
    more = ("n variance", f"d = {d}", "s.e.", "z of c0")
    table = new_table(case, *headings, *more)
    for mean, spread in zip(found.means, found.spreads, strict=True):
        table.add_row(
            mean.quantity,
            f"{mean.theory[-1]:+.5f}",
            f"{mean.estimates[-1]:+.5f}",
            f"{mean.standard_errors[-1]:.5f}",
            f"{mean.z:+.2f}",
            f"{spread.theory[-1]:.3g}",
            f"{spread.estimates[-1]:.3g}",
            f"{spread.standard_errors[-1]:.1g}",
            f"{spread.z:+.2f}",
        )
    return table


def _distance_table(distances: FloatArray) -> Table:
    """Lay out the distances from the law, and d times them."""
    kinds = ("mean distance", "largest distance")
    headings = [part for kind in kinds for part in (kind, "s.e.", "times d")]
    table = new_table("", "d", *headings)
    for d, pair in zip(REPETITIONS, distances, strict=True):
        cells = [(f"{m:.6f}", f"{e:.6f}", f"{d * m:.3f}") for m, e in pair]
        table.add_row(str(d), *cells[0], *cells[1])
    return table


if __name__ == "__main__":
    sys.exit(main())
