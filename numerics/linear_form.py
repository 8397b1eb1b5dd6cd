"""A linear form in a model's unknowns on every node, for many points together.

Sums over nodes are where float64 solves spend their time. Where the coefficients of
the form are the same at all points, as along a curve in the number of samples, each
sum is one product of matrices.
"""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.cone import symmetric
from detequiv.theory.matrices import upper_triangle

__all__ = ["LinearForm"]

Array = NDArray[Any]


class LinearForm:
    """Values of ``x . a`` on n nodes, and weighted sums of a and ``a a^T`` over them.

    Parameters
    ----------
    coefficients : (B, N, n) or (1, N, n) array
        The vectors a, of each of B points or of all of them.
    """

    def __init__(self, coefficients: Array) -> None:
        self.coefficients = coefficients

    @cached_property
    def _products(self) -> Array:
        """Upper triangle of ``a a^T`` on each node, shared by all points."""
        a = self.coefficients[0]
        i, j = np.array(upper_triangle(len(a))).T
        products: Array = a[i] * a[j]
        return products

    @property
    def _shared(self) -> bool:
        return len(self.coefficients) == 1

    def values(self, x: Array) -> Array:
        """Evaluate the form at vectors x (B, N) on every node, shape (B, n)."""
        a = self.coefficients
        values: Array = x @ a[0] if self._shared else (x[:, None] @ a)[:, 0]
        return values

    def vectors(self, weights: Array) -> Array:
        """Sum the vectors a with weights (B, n) over the nodes, shape (B, N)."""
        a = self.coefficients
        sums: Array = (
            weights @ a[0].T if self._shared else (a @ weights[:, :, None])[:, :, 0]
        )
        return sums

    def matrices(self, weights: Array) -> Array:
        """Sum the matrices ``a a^T`` likewise, shape (B, N, N)."""
        a = self.coefficients
        if self._shared:
            return symmetric(weights @ self._products.T, a.shape[1])
        sums: Array = (a * weights[:, None, :]) @ a.swapaxes(1, 2)
        return sums
