"""Vectors as lists of balls, and the matrices made of them."""

from typing import Any

import flint

from detequiv.theory.matrices import upper_triangle

__all__ = ["add", "column", "symmetric"]

arb, arb_mat = flint.arb, flint.arb_mat


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
