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
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial

import numpy as np
from numpy.random import SeedSequence
from rich.console import Console
from rich.table import Table

from detequiv.numerics.spectrum import Outlier, Spectrum
from detequiv.theory.problem import (
    Network,
    Problem,
    Ridge,
    SpikedFeatures,
    Target,
)
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
from detequiv.validation.witness import (
    Dimensions,
    FloatArray,
    Leading,
    Model,
    draw_leading,
)

__all__ = ["CASES", "LEVEL", "compare_outliers", "main"]

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


def compare_outliers(
    problem: Problem,
    repetitions: Mapping[int, int],
    *,
    rng: int,
    executor: Executor | None = None,
    advance: Advance | None = None,
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
    model = sampler(problem)
    sized = {d: sizes(problem, d) for d in repetitions}
    theory = [_above(Spectrum(problem, width=size.p)) for size in sized.values()]
    count = min(map(len, theory))
    samples = [
        draw_from(
            partial(_draw, model, size, count),
            d,
            repetitions[d],
            rng=rng,
            executor=executor,
            advance=advance,
        )
        for d, size in sized.items()
    ]
    found = []
    for k in range(1, count + 1):
        numbers = np.array([_numbers(outliers[-k]) for outliers in theory])
        measured = [np.array([_measured(one, k) for one in draws]) for draws in samples]
        found += [
            Comparison.fit(
                name,
                repetitions,
                numbers[:, i],
                [mean_and_error(sample[:, i]) for sample in measured],
                relative=i == 0,
            )
            for i, name in enumerate(_names(k, theory[-1][-k].order, model))
        ]
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


def main() -> int:
    """Compare every case, print the tables, and return the exit status."""
    console = Console(width=WIDTH)
    with at_work(len(CASES) * squares(REPETITIONS)) as (executor, advance):
        found = {
            case: compare_outliers(
                problem, REPETITIONS, rng=SEED, executor=executor, advance=advance
            )
            for case, problem in CASES.items()
        }
    for case, comparisons in found.items():
        console.print(_table(case, comparisons))
    scores = [one.z for each in found.values() for one in each]
    draws = min(REPETITIONS.values())
    return verdict(console, scores, level=LEVEL, draws=draws, seed=SEED)


def _table(case: str, comparisons: list[Comparison]) -> Table:
    """Lay out one case: the largest dimension, and the difference at infinite d."""
    largest = f"theory, d = {comparisons[0].dimensions[-1]}"
    headings = "quantity", largest, "simulation", "s.e.", "c0", "s.e.", "z"
    table = new_table(case, *headings)
    for one in comparisons:
        table.add_row(
            one.quantity,
            f"{one.theory[-1]:.5g}",
            f"{one.estimates[-1]:.5g}",
            f"{one.standard_errors[-1]:.2g}",
            f"{one.trend.intercept:+.5f}",
            f"{one.trend.error:.5f}",
            f"{one.z:+.2f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
