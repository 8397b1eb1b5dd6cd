"""Linear least squares in float64, many small problems together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.equations.linear_form import LinearForm

__all__ = ["least_squares"]

Array = NDArray[Any]
DEPENDENT = 1e-13  # singular value, over the largest, of dependent columns
SIMPLE = 1e9  # inverse of the normal matrix up to which corrections restore all digits
CORRECTIONS = 2


def least_squares(
    slopes: Sequence[LinearForm],
    offsets: Sequence[Array],
    factors: Array,
    penalty: Array,
) -> tuple[Array, Array]:
    """Minimise ``E f sum_r (offset_r - slope_r . y)^2 + y^T penalty y`` over y.

    Columns are scaled to unit norm first. The normal equations are solved and
    corrected by the gradient of what is minimised; where they are too nearly singular
    for that (an odd activation without spike, repeated spikes), an orthogonal
    decomposition gives the solution of least norm.

    Parameters
    ----------
    slopes : sequence of LinearForm
        One a residual, linear forms in C coefficients on n nodes; E is their average.
    offsets : sequence of (B, n) or (1, n) array
        One a residual.
    factors : (B, n) array
        Positive factors f, of each of B points.
    penalty : (B, C, C) array
        Positive semidefinite.

    Returns
    -------
    y : (B, C) array
    squares : (B, n) array
        Sum of the squared residuals at the nodes, without the factors.
    """
    normal = penalty + sum(form.matrices(factors) for form in slopes)
    norm = np.sqrt(np.einsum("bii->bi", normal))
    norm = np.where(norm > 1e-14 * norm.max(1, keepdims=True), norm, np.inf)
    unit = normal / norm[:, :, None] / norm[:, None, :]
    # lifts the singular above rounding, lest they be refused; corrections undo it
    shift = 4 * norm.shape[1] * np.finfo(float).eps
    inverse = np.linalg.inv(unit + shift * np.eye(norm.shape[1]))
    simple = np.abs(inverse).max((1, 2)) < SIMPLE
    inverse = inverse / norm[:, :, None] / norm[:, None, :]
    y, residuals = np.zeros_like(norm), list(offsets)
    for _ in range(1 + CORRECTIONS):
        gradient = -(penalty @ y[:, :, None])[:, :, 0]
        for form, residual in zip(slopes, residuals, strict=True):
            gradient += form.vectors(factors * residual)
        step = (inverse @ gradient[:, :, None])[:, :, 0]
        y = y + step
        residuals = _residuals(slopes, offsets, y)
        # the next correction is smaller by the same factor again
        if (np.abs(step) <= 1e-8 * np.abs(y).max(1, keepdims=True)).all():
            break
    if not simple.all():
        rest = ~simple
        y[rest] = _orthogonal(slopes, offsets, factors, penalty, rest)
        residuals = _residuals(slopes, offsets, y)
    squares = np.zeros_like(factors)
    for residual in residuals:
        squares += np.square(residual, out=residual)
    return y, squares


def _residuals(
    slopes: Sequence[LinearForm], offsets: Sequence[Array], y: Array
) -> list[Array]:
    """Residuals at the nodes, (B, n) each."""
    fits = [form.values(y) for form in slopes]
    return [np.subtract(o, fit, out=fit) for o, fit in zip(offsets, fits, strict=True)]


def _orthogonal(
    slopes: Sequence[LinearForm],
    offsets: Sequence[Array],
    factors: Array,
    penalty: Array,
    points: Array,
) -> Array:
    """Minimise the same at some of the points, of least norm.

    Without multiplying a matrix with itself.
    """
    shares, penalty = factors[points] * slopes[0].weights, penalty[points]
    rows, count, nodes = len(slopes), penalty.shape[1], shares.shape[1]
    columns = np.zeros((len(shares), count + 1, rows * nodes + count))
    for r, (form, offset) in enumerate(zip(slopes, offsets, strict=True)):
        place = slice(r * nodes, (r + 1) * nodes)
        columns[:, :count, place] = _of(form.coefficients, points)
        columns[:, count, place] = _of(offset, points)
        columns[:, :, place] *= np.sqrt(shares)[:, None, :]
    values, vectors = np.linalg.eigh(penalty)
    root = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
    columns[:, :count, rows * nodes :] = root
    triangle: Any = np.linalg.qr(columns.swapaxes(1, 2), mode="r")
    matrix, right = triangle[:, :count, :count], triangle[:, :count, count:]
    norm = np.sqrt((matrix**2).sum(1))
    norm = np.where(norm > 1e-14 * norm.max(1, keepdims=True), norm, np.inf)
    inverse = np.linalg.pinv(matrix / norm[:, None, :], rcond=DEPENDENT)
    solution: Array = (inverse @ right)[:, :, 0] / norm
    return solution


def _of(values: Array, points: Array) -> Array:
    """Values of some of the points, or what all points share."""
    chosen: Array = values if len(values) == 1 else values[points]
    return chosen
