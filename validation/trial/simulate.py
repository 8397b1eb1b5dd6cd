"""Bridge from a problem, written exactly, to the sampler that simulates it."""

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
from numpy.random import Generator, SeedSequence

from detequiv.numerics.arithmetic import check_whole
from detequiv.theory.errors import InputError
from detequiv.theory.functions import pieces, z
from detequiv.theory.problem import (
    Problem,
    SpikedFeatures,
    check_problem,
    sampled_slope,
)
from detequiv.validation.witness import (
    Covariance,
    Density,
    Dimensions,
    Estimates,
    Experiment,
    FloatArray,
    Function,
    InputsModel,
    Labels,
    Loss,
    Model,
    Progress,
    SpikedModel,
    StoreError,
    TrainedModel,
    UnresolvedError,
    run,
)

__all__ = ["Elementwise", "sampler", "simulate", "sizes"]


@dataclass(frozen=True, repr=False)
class Elementwise:
    """A SymPy expression in z as a NumPy function that crosses process borders.

    Attributes
    ----------
    expression : sympy.Expr
        Real expression in `detequiv.theory.functions.expressions.z`, or a constant.
    """

    expression: sp.Expr

    @property
    def kinks(self) -> tuple[float, ...]:
        """Points where the function is not smooth, increasing."""
        return _kinks(self.expression)

    def __call__(self, values: FloatArray) -> FloatArray:
        """Evaluate at each of the values, any shape."""
        # exp may overflow on the way to a finite result, as in z / (1 + exp(-z)).
        with np.errstate(over="ignore"):
            result = np.asarray(_code(self.expression)(values), dtype=np.float64)
        # A constant comes back as one number.
        return result if result.shape == values.shape else np.full_like(values, result)

    def __repr__(self) -> str:
        """Exact text of the expression, the same in every process."""
        return f"Elementwise({sp.srepr(self.expression)})"


@lru_cache(maxsize=64)
def _code(expression: sp.Expr) -> Function:
    """Code for an expression; generated once in each process."""
    code: Function = sp.lambdify(z, expression, [{"tanh": _tanh}, "numpy", "scipy"])
    return code


def _tanh(x: FloatArray) -> FloatArray:
    """``tanh x`` to an absolute 4e-16, in a third of the time of NumPy's own.

    That has vector instructions only where there is AVX-512; the exponential has them
    everywhere.
    """
    y = np.exp(2 * x)
    y += 1
    np.divide(-2, y, out=y)
    y += 1
    return y


@lru_cache(maxsize=64)
def _kinks(expression: sp.Expr) -> tuple[float, ...]:
    return tuple(float(point) for point in pieces(expression).breaks)


def _labels(problem: Problem) -> Labels | None:
    """Say how labels of -1 and 1 are drawn."""
    target = problem.target
    if not target.binary:
        return None
    slope = None if target.slope is None else float(target.slope)
    return Labels(mean=Elementwise(target.mean), slope=slope)


def sampler(problem: Problem) -> Model:
    """Translate the features, or network, and target of a problem to be sampled.

    Raises
    ------
    InputError
        If a step on samples is asked of an activation that jumps.
    """
    if problem.on_batch:
        problem.require_regression("a sampled step on a batch")
    features, network = problem.features, problem.network
    described = features if network is None else network
    common: dict[str, Any] = {
        "activation": Elementwise(described.activation if described else z),
        # units with a density of readouts are one group, inputs by themselves another
        "weights": tuple(map(float, described.weights if described else ())) or (1.0,),
        "target": Elementwise(problem.target.function),
        "noise": float(problem.target.noise),
        "covariance": _covariance(problem),
        "labels": _labels(problem),
    }
    if described is None:
        return InputsModel(**common)
    if isinstance(described, SpikedFeatures):
        return SpikedModel(
            **common,
            spike=tuple(map(float, described.spike)),
            bulk=tuple(map(float, described.bulk)),
            alignment=float(problem.target.alignment),
        )
    batch, density = described.batch_per_dim, problem.readout_law
    return TrainedModel(
        **common,
        readout=tuple(map(float, described.vocabulary))
        if density is None
        else Density(density.law, *map(float, density.numbers)),
        step=float(described.step),
        rows=described.rows,
        batch_per_dim=None if batch is None else float(batch),
        slope=None
        if batch is None
        else Elementwise(sampled_slope(described.activation)),
    )


