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
    solve_semidefinite,
)

__all__ = ["BallAlgebra", "FloatAlgebra"]

Array = NDArray[Any]
arb, arb_mat = flint.arb, flint.arb_mat
DEPENDENT = 1e-12  # singular value, over the largest, of dependent directions


class FloatAlgebra:
    """Float64."""

    arithmetic: Mapping[str, Any] = FLOATS

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
    def solve_semidefinite(matrix: Array, right: Array) -> Array:
        """Solve equations that may be redundant, positive semidefinite, consistent."""
        diagonal = np.diagonal(matrix)
        norm = np.sqrt(np.maximum(diagonal, 0))
        norm = np.where(diagonal > DEPENDENT * diagonal.max(), norm, np.inf)
        unit = matrix / norm[:, None] / norm
        y: Array = np.linalg.pinv(unit, DEPENDENT, hermitian=True) @ (right / norm)
        return y / norm

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
    def solve_semidefinite(matrix: Array, right: Array) -> Array:
        """Solve equations that may be redundant, positive semidefinite, consistent."""
        found = np.empty(len(right), object)
        found[:] = solve_semidefinite(arb_mat(matrix.tolist()), right.tolist())
        return found

    @staticmethod
    def inverse(matrices: Array) -> Array:
        """Inverses of matrices (S, K, K)."""
        inverse = np.empty(matrices.shape, object)
        for i, matrix in enumerate(matrices):
            inverse[i] = inverse_of(arb_mat(matrix.tolist())).tolist()
        return inverse
