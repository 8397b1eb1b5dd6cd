"""Gauss rules for a component of a random unit vector, to any digits."""

from functools import lru_cache

import mpmath
import sympy as sp

__all__ = ["gauss_rule"]

SPARE = 15  # digits carried beyond those asked for


@lru_cache(maxsize=32)
def gauss_rule(
    count: int, dimension: sp.Expr, digits: int
) -> tuple[tuple[sp.Rational, ...], tuple[sp.Rational, ...]]:
    r"""Nodes and weights, as rational numbers near them.

    The component has the density ``(1 - x^2)^{(d - 3)/2}``, whose orthogonal
    polynomials are Gegenbauer's; for large d it is normal with variance 1/d.

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
    with mpmath.workdps(digits + SPARE):
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
