r"""Proofs of closed forms by algebra, without any integration.

The smoothing ``S(m, rho) = E_g f(rho g + m)`` is *the* solution of moderate growth of

.. math:: \partial S / \partial(\rho^2) = \frac12 \partial^2 S / \partial m^2,
          \qquad S(m, \rho) \to f(m) \text{ as } \rho \to 0,

so that a closed form is proved by differentiating it and by letting rho vanish. That
the expression left over is zero is shown by collecting it: terms with the same
exponential and the same special functions have factors that are algebraic in m and
rho, and these must cancel.
"""

from collections.abc import Callable

import sympy as sp

from detequiv.theory.functions import Pieces, pieces, z
from detequiv.theory.gaussian.smoothing import conditional_moments, m, rho, smoothing
from detequiv.theory.gaussian.special import NormalCdf, OwenT

__all__ = ["begins_as", "obeys_stein", "proofs", "solves_heat_equation", "vanishes"]

# where the sign of an argument is read off; any point will do
_SAMPLE = {m: sp.Rational(37, 10), rho: sp.S.One}


def proofs(function: sp.Expr) -> tuple[str, ...]:
    """Prove the closed forms that are known for `function`, and name the proofs.

    Returns
    -------
    tuple of str
        Empty where no closed form is known.

    Raises
    ------
    ArithmeticError
        A proof failed.

    Examples
    --------
    >>> proofs(sp.sin(z))
    ('heat equation', 'initial value', "Stein's lemma")
    """
    parts, known = pieces(function), conditional_moments(function)
    pairs = [(parts, known.c0), (parts.squared(), known.second)]
    closed = [(f, smooth) for f, smooth in pairs if smooth is not None]
    if not closed:
        return ()
    done = {
        "heat equation": all(solves_heat_equation(smooth) for _, smooth in closed),
        "initial value": all(begins_as(f, smooth) for f, smooth in closed),
    }
    if known.c0 is not None:
        done["Stein's lemma"] = obeys_stein(function)
    for name, holds in done.items():
        if not holds:
            raise ArithmeticError(f"{name}: not proved for {function}")
    return tuple(done)


def solves_heat_equation(smooth: sp.Expr) -> bool:
    """Whether a function of m and rho solves the heat equation in m and rho^2."""
    # d/d(rho^2) = (1 / 2 rho) d/drho
    return vanishes(sp.diff(smooth, rho) / rho - sp.diff(smooth, m, 2))


def begins_as(parts: Pieces, smooth: sp.Expr) -> bool:
    """Whether a function of m and rho begins as a given one when rho leaves 0.

    Inside each interval the limit is the branch. At a break b it is, seen through
    ``m = b + t rho``, ``left + (right - left) Phi(t)``: there is no delta function.
    """
    inside = [
        _inside(smooth, parts, place) - branch.subs(z, m)
        for place, branch in enumerate(parts.branches)
    ]
    at_breaks = [
        _at_break(smooth, parts, b)
        - left.subs(z, b)
        - NormalCdf(m) * (right - left).subs(z, b)
        for b, left, right in zip(
            parts.breaks, parts.branches, parts.branches[1:], strict=False
        )
    ]
    return all(map(vanishes, inside + at_breaks))


def obeys_stein(function: sp.Expr) -> bool:
    """Whether ``E x f(x) = m c0 + rho c1`` and ``c2 = rho dc0/drho``.

    The smoothing of z f is derived on its own; c1 and c2 are derivatives by m.
    """
    known, with_z = conditional_moments(function), smoothing(z * function)
    if known.c0 is None or known.c1 is None or known.c2 is None or with_z is None:
        return False
    return vanishes(with_z - m * known.c0 - rho * known.c1) and vanishes(
        known.c2 - rho * sp.diff(known.c0, rho)
    )


def vanishes(expr: sp.Expr) -> bool:
    """Whether an expression in m and rho is shown to be identically zero."""
    if expr.has(sp.oo, -sp.oo, sp.zoo, sp.nan):
        return False
    plain = expr.replace(sp.erf, lambda x: 2 * NormalCdf(sp.sqrt(2) * x) - 1)
    plain = plain.replace(NormalCdf, _one_sided).replace(OwenT, _even)
    plain = plain.rewrite([sp.sin, sp.cos, sp.sinh, sp.cosh], sp.exp)
    names: dict[sp.Expr, sp.Symbol] = {}

    def name(function: sp.Expr) -> sp.Symbol:
        return names.setdefault(function, sp.Dummy())

    opaque = plain.replace(
        lambda e: isinstance(e, sp.Function | sp.exp), name, simultaneous=True
    )
    functions = {dummy: f for f, dummy in names.items()}
    sums: dict[tuple[sp.Expr, sp.Expr], sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(opaque)):
        factor, dependent = term.as_independent(*functions)
        exponent, rest = sp.S.Zero, sp.S.One
        for one in sp.Mul.make_args(dependent):
            base, power = one.as_base_exp()
            function = functions.get(base, base)
            if isinstance(function, sp.exp):
                exponent += power * function.args[0]
            else:
                rest *= one
        constant = exponent.subs({m: 0, rho: 1})
        key = (sp.factor(exponent - constant), rest)
        sums[key] = sums.get(key, sp.S.Zero) + factor * sp.exp(constant)
    return all(map(_is_algebraic_zero, sums.values()))


