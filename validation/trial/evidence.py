"""Evidence under a budget of time: draws of a problem at several dimensions.

Theory is set beside them at the very sizes drawn, n, p and the groups' units, with what
the finite width costs the mean readout of each group, so that neither a rounding of the
proportions nor a slow approach of nearly dependent functions to their limit is left in
the difference; what remains falls with 1/d.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from math import hypot
from time import monotonic

import numpy as np
import sympy as sp
from numpy.random import Generator, SeedSequence

from detequiv.theory.errors import InputError
from detequiv.theory.problem import Problem
from detequiv.validation.statistics import Measurement
from detequiv.validation.trial.measured import (
    PROJECTIONS,
    below_at,
    learned_at,
    measured,
    outlier_at,
    resolvent_at,
)
from detequiv.validation.trial.simulate import simulate, sizes
from detequiv.validation.witness import FloatArray, group_sizes

__all__ = [
    "SHAPE",
    "Evidence",
    "Theory",
    "at_dimensions",
    "at_sizes",
    "choose_dimensions",
    "draw_until",
    "gather",
]

SHAPE = (1.0, 1.5, 2.0, 3.0)
"""Dimensions of the draws, over the smallest of them."""
LARGEST = 6
"""How many of the largest eigenvalues are kept, for outliers among them."""
SMALLEST = (100, 150, 200)  # candidates: below, 1/d is no small parameter
PILOT = 4  # draws that tell what a draw takes
ENOUGH = 100  # draws that the largest dimension must allow within the budget
# Relative error below which nothing is claimed of float64 draws or of theory.
ROUNDING = 1e-9
CHUNK = 0.5  # seconds of draws between looks at the clock


Theory = Callable[[Problem, int | None], Mapping[str, float]]
"""A problem and the number of units, None for the limit, to quantities by name."""


def at_sizes(problem: Problem, d: int) -> Problem:
    """Give a problem the proportions of a draw at dimension d, exactly.

    Raises
    ------
    InputError
        A group of units, or the samples, are too few to be drawn.
    """
    layer = "features" if problem.features else "network"
    weights, drawn = problem.tables()[layer]["weights"], sizes(problem, d)
    units = group_sizes(tuple(map(float, weights)), drawn.p)
    if min(units) < 1:
        raise InputError(
            f"{layer}.weights",
            ", ".join(map(str, weights)),
            f"{drawn.p} units at d = {d} leave a group empty; it cannot be simulated",
        )
    return problem.with_values(
        {
            "ridge.samples_per_dim": sp.Rational(drawn.n, d),
            "ridge.width_per_dim": sp.Rational(drawn.p, d),
            f"{layer}.weights": [sp.Rational(int(k), drawn.p) for k in units],
        }
    )


def at_dimensions(
    theory: Theory, problem: Problem, dimensions: Iterable[int]
) -> dict[int, Mapping[str, float]]:
    """Evaluate a theory at the sizes of draws at each dimension, the width included."""
    sized = {d: at_sizes(problem, d) for d in dimensions}
    return {d: theory(at, int(at.ridge.width_per_dim * d)) for d, at in sized.items()}


class Evidence:
    """All draws of one problem, dimension by dimension, and the time they took.

    Draw k at dimension d has a seed of its own, whatever was drawn before it and
    however the draws were gathered.

    Parameters
    ----------
    problem : Problem
        What is drawn.
    rng : int, SeedSequence, Generator or None
        Source of the seeds, as `numpy.random.default_rng` takes it.
    executor : concurrent.futures.Executor, optional
        Where the draws run; in this thread by default.
    points : sequence of complex
        Where the resolvent is measured, off the real axis; nowhere by default.
    """

    def __init__(
        self,
        problem: Problem,
        rng: int | SeedSequence | Generator | None = None,
        executor: Executor | None = None,
        points: Sequence[complex] = (),
    ) -> None:
        root = np.random.default_rng(rng).bit_generator.seed_seq
        if not isinstance(root, SeedSequence):
            raise InputError("rng", rng, "no seed can be spawned from it; give an int")
        self.problem, self.executor, self._root = problem, executor, root
        self.points = tuple(points)
        self._roots: dict[int, SeedSequence] = {}
        self._samples: dict[int, dict[str, FloatArray]] = {}
        self.seconds: dict[int, float] = {}

    @property
    def seed(self) -> object:
        """Entropy that all the seeds descend from: the ``rng`` given, if an integer."""
        return self._root.entropy

    def count(self, d: int) -> int:
        """Tell the number of draws at dimension d."""
        sample = self._samples.get(d)
        return 0 if sample is None else len(next(iter(sample.values())))

    def draw(self, d: int, repetitions: int) -> None:
        """Draw that often, twice at least, at dimension d."""
        began = monotonic()
        root = self._roots.setdefault(
            d,
            SeedSequence(self._root.entropy, spawn_key=(*self._root.spawn_key, d)),
        )
        found = simulate(
            self.problem,
            dimension=d,
            repetitions=repetitions,
            rng=root,
            executor=self.executor,
            projections=PROJECTIONS,
            eigenvalues=bool(self.points),
        )
        fresh = {name: found.sample(name) for name in measured(self.problem)}
        learned = np.array([one.learned for one in found.draws])
        fresh |= dict(zip(map(learned_at, PROJECTIONS), learned.T, strict=True))
        for z in self.points:
            traces = [np.mean(1 / (one.eigenvalues - z)) for one in found.draws]
            parts = np.real(traces), np.imag(traces)
            fresh |= dict(zip(resolvent_at(z), parts, strict=True))
            turns = [
                np.arctan((one.eigenvalues - z.real) / z.imag) for one in found.draws
            ]
            fresh[below_at(z)] = 0.5 - np.mean(turns, axis=1) / np.pi
        if self.points:
            for k in range(1, 1 + min(LARGEST, len(found.draws[0].eigenvalues))):
                largest = np.array([one.eigenvalues[-k] for one in found.draws])
                with np.errstate(divide="ignore"):
                    fresh[outlier_at(k)] = np.log(largest) / 2
        before = self._samples.get(d, {})
        self._samples[d] = {
            name: np.concatenate([before.get(name, np.empty(0)), values])
            for name, values in fresh.items()
        }
        self.seconds[d] = self.seconds.get(d, 0.0) + monotonic() - began

    def split(self, parts: int) -> list["Evidence"]:
        """Deal the draws out to so many evidences, each independent of the others."""
        dealt = []
        for k in range(parts):
            one = Evidence(self.problem, self._root, self.executor, self.points)
            one._samples = {
                d: {name: values[k::parts] for name, values in sample.items()}
                for d, sample in self._samples.items()
            }
            dealt.append(one)
        return dealt

    def compare(
        self,
        limit: Mapping[str, float],
        sized: Mapping[int, Mapping[str, float]],
    ) -> list[Measurement]:
        """Set values of theory beside what was drawn.

        Parameters
        ----------
        limit : mapping of str to float
            Theory of the problem. Every name in it is compared that theory has at all
            dimensions: small ones may lack an outlier.
        sized : mapping of int to mapping of str to float
            Theory `at_dimensions` of the draws.
        """
        sizes = self._sizes(limit)
        measurements = []
        for name, value in limit.items():
            if not all(name in theory for theory in sized.values()):
                continue
            samples = [self._samples[d][name] for d in sized]
            if value == 0 and not np.any(np.concatenate(samples)):
                continue  # nothing to learn: zero on both sides
            differences = [
                float(np.mean(sample)) - theory[name]
                for sample, theory in zip(samples, sized.values(), strict=True)
            ]
            scale = sizes.get(name, abs(value))
            spreads = [float(np.std(s, ddof=1) / np.sqrt(len(s))) for s in samples]
            errors = [hypot(spread, ROUNDING * scale) for spread in spreads]
            measurements.append(
                Measurement(
                    name=name,
                    theory=value,
                    scale=scale,
                    dimensions=tuple(sized),
                    differences=tuple(differences),
                    standard_errors=tuple(errors),
                    repetitions=tuple(map(len, samples)),
                )
            )
        return measurements

    def _sizes(self, limit: Mapping[str, float]) -> dict[str, float]:
        """Sizes of what may vanish: a learned function's, a complex number's, logs."""
        names = [*map(learned_at, PROJECTIONS)]
        learned = float(np.sqrt(np.mean([limit[name] ** 2 for name in names])))
        labels = float(np.sqrt(limit["generalization_error"]))
        if learned < ROUNDING * labels:
            learned = labels  # nothing is learned but noise
        sizes = dict.fromkeys(names, learned)
        # a difference of logarithms is a relative one
        sizes |= dict.fromkeys(map(outlier_at, range(1, LARGEST + 1)), 1.0)
        for parts in map(resolvent_at, self.points):
            if set(parts) <= set(limit):
                real, imaginary = (limit[name] for name in parts)
                sizes |= dict.fromkeys(parts, abs(complex(real, imaginary)))
        return sizes


def gather(
    problem: Problem,
    draws: Mapping[int, int],
    rng: int | SeedSequence,
    executor: Executor | None = None,
) -> Evidence:
    """Draw a problem a given number of times at each dimension."""
    evidence = Evidence(problem, rng, executor)
    for d, count in draws.items():
        evidence.draw(d, count)
    return evidence


def choose_dimensions(evidence: Evidence, budget: float) -> tuple[int, ...]:
    """Choose the largest dimensions that the budget can fill, by pilot draws.

    Larger ones leave less to the finite-size fit, smaller ones allow more draws.

    Raises
    ------
    InputError
        The problem cannot be drawn at any of them.
    """
    chosen: tuple[int, ...] = ()
    for smallest in SMALLEST:
        dimensions = tuple(round(factor * smallest) for factor in SHAPE)
        largest = dimensions[-1]
        try:
            at_sizes(evidence.problem, smallest)
        except InputError:
            if smallest == SMALLEST[-1]:
                raise
            continue
        if evidence.count(largest) == 0:
            evidence.draw(largest, PILOT)
        each = evidence.seconds[largest] / evidence.count(largest)
        slow = each * ENOUGH > budget / len(SHAPE)
        if not (slow and chosen):
            chosen = dimensions
        if slow:
            break
    return chosen


def draw_until(
    evidence: Evidence,
    dimensions: Sequence[int],
    deadline: float,
    tell: Callable[[float], object],
) -> None:
    """Draw until a time, as long at each dimension as at the others."""
    while True:
        d = min(
            dimensions,
            key=lambda d: (evidence.count(d) > 0, evidence.seconds.get(d, 0)),
        )
        now = monotonic()
        tell(now)
        if evidence.count(d) == 0:
            evidence.draw(d, PILOT)
            continue
        each = evidence.seconds[d] / evidence.count(d)
        left = deadline - now
        if left < 2 * each:
            return
        # a few turns for each dimension, and a stop near the deadline
        seconds = min(left, max(CHUNK, left / (4 * len(dimensions))))
        evidence.draw(d, max(2, int(seconds / each)))
