r"""A unit's overlap with the spike, at a finite width: Gauss rules, to any digits.

The overlap is a component of a random unit vector, with the density
``(1 - x^2)^{(d - 3)/2}``, whose orthogonal polynomials are Gegenbauer's; for large d it
is normal with variance 1/d. On the nodes of a rule the equations are those of
:mod:`detequiv.theory.models.mixture`. The rule's error falls geometrically in the
number of nodes: rules with more and more of them are compared until the results no
longer depend on it.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import inf
from typing import TypeVar

import mpmath
import sympy as sp

from detequiv.numerics.averages.quadrature import geometric_error
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.precision import decimal_digits
from detequiv.theory.problem import FeatureLaw, Problem, law_at_width

__all__ = [
    "OVERLAPS",
    "dimension_of",
    "gauss_rule",
    "mixture",
    "refine_overlaps",
    "refined",
]

OVERLAPS = (3, 5, 9, 17, 33)  # in the overlap
Result = TypeVar("Result")
SPARE = 15  # digits carried beyond those asked for


@lru_cache(maxsize=32)
def gauss_rule(
    count: int, dimension: sp.Expr, digits: int
) -> tuple[tuple[sp.Rational, ...], tuple[sp.Rational, ...]]:
    """Nodes and weights, as rational numbers near them.

    Parameters
    ----------
    count : int
        Nodes; exact for polynomials of degree ``2 count - 1``.
    dimension : Expr
        d > 2, a whole number or not.
    digits : int
        Decimal digits.

    Returns
    -------
    nodes, weights : tuple of Rational
        Nodes in (-1, 1); the weights are positive and sum to 1.
    """
    with decimal_digits(digits + SPARE):
        order = mpmath.mpf(sp.N(dimension, digits + SPARE)) / 2 - 1
        # eigenvalues of the Jacobi matrix, squared first components of its eigenvectors
        matrix = mpmath.matrix(count)
        for k in range(1, count):
            square = k * (k + 2 * order - 1) / ((k + order) * (k + order - 1)) / 4
            matrix[k, k - 1] = matrix[k - 1, k] = mpmath.sqrt(square)
        values, vectors = mpmath.eigsy(matrix)
        nodes = tuple(map(_rational, values))
        shares = [_rational(vectors[0, k] ** 2) for k in range(count)]
    total = sum(shares)
    return nodes, tuple(share / total for share in shares)


def _rational(value: mpmath.mpf) -> sp.Rational:
    return sp.Rational(*map(int, mpmath.libmp.to_rational(value._mpf_)))


def dimension_of(problem: Problem, width: int) -> sp.Expr:
    """Input dimension d of networks with so many units."""
    dimension = width / problem.ridge.width_per_dim
    if not dimension > 2:
        raise InputError(
            "width", width, f"is that of d = {dimension} inputs; 3 are needed"
        )
    return dimension


def mixture(
    problem: Problem, width: int, count: int, digits: int
) -> tuple[FeatureLaw, tuple[sp.Rational, ...]]:
    """Features with `count` nodes in the overlap, and the weights of the nodes."""
    nodes, weights = gauss_rule(count, dimension_of(problem, width), digits + 10)
    return law_at_width(problem, nodes), weights


def refined(
    counts: Sequence[int],
    solve: Callable[[int], Result],
    gap: Callable[[Result, Result], float],
    goal: float,
) -> tuple[Result, float]:
    """Solve with more and more nodes, until the result is right to `goal`.

    Parameters
    ----------
    counts : sequence of int
        Numbers of nodes, each about twice the one before.
    solve : callable
        By the number of nodes.
    gap : callable
        How far one result is from another, finer one, relative to it.
    goal : float
        Relative error of the result.

    Returns
    -------
    result : Result
        The first that has it, or else the last.
    error : float
        What the coarser ones tell of its error.
    """
    found: list[Result] = []
    error = inf
    for count in counts:
        found.append(solve(count))
        gaps = [gap(coarser, found[-1]) for coarser in found[-3:-1]]
        if gaps:
            error = min(gaps[-1], geometric_error(gaps[0], gaps[-1]))
        if error <= goal:
            break
    return found[-1], error


def refine_overlaps(
    solve: Callable[[int], Result], gap: Callable[[Result, Result], float], goal: float
) -> Result:
    """Solve with more and more nodes in the overlap; see `refined`.

    Raises
    ------
    ConvergenceError
        The nodes do not suffice.
    """
    found, error = refined(OVERLAPS, solve, gap, goal)
    if error <= goal:
        return found
    raise ConvergenceError(
        f"the overlaps of units with the spike need more than {OVERLAPS[-1]} nodes for "
        "these digits; ask for fewer, or for a larger width"
    )
