"""Eigenvalues of simulated matrices against their law: ``python -m``, `make spectra`.

The trace of the resolvent is drawn at several dimensions and points off the axis. Its
mean over draws less the law's, and n times its variance less what the samples' kappa
make of it, both fall with 1/d: fitted by a polynomial ``c0 + c1 / d + c2 / d^2``, both
must have c0 = 0. The exit status is 1 if some ``|c0|`` is too large for that, at
family-wise error probability LEVEL over all that is compared (Bonferroni).

The distances between the distribution functions of a matrix and of the law are printed.
Without a spike they fall like ``sqrt(log d) / d``, for eigenvalues repel one another; a
spike adds what varies with ``1/sqrt(d)``.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from detequiv.numerics.fluctuations import trace_covariance
from detequiv.numerics.spectrum import Spectrum
from detequiv.theory.problem import Network, Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.compare import sampler
from detequiv.validation.distribution import Distribution
from detequiv.validation.draws import Dimensions
from detequiv.validation.extrapolation import Trend, fit_trend, z_threshold
from detequiv.validation.model import FloatArray, Model
from detequiv.validation.spectra import draw_eigenvalues

__all__ = [
    "CASES",
    "LEVEL",
    "Comparison",
    "Comparisons",
    "Distribution",
    "compare_law",
    "main",
]

LEVEL = 0.01
REPETITIONS = {125: 400, 250: 160, 500: 60, 1000: 16}
SEED = 20241018
WIDTH = 100  # of the tables
# Real and imaginary parts of the points, over the end of the bulk: 20 points.
REAL = (-0.1, 0.1, 0.4, 0.8, 1.2)
IMAGINARY = (0.05, 0.1, 0.25, 0.5)
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
class Comparison:
    """One number for each dimension, with its finite-size fit.

    Attributes
    ----------
    quantity : str
        What it is.
    theory : float
        Its value at infinite dimension.
    means, standard_errors : tuple of float
        Estimate from the draws at each d, and its standard error.
    trend : Trend
        Fit of estimate less theory against 1/d.
    """

    quantity: str
    theory: float
    means: tuple[float, ...]
    standard_errors: tuple[float, ...]
    trend: Trend

    @property
    def z(self) -> float:
        """Difference at infinite d, over its error with what the fit neglects."""
        return self.trend.intercept / self.trend.error


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
    advance: Callable[[int], None] | None = None,
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
    ridge, law = problem.ridge, Spectrum(problem)
    distribution = Distribution(law)
    points = np.array([x + 1j * y for x in REAL for y in IMAGINARY])
    points *= distribution.high
    spread = map if executor is None else executor.map
    draw = partial(_draw, sampler(problem))
    traces, distances, samples = [], [], []
    for d, count in repetitions.items():
        size = Dimensions.proportional(
            d,
            samples_per_dim=float(ridge.samples_per_dim),
            width_per_dim=float(ridge.width_per_dim),
        )
        at_d, apart = [], []
        for values in spread(partial(draw, size), SeedSequence([rng, d]).spawn(count)):
            at_d.append(np.mean(1 / (values[:, None] - points), axis=0))
            apart.append(distribution.distances(values))
            if advance is not None:
                advance(d)
        traces.append(_parts(np.array(at_d)))
        means = np.mean(apart, axis=0)
        errors = np.std(apart, axis=0, ddof=1) / np.sqrt(count)
        distances.append(np.stack([means, errors], axis=1))
        samples.append(size.n)
    exact = _parts(law.stieltjes(points)[None])[0]
    variance = np.diagonal(trace_covariance(problem, points), axis1=1, axis2=2).ravel()
    names = [f"{part} s({z:.3f})" for z in points for part in ("Re", "Im")]
    means, spreads = [], []
    for k, name in enumerate(names):
        drawn = [each[:, k] for each in traces]
        error = [float(np.std(s, ddof=1) / np.sqrt(len(s))) for s in drawn]
        found = [float(np.mean(s)) for s in drawn]
        means.append(_compare(name, repetitions, float(exact[k]), found, error))
        found = [
            n * float(np.var(s, ddof=1)) for n, s in zip(samples, drawn, strict=True)
        ]
        # the traces are Gaussian but for terms that vanish with d
        error = [
            v * np.sqrt(2 / (len(s) - 1)) for v, s in zip(found, drawn, strict=True)
        ]
        spreads.append(_compare(name, repetitions, float(variance[k]), found, error))
    return Comparisons(means=means, spreads=spreads, distances=np.array(distances))


def _draw(model: Model, size: Dimensions, seed: SeedSequence) -> FloatArray:
    return draw_eigenvalues(model, size, np.random.default_rng(seed))


def _parts(values: NDArray[np.complex128]) -> FloatArray:
    """Real and imaginary parts side by side, (B, points) to (B, 2 points)."""
    return np.stack([values.real, values.imag], axis=2).reshape(len(values), -1)


def _compare(
    name: str,
    dimensions: Iterable[int],
    theory: float,
    means: list[float],
    errors: list[float],
) -> Comparison:
    differences = [mean - theory for mean in means]
    return Comparison(
        quantity=name,
        theory=theory,
        means=tuple(means),
        standard_errors=tuple(errors),
        trend=fit_trend(list(dimensions), differences, errors, DEGREE),
    )


def main() -> int:
    """Compare every case, print the tables, and return the exit status."""
    console, bars = Console(width=WIDTH), Console(stderr=True)
    work = len(CASES) * sum(count * d**2 for d, count in REPETITIONS.items())
    # Fresh interpreters: forking one that already runs BLAS threads may deadlock.
    with (
        ProcessPoolExecutor(mp_context=get_context("spawn")) as executor,
        Progress(console=bars, disable=not bars.is_terminal) as progress,
    ):
        task = progress.add_task("simulating", total=work)
        found = {
            case: compare_law(
                problem,
                REPETITIONS,
                rng=SEED,
                executor=executor,
                advance=lambda d: progress.advance(task, d**2),
            )
            for case, problem in CASES.items()
        }
    scores = []
    for case, each in found.items():
        console.print(_resolvent_table(case, each))
        console.print(_distance_table(each.distances))
        scores += [abs(one.z) for one in (*each.means, *each.spreads)]
    threshold = z_threshold(LEVEL / len(scores), min(REPETITIONS.values()) - 1)
    agree = max(scores) <= threshold
    console.print(
        f"{'Agreement' if agree else 'DISAGREEMENT'}: largest |z| of an intercept "
        f"{max(scores):.2f}, threshold {threshold:.2f} (family-wise error probability "
        f"{LEVEL:g} over {len(scores)} intercepts), seed {SEED}"
    )
    return 0 if agree else 1


def _new_table(title: str, headings: Sequence[str]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _resolvent_table(case: str, found: Comparisons) -> Table:
    """Lay out means and spreads at the largest dimension."""
    d = max(REPETITIONS)
    headings = ("trace", "theory", f"d = {d}", "s.e.", "z of c0")
    more = ("n variance", f"d = {d}", "s.e.", "z of c0")
    table = _new_table(case, headings + more)
    for mean, spread in zip(found.means, found.spreads, strict=True):
        table.add_row(
            mean.quantity,
            f"{mean.theory:+.5f}",
            f"{mean.means[-1]:+.5f}",
            f"{mean.standard_errors[-1]:.5f}",
            f"{mean.z:+.2f}",
            f"{spread.theory:.3g}",
            f"{spread.means[-1]:.3g}",
            f"{spread.standard_errors[-1]:.1g}",
            f"{spread.z:+.2f}",
        )
    return table


def _distance_table(distances: FloatArray) -> Table:
    """Lay out the distances from the law, and d times them."""
    kinds = ("mean distance", "largest distance")
    headings = [part for kind in kinds for part in (kind, "s.e.", "times d")]
    table = _new_table("", ["d", *headings])
    for d, pair in zip(REPETITIONS, distances, strict=True):
        cells = [(f"{m:.6f}", f"{e:.6f}", f"{d * m:.3f}") for m, e in pair]
        table.add_row(str(d), *cells[0], *cells[1])
    return table


if __name__ == "__main__":
    sys.exit(main())
