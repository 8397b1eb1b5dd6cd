"""Outliers of simulated matrices against their theory: ``python -m``, `make spectra`.

The largest eigenvalues of ``Phi^T Phi / n`` and the squared overlaps of their
eigenvectors with the units' groups and latents are averaged over draws at several
dimensions. Theory, the roots of det H and their residues, is taken at the very width
of the draws, so that what is left of the difference falls with 1/d: it is fitted by
``c0 + c1 / d``, relative to theory for an eigenvalue. Theory is right when c0 = 0. The
exit status is 1 if some ``|c0|`` is too large for that, at family-wise error
probability LEVEL over all that is compared (Bonferroni). The standard error of c0
allows for the power 1/d^2 that the fit neglects.
"""

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.random import SeedSequence
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from detequiv.numerics.landmarks import Outlier
from detequiv.numerics.spectrum import Spectrum
from detequiv.theory.problem import Network, Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.compare import sampler
from detequiv.validation.draws import Dimensions
from detequiv.validation.extrapolation import Trend, fit_trend, z_threshold
from detequiv.validation.model import FloatArray, Model
from detequiv.validation.spectra import Leading, draw_leading

__all__ = ["CASES", "LEVEL", "Comparison", "compare_outliers", "main"]

LEVEL = 0.01
REPETITIONS = {200: 200, 400: 100, 800: 40}
SEED = 20241018
WIDTH = 100  # of the tables

