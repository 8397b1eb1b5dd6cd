"""A theory on trial: simulations under a budget of time, judged as they come in."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from math import log, log2
from time import monotonic

import numpy as np
import sympy as sp
from flint import arb
from numpy.random import Generator, SeedSequence

from detequiv.numerics.arithmetic import check_positive, precision
from detequiv.numerics.averages import conditional_values
from detequiv.numerics.derived import learned_function
from detequiv.numerics.solving import solve, solve_at_width
from detequiv.numerics.spectrum import Spectrum
from detequiv.theory.errors import InputError
from detequiv.theory.problem import Problem, check_problem, law_of
from detequiv.validation.statistics import Judgement, judge, spend
from detequiv.validation.trial.evidence import (
    LARGEST,
    Evidence,
    Theory,
    at_dimensions,
    choose_dimensions,
    draw_until,
)
from detequiv.validation.trial.measured import (
    PROJECTIONS,
    REFERENCE,
    below_at,
    learned_at,
    measured,
    outlier_at,
    resolvent_at,
)
from detequiv.validation.trial.predict import (
    clear_outliers,
    mass_below,
    resolvent_of,
    trace_correction,
    width_corrections,
)

__all__ = ["LEVEL", "LOOKS", "RESOLUTION", "Trial", "predict", "tried", "try_theory"]

LEVEL = 0.01
"""Probability, at most, that a right theory is called wrong."""
RESOLUTION = 0.05
"""Relative error of theory that must be detectable for it to agree."""
LOOKS = (0.25, 0.5, 1.0)
"""Fractions of the budget after which the evidence is judged."""
POINTS = (0.25 + 0.25j, 1 + 0.25j, 2 + 0.5j)
"""Where the resolvent is judged, over the mean eigenvalue."""
DIGITS = 10  # of theory: far beyond those of any simulation

Advance = Callable[[float], None]
"""Called with the fraction of the budget that is spent."""


def predict(
    problem: Problem, width: int | None = None, points: Sequence[complex] = ()
) -> dict[str, float]:
    """Theory's value of everything that a trial measures.

    In the limit, or with what a finite width costs the mean readout of each group, and
    what its directions add to the trace of the resolvent.
    Given points off the axis, the spectrum too: the resolvent there, the mass of the
    eigenvalues to their left, and the outliers at that width, or that of `REFERENCE`.
    """
    digits = DIGITS if problem.ridge.loss == "square" else None
    if width is None:
        solution = solve(problem, digits=digits)
    else:
        solution = solve_at_width(problem, width, digits=digits)
    values = {name: float(getattr(solution, name)) for name in measured(problem)}
    if width is not None and not problem.on_batch and problem.ridge.loss == "square":
        values["resolvent_trace"] += trace_correction(resolvent_of(problem), width)
    learned = map(float, learned_function(solution, PROJECTIONS))
    values |= dict(zip(map(learned_at, PROJECTIONS), learned, strict=True))
    if points:
        law = Spectrum(problem)
        transform, below = law.stieltjes(points), mass_below(law, np.array(points))
        if width is not None:
            moved = width_corrections(problem, width, np.array(points))
            transform, below = transform + moved[0], below + moved[1]
        for z, value in zip(points, transform, strict=True):
            parts = float(value.real), float(value.imag)
            values |= dict(zip(resolvent_at(z), parts, strict=True))
        values |= dict(zip(map(below_at, points), map(float, below), strict=True))
        if width is None:
            width = round(float(problem.ridge.width_per_dim) * REFERENCE)
        for k, value in enumerate(clear_outliers(problem, width)[:LARGEST], start=1):
            values[outlier_at(k)] = log(value) / 2
    return values


def tried(
    evidence: Evidence, dimensions: Sequence[int], theory: Theory, level: float
) -> Judgement:
    """Judge a theory by evidence that is already there."""
    problem = evidence.problem
    sized = at_dimensions(theory, problem, dimensions)
    measured = evidence.compare(theory(problem, None), sized)
    return judge(measured, level=level, resolution=RESOLUTION)


def resolvent_points(problem: Problem) -> tuple[complex, ...]:
    """Points about the bulk of the eigenvalues of ``Phi^T Phi / n``, and off the axis.

    In units of the mean eigenvalue ``E sigma^2``, to the nearest power of two. None
    after a step on a batch, whose spectrum has no theory here.
    """
    if problem.on_batch:
        return ()
    law = law_of(problem)
    with precision(DIGITS + 15):
        moments = [
            conditional_values(law.activation, [arb(0)], sp.sqrt(u**2 + r**2), DIGITS)
            for u, r in zip(law.spikes, law.bulks, strict=True)
        ]
        squares = [float(v.c0[0] ** 2 + v.c1[0] ** 2 + v.cs[0]) for v in moments]
    mean = sum(float(w) * s for w, s in zip(law.weights, squares, strict=True))
    unit = 2.0 ** round(log2(mean)) if mean > 0 else 1.0
    return tuple(unit * z for z in POINTS)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The outcome of a trial.

    Attributes
    ----------
    problem : Problem
        What was drawn.
    looks : tuple of Judgement
        The evidence judged as it grew; the last one decides.
    level : float
        Probability, over all looks, of "disagree" if theory is right.
    draws : mapping of int to int
        Number of draws at each dimension.
    seed : int
        Where their seeds come from.
    budget, seconds : float
        Time allowed and time taken.
    """

    problem: Problem
    looks: tuple[Judgement, ...]
    level: float
    draws: Mapping[int, int]
    seed: object
    budget: float
    seconds: float

    @property
    def judgement(self) -> Judgement:
        """The last look."""
        return self.looks[-1]


