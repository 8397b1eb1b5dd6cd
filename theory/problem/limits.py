"""Where a vanishing ridge penalty has a limit, and of which kind."""

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import z
from detequiv.theory.problem.conditionals import FeatureLaw
from detequiv.theory.problem.problem import Problem

__all__ = ["check_limit", "interpolates"]


def interpolates(problem: Problem) -> bool:
    """Whether there are fewer samples than units, n < p."""
    ridge = problem.ridge
    return bool((ridge.width_per_dim - ridge.samples_per_dim).is_positive)


def check_limit(problem: Problem, law: FeatureLaw) -> None:
    """Refuse problems whose ridgeless limit diverges, or is of another kind.

    Raises
    ------
    InputError
        n = p, or features without randomness of their own: linear ones, or a group
        without bulk, whose matrix is singular whatever n and p are.
    """
    ridge = problem.ridge
    if (ridge.width_per_dim - ridge.samples_per_dim).equals(0):
        raise InputError(
            "ridge.penalty",
            ridge.penalty,
            "the test error diverges as the penalty vanishes at n = p "
            "(samples_per_dim = width_per_dim); give a number > 0",
        )
    function = law.activation.function
    linear = function.is_polynomial(z) and sp.degree(function, z) < 2
    if linear or any(bulk.is_zero for bulk in law.bulks):
        raise InputError(
            "ridge.penalty",
            ridge.penalty,
            "without a penalty, features that are linear or have no bulk make the "
            "matrix singular; give a number > 0",
        )
