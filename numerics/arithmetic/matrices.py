"""Vectors as lists of balls, their errors, and the matrices made of them."""

from math import inf
from typing import Any

import flint

from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import upper_triangle

__all__ = [
    "add",
    "cholesky",
    "column",
    "inverse_of",
    "relative_error",
    "solve_linear",
    "solve_semidefinite",
    "symmetric",
]

arb, arb_mat = flint.arb, flint.arb_mat
SINGULAR = (
    "a matrix of the equations is singular to working precision; try a larger "
    "ridge.penalty, or groups that differ more"
)


def column(values: list[Any]) -> Any:
    """Matrix of one column."""
    return arb_mat(len(values), 1, values)


def symmetric(upper: list[Any], order: int) -> Any:
    """Symmetric matrix from its upper triangle, row by row."""
    rows: list[list[Any]] = [[arb(0)] * order for _ in range(order)]
    for value, (i, j) in zip(upper, upper_triangle(order), strict=True):
        rows[i][j] = rows[j][i] = arb(value)
    return arb_mat(rows)


def add(left: list[Any], right: list[Any]) -> list[Any]:
    """Sum of two vectors."""
    return [a + b for a, b in zip(left, right, strict=True)]


def inverse_of(matrix: Any) -> Any:
    """Inverse of a matrix of balls.

    Raises
    ------
    ConvergenceError
        It could not be proved to be regular.
    """
    try:
        return matrix.inv()
    except ZeroDivisionError:
        raise ConvergenceError(SINGULAR) from None


def solve_linear(matrix: Any, right: list[Any]) -> list[Any]:
    """Solve linear equations in balls; raises as `inverse_of` does."""
    try:
        return list(matrix.solve(column(right), algorithm="precond").entries())
    except ZeroDivisionError:
        raise ConvergenceError(SINGULAR) from None


def cholesky(matrix: Any) -> Any:
    """Lower triangular factor of a positive matrix."""
    order = matrix.nrows()
    root = arb_mat(order, order)
    for j in range(order):
        for i in range(j, order):
            rest = matrix[i, j] - sum(root[i, k] * root[j, k] for k in range(j))
            root[i, j] = (rest.sqrt() if i == j else rest / root[j, j]).mid()
    return root


def solve_semidefinite(matrix: Any, right: list[Any]) -> list[Any]:
    """Solve ``matrix y = right``, positive semidefinite and consistent.

    Pivoted elimination on the matrix with unit diagonal. Pivots whose ball
    contains 0, or that lie in the last third of the working precision, are
    dependent directions: their coefficients are 0, which leaves the minimum of
    the quadratic form as it is.
    """
    size = len(right)
    rows, b = matrix.tolist(), list(right)
    norm = [
        arb(1) if rows[i][i].contains(0) else rows[i][i].sqrt() for i in range(size)
    ]
    work = [[rows[i][j] / norm[i] / norm[j] for j in range(size)] for i in range(size)]
    b = [v / n for v, n in zip(b, norm, strict=True)]
    threshold = arb(2) ** (-(2 * flint.ctx.prec) // 3)
    open_rows, pivots = list(range(size)), []
    while open_rows:
        k = max(open_rows, key=lambda i: float(work[i][i]))
        if not work[k][k] > threshold:
            break
        open_rows.remove(k)
        pivots.append(k)
        for i in open_rows:
            factor = work[i][k] / work[k][k]
            b[i] -= factor * b[k]
            for j in open_rows:
                work[i][j] -= factor * work[k][j]
    y = [arb(0)] * size
    for place in reversed(range(len(pivots))):
        k = pivots[place]
        known = sum((work[k][j] * y[j] for j in pivots[place + 1 :]), arb(0))
        y[k] = (b[k] - known) / work[k][k]
    return [v / n for v, n in zip(y, norm, strict=True)]


def relative_error(values: list[Any], errors: list[Any], labels: Any) -> float:
    """Largest relative error; of what is zero to twice the digits, the absolute."""
    worst = 0.0
    for value, error in zip(values, errors, strict=True):
        if not (value.is_finite() and error.is_finite()):
            return inf
        if error != 0:
            size = max(abs(value).mid(), (error * abs(labels).mid()).sqrt().mid())
            worst = max(worst, float((error / size).mid()))
    return worst