def _covariance(problem: Problem) -> Covariance | None:
    """Levels of the inputs' covariance in float64."""
    if problem.inputs is None:
        return None
    levels = problem.inputs.levels
    return Covariance(
        eigenvalues=tuple(map(float, levels.s)),
        shares=tuple(map(float, levels.weights)),
        power=tuple(map(float, levels.power)),
    )


def sizes(problem: Problem, d: int) -> Dimensions:
    """Sizes of a draw at dimension d: n and p in the proportions of the problem."""
    return Dimensions.proportional(
        d,
        samples_per_dim=float(problem.ridge.samples_per_dim),
        width_per_dim=float(problem.ridge.width_per_dim),
    )


def simulate(
    problem: Problem,
    *,
    dimension: int,
    repetitions: int,
    rng: int | SeedSequence | Generator | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    store: str | Path | None = None,
    projections: tuple[float, ...] = (),
    eigenvalues: bool = False,
) -> Estimates:
    """Simulate a problem at finite dimension.

    Parameters
    ----------
    problem : Problem
        What to simulate; its penalty must be positive.
    dimension : int
        d; samples and width are ``alpha d`` and ``beta d`` to the nearest integers.
    repetitions : int
        Number of independent draws, at least 2.
    rng : int, SeedSequence, Generator or None
        Source of the draws' seeds, as `numpy.random.default_rng` takes it.
    executor : concurrent.futures.Executor, optional
        Where the draws run; in this thread by default.
    progress : callable, optional
        Called as ``progress(done, total)`` after each draw.
    store : path-like, optional
        SQLite file of finished draws. Those in it are not made again, and new ones are
        written to it as they end, so that a simulation that was stopped goes on.
    projections : tuple of float
        Values of ``kappa = <v, x>`` at which the learned function is measured.
    eigenvalues : bool
        Whether to keep the eigenvalues of ``Phi^T Phi / n`` of each draw.

    Returns
    -------
    Estimates
        Means and standard errors, under the names and normalisations of
        `detequiv.numerics.solving.solution.Solution`.

    Raises
    ------
    InputError
        If a size is too small, a step on samples is asked of an activation that
        jumps, or the file cannot hold draws.
    """
    check_problem(problem)
    check_whole("dimension", dimension)
    check_whole("repetitions", repetitions)
    ridge = problem.ridge
    model = sampler(problem)
    if not ridge.penalty > 0:
        raise InputError(
            "ridge.penalty", ridge.penalty, "must be positive to be simulated"
        )
    if repetitions < 2:
        raise InputError(
            "repetitions", repetitions, "at least 2, their spread is the standard error"
        )
    proportions = [ridge.samples_per_dim, ridge.width_per_dim]
    if problem.network is not None and problem.network.batch_per_dim is not None:
        proportions.append(problem.network.batch_per_dim)
    if dimension < 2 or round(min(proportions) * dimension) < 1:
        raise InputError(
            "dimension",
            dimension,
            "too small: needs 2 inputs, 1 sample and 1 unit at least",
        )
    if model.covariance is not None:
        try:
            model.covariance.deviations(dimension)
        except ValueError as error:
            raise InputError("dimension", dimension, str(error)) from None
    loss = None
    if ridge.loss != "square":
        loss = Loss(name=ridge.loss, delta=float(ridge.delta or 0))
    experiment = Experiment(
        model=model,
        dimensions=sizes(problem, dimension),
        penalty=float(ridge.penalty),
        repetitions=repetitions,
        projections=projections,
        eigenvalues=eigenvalues,
        loss=loss,
    )
    try:
        return run(
            experiment, rng=rng, executor=executor, progress=progress, store=store
        )
    except StoreError as error:
        raise InputError("store", store, str(error)) from None
    except UnresolvedError as error:
        raise InputError("network", "[network]", f"not sampled: {error}") from None
