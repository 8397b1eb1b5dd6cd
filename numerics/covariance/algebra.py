"""Linear algebra for arrays of floats, and for arrays of balls (NumPy's objects).

The equations of :mod:`detequiv.numerics.covariance.system` are sums of rational
functions, which NumPy evaluates for both; what it cannot do for balls is here.
"""

from collections.abc import Mapping
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import (
    BALLS,
    FLOATS,
    integer_power,
    inverse_of,
    solve_linear,
)

__all__ = ["BallAlgebra", "FloatAlgebra"]

Array = NDArray[Any]
arb, arb_mat = flint.arb, flint.arb_mat
EPS = float(np.finfo(float).eps)


class FloatAlgebra:
    """Float64."""

    arithmetic: Mapping[str, Any] = FLOATS
    threshold = 1e-12  # pivot, of a matrix with unit diagonal, that counts as 0

    @staticmethod
    def array(values: Any) -> Array:
        """Make an array."""
        return np.asarray(values, float)

    @staticmethod
    def solve(matrix: Array, right: Array) -> Array:
        """Solve linear equations."""
        solution: Array = np.linalg.solve(matrix, right)
        return solution

    @staticmethod
    def inverse(matrices: Array) -> Array:
        """Inverses of positive matrices (S, K, K), in units of their diagonals."""
        size = np.sqrt(np.abs(np.diagonal(matrices, axis1=1, axis2=2)))
        both = size[:, :, None] * size[:, None, :]
        inverse: Array = np.linalg.inv(matrices / both) / both
        return inverse


class BallAlgebra:
    """Balls at the working precision."""

    # powers of an array are taken entry by entry, without asking what it is
    arithmetic: Mapping[str, Any] = {**BALLS, "integer_power": integer_power}

    @property
    def threshold(self) -> float:
        """Pivots in the last third of the precision are those of a singular matrix."""
        return float(2.0 ** -min(1000, 2 * flint.ctx.prec // 3))

    @staticmethod
    def array(values: Any) -> Array:
        """Make an array of objects."""
        return np.asarray(values, object)

    @staticmethod
    def solve(matrix: Array, right: Array) -> Array:
        """Solve linear equations."""
        found = np.empty(len(right), object)
        found[:] = solve_linear(arb_mat(matrix.tolist()), right.tolist())
        return found

    @staticmethod
    def inverse(matrices: Array) -> Array:
        """Inverses of matrices (S, K, K)."""
        inverse = np.empty(matrices.shape, object)
        for i, matrix in enumerate(matrices):
            inverse[i] = inverse_of(arb_mat(matrix.tolist())).tolist()
        return inverse


def solve_semidefinite(
    algebra: FloatAlgebra | BallAlgebra, matrix: Array, right: Array
) -> Array:
    """Solve ``matrix y = right``, positive semidefinite and consistent.

    Pivoted elimination on the matrix with unit diagonal; directions whose pivot
    vanishes are redundant, and their coefficients are 0.
    """
    work, b = matrix.copy(), right.copy()
    largest = max((float(v) for v in np.diagonal(work)), default=0.0)
    size = [
        v ** algebra.array(0.5) if float(v) > algebra.threshold * largest else None
        for v in np.diagonal(work)
    ]
    open_rows = [i for i, v in enumerate(size) if v is not None]
    for i in open_rows:
        work[i, :] /= size[i]
        work[:, i] /= size[i]
        b[i] /= size[i]
    pivots: list[int] = []
    while open_rows:
        k = max(open_rows, key=lambda i: float(work[i, i]))
        if not float(work[k, k]) > algebra.threshold:
            break
        open_rows.remove(k)
        pivots.append(k)
        for i in open_rows:
            factor = work[i, k] / work[k, k]
            b[i] = b[i] - factor * b[k]
            work[i, open_rows] = work[i, open_rows] - factor * work[k, open_rows]
    y = right * 0
    for place in reversed(range(len(pivots))):
        k, known = pivots[place], pivots[place + 1 :]
        y[k] = (b[k] - sum(work[k, j] * y[j] for j in known)) / work[k, k]
    for k in pivots:
        y[k] = y[k] / size[k]
    return y
