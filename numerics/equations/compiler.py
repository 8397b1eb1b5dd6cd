"""Functions of several lists of numbers, compiled from expressions of a model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sympy as sp

from detequiv.numerics.arithmetic import compile_expressions
from detequiv.theory.models import InverseEntry, upper_triangle

__all__ = ["Compiled", "Compiler", "grouped"]

Compiled = Callable[..., list[Any]]


def grouped(flat: Compiled) -> Compiled:
    """Take one list of numbers a group."""
    return lambda *values: flat(*[v for group in values for v in group])


class Compiler:
    """Compile expressions in which the inverse of a matrix unknown is an argument.

    Its upper triangle is handed over, so that no determinant is ever expanded.

    Parameters
    ----------
    order : int
        Of the matrix.
    arithmetic : mapping
        What the functions of an expression are bound to.
    """

    def __init__(
        self, order: int, arithmetic: Mapping[str, Callable[..., Any]]
    ) -> None:
        self.inverse = tuple(sp.Symbol(f"P_{i}_{j}") for i, j in upper_triangle(order))
        self._place = dict(zip(upper_triangle(order), self.inverse, strict=True))
        self._arithmetic = arithmetic

    def __call__(
        self, groups: Sequence[Sequence[sp.Symbol]], expressions: Iterable[Any]
    ) -> Compiled:
        """Make a function of one list of numbers a group, which returns a list."""
        return grouped(self.flat(groups, expressions))

    def flat(
        self, groups: Sequence[Sequence[sp.Symbol]], expressions: Iterable[Any]
    ) -> Compiled:
        """Make the same function of all numbers one after the other."""
        return compile_expressions(
            [s for group in groups for s in group],
            [self._name_inverse(sp.sympify(e)) for e in expressions],
            self._arithmetic,
        )

    def _name_inverse(self, expression: sp.Expr) -> sp.Expr:
        """Replace the entries of the inverse by the symbols that carry them."""
        names = {
            entry: self._place[int(entry.args[0]), int(entry.args[1])]
            for entry in expression.atoms(InverseEntry)
        }
        return expression.xreplace(names)
