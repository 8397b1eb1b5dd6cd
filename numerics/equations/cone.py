r"""Positive numbers and positive definite matrices as a curved space, in float64.

The unknowns of a model are K numbers g > 0 and a matrix A > 0. Their geodesics,

    g -> g exp(t s),    A -> L exp(t S) L^T    with A = L L^T,

never leave the cone, and the relative changes (s, S) along them are of order one
whatever the sizes of g and A. Along a geodesic, ``log det`` is linear and every
linear form with positive coefficients is a sum of exponentials; a potential made of
such terms and of logarithms of their sums is convex along geodesics.

Arrays carry B points as leading axis. A point is a vector of N unknowns: the positive
ones, then the upper triangle of the matrix, row by row; so is a relative change.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cone", "symmetric", "upper_indices"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Cone:
    """The cone's geometry at B of its points.

    Attributes
    ----------
    points : (B, N) array
        Where.
    order : int
        Order of the matrix, 0 where there is none.
    """

    points: Array
    order: int

    @property
    def count(self) -> int:
        """How many of the unknowns are positive numbers."""
        return int(self.points.shape[1]) - self.order * (self.order + 1) // 2

    @cached_property
    def root(self) -> Array:
        """Factor L of the matrix, ``A = L L^T``; shape (B, order, order)."""
        size, factor = self._unit
        root: Array = factor * size[:, :, None]
        return root

    @cached_property
    def inverse(self) -> Array:
        """Inverse of the matrix, shape (B, order, order)."""
        size, factor = self._unit
        half = np.linalg.inv(factor) / size[:, None, :]
        inverse: Array = half.swapaxes(1, 2) @ half
        return inverse

    @cached_property
    def _unit(self) -> tuple[Array, Array]:
        """Sizes of the components; factor of the matrix in units of them.

        Components of very different sizes so keep their relative accuracy.
        """
        matrix = symmetric(self.points[:, self.count :], self.order)
        size = np.sqrt(np.einsum("bii->bi", matrix))
        unit = matrix / size[:, :, None] / size[:, None, :]
        unit[~np.isfinite(unit).all((1, 2))] = np.eye(self.order)
        try:
            return size, np.linalg.cholesky(unit)
        except np.linalg.LinAlgError:  # somewhere singular to rounding
            values, vectors = np.linalg.eigh(unit)
            floor = np.finfo(float).eps * values[:, -1:]
            return size, vectors * np.sqrt(np.maximum(values, floor))[:, None, :]

    @cached_property
    def basis(self) -> Array:
        """Derivative of the unknowns by the relative change, shape (B, N, N)."""
        points, count = self.points, self.count
        basis = np.zeros((*points.shape, points.shape[1]))
        diagonal = np.arange(count)
        basis[:, diagonal, diagonal] = points[:, :count]
        if self.order:
            i, j = upper_indices(self.order)
            left, right = self.root[:, i], self.root[:, j]
            block = left[:, :, i] * right[:, :, j] + left[:, :, j] * right[:, :, i]
            basis[:, count:, count:] = np.where(i == j, block / 2, block)
        return basis

    @property
    def sizes(self) -> Array:
        """Natural size of each unknown: g_q, and about sqrt(A_qq A_rr); (B, N)."""
        sizes: Array = np.sqrt((self.basis**2).sum(2))
        return sizes

    def curvature(self, gradient: Array) -> Array:
        """Second derivative along geodesics that a gradient (B, N) adds, (B, N, N)."""
        count, order = self.count, self.order
        bend = np.zeros((*gradient.shape, gradient.shape[1]))
        diagonal = np.arange(count)
        bend[:, diagonal, diagonal] = gradient[:, :count] * self.points[:, :count]
        if order:
            i, j = upper_indices(order)
            # an entry off the diagonal stands for two of the matrix
            slope = symmetric(gradient[:, count:] * np.where(i == j, 1, 0.5), order)
            inner = self.root.swapaxes(1, 2) @ slope @ self.root
            form = inner.reshape(len(inner), -1) @ _square_form(order)
            bend[:, count:, count:] = form.reshape(len(inner), len(i), len(i))
        return bend

    def size(self, change: Array) -> Array:
        """Bound of the logarithmic change along a geodesic, shape (B,)."""
        size: Array = np.max(np.abs(change[:, : self.count]), axis=1, initial=0.0)
        if self.order:
            matrix = symmetric(change[:, self.count :], self.order)
            size = np.maximum(size, np.sqrt((matrix**2).sum((1, 2))))
        return np.where(np.isfinite(size), size, np.inf)

    def move(self, change: Array) -> tuple[Array, Array]:
        """Follow the geodesics from t = 0 to 1; the points and velocities there."""
        count, order = self.count, self.order
        positive = self.points[:, :count] * np.exp(change[:, :count])
        parts, velocity = [positive], [positive * change[:, :count]]
        if order:
            i, j = upper_indices(order)
            values, axes = np.linalg.eigh(symmetric(change[:, count:], order))
            root = self.root @ axes
            for exponent, into in (
                (np.exp(values), parts),
                (np.exp(values) * values, velocity),
            ):
                matrix = (root * exponent[:, None, :]) @ root.swapaxes(1, 2)
                into.append(matrix[:, i, j])
        return np.concatenate(parts, axis=1), np.concatenate(velocity, axis=1)


def symmetric(upper: Array, order: int) -> Array:
    """Symmetric matrices (B, order, order) from their upper triangles (B, ...)."""
    matrices: Array = np.take(upper, _places(order), axis=1)
    return matrices


@cache
def upper_indices(order: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the upper triangle, row by row."""
    return np.triu_indices(order)


@cache
def _places(order: int) -> NDArray[np.intp]:
    """Place of each entry of a symmetric matrix in its upper triangle."""
    places = np.zeros((order, order), np.intp)
    i, j = upper_indices(order)
    places[i, j] = places[j, i] = np.arange(len(i))
    return places


@cache
def _square_form(order: int) -> Array:
    """Map a symmetric M to the quadratic form ``tr(M S^2)``, as a matrix.

    The form is in the m entries of the upper triangle of S: shape (order^2, m^2).
    """
    units = symmetric(np.eye(order * (order + 1) // 2), order)
    form: Array = np.einsum("apr,brq->pqab", units, units)
    return form.reshape(order**2, -1)
