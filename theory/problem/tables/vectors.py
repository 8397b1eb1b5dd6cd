"""Lists of vectors in a problem: spikes, vocabularies and alignments of several."""

from collections.abc import Sequence
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import exact, sign

__all__ = [
    "MOST_DIRECTIONS",
    "is_list",
    "is_nested",
    "read_alignment",
    "read_vectors",
    "spread",
]

MOST_DIRECTIONS = 3  # of a vector: averages over more are not evaluated
ROUNDING = 2.0**-50  # of vectors that float64 takes for orthonormal
Vectors = tuple[tuple[sp.Expr, ...], ...]


def is_nested(value: Any) -> bool:
    """Tell a list of lists, or a matrix, from a list of numbers."""
    return is_list(value) and any(map(is_list, value))


def is_list(value: Any) -> bool:
    """Tell a list or an array from a number."""
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0


def read_vectors(value: Sequence[Any], field: str) -> Vectors:
    """Read vectors of one length.

    Raises
    ------
    InputError
        They have different lengths, or more than `MOST_DIRECTIONS` entries.

    Examples
    --------
    >>> read_vectors([[1, "1/2"], [0, 2]], "spike")
    ((1, 1/2), (0, 2))
    """
    lengths = {len(row) if is_list(row) else 0 for row in value}
    if len(lengths) != 1 or 0 in lengths:
        raise InputError(
            field, value, "give vectors of one length, as [[1, 0], [0, 1]]"
        )
    if max(lengths) > MOST_DIRECTIONS:
        raise InputError(
            field, value, f"give vectors of at most {MOST_DIRECTIONS} numbers"
        )
    return tuple(tuple(exact(v, field) for v in row) for row in value)


def read_alignment(value: Any, field: str) -> sp.Expr | Vectors:
    """Read one overlap, or a matrix of those of orthonormal vectors.

    Raises
    ------
    InputError
        No orthonormal vectors have these overlaps.
    """
    if not is_nested(value):
        overlap = exact(value, field)
        if sign(1 - overlap**2) < 0:
            raise InputError(field, value, "must lie in [-1, 1]")
        return overlap
    rows = read_vectors(value, field)
    if len(rows) > MOST_DIRECTIONS:
        raise InputError(field, value, f"give at most {MOST_DIRECTIONS} rows")
    if spread(rows) is None:
        raise InputError(
            field,
            value,
            "holds overlaps <w*_l, v_i> of orthonormal vectors with orthonormal ones: "
            "its singular values must not exceed 1",
        )
    return rows


def spread(alignment: Vectors) -> sp.Matrix | None:
    """Split what is left of projections: ``S S^T = 1 - Z Z^T``, S of full rank.

    Parameters
    ----------
    alignment : tuple of tuple of Expr
        Z, the overlaps of k orthonormal vectors with r others.

    Returns
    -------
    Matrix or None
        Lower triangular but for columns of zeros, which are left out; None if
        ``1 - Z Z^T`` is not positive.

    Examples
    --------
    >>> spread(((1, 0), (0, sp.Rational(3, 5))))
    Matrix([
    [  0],
    [4/5]])
    """
    overlaps = sp.Matrix(alignment)
    rest = sp.eye(overlaps.rows) - overlaps * overlaps.T
    columns: list[sp.Matrix] = []
    for j in range(rest.rows):
        pivot = rest[j, j]
        if abs(pivot.evalf(30)) < ROUNDING:
            if any(abs(entry.evalf(30)) > ROUNDING for entry in rest[j, :]):
                return None
            continue
        if sign(pivot) < 0:
            return None
        column = rest[:, j] / sp.sqrt(pivot)
        rest = (rest - column * column.T).applyfunc(sp.expand)
        columns.append(column)
    return sp.Matrix.hstack(*columns) if columns else sp.zeros(overlaps.rows, 0)