def try_theory(
    problem: Problem,
    *,
    budget: float = 60.0,
    rng: int | SeedSequence | Generator | None = None,
    executor: Executor | None = None,
    advance: Advance | None = None,
    theory: Theory | None = None,
    level: float = LEVEL,
    resolution: float = RESOLUTION,
) -> Trial:
    """Draw within a budget of time, and judge theory by what was drawn.

    The evidence is judged after each of the fractions `LOOKS` of the budget, with a
    share of the level, and drawing ends early only at a disagreement.

    Parameters
    ----------
    problem : Problem
        What to draw; its penalty must be positive.
    budget : float
        Seconds of wall time, positive. Exceeded only by what it takes to solve theory
        and to make the first four draws at each dimension.
    rng : int, SeedSequence, Generator or None
        Source of the draws' seeds.
    executor : concurrent.futures.Executor, optional
        Where the draws run; in this thread by default.
    advance : callable, optional
        Called now and then with the fraction of the budget that is spent.
    theory : callable, optional
        What is on trial; by default `predict`, with the spectrum at points about its
        bulk.
    level : float
        Probability, at most and over all looks, of "disagree" if theory is right.
    resolution : float
        Relative error of theory that must be detectable before agreement is claimed.

    Raises
    ------
    InputError
        A budget that is not positive, or a problem that is not sampled.
    ConvergenceError
        Theory cannot be solved.
    """
    check_problem(problem)
    check_positive("budget", budget)
    check_positive("resolution", resolution)
    check_positive("level", level)
    if level >= 1:
        raise InputError("level", level, "give a probability below 1")
    began = monotonic()
    points = resolvent_points(problem)
    theory = theory or partial(predict, points=points)
    limit = theory(problem, None)
    evidence = Evidence(problem, rng, executor, points)
    dimensions = choose_dimensions(evidence, budget)
    sized = at_dimensions(theory, problem, dimensions)
    looks: list[Judgement] = []
    for fraction, share in zip(LOOKS, spend(level, LOOKS), strict=True):
        draw_until(
            evidence,
            dimensions,
            began + fraction * budget,
            lambda now: advance and advance(min(1.0, (now - began) / budget)),
        )
        looks.append(
            judge(
                evidence.compare(limit, sized),
                level=share,
                resolution=resolution,
            )
        )
        if looks[-1].verdict == "disagree":
            break
    return Trial(
        problem=problem,
        looks=tuple(looks),
        level=level,
        draws={d: evidence.count(d) for d in dimensions},
        seed=evidence.seed,
        budget=budget,
        seconds=monotonic() - began,
    )
