"""Averages of ``log|det M|`` of a matrix that is affine in the unknowns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import compile_expressions
from detequiv.theory.models import upper_triangle

__all__ = ["Affine", "LogDeterminant"]

Array = NDArray[Any]


class Affine:
    """A symmetric matrix of symbols, affine in the unknowns, one of them an entry.

    Parameters
    ----------
    matrix : Matrix
        Its entries.
    unknowns : sequence of Symbol
        In their order.
    arguments : sequence of Symbol
        What else the entries depend on.
    arithmetic : mapping
        To which they are compiled.
    """

    def __init__(
        self,
        matrix: sp.Matrix,
        unknowns: Sequence[sp.Symbol],
        arguments: Sequence[sp.Symbol],
        arithmetic: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.size = matrix.shape[0]
        entries = [(i, j) for i, j in upper_triangle(self.size) if matrix[i, j] != 0]
        nothing = dict.fromkeys(unknowns, 0)
        self.places = entries
        self.constants = compile_expressions(
            arguments, [matrix[i, j].subs(nothing) for i, j in entries], arithmetic
        )
        place = {symbol: u for u, symbol in enumerate(unknowns)}
        terms = [
            (place[symbol], i, j, sp.diff(matrix[i, j], symbol))
            for i, j in entries
            for symbol in matrix[i, j].free_symbols & place.keys()
        ]
        terms.sort(key=lambda term: term[0])
        self.moved, self.rows, self.columns = np.array([t[:3] for t in terms]).T
        self.slopes = compile_expressions(arguments, [t[3] for t in terms], arithmetic)


@dataclass(frozen=True)
class LogDeterminant:
    """The matrix with float64 numbers in it, on n nodes.

    Attributes
    ----------
    form : Affine
        Compiled for NumPy.
    constants : (n, M, M) array
        The matrix where the unknowns are 0.
    slopes : (n, U) array
        Slope of its entry in each of the U unknowns that it has.
    """

    form: Affine
    constants: Array
    slopes: Array

    @classmethod
    def at(cls, form: Affine, numbers: Sequence[Any], nodes: int) -> "LogDeterminant":
        """Put numbers into the entries, some of them arrays over the nodes."""
        constants = np.zeros((nodes, form.size, form.size))
        for (i, j), value in zip(form.places, form.constants(*numbers), strict=True):
            constants[:, i, j] = constants[:, j, i] = value
        slopes = [np.broadcast_to(v, nodes) for v in form.slopes(*numbers)]
        return cls(form, constants, np.array(slopes).T)

    def inverse(self, x: Array) -> Array:
        """Inverse matrices at unknowns x, real or complex; shape (n, M, M)."""
        rows, columns = self.form.rows, self.form.columns
        matrix = self.constants.astype(x.dtype)
        values = x[self.form.moved] * self.slopes
        matrix[:, rows, columns] += values
        mirrored = rows != columns
        matrix[:, columns[mirrored], rows[mirrored]] += values[:, mirrored]
        inverse: Array = np.linalg.inv(matrix)
        return inverse

    def derivatives(self, inverse: Array, weights: Array) -> tuple[Array, Array]:
        """First and second derivatives of ``E log|det|`` by the U unknowns.

        ``d log|det M| = tr(P dM)`` with ``P = M^{-1}``, and ``dP = -P dM P``.
        """
        i, j = self.form.rows, self.form.columns
        slopes = self.slopes * np.where(i == j, 0.5, 1.0)
        first = 2 * (weights @ (inverse[:, i, j] * slopes))
        second = np.empty((len(i), len(i)), inverse.dtype)
        for u, (a, b) in enumerate(zip(i, j, strict=True)):
            pairs = inverse[:, a, i] * inverse[:, b, j]
            pairs += inverse[:, a, j] * inverse[:, b, i]
            second[u] = -2 * ((weights * slopes[:, u]) @ (pairs * slopes))
        return first, second
