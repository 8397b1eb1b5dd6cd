"""Linear least squares in float64, many small problems together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.linear_form import LinearForm

__all__ = ["least_squares"]

Array = NDArray[Any]
DEPENDENT = 1e-13  # singular value, over the largest, of dependent columns
SIMPLE = 1e9  # inverse of the normal matrix up to which corrections restore all digits
CORRECTIONS = 2


def least_squares(
    slopes: Array, offsets: Array, weights: Array, penalty: Array
) -> Array:
    """Minimise ``E sum_r (offset_r - slope_r . y)^2 + y^T penalty y`` over y.

    Columns are scaled to unit norm first. The normal equations are solved and
    corrected by the gradient of what is minimised; where they are too nearly singular
    for that (an odd activation without spike, repeated spikes), an orthogonal
    decomposition gives the solution of least norm.

    Parameters
    ----------
    slopes : (B, R, C, n) or (1, R, C, n) array
        On each of n nodes; of each of B points, or of all of them.
    offsets : (B, R, n) or (1, R, n) array
    weights : (B, n) array
        Positive; E sums over the nodes with them.
    penalty : (B, C, C) array
        Positive semidefinite.

    Returns
    -------
    (B, C) array
    """
    terms = [(LinearForm(slopes[:, r]), offsets[:, r]) for r in range(slopes.shape[1])]
    normal = penalty + sum(form.matrices(weights) for form, _ in terms)
    norm = np.sqrt(np.einsum("bii->bi", normal))
    norm = np.where(norm > 1e-14 * norm.max(1, keepdims=True), norm, np.inf)
    unit = normal / norm[:, :, None] / norm[:, None, :]
    # lifts the singular above rounding, lest they be refused; corrections undo it
    shift = 4 * norm.shape[1] * np.finfo(float).eps
    inverse = np.linalg.inv(unit + shift * np.eye(norm.shape[1]))
    simple = np.abs(inverse).max((1, 2)) < SIMPLE
    inverse = inverse / norm[:, :, None] / norm[:, None, :]
    y = np.zeros_like(norm)
    for _ in range(1 + CORRECTIONS):
        gradient = -(penalty @ y[:, :, None])[:, :, 0]
        for form, offset in terms:
            gradient += form.vectors(weights * (offset - form.values(y)))
        step = (inverse @ gradient[:, :, None])[:, :, 0]
        y = y + step
        # the next correction is smaller by the same factor again
        if (np.abs(step) <= 1e-8 * np.abs(y).max(1, keepdims=True)).all():
            break
    if not simple.all():
        rest = ~simple
        many = np.broadcast_to(slopes, (len(y), *slopes.shape[1:]))[rest]
        right = np.broadcast_to(offsets, (len(y), *offsets.shape[1:]))[rest]
        y[rest] = _orthogonal(many, right, weights[rest], penalty[rest])
    return y


def _orthogonal(slopes: Array, offsets: Array, weights: Array, penalty: Array) -> Array:
    """Minimise the same without multiplying a matrix with itself; of least norm."""
    points, nodes = weights.shape
    rows, count = slopes.shape[1:3]
    columns = np.zeros((points, count + 1, rows * nodes + count))
    for r in range(rows):
        place = slice(r * nodes, (r + 1) * nodes)
        columns[:, :count, place] = slopes[:, r]
        columns[:, count, place] = offsets[:, r]
        columns[:, :, place] *= np.sqrt(weights)[:, None, :]
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
