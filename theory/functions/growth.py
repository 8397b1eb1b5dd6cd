r"""Growth at infinity, and square integrability under a Gaussian.

Along each half of the axis a function of the grammar is compared with

    C x^c exp(b x + a x^2),      x = abs(z) -> oo,

either exactly (it is asymptotic to it) or as an upper bound. ``E f^2`` under
N(0, s^2) is finite when (2a - 1/(2 s^2), 2b, 2c + 1) is negative in the order of
the dictionary. Exponents are exact, so that borderline cases are decided, not
guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import groupby
from typing import Any

import sympy as sp

from detequiv.theory.functions.boxes import Box, enclose
from detequiv.theory.functions.grammar import z
from detequiv.theory.functions.pieces import Pieces

__all__ = ["Order", "orders", "require_square_integrable"]

x = sp.Symbol("x", positive=True)
FAR = 40.0  # where boxes look for a bound of an oscillating part


@dataclass(frozen=True)
class Order:
    """The function ``factor x^power exp(linear x + square x^2)``.

    Attributes
    ----------
    exponents : tuple of Expr
        square, linear, power: the most important first; an infinite one stands for
        anything faster (slower).
    factor : Expr
        C; positive for an upper bound.
    exact : bool
        Asymptotic equality; otherwise an upper bound of the absolute value.
    """

    exponents: tuple[sp.Expr, sp.Expr, sp.Expr]
    factor: sp.Expr
    exact: bool

    def times(self, other: "Order") -> "Order":
        """Order of a product."""
        (a, b, c), (d, e, f) = self.exponents, other.exponents
        exponents = (a + d, b + e, c + f)
        if sp.nan in exponents:
            raise ValueError("its growth cannot be decided")
        exact = self.exact and other.exact
        factor = self.factor * other.factor
        return Order(exponents, factor if exact else sp.Abs(factor), exact)


def _constant(value: sp.Expr, exact: bool = True) -> Order:
    return Order(_powers(), value, exact)


def _powers(
    square: sp.Expr = sp.S.Zero,
    linear: sp.Expr = sp.S.Zero,
    power: sp.Expr = sp.S.Zero,
) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    return square, linear, power


def _key(order: Order) -> tuple[Any, ...]:
    return tuple(sp.N(e, 30) for e in order.exponents)


def _sign(exponents: Sequence[sp.Expr]) -> int:
    """Tell whether ``x^c exp(b x + a x^2)`` grows (1), vanishes (-1), or neither."""
    for exponent in exponents:
        if exponent != 0:
            return 1 if exponent.is_extended_positive else -1
    return 0


@lru_cache(maxsize=256)
def orders(parts: Pieces) -> tuple[Order, Order]:
    """Growth of a function towards minus and towards plus infinity.

    Raises
    ------
    ValueError
        It cannot be decided.

    Examples
    --------
    >>> orders(Pieces((), (z**2 * sp.exp(-z),)))[0].exponents
    (0, 1, 2)
    """
    left, right = parts.branches[0].subs(z, -x), parts.branches[-1].subs(z, x)
    return _order(left), _order(right)


@lru_cache(maxsize=256)
def require_square_integrable(parts: Pieces, variance: sp.Expr) -> None:
    """Check that ``E f(z)^2`` is finite for z of the given variance.

    Raises
    ------
    ValueError
        It is infinite, or cannot be shown to be finite; the message says why.
    """
    for order, side in zip(orders(parts), ("-oo", "oo"), strict=True):
        rate, linear, power = order.exponents
        decisive = 2 * rate - 1 / (2 * variance), 2 * linear, 2 * power + 1
        if order.factor == 0 or _sign(decisive) < 0:
            continue
        if rate.is_infinite:
            reason = "faster than any Gaussian decays"
        else:
            reason = (
                f"like exp({rate * z**2}), so its square has a Gaussian average only "
                f"below variance {1 / (4 * rate)}"
            )
        raise ValueError(
            f"is not square integrable under a Gaussian of variance {variance}: as "
            f"z -> {side} it grows {reason}"
        )


def _order(expr: sp.Expr) -> Order:
    """Order of an expression in x."""
    if not expr.has(x):
        return _constant(expr)
    if expr == x:
        return Order(_powers(power=sp.S.One), sp.S.One, True)
    if isinstance(expr, sp.exp):
        return _order_of_exp(expr.args[0])
    if expr.is_Add:
        return _add([_order(a) for a in expr.args])
    if expr.is_Mul:
        return reduce(Order.times, map(_order, expr.args))
    if isinstance(expr, sp.sinh | sp.cosh):
        return _order(expr.rewrite(sp.exp))
    if expr.is_Pow:
        base = _order(expr.base)
        if base.exact or expr.exp.is_extended_positive:
            return _to_power(base, expr.exp)
    elif isinstance(expr, sp.log):
        inner = _order(expr.args[0])
        if inner.exact:
            return _order_of_log(inner)
    elif isinstance(expr, sp.tanh | sp.erf):
        inner = _order(expr.args[0])
        if inner.exact and _sign(inner.exponents) > 0:
            return _constant(sp.sign(inner.factor))
        return _constant(sp.S.One, exact=False)
    elif isinstance(expr, sp.sin | sp.cos):
        return _constant(sp.S.One, exact=False)
    return _constant(_bound(expr), exact=False)


def _bound(expr: sp.Expr) -> sp.Expr:
    """Bound an expression on ``x > FAR`` by a constant, by boxes."""
    try:
        box = enclose(expr.subs(x, z), Box(FAR, float("inf")))
    except ArithmeticError:
        box = Box(-float("inf"), float("inf"))
    size = max(-box.low, box.high)
    if size == float("inf"):
        raise ValueError(f"the growth of {expr.subs(x, z)} cannot be decided")
    return sp.Rational(size)


def _to_power(base: Order, power: sp.Expr) -> Order:
    a, b, c = base.exponents
    return Order((power * a, power * b, power * c), base.factor**power, base.exact)


def _add(parts: Sequence[Order]) -> Order:
    """Order of a sum: that of its largest terms."""
    ranked = sorted((p for p in parts if p.factor != 0), key=_key, reverse=True)
    if not ranked:
        return _constant(sp.S.Zero)
    _, group = next(groupby(ranked, key=_key))
    largest = list(group)
    total = sp.expand(sp.Add(*[p.factor for p in largest]))
    if all(p.exact for p in largest) and not total.equals(0):
        return Order(largest[0].exponents, total, True)
    size = sp.Add(*[sp.Abs(p.factor) for p in largest])
    return Order(largest[0].exponents, size, False)


def _order_of_log(inner: Order) -> Order:
    square, linear, power = inner.exponents
    if square != 0:
        return Order(_powers(power=sp.Integer(2)), square, True)
    if linear != 0:
        return Order(_powers(power=sp.S.One), linear, True)
    if power != 0:  # a logarithm is smaller than any power
        return Order(_powers(power=sp.S.Half), sp.S.One, False)
    value = sp.log(inner.factor)
    return _constant(sp.S.One, exact=False) if value == 0 else _constant(value)


def _order_of_exp(exponent: sp.Expr) -> Order:
    """Order of exp(exponent): its quadratic polynomial part, times the rest."""
    smooth: list[sp.Expr] = []
    rest: list[sp.Expr] = []
    for term in sp.Add.make_args(sp.expand(exponent)):
        (smooth if term.is_polynomial(x) else rest).append(term)
    poly, total = sp.Poly(sp.Add(*smooth), x), _order(exponent)
    square, linear, power = total.exponents
    if (
        _sign((square, linear, power - 2)) > 0
    ):  # faster than x^2: up, or down to nothing
        up = sp.oo if not total.exact or total.factor.is_extended_positive else -sp.oo
        return Order(_powers(square=up), sp.S.One, total.exact)
    square, linear, offset = (poly.coeff_monomial(x**k) for k in (2, 1, 0))
    leading = Order(_powers(square, linear), sp.exp(offset), True)
    remainder = _add([_order(t) for t in rest])
    direction, size = _sign(remainder.exponents), remainder.factor
    if size == 0 or direction < 0:
        return leading
    if direction == 0:  # bounded
        return leading.times(_constant(sp.exp(size), remainder.exact))
    if remainder.exact and size.is_extended_negative:
        return leading.times(_constant(sp.S.One, exact=False))
    power = remainder.exponents[2]
    if power == 2:
        bound = _powers(size, sp.oo)
    elif power == 1:
        bound = _powers(linear=size, power=sp.oo)
    else:
        bound = _powers(linear=sp.oo) if power > 1 else _powers(power=sp.oo)
    return leading.times(Order(bound, sp.S.One, False))
