"""The log-determinant of a symmetric matrix of symbols, and its derivatives.

``log det A`` enters the potential with up to 36 independent entries; expanding
the determinant is hopeless. Its differential needs only the inverse::

    d log det A = tr(P dA),    dP = -P dA P,    P = A^{-1},

so both are SymPy functions of the upper triangle that know this rule.
"""

from collections.abc import Sequence
from math import isqrt
from typing import Any

import sympy as sp
from sympy.core.function import ArgumentIndexError

__all__ = ["InverseEntry", "LogDet", "matrix_order", "symmetric", "upper_triangle"]


def upper_triangle(size: int) -> list[tuple[int, int]]:
    """Index pairs (i, j), i <= j, row by row: the order of a symmetric unknown.

    Examples
    --------
    >>> upper_triangle(2)
    [(0, 0), (0, 1), (1, 1)]
    """
    return [(i, j) for i in range(size) for j in range(i, size)]


def symmetric(entries: tuple[sp.Expr, ...]) -> sp.Matrix:
    """Build the symmetric matrix whose upper triangle, row by row, is `entries`."""
    size = matrix_order(len(entries))
    matrix = sp.zeros(size, size)
    for (i, j), entry in zip(upper_triangle(size), entries, strict=True):
        matrix[i, j] = matrix[j, i] = entry
    return matrix


def matrix_order(count: int) -> int:
    """Order of a symmetric matrix with `count` entries in its upper triangle."""
    return (isqrt(8 * count + 1) - 1) // 2


def _name(upper: Sequence[sp.Expr]) -> str:
    """Name a matrix of symbols ``A_1_1, A_1_2, ...`` by what precedes the indices."""
    return str(upper[0]).partition("_")[0]


class InverseEntry(sp.Function):
    """Entry (i, j) of the inverse of a symmetric matrix.

    ``InverseEntry(i, j, *upper)`` with ``upper`` the upper triangle row by row.
    """

    is_real = True

    @classmethod
    def eval(cls, i: sp.Expr, j: sp.Expr, *upper: sp.Expr) -> sp.Expr | None:
        """Put the indices in order: the inverse is symmetric too."""
        if i > j:
            return cls(j, i, *upper)
        return None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Differentiate by one entry of the upper triangle: dP = -P dA P."""
        a, b, *upper = self.args
        if argindex < 3:
            raise ArgumentIndexError(self, argindex)
        i, j = upper_triangle(matrix_order(len(upper)))[argindex - 3]

        def inverse(row: sp.Expr, column: sp.Expr) -> sp.Expr:
            return InverseEntry(row, column, *upper)

        term = inverse(a, i) * inverse(j, b)
        return -term if i == j else -term - inverse(a, j) * inverse(i, b)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        i, j, *upper = self.args
        entry = rf"\left[{_name(upper)}^{{-1}}\right]_{{{i + 1} {j + 1}}}"
        return rf"{entry}^{{{exp}}}" if exp else entry

    def _sympystr(self, printer: Any) -> str:
        i, j, *upper = self.args
        return f"inv({_name(upper)})[{i + 1}, {j + 1}]"

    def doit(self, **hints: bool) -> sp.Expr:
        """Expand explicitly, by adjugate over determinant (small matrices only)."""
        i, j, *upper = self.args
        matrix = symmetric(tuple(upper))
        return matrix.adjugate()[int(i), int(j)] / matrix.det()


class LogDet(sp.Function):
    """Logarithm of the determinant of a symmetric positive definite matrix.

    ``LogDet(*upper)`` with ``upper`` the upper triangle row by row.

    Examples
    --------
    >>> a, b, c = sp.symbols("a b c")
    >>> LogDet(a, b, c).diff(b).doit()
    -2*b/(a*c - b**2)
    """

    is_real = True

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Differentiate by one entry of the upper triangle: d log det A = tr(P dA)."""
        i, j = upper_triangle(matrix_order(len(self.args)))[argindex - 1]
        entry = InverseEntry(i, j, *self.args)
        return entry if i == j else 2 * entry

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        value = rf"\log\det {_name(self.args)}"
        return rf"\left({value}\right)^{{{exp}}}" if exp else value

    def _sympystr(self, printer: Any) -> str:
        return f"logdet({_name(self.args)})"

    def doit(self, **hints: bool) -> sp.Expr:
        """Expand explicitly (small matrices only)."""
        return sp.log(symmetric(self.args).det())