def _is_algebraic_zero(value: sp.Expr) -> bool:
    """Whether a sum of roots of polynomials, signed as at _SAMPLE, vanishes."""
    squares: dict[sp.Symbol, sp.Expr] = {}

    def split(root: sp.Expr) -> sp.Expr:
        """Write the root of a product as a product of roots of its factors."""
        content, product = sp.S.One, sp.S.One
        for factor in sp.Mul.make_args(sp.factor(sp.together(root.base))):
            base, power = factor.as_base_exp()
            sign = sp.S.One if base.is_number else sp.sign(base.subs(_SAMPLE))
            content *= (base if base.is_number else sign) ** power
            if not base.is_number:
                name = sp.Symbol(f"root({sign * base})", positive=True)
                squares[name] = sign * base
                product *= name ** (2 * power * root.exp)
        return content**root.exp * product

    roots = value.replace(
        lambda e: (
            e.is_Pow
            and e.exp.is_Rational
            and not e.exp.is_Integer
            and not e.base.is_number
        ),
        split,
    )
    numerator = sp.expand(sp.numer(sp.together(roots)))
    for name, square in squares.items():
        numerator = numerator.replace(
            lambda e, name=name: e.is_Pow and e.base == name and e.exp.is_Integer,
            lambda e, name=name, square=square: (
                name ** (e.exp % 2) * square ** (e.exp // 2)
            ),
        )
    return bool(sp.expand(numerator) == 0)


def _one_sided(x: sp.Expr) -> sp.Expr:
    """Write Phi(-x) as 1 - Phi(x), one of the two."""
    cdf = NormalCdf(_up_to_sign(x))
    return cdf if x.subs(_SAMPLE) > 0 else 1 - cdf


def _even(h: sp.Expr, a: sp.Expr) -> sp.Expr:
    """T is even in h; the second argument is positive."""
    return OwenT(_up_to_sign(h), _up_to_sign(a))


def _up_to_sign(x: sp.Expr) -> sp.Symbol:
    """Name an algebraic argument by its square."""
    return sp.Symbol(str(sp.factor(sp.simplify(x**2))))


def _limit(
    smooth: sp.Expr, breaks: tuple[sp.Expr, ...], side: Callable[[sp.Expr], sp.Expr]
) -> sp.Expr:
    """Limit rho -> 0, where ``side`` tells Phi of an argument that diverges.

    Infinite where an exponential may concentrate elsewhere than at a break.
    """

    def cdf(x: sp.Expr) -> sp.Expr:
        lead, rest = _expansion(x * rho, 2)
        return side(lead) if lead != 0 else NormalCdf(rest)

    def exponential(x: sp.Expr) -> sp.Expr:
        lead, middle, rest = _expansion(x * rho**2, 3)
        if lead == middle == 0:
            return sp.exp(rest)
        at_break = lead.is_number or any(lead.subs(m, b).equals(0) for b in breaks)
        return sp.S.Zero if at_break and lead.subs(_SAMPLE) < 0 else sp.oo

    return smooth.replace(NormalCdf, cdf).replace(sp.exp, exponential).subs(rho, 0)


def _expansion(function: sp.Expr, count: int) -> list[sp.Expr]:
    """First coefficients of the expansion in powers of rho."""
    regular = sp.cancel(function) if function.is_rational_function(rho) else function
    return [
        sp.simplify(sp.diff(regular, rho, k).subs(rho, 0) / sp.factorial(k))
        for k in range(count)
    ]


def _inside(smooth: sp.Expr, parts: Pieces, place: int) -> sp.Expr:
    """Limit rho -> 0 for m inside the interval with index `place`."""

    def side(lead: sp.Expr) -> sp.Expr:
        # a positive multiple of m minus one of the breaks
        for k, b in enumerate(parts.breaks):
            if lead.subs(m, b).equals(0):
                return sp.Integer(k < place)
        return sp.nan

    return _limit(smooth, parts.breaks, side)


def _at_break(smooth: sp.Expr, parts: Pieces, b: sp.Expr) -> sp.Expr:
    """Limit rho -> 0 at the point ``b + m rho``."""
    return _limit(
        smooth.subs(m, b + m * rho),
        parts.breaks,
        lambda lead: sp.Integer(bool(lead > 0)),
    )
