r"""The kinds of integer relations in which a number x is looked for.

Each is a vector of real numbers, made of x and of known constants, between which small
integers :math:`a_i` with :math:`\sum_i a_i v_i = 0` determine x.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import mpmath
import sympy as sp

__all__ = ["Constant", "Kind", "algebraic", "linear", "product", "quotient"]

mpf = mpmath.mpf
Constant = tuple[sp.Expr, mpmath.mpf]  # exactly, and to the digits carried
_T = sp.Symbol("x")


@dataclass(frozen=True)
class Kind:
    """One kind of relation.

    Attributes
    ----------
    name : str
        "linear", "quotient", "product", or "algebraic".
    numbers : list of mpf
        The vector v.
    moves : list of mpf
        ``|dv_i / d log x|``: how much an error of x moves each number.
    expressions : callable
        What x may be by the integers of a relation, with the relation's height. A
        polynomial has several roots: each is still to be compared with x.
    count : callable
        How many values of x relations of at most this height determine; the height is
        the largest of the integers.
    """

    name: str
    numbers: list[mpmath.mpf]
    moves: list[mpmath.mpf]
    expressions: Callable[[Sequence[int]], Iterator[tuple[sp.Expr, int]]]
    count: Callable[[int], int]


def linear(x: mpmath.mpf, constants: Sequence[Constant]) -> Kind:
    """Relate x and the constants: ``a x + b + sum_i b_i c_i = 0``."""
    known = [(sp.S.One, mpf(1)), *constants]

    def expressions(a: Sequence[int]) -> Iterator[tuple[sp.Expr, int]]:
        if a[0]:
            yield -_combination(a[1:], known) / a[0], _height(a)

    return Kind(
        "linear",
        [x, *(value for _, value in known)],
        [abs(x)] + [mpf(0)] * len(known),
        expressions,
        lambda h: h * (2 * h + 1) ** len(known),
    )


def quotient(x: mpmath.mpf, constants: Sequence[Constant]) -> Kind:
    """Divide combinations: ``x = (a + sum_i a_i c_i) / (b + sum_i b_i c_i)``."""
    known = [(sp.S.One, mpf(1)), *constants]
    size = len(known)

    def expressions(a: Sequence[int]) -> Iterator[tuple[sp.Expr, int]]:
        below = _combination(a[:size], known)
        if any(a[:size]):
            yield sp.cancel(-_combination(a[size:], known) / below), _height(a)

    values = [value for _, value in known]
    return Kind(
        "quotient",
        [x * value for value in values] + values,
        [abs(x * value) for value in values] + [mpf(0)] * size,
        expressions,
        lambda h: h * (2 * h + 1) ** (2 * size - 1),
    )


def product(x: mpmath.mpf, constants: Sequence[Constant]) -> Kind:
    """Multiply powers: ``log |x| = sum_i e_i log |c_i|`` with rational exponents."""

    def expressions(a: Sequence[int]) -> Iterator[tuple[sp.Expr, int]]:
        if a[0]:
            powers = [
                sp.Abs(c) ** sp.Rational(-e, a[0])
                for e, (c, _) in zip(a[1:], constants, strict=True)
            ]
            yield int(mpmath.sign(x)) * sp.Mul(*powers), _height(a)

    logarithms = [mpmath.log(abs(value)) for _, value in constants]
    return Kind(
        "product",
        [mpmath.log(abs(x)), *logarithms],
        [mpf(1)] + [mpf(0)] * len(logarithms),
        expressions,
        lambda h: 2 * h * (2 * h + 1) ** len(logarithms),
    )


def algebraic(x: mpmath.mpf, degree: int) -> Kind:
    """Relate powers of x: ``sum_k a_k x^k = 0`` up to a degree."""

    def expressions(a: Sequence[int]) -> Iterator[tuple[sp.Expr, int]]:
        if not any(a[1:]):
            return
        for factor, _ in sp.Poly(list(reversed(a)), _T).factor_list()[1]:
            for root in factor.real_roots():
                yield root, _height(factor.all_coeffs())

    return Kind(
        "algebraic",
        [x**k for k in range(degree + 1)],
        [k * abs(x) ** k for k in range(degree + 1)],
        expressions,
        lambda h: degree * h * (2 * h + 1) ** degree,
    )


def _combination(integers: Sequence[int], known: Sequence[Constant]) -> sp.Expr:
    return sp.Add(*[a * c for a, (c, _) in zip(integers, known, strict=True)])


def _height(integers: Sequence[int]) -> int:
    return max(abs(int(a)) for a in integers)
