"""Quantities of a problem with a loss other than the square, and their digits."""

from dataclasses import dataclass, replace
from math import floor, inf, log10

import mpmath
import numpy as np
import sympy as sp

from detequiv.numerics.arithmetic import to_float
from detequiv.numerics.averages import mixture, refine_overlaps
from detequiv.numerics.losses.convex import Place
from detequiv.numerics.losses.solved import ConvexSolution, solve_convex
from detequiv.numerics.losses.threshold import side_of_threshold
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.models import Model
from detequiv.theory.problem import FeatureLaw, Problem, exact_parameters, law_of

__all__ = ["LossValues", "loss_values", "loss_values_of_mixture"]

MOST = 15  # digits of float64
OVERLAPS = 1e-9  # relative error of the rule in the overlaps


@dataclass(frozen=True)
class LossValues:
    """What a solution says.

    Attributes
    ----------
    found : ConvexSolution
        The solution.
    values : dict of str to mpf
        Quantities by name.
    error : float
        Relative error vouched for, of each of them.
    law : FeatureLaw
        Features and target.
    """

    found: ConvexSolution
    values: dict[str, mpmath.mpf]
    error: float
    law: FeatureLaw

    @property
    def digits(self) -> int:
        """Vouched for in each quantity."""
        return min(floor(-log10(self.error)), MOST)


def loss_values(
    problem: Problem, near: Place | None = None, width: int | None = None
) -> LossValues:
    """Solve a problem for its loss.

    Parameters
    ----------
    problem : Problem
        Of any loss; its penalty must be positive.
    near : Place, optional
        The solution of a neighbour, to begin with.
    width : int, optional
        Units that the mean readouts are penalised for; by default the limit.

    Raises
    ------
    InputError
        No penalty; or labels that are separated at no cost.
    ConvergenceError
        The equations were not solved.
    """
    law = law_of(problem)
    if width is None:
        return _solve(problem, law, law.model, [], near)
    return _solve(problem, law, law.model.at_width, [sp.Integer(width)], near)


def loss_values_of_mixture(
    problem: Problem, width: int, near: Place | None = None
) -> LossValues:
    """Solve for a width, with the units' overlaps on more and more nodes.

    Parameters and errors are those of `loss_values`.
    """

    def at(count: int) -> LossValues:
        law, weights = mixture(problem, width, count, MOST)
        own = [sp.Integer(width), *weights]
        fits = near is not None and len(near.y) == len(law.model.coefficients)
        return _solve(problem, law, law.model, own, near if fits else None)

    def gap(coarser: LossValues, finer: LossValues) -> float:
        change = max(
            float(abs(coarser.values[name] / value - 1))
            for name, value in finer.values.items()
            if value
        )
        return max(0.0, change - finer.error)

    found = refine_overlaps(at, gap, OVERLAPS)
    return replace(found, error=found.error + OVERLAPS)


def _solve(
    problem: Problem,
    law: FeatureLaw,
    model: Model,
    own: list[sp.Expr],
    near: Place | None,
) -> LossValues:
    """Solve a model whose last parameters are its own."""
    ridge = problem.ridge
    if not ridge.penalty.is_positive:
        side = side_of_threshold(problem) if ridge.named_loss.margin else ""
        raise InputError(
            "ridge.penalty",
            ridge.penalty,
            f"a loss other than the square needs one > 0{side}",
        )
    parameters = np.array(list(map(to_float, [*exact_parameters(problem, law), *own])))
    try:
        found = solve_convex(law, model, parameters, ridge.named_loss, near)
    except ConvergenceError as failure:
        # far from a vanishing penalty the threshold plays no part
        if not ridge.named_loss.margin or ridge.penalty >= 1:
            raise
        raise ConvergenceError(f"{failure}{side_of_threshold(problem)}") from None
    values = {name: mpmath.mpf(value) for name, value in found.values.items()}
    delta = mpmath.mpf(to_float(law.noise_variance))
    values["excess_error"] = values["generalization_error"] - delta
    # of a difference, as many digits as are left
    excess = abs(values["excess_error"])
    lost = float(values["generalization_error"] / excess) if excess else inf
    error = found.error * max(1.0, lost)
    if not error < 0.1:
        raise ConvergenceError(
            "float64 leaves the excess error no digit beside the noise; try a smaller "
            "ridge.penalty"
        )
    return LossValues(found, values, error, law)
