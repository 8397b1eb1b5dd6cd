r"""Hermite coefficients of functions of z, one by one and by a formula for all orders.

``mu_k(f) = E[f(z) He_k(z)] = E f^{(k)}(z)``, the latter in the sense of distributions,
so that kinks and jumps need no special care. The smoothing of f generates them:

.. math:: E f(z + m) = \sum_k \mu_k m^k / k!

One coefficient is a derivative of the closed form that
:mod:`detequiv.theory.gaussian.smoothing` knows. The formula for every k comes from
generating functions instead, and shares nothing with it but the expansion into terms:

* ``E f^{(k)}`` of a polynomial that begins at b consists, beyond its degree, of
  derivatives of delta functions, ``E delta_b^{(j)} = He_j(b) phi(b)``;
* an exponential of a quadratic polynomial is the generating function of the ``He_k``;
* a power of z is the recurrence ``mu_k(z f) = mu_{k+1}(f) + k mu_{k-1}(f)``.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp

from detequiv.theory.functions import (
    Pieces,
    hermite_polynomial,
    pieces,
    symmetric_part,
    z,
)
from detequiv.theory.gaussian.smoothing import m, rho, smoothing, terms
from detequiv.theory.gaussian.special import GaussianMean, density

__all__ = ["He", "hermite_coefficient", "hermite_formula"]

_K = sp.Symbol("k", integer=True, nonnegative=True)


class He(sp.Function):
    """Probabilists' Hermite polynomial of an order that may be a symbol.

    Examples
    --------
    >>> He(sp.Symbol("k"), 0).subs("k", 4)
    3
    """

    @classmethod
    def eval(cls, k: sp.Expr, x: sp.Expr) -> sp.Expr | None:
        """Expand as soon as the order is known."""
        if k.is_Integer and k >= 0:
            return hermite_polynomial(int(k), x)
        return None

    def _eval_is_real(self) -> bool | None:
        return True if all(a.is_real for a in self.args) else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        k, x = map(printer._print, self.args)
        power = f"^{{{exp}}}" if exp else ""
        return rf"He_{{{k}}}{power}\left({x}\right)"


def hermite_coefficient(function: sp.Expr, k: int) -> sp.Expr:
    """Hermite coefficient ``mu_k = E[f(z) He_k(z)]``, z standard normal.

    Parameters
    ----------
    function : Expr
        f, in the symbol z; square integrable under the standard Gaussian.
    k : int
        Order, nonnegative.

    Returns
    -------
    Expr
        An exact number, zero where f has the other parity. What has no closed form
        stays an unevaluated :class:`~detequiv.theory.gaussian.special.GaussianMean`.

    Examples
    --------
    >>> hermite_coefficient(sp.Max(0, z), 2), hermite_coefficient(sp.tanh(z), 4)
    (sqrt(2)/(2*sqrt(pi)), 0)
    """
    total, rest = sp.S.Zero, sp.S.Zero
    if set(symmetric_part(function, (-1) ** k).branches) == {sp.S.Zero}:
        return total
    for term in sp.Add.make_args(function):
        value = _closed_coefficient(term, k)
        if value is None:
            rest += term
        else:
            total += value
    value = _closed_coefficient(symmetric_part(rest, (-1) ** k), k)
    if value is None:
        value = GaussianMean(sp.Lambda(z, rest), 0, 1, k)
    return total + value


def _closed_coefficient(function: sp.Expr | Pieces, k: int) -> sp.Expr | None:
    derivative = _derivative(function, k)
    return None if derivative is None else sp.expand(derivative.subs(m, 0))


@lru_cache(maxsize=1024)
def _derivative(function: sp.Expr | Pieces, k: int) -> sp.Expr | None:
    """``d^k/dm^k`` of the smoothing at scale 1, where it is known."""
    if k == 0:
        smooth = smoothing(function)
        if smooth is None:
            return None
        # equal exponentials must look equal, to be collected
        return smooth.subs(rho, 1).replace(sp.exp, lambda x: sp.exp(sp.expand(x)))
    lower = _derivative(function, k - 1)
    return None if lower is None else _collected(sp.diff(lower, m))


def _collected(expr: sp.Expr) -> sp.Expr:
    """Collect a sum by its exponentials and other functions, arguments untouched."""
    functions = sorted(expr.atoms(sp.Function, sp.exp), key=sp.default_sort_key)
    names = {f: sp.Dummy() for f in functions}
    plain = sp.expand(expr.xreplace(names))
    collected = sp.collect(plain, list(names.values()))
    return collected.xreplace({name: f for f, name in names.items()})


@dataclass(frozen=True)
class _Tail:
    """The coefficients from order `start` on, a formula in the symbol ``_K``."""

    formula: sp.Expr
    start: int

    def times_z(self) -> "_Tail":
        """Coefficients of z f: ``z He_k = He_{k+1} + k He_{k-1}``."""
        above, below = (self.formula.subs(_K, _K + i) for i in (1, -1))
        return _Tail(above + _K * below, self.start + 1)


@lru_cache(maxsize=256)
def hermite_formula(function: sp.Expr, k: sp.Symbol) -> sp.Expr | None:
    """Hermite coefficients of every order, as a formula in the symbol `k`.

    Parameters
    ----------
    function : Expr
        f, in the symbol z; square integrable under the standard Gaussian.
    k : Symbol
        Stands for the order, an integer ``>= 0``.

    Returns
    -------
    Expr or None
        A formula, with the orders that it does not cover listed before it. Real,
        though written with complex numbers where f is ``exp(a z^2 + b z)`` with
        positive a, or a sine times that. None when no formula is known here.

    Examples
    --------
    >>> k = sp.Symbol("k", integer=True, nonnegative=True)
    >>> hermite_formula(sp.sin(2 * z), k)
    2**k*exp(-2)*sin(pi*k/2)
    >>> hermite_formula(sp.sign(z), k)
    Piecewise((0, Eq(k, 0)), (sqrt(2)*He(k - 1, 0)/sqrt(pi), True))
    """
    tail = _tail(function)
    if tail is None:
        return None
    formula = _in_two_orders(tail.formula)
    listed = []
    for order in range(tail.start):
        value = hermite_coefficient(function, order)
        if sp.simplify(formula.subs(_K, order) - value) != 0:
            listed.append((value, sp.Eq(k, order)))
    return sp.Piecewise(*listed, (formula.subs(_K, k), True))


def _tail(function: sp.Expr) -> _Tail | None:
    parts = pieces(function)
    expanded = terms(parts.branches[0])
    if expanded is None:
        return None
    tails = [_smooth_tail(*term) for term in expanded]
    for b, left, right in zip(
        parts.breaks, parts.branches, parts.branches[1:], strict=False
    ):
        tails.append(_tail_of_polynomial_from(b, sp.expand(right - left)))
    known = [tail for tail in tails if tail is not None]
    if len(known) < len(tails):
        return None
    return _Tail(
        sp.Add(*[tail.formula for tail in known]),
        max([tail.start for tail in known], default=0),
    )


def _tail_of_polynomial_from(b: sp.Expr, polynomial: sp.Expr) -> _Tail | None:
    """Tail of a polynomial times the step at b."""
    if not polynomial.is_polynomial(z):
        return None
    degree = int(sp.degree(polynomial, z))
    deltas = [
        sp.diff(polynomial, z, i).subs(z, b) * He(_K - 1 - i, b)
        for i in range(degree + 1)
    ]
    return _Tail(density(b) * sp.Add(*deltas), degree + 1)


def _smooth_tail(
    constant: sp.Expr, power: int, exponent: sp.Expr, core: sp.Expr
) -> _Tail | None:
    """Tail of ``constant * z**power * exp(exponent) * core``."""
    if core == 1 and exponent == 0:
        return _Tail(sp.S.Zero, power + 1)
    tail: _Tail | None = None
    if core == 1:
        tail = _Tail(_exponential(exponent), 0)
    elif core.is_Function and core.args[0].is_polynomial(z):
        argument = sp.Poly(core.args[0], z)
        if argument.degree() == 1:
            slope, offset = argument.all_coeffs()
            tail = _tail_of_core(core.func, slope, offset, exponent)
    if tail is None:
        return None
    for _ in range(power):
        tail = tail.times_z()
    return _Tail(constant * tail.formula, tail.start)


def _tail_of_core(
    core: type[sp.Function], slope: sp.Expr, offset: sp.Expr, exponent: sp.Expr
) -> _Tail | None:
    """Tail of ``core(slope z + offset) exp(exponent)``."""
    if core == sp.erf and exponent == 0:
        spread = slope**2 + sp.S.Half
        theta = sp.sign(-slope) ** _K * (slope**2 / spread) ** (_K / 2)
        y = offset / sp.sqrt(spread)
        return _Tail(-2 * density(y) * theta * He(_K - 1, y), 1)
    if core in (sp.sin, sp.cos):
        if exponent == 0:
            phase = core(offset + sp.pi * _K / 2)
            return _Tail(slope**_K * sp.exp(-(slope**2) / 2) * phase, 0)
        turn = -sp.I if core == sp.sin else sp.S.One
        wave = exponent + sp.I * (slope * z + offset)
        return _Tail(sp.re(turn * _exponential(wave)), 0)
    return None


def _exponential(exponent: sp.Expr) -> sp.Expr:
    """Coefficients of ``exp(a z^2 + b z + c)``, from the generating function."""
    a, b, c = (sp.expand(exponent).coeff(z, j) for j in (2, 1, 0))
    spread = 1 - 2 * a
    size = sp.exp(c + b**2 / (2 * spread)) / sp.sqrt(spread)
    if a == 0:
        return size * b**_K
    square = -2 * a / spread
    return size * square ** (_K / 2) * He(_K, b / (spread * sp.sqrt(square)))


def _in_two_orders(formula: sp.Expr) -> sp.Expr:
    """Write a sum with at most two orders of He at each point, by the recurrence."""
    formula = sp.expand(formula)
    lowest: dict[sp.Expr, sp.Expr] = {}
    for order, x in (he.args for he in formula.atoms(He)):
        lowest[x] = min(order - _K, lowest.get(x, order - _K))

    def lowered(order: sp.Expr, x: sp.Expr) -> sp.Expr:
        if order - _K <= lowest[x] + 1:
            return He(order, x)
        return x * lowered(order - 1, x) - (order - 1) * lowered(order - 2, x)

    formula = sp.expand(formula.replace(He, lowered))
    polynomials = sorted(formula.atoms(He), key=sp.default_sort_key)
    return sp.collect(formula, polynomials, sp.factor)
