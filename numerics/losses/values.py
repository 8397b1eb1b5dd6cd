"""Quantities of a problem with a loss other than the square, and their digits."""

from math import floor, inf, log10

import mpmath
import numpy as np

from detequiv.numerics.arithmetic import to_float
from detequiv.numerics.losses.convex import Place
from detequiv.numerics.losses.solved import ConvexSolution, solve_convex
from detequiv.numerics.losses.threshold import side_of_threshold
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.problem import Problem, exact_parameters, law_of

__all__ = ["loss_values"]

MOST = 15  # digits of float64


def loss_values(
    problem: Problem, near: Place | None = None
) -> tuple[ConvexSolution, dict[str, mpmath.mpf], int]:
    """Solve a problem for its loss.

    Parameters
    ----------
    problem : Problem
        Of any loss; its penalty must be positive.
    near : Place, optional
        The solution of a neighbour, to begin with.

    Returns
    -------
    found : ConvexSolution
    values : dict of str to mpf
        Quantities by name.
    digits : int
        Vouched for in each of them.

    Raises
    ------
    InputError
        No penalty; or labels that are separated at no cost.
    ConvergenceError
        The equations were not solved.
    """
    ridge, law = problem.ridge, law_of(problem)
    if not ridge.penalty.is_positive:
        side = side_of_threshold(problem) if ridge.named_loss.margin else ""
        raise InputError(
            "ridge.penalty",
            ridge.penalty,
            f"a loss other than the square needs one > 0{side}",
        )
    parameters = np.array(list(map(to_float, exact_parameters(problem, law))))
    try:
        found = solve_convex(law, law.model, parameters, ridge.named_loss, near)
    except ConvergenceError as failure:
        if not ridge.named_loss.margin:
            raise
        raise ConvergenceError(f"{failure}{side_of_threshold(problem)}") from None
    values = {name: mpmath.mpf(value) for name, value in found.values.items()}
    delta = mpmath.mpf(to_float(law.noise_variance))
    values["excess_error"] = values["generalization_error"] - delta
    # of a difference, as many digits as are left
    excess = abs(values["excess_error"])
    lost = float(values["generalization_error"] / excess) if excess else inf
    error = found.error * max(1.0, lost)
    digits = floor(-log10(error)) if error < 1 else 0
    if digits < 1:
        raise ConvergenceError(
            "float64 leaves the excess error no digit beside the noise; try a smaller "
            "ridge.penalty"
        )
    return found, values, min(digits, MOST)
