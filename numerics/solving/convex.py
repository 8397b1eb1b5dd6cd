"""Problems with a loss other than the square, in float64."""

from math import floor, log10

import mpmath
import numpy as np

from detequiv.numerics.arithmetic import check_digits, to_float
from detequiv.numerics.losses import ConvexSolution, Place, solve_convex
from detequiv.numerics.solving.solution import Solution, reported
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.models import families, upper_triangle
from detequiv.theory.problem import Problem, exact_parameters, law_of

__all__ = ["loss_values", "solve_loss"]

MOST = 15  # digits of float64


def solve_loss(problem: Problem, digits: int | None = None) -> Solution:
    """Solve a problem for its loss.

    Parameters
    ----------
    problem : Problem
        Of any loss; its penalty must be positive.
    digits : int, optional
        Asked for; by default those that float64 vouches for.

    Raises
    ------
    InputError
        No penalty; or labels that are separated at no cost.
    ConvergenceError
        The equations were not solved, or the digits are more than those vouched for.
    """
    if digits is not None:
        check_digits(digits)
    found, values, vouched = _solve(problem, None)
    if digits is not None and digits > vouched:
        raise ConvergenceError(
            f"a loss other than the square is solved in float64, which vouches for "
            f"{vouched} of {digits} digits here; ask for at most {vouched}"
        )
    law = law_of(problem)
    groups, places = len(law.spikes), families(law.model.coefficients)
    x, y = (list(map(mpmath.mpf, v)) for v in (found.place.x, found.place.y))
    coupling = [[mpmath.mpf(0)] * groups for _ in range(groups)]
    for (i, j), value in zip(upper_triangle(groups), x[groups:], strict=True):
        coupling[i][j] = coupling[j][i] = value
    return Solution(
        **values,
        g=tuple(x[:groups]),
        A=tuple(map(tuple, coupling)),
        m=tuple(y[places["m"]]),
        t=tuple(y[places.get("t", slice(0))]),
        digits=vouched if digits is None else digits,
        residual=mpmath.mpf(found.residual),
        equations=law.equations,
        problem=problem,
    )


def loss_values(
    problem: Problem, near: Place | None
) -> tuple[Place, dict[str, mpmath.mpf], int]:
    """Solve from a neighbour: where, quantities by name, digits vouched for."""
    found, values, digits = _solve(problem, near)
    return found.place, values, digits


def _solve(
    problem: Problem, near: Place | None
) -> tuple[ConvexSolution, dict[str, mpmath.mpf], int]:
    ridge, law = problem.ridge, law_of(problem)
    if not ridge.penalty.is_positive:
        raise InputError(
            "ridge.penalty", ridge.penalty, "a loss other than the square needs one > 0"
        )
    parameters = np.array(list(map(to_float, exact_parameters(problem, law))))
    found = solve_convex(law, law.model, parameters, ridge.named_loss, near)
    values = {name: mpmath.mpf(value) for name, value in found.values.items()}
    delta = mpmath.mpf(to_float(law.noise_variance))
    values["excess_error"] = values["generalization_error"] - delta
    values = {name: values[name] for name in reported(problem)}
    # of a difference, as many digits as are left
    lost = values["generalization_error"] / abs(values["excess_error"])
    digits = floor(-log10(found.error * max(1.0, float(lost))))
    return found, values, min(digits, MOST)
