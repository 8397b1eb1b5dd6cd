r"""Exact coefficients of a branch of an algebraic function, by Newton and Puiseux.

Of ``F(y, t) = 0`` with ``t = tau^d`` a branch that begins as ``c tau^n`` is
``tau^n u(tau)``, and ``F(tau^n u, tau) = tau^v G(u, tau)``. The constant c is a root of
``G(u, 0)``; its irreducible factor makes a field in which, if the root is simple, every
further coefficient solves a linear equation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm
from typing import Any

import sympy as sp
from sympy.polys.agca.extensions import FiniteExtension
from sympy.polys.rings import ring

__all__ = ["Branch", "follow_branch", "tau"]

SURE = 3  # digits of the first coefficient that are not counted on
tau = sp.Symbol("tau")
leading = sp.Symbol("c_0", real=True)


@dataclass(frozen=True)
class Branch:
    """Coefficients of powers of h, exact.

    Attributes
    ----------
    terms : dict of Rational to Expr
        By exponents.
    polynomial : Poly or None
        Of ``c_0``, the first coefficient, where it is no root of degree 1 or 2.
    root : Expr or None
        Its value, to 50 digits more than it was known to.
    """

    terms: dict[sp.Rational, sp.Expr]
    polynomial: sp.Poly | None = None
    root: sp.Expr | None = None


def follow_branch(
    polynomial: sp.Expr,
    unknown: sp.Symbol,
    parameter: sp.Symbol,
    along: sp.Expr,
    exponents: Sequence[sp.Rational],
    first: sp.Float,
    digits: int,
    values: dict[sp.Symbol, sp.Expr],
) -> Branch | None:
    """Write the coefficients of a branch whose exponents are known.

    Parameters
    ----------
    polynomial : Expr
        F, in the unknown, the parameter and symbols of `values`.
    unknown, parameter : Symbol
    along : Expr
        The parameter by the symbol `tau`, which stands for h.
    exponents : sequence of Rational
        Of h, increasing.
    first : Float
        The first coefficient, to tell the branch from others.
    digits : int
        To which it is known.
    values : dict
        What symbols stand for.

    Returns
    -------
    Branch or None
        None where the root is a multiple one.
    """
    d = lcm(*(e.q for e in exponents))
    start = int(exponents[0] * d)
    whole = polynomial.subs(parameter, along.subs(tau, tau**d))
    whole = sp.fraction(sp.together(whole.subs(unknown, tau**start * unknown)))[0]
    names = sorted(whole.free_symbols - {unknown, tau}, key=str)
    base = sp.QQ.frac_field(*names) if names else sp.QQ
    table = sp.Poly(whole, unknown, tau, domain=base)
    lowest = min(j for _, j in table.monoms())
    edge = sp.Poly(
        {(i,): c for (i, j), c in table.as_dict(native=True).items() if j == lowest},
        leading,
        domain=base,
    )
    numbers = {**{s: v.evalf(digits + 50) for s, v in values.items()}, leading: first}
    factor = None
    for part, power in edge.factor_list()[1]:
        size = sum(abs(c.subs(numbers) * first**k) for (k,), c in part.terms())
        if abs(part.as_expr().subs(numbers)) < size * sp.Float(10) ** (SURE - digits):
            factor = part if power == 1 else None
    if factor is None:
        return None
    if factor.degree() == 1:
        field: Any = base
        c = base.from_sympy(-factor.nth(0) / factor.nth(1))
    else:
        field = FiniteExtension(factor.monic())
        c = field.convert(sp.Poly(leading, leading, domain=base).rep)

    def put_in(number: Any) -> Any:
        """Take a number of the base into the field."""
        if field is base:
            return number
        return field.convert(sp.Poly(base.to_sympy(number), leading, domain=base).rep)

    series, t = ring("tau", field)
    order = int(exponents[-1] * d) - start

    def put(u: Any) -> Any:
        found = series.zero
        for (i, j), a in table.as_dict(native=True).items():
            if j - lowest <= order:
                term = series.ground_new(put_in(a)) * t ** (j - lowest)
                for _ in range(i):
                    term = _cut(term * u, order, series)
                found += term
        return found

    slope = field.zero
    for (i, j), a in table.as_dict(native=True).items():
        if j == lowest and i:
            slope += put_in(a) * field.convert(i) * c ** (i - 1)
    u = series.ground_new(c)
    for k in range(1, order + 1):
        missing = put(u).get((k,), field.zero)
        u -= series.ground_new(missing / slope) * t**k
    closed, shown = _closed(factor, first, numbers)
    terms = {
        e: field.to_sympy(u.get((int(e * d) - start,), field.zero)).subs(closed)
        for e in exponents
    }
    spelled = {e: _tidy(value.subs(values)) for e, value in terms.items()}
    return Branch(spelled, shown, _refined(factor, first, digits, numbers))


def _cut(element: Any, order: int, series: Any) -> Any:
    return series.from_dict({p: c for p, c in element.items() if p[0] <= order})


def _closed(
    factor: sp.Poly, first: sp.Float, numbers: dict[sp.Symbol, sp.Expr]
) -> tuple[dict[sp.Symbol, sp.Expr], sp.Poly | None]:
    """Write the first coefficient by a root, where its degree is at most 2."""
    if factor.degree() > 2:
        return {}, factor
    if factor.degree() == 1:
        return {}, None
    roots = sp.roots(factor.as_expr(), leading)
    known = {s: v for s, v in numbers.items() if s != leading}
    nearest = min(roots, key=lambda r: abs(sp.N(r.subs(known), 30) - first))
    return {leading: nearest}, None


def _refined(
    factor: sp.Poly, first: sp.Float, digits: int, numbers: dict[sp.Symbol, sp.Expr]
) -> sp.Expr:
    """Value of the first coefficient, by Newton's method."""
    slope, x = factor.diff(), sp.Float(first, digits + 50)
    known = {s: v for s, v in numbers.items() if s != leading}
    for _ in range(8):
        at = known | {leading: x}
        x -= factor.as_expr().subs(at) / slope.as_expr().subs(at)
    return x


def _tidy(value: sp.Expr) -> sp.Expr:
    return sp.simplify(sp.radsimp(value)) if not value.has(leading) else value