_RIDGE = Ridge(samples_per_dim=4, width_per_dim="3/2", penalty=1)  # no penalty counts
_SPIKED = Target(function="z")  # no target counts
CASES: Mapping[str, Problem] = {
    "tanh, u = (3, -1)": Problem(
        features=SpikedFeatures(activation="tanh", spike=[3, -1]),
        target=_SPIKED,
        ridge=_RIDGE,
    ),
    "relu, u = (2, 1/2, -1)": Problem(
        features=SpikedFeatures(activation="relu", spike=[2, "1/2", -1]),
        target=_SPIKED,
        ridge=_RIDGE,
    ),
    "tanh(z + 1) trained, A = (1, -1), eta = 4, target He_1/8 + 2 He_2": Problem(
        network=Network(activation="tanh(z + 1)", readout=[1, -1], step=4),
        target=Target(function="z/8 + 2*He(2, z)"),
        ridge=_RIDGE,
    ),
    "relu trained, A = (1, -1/2, 1/2), eta = 4, target He_1/8 + 2 He_2": Problem(
        network=Network(activation="relu", readout=[1, "-1/2", "1/2"], step=4),
        target=Target(function="z/8 + 2*He(2, z)"),
        ridge=_RIDGE,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One quantity of one outlier, theory beside simulation.

    Attributes
    ----------
    quantity : str
        What it is.
    dimensions : tuple of int
        The d of the simulations.
    theory, means, standard_errors : tuple of float
        At each d: theory at that width, mean over the draws, and its standard error.
    trend : Trend
        Fit of the differences against 1/d: relative ones of an eigenvalue, those of a
        squared overlap as they are.
    """

    quantity: str
    dimensions: tuple[int, ...]
    theory: tuple[float, ...]
    means: tuple[float, ...]
    standard_errors: tuple[float, ...]
    trend: Trend

    @property
    def z(self) -> float:
        """Difference at infinite d, over its error with what the fit neglects."""
        return self.trend.intercept / self.trend.error


def compare_outliers(
    problem: Problem,
    repetitions: Mapping[int, int],
    *,
    rng: int,
    executor: Executor | None = None,
    advance: Callable[[int], None] | None = None,
) -> list[Comparison]:
    """Simulate the outliers of a problem above its bulk at several dimensions.

    Parameters
    ----------
    problem : Problem
        What to compare.
    repetitions : mapping of int to int
        Number of draws at each dimension d, two dimensions at least.
    rng : int
        Seed. Draws at different d take theirs from ``(rng, d)``, independently.
    executor : concurrent.futures.Executor, optional
        Where the draws run; in this thread by default.
    advance : callable, optional
        Called with the d of each draw that ends.

    Returns
    -------
    list of Comparison
        For each outlier, the largest first, its eigenvalue and, group after group, its
        squared overlaps. Where some widths have more outliers than others, the largest
        that all have.
    """
    ridge, model = problem.ridge, sampler(problem)
    sizes = [
        Dimensions.proportional(
            d,
            samples_per_dim=float(ridge.samples_per_dim),
            width_per_dim=float(ridge.width_per_dim),
        )
        for d in repetitions
    ]
    theory = [_above(Spectrum(problem, width=size.p)) for size in sizes]
    count = min(map(len, theory))
    spread = map if executor is None else executor.map
    samples = []
    for size, number in zip(sizes, repetitions.values(), strict=True):
        seeds = SeedSequence([rng, size.d]).spawn(number)
        draws = []
        for one in spread(partial(_draw, model, size, count), seeds):
            draws.append(one)
            if advance is not None:
                advance(size.d)
        samples.append(draws)
    found = []
    for k in range(1, count + 1):
        numbers = [_numbers(outliers[-k]) for outliers in theory]
        measured = [np.array([_measured(one, k) for one in draws]) for draws in samples]
        for i, name in enumerate(_names(k, theory[-1][-k].order, model)):
            found.append(
                _compare(
                    name,
                    tuple(repetitions),
                    [values[i] for values in numbers],
                    [sample[:, i] for sample in measured],
                    relative=i == 0,
                )
            )
    return found


def _above(law: Spectrum) -> list[Outlier]:
    """Outliers above the bulk, ascending."""
    end = law.support[-1].upper.value
    return [one for one in law.outliers if one.value > end]


def _draw(model: Model, size: Dimensions, count: int, seed: SeedSequence) -> Leading:
    return draw_leading(model, size, count, np.random.default_rng(seed))


def _names(place: int, order: str, model: Model) -> list[str]:
    groups = range(1, len(model.weights) + 1)
    return [
        f"eigenvalue {place}, of order {order}",
        *(f"  overlap with group {q}" for q in groups),
        *(f"  overlap with latent {q}" for q in groups),
    ]


def _numbers(outlier: Outlier) -> list[float]:
    """Value and overlaps by theory; of several latents a unit, that of omega."""
    groups = len(outlier.mean_overlaps)
    return [
        outlier.value,
        *outlier.mean_overlaps,
        *outlier.latent_overlaps[:groups],
    ]


def _measured(one: Leading, place: int) -> FloatArray:
    """Value and overlaps of the so many-th largest eigenvalue of a draw."""
    return np.concatenate(
        [one.values[[-place]], one.mean_overlaps[-place], one.latent_overlaps[-place]]
    )


def _compare(
    name: str,
    dimensions: tuple[int, ...],
    theory: list[float],
    samples: list[FloatArray],
    *,
    relative: bool,
) -> Comparison:
    means = [float(np.mean(sample)) for sample in samples]
    errors = [float(np.std(s, ddof=1) / np.sqrt(len(s))) for s in samples]
    units = theory if relative else [1.0] * len(theory)
    trend = fit_trend(
        dimensions,
        [(m - t) / u for m, t, u in zip(means, theory, units, strict=True)],
        [error / unit for error, unit in zip(errors, units, strict=True)],
    )
    return Comparison(
        quantity=name,
        dimensions=dimensions,
        theory=tuple(theory),
        means=tuple(means),
        standard_errors=tuple(errors),
        trend=trend,
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
            case: compare_outliers(
                problem,
                REPETITIONS,
                rng=SEED,
                executor=executor,
                advance=lambda d: progress.advance(task, d**2),
            )
            for case, problem in CASES.items()
        }
    for case, comparisons in found.items():
        console.print(_table(case, comparisons))
    scores = [abs(one.z) for each in found.values() for one in each]
    threshold = z_threshold(LEVEL / len(scores), min(REPETITIONS.values()) - 1)
    agree = max(scores) <= threshold
    console.print(
        f"{'Agreement' if agree else 'DISAGREEMENT'}: largest |z| of an intercept "
        f"{max(scores):.2f}, threshold {threshold:.2f} (family-wise error probability "
        f"{LEVEL:g} over {len(scores)} intercepts), seed {SEED}"
    )
    return 0 if agree else 1


def _table(case: str, comparisons: list[Comparison]) -> Table:
    """Lay out one case: the largest dimension, and the difference at infinite d."""
    largest = comparisons[0].dimensions[-1]
    table = Table(
        title=case,
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("quantity", no_wrap=True)
    for heading in (f"theory, d = {largest}", "simulation", "s.e.", "c0", "s.e.", "z"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in comparisons:
        table.add_row(
            one.quantity,
            f"{one.theory[-1]:.5g}",
            f"{one.means[-1]:.5g}",
            f"{one.standard_errors[-1]:.2g}",
            f"{one.trend.intercept:+.5f}",
            f"{one.trend.error:.5f}",
            f"{one.z:+.2f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
