"""Finite-size scaling: theory beside draws at several dimensions, and what is left.

Every comparison of this kind has the same shape. A mapping gives the number of draws
at each dimension, each dimension has a seed of its own, theory is taken at the sizes
drawn, and what is left of the difference is carried to infinite dimension.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.random import SeedSequence
from rich.console import Console
from rich.progress import Progress

from detequiv.validation.statistics import Trend, fit_trend
from detequiv.validation.witness import FloatArray

__all__ = ["Advance", "Comparison", "at_work", "draw_from", "mean_and_error", "squares"]

Drawn = TypeVar("Drawn")


class Advance(Protocol):
    """Called with the dimension of the draws that ended, and their number."""

    def __call__(self, d: int, draws: int = 1, /) -> object: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One quantity, theory beside simulation at several dimensions.

    Attributes
    ----------
    quantity : str
        What it is.
    dimensions : tuple of int
        The d of the simulations.
    theory, estimates, standard_errors : tuple of float
        At each d: theory at the sizes drawn, estimate from the draws, and its standard
        error.
    trend : Trend
        Fit of estimate less theory against 1/d.
    """

    quantity: str
    dimensions: tuple[int, ...]
    theory: tuple[float, ...]
    estimates: tuple[float, ...]
    standard_errors: tuple[float, ...]
    trend: Trend

    @classmethod
    def fit(
        cls,
        quantity: str,
        dimensions: Iterable[int],
        theory: Iterable[float],
        measured: Iterable[tuple[float, float]],
        *,
        degree: int = 1,
        relative: bool = False,
        **more: Any,
    ) -> Self:
        """Fit the differences.

        Parameters
        ----------
        quantity, dimensions, theory
            As the attributes.
        measured : iterable of pairs of float
            Estimate and standard error at each d.
        degree : int
            Highest power of 1/d in the fit.
        relative : bool
            Whether differences are divided by theory.
        more
            Further attributes, of a subclass.
        """
        dimensions, theory = tuple(dimensions), tuple(map(float, theory))
        estimates, errors = zip(*measured, strict=True)
        units = np.array(theory) if relative else np.ones(len(theory))
        differences = (np.array(estimates) - np.array(theory)) / units
        return cls(
            quantity=quantity,
            dimensions=dimensions,
            theory=theory,
            estimates=estimates,
            standard_errors=errors,
            trend=fit_trend(
                dimensions, list(differences), list(np.array(errors) / units), degree
            ),
            **more,
        )

    @property
    def z(self) -> float:
        """Difference at infinite d, over its error with what the fit neglects."""
        return self.trend.intercept / self.trend.error


def mean_and_error(sample: Sequence[float] | FloatArray) -> tuple[float, float]:
    """Mean of a sample of at least two, and its standard error."""
    error = np.std(sample, ddof=1) / np.sqrt(len(sample))
    return float(np.mean(sample)), float(error)


def draw_from(
    draw: Callable[[SeedSequence], Drawn],
    d: int,
    repetitions: int,
    *,
    rng: int,
    executor: Executor | None = None,
    advance: Advance | None = None,
) -> list[Drawn]:
    """Draw from as many seeds, those of dimension d.

    Parameters
    ----------
    draw : callable
        One draw, from its seed.
    d : int
        Dimension. Its seeds descend from ``(rng, d)``, independently of others'.
    repetitions : int
        How many.
    rng : int
        Seed of all dimensions.
    executor : concurrent.futures.Executor, optional
        Where the draws run; in this thread by default.
    advance : callable, optional
        Called with d after each draw.
    """
    spread = map if executor is None else executor.map
    drawn = []
    for one in spread(draw, SeedSequence([rng, d]).spawn(repetitions)):
        drawn.append(one)
        if advance is not None:
            advance(d)
    return drawn


def squares(repetitions: Mapping[int, int]) -> int:
    """Sum of d^2 over all draws, by which `at_work` counts."""
    return sum(count * d**2 for d, count in repetitions.items())


@contextmanager
def at_work(total: int) -> Iterator[tuple[Executor, Advance]]:
    """Worker processes, and a progress bar on the terminal for their draws.

    Parameters
    ----------
    total : int
        Sum of d^2 over the draws to come: what they take, roughly.
    """
    bars = Console(stderr=True)
    # Fresh interpreters: forking one that already runs BLAS threads may deadlock.
    with (
        ProcessPoolExecutor(mp_context=get_context("spawn")) as executor,
        Progress(console=bars, disable=not bars.is_terminal) as progress,
    ):
        task = progress.add_task("simulating", total=total)
        yield executor, lambda d, draws=1: progress.advance(task, draws * d**2)
