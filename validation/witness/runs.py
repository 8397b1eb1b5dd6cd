"""Repeated draws of a model, and the means and standard errors they give."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.random import Generator, SeedSequence

from detequiv.validation.witness.draws import (
    QUANTITIES,
    Dimensions,
    Draw,
    Experiment,
    draw,
)
from detequiv.validation.witness.model import FloatArray
from detequiv.validation.witness.store import Store

__all__ = [
    "QUANTITIES",
    "Dimensions",
    "Draw",
    "Estimates",
    "Experiment",
    "Progress",
    "draw",
    "run",
]

Progress = Callable[[int, int], None]
"""Called with the number of draws done and their total, after each draw."""


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """All draws of an experiment, with means and standard errors.

    The quantities are

    * ``generalization_error``: ``E (y - f(x))^2`` on fresh data, noise included;
    * ``excess_error``: the same less the noise variance;
    * ``training_error``: ``(1/n) sum_mu (y_mu - f(x_mu))^2``;
    * ``readout_norm``: ``|a|^2 / p``;
    * ``ridge_objective``: its minimum, over p;
    * ``resolvent_trace``: ``(1/p) tr (Phi^T Phi / p + lambda)^{-1}``;

    where labels are -1 and 1, or the loss is another, also

    * ``classification_error``, ``training_classification_error``: wrong signs on fresh
      data and among the samples, a fit of 0 counted one half;
    * ``test_loss``, ``training_loss``: means of the loss on fresh data and the samples.

    Attributes
    ----------
    experiment : Experiment
        What was drawn.
    draws : tuple of Draw
        One a repetition.
    seeds : tuple of SeedSequence
        Their seeds: ``draw(experiment, seeds[k])`` is ``draws[k]`` again.
    """

    experiment: Experiment
    draws: tuple[Draw, ...]
    seeds: tuple[SeedSequence, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities."""
        return tuple(self.draws[0].values)

    @cached_property
    def mean(self) -> dict[str, float]:
        """Mean of each quantity over the draws."""
        return {name: float(np.mean(self.sample(name))) for name in self.names}

    @cached_property
    def standard_error(self) -> dict[str, float]:
        """Standard error of each mean, from the spread over the draws."""
        return {name: float(_standard_error(self.sample(name))) for name in self.names}

    @property
    def learned(self) -> FloatArray:
        """Learned function at the projections: mean over the draws."""
        mean: FloatArray = np.mean([one.learned for one in self.draws], axis=0)
        return mean

    @property
    def learned_standard_error(self) -> FloatArray:
        """Standard error of the learned function at the projections."""
        return _standard_error(np.array([one.learned for one in self.draws]))

    @property
    def seed(self) -> object:
        """Entropy that all the seeds descend from: the ``rng`` given, if an integer."""
        return self.seeds[0].entropy

    def sample(self, name: str) -> FloatArray:
        """Values of one quantity, shape (repetitions,)."""
        return np.array([one.values[name] for one in self.draws])


def run(
    experiment: Experiment,
    *,
    rng: int | SeedSequence | Generator | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    store: str | Path | None = None,
) -> Estimates:
    """Repeat an experiment.

    Parameters
    ----------
    experiment : Experiment
        What to draw.
    rng : int, SeedSequence, Generator or None
        Source of the draws' seeds, as `numpy.random.default_rng` takes it (SPEC 7). The
        same integer gives the same numbers for any number of workers.
    executor : concurrent.futures.Executor, optional
        Where the draws run; in this thread by default.
    progress : callable, optional
        Called as ``progress(done, total)`` after each draw.
    store : path-like, optional
        File of a `detequiv.validation.witness.store.Store`: draws that are in it are
        not made again, new ones are written to it as they end.

    Returns
    -------
    Estimates
        The draws, in the order of their seeds.
    """
    root = np.random.default_rng(rng).bit_generator.seed_seq
    if not isinstance(root, SeedSequence):
        raise ValueError(f"rng = {rng!r}: no seed can be spawned from it; give an int")
    seeds = tuple(root.spawn(experiment.repetitions))
    with nullcontext() if store is None else Store(store) as file:
        done = {} if file is None else file.find(experiment, seeds)
        missing = [k for k in range(len(seeds)) if k not in done]
        if progress is not None and done:
            progress(len(done), len(seeds))
        for k, one in _draw_all(experiment, seeds, missing, executor):
            if file is not None:
                file.add(experiment, seeds[k], one)
            done[k] = one
            if progress is not None:
                progress(len(done), len(seeds))
    draws = tuple(done[k] for k in range(len(seeds)))
    return Estimates(experiment=experiment, draws=draws, seeds=seeds)


def _draw_all(
    experiment: Experiment,
    seeds: Sequence[SeedSequence],
    places: Sequence[int],
    executor: Executor | None,
) -> Iterator[tuple[int, Draw]]:
    """Draw from the seeds at some places, each yielded with its place once it ends."""
    if executor is None:
        for k in places:
            yield k, draw(experiment, seeds[k])
        return
    place = {executor.submit(draw, experiment, seeds[k]): k for k in places}
    try:
        for future in as_completed(place):
            yield place.pop(future), future.result()
    finally:
        for future in place:
            future.cancel()


def _standard_error(sample: FloatArray) -> FloatArray:
    """Compute the standard error of the mean over the first axis."""
    error: FloatArray = np.std(sample, axis=0, ddof=1) / np.sqrt(len(sample))
    return error
