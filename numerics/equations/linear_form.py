"""A linear form in a model's unknowns on every node, for many points together.

Sums over nodes are where float64 solves spend their time. Where the coefficients of
the form are the same at all points, as along a curve in the number of samples, each
sum is one product of matrices.
"""

from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from detequiv.numerics.equations.cone import symmetric, upper_indices

__all__ = ["LinearForm"]

Array = NDArray[Any]
MANY = 20_000  # nodes, for which products of all pairs are not worth their memory


class LinearForm:
    """Values of ``x . a`` on n nodes, and averages of a and ``a a^T`` over them.

    Parameters
    ----------
    coefficients : (B, N, n) or (1, N, n) array
        The vectors a, of each of B points or of all of them.
    weights : (n,) array
        Weights of the nodes in an average E.
    """

    def __init__(self, coefficients: Array, weights: Array) -> None:
        self.coefficients = coefficients
        self.weights = weights

    @cached_property
    def _weighted(self) -> Array:
        """Vectors a with the weights of their nodes, shared by all points."""
        weighted: Array = self.coefficients[0] * self.weights
        return weighted

    @cached_property
    def _products(self) -> Array:
        """Upper triangle of ``a a^T`` likewise."""
        i, j = upper_indices(len(self._weighted))
        products: Array = self._weighted[i] * self.coefficients[0, j]
        return products

    @property
    def _shared(self) -> bool:
        return len(self.coefficients) == 1

    def values(self, x: Array) -> Array:
        """Evaluate the form at vectors x (B, N) on every node, shape (B, n)."""
        a = self.coefficients
        values: Array = x @ a[0] if self._shared else (x[:, None] @ a)[:, 0]
        return values

    def vectors(self, factors: Array) -> Array:
        """Average ``f a`` for factors f (B, n) on the nodes, shape (B, N)."""
        if self._shared:
            shared: Array = factors @ self._weighted.T
            return shared
        own: Array = self.coefficients @ (factors * self.weights)[:, :, None]
        return own[:, :, 0]

    def matrices(self, factors: Array) -> Array:
        """Average ``f a a^T`` likewise, shape (B, N, N)."""
        a = self.coefficients
        if self._shared and a.shape[2] < MANY:
            return symmetric(factors @ self._products.T, a.shape[1])
        own: Array = (a * (factors * self.weights)[:, None, :]) @ a.swapaxes(1, 2)
        return own
