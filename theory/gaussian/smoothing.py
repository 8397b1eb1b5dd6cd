r"""Gaussian smoothing of activations and targets: conditional Hermite functions.

Given kappa, a unit sees ``f(rho g + m)`` with ``m = u kappa`` and g standard
normal. Everything the theory needs of f follows from its Gaussian smoothing

    S(m, rho) = E_g f(rho g + m),

by Stein's lemma and the heat equation ``dS/d(rho^2) = S_mm / 2``:

    c0 = S,   c1 = E[g f] = rho S_m,   c2 = E[(g^2 - 1) f] = rho^2 S_mm = rho S_rho,

and ``cs = E f^2 - c0^2 - c1^2``, the second moment being the smoothing of f^2.

Three rules give S: a branch of f that begins at b is the branch times a step; an
exponential of a quadratic polynomial changes mean and variance of g (completing the
square); a power of z is ``E[z f] = m S + rho^2 S_m``, Stein's lemma again. What then
remains is a table of six functions.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import comb, prod

import sympy as sp
from sympy.simplify.fu import TR8

from detequiv.theory.functions import Pieces, pieces, steep_places, strip, z
from detequiv.theory.gaussian.special import NormalCdf, OwenT

__all__ = [
    "Moments",
    "NormalCdf",
    "conditional_moments",
    "m",
    "rho",
    "smoothing",
    "terms",
]

Term = tuple[sp.Expr, int, sp.Expr, sp.Expr]  # constant, power, exponent, core

m = sp.Symbol("m", real=True)
rho = sp.Symbol("rho", positive=True)
_MEAN = sp.Symbol("mu", real=True)
_VARIANCE = sp.Symbol("V", positive=True)
MOST_TERMS = 130  # of an expanded branch; beyond it the average is left to numerics


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Conditional moments of one function, closed where a closed form is known.

    Attributes
    ----------
    function : Expr
        f, in the symbol z.
    c0, c1, c2 : Expr or None
        ``E f``, ``E g f``, ``E (g^2 - 1) f`` at ``rho g + m``; functions of the
        symbols m and rho. None: a Gaussian expectation without closed form.
    second : Expr or None
        ``E f^2``.
    kinks : tuple of Expr
        Points where f is not smooth.
    strip : Expr or None
        Half-width of the strip around the real axis in which f is analytic;
        None when f is entire, or not analytic on the axis.
    """

    function: sp.Expr
    c0: sp.Expr | None
    c1: sp.Expr | None
    c2: sp.Expr | None
    second: sp.Expr | None
    kinks: tuple[sp.Expr, ...]
    strip: sp.Expr | None

    @property
    def marks(self) -> tuple[sp.Expr, ...]:
        """Points about which the nodes of a rule crowd: kinks, or where f is steep."""
        return self.kinks or steep_places(self.function)


@lru_cache(maxsize=64)
def conditional_moments(function: sp.Expr) -> Moments:
    """Conditional Hermite functions of `function`, a SymPy expression in z.

    Examples
    --------
    >>> conditional_moments(sp.Max(0, z)).c1
    rho*NormalCdf(m/rho)
    >>> conditional_moments(sp.erf(z)).second
    1 - 8*OwenT(sqrt(2)*m/sqrt(2*rho**2 + 1), 1/sqrt(4*rho**2 + 1))
    """
    parts = pieces(function)
    c0 = smoothing(parts)
    return Moments(
        function=function,
        c0=c0,
        c1=None if c0 is None else _tidy(rho * sp.diff(c0, m)),
        c2=None if c0 is None else _tidy(rho**2 * sp.diff(c0, m, 2)),
        second=smoothing(parts.squared()),
        kinks=parts.breaks,
        strip=None if parts.breaks else strip(function),
    )


def smoothing(function: sp.Expr | Pieces) -> sp.Expr | None:
    """Gaussian smoothing ``E_g f(rho g + m)`` of an expression in z.

    Returns
    -------
    Expr or None
        A function of m and rho; None when no closed form is known here.
    """
    parts = function if isinstance(function, Pieces) else pieces(function)
    first, total = parts.branches[0], sp.S.Zero
    steps = [
        (right - left, b)
        for b, left, right in zip(
            parts.breaks, parts.branches, parts.branches[1:], strict=False
        )
    ]
    for branch, start in [(first, None), *steps]:
        expanded = terms(branch)
        if expanded is None:
            return None
        for term in expanded:
            smooth = _smooth_term(term, start)
            if smooth is None:
                return None
            total += smooth
    return _tidy(total)


def terms(branch: sp.Expr) -> list[Term] | None:
    """Expand a smooth branch into constant x power of z x exponential x core.

    Returns
    -------
    list of (constant, power, exponent, core) or None
        ``constant * z**power * exp(exponent) * core`` with a quadratic exponent and a
        core that is 1 or a function of a linear form. None where f is not such a sum.
    """
    rewritten = branch.replace(
        lambda e: isinstance(e, sp.sinh | sp.cosh), lambda e: e.rewrite(sp.exp)
    )
    if _expanded_size(rewritten) > MOST_TERMS:
        return None
    expanded = sp.expand(rewritten)
    while expanded.has(sp.sin, sp.cos):
        before, expanded = expanded, sp.expand(TR8(expanded))
        if expanded == before:
            break
    if expanded == 0:
        return []
    parts = [_split(term) for term in sp.Add.make_args(expanded)]
    known = [part for part in parts if part is not None]
    return known if len(known) == len(parts) else None


def _expanded_size(expr: sp.Expr) -> int:
    """Bound the number of terms that expanding `expr` would make."""
    if expr.is_polynomial(z):
        return 1 + (int(sp.degree(expr, z)) if expr.expand().has(z) else 0)
    if expr.is_Add:
        return sum(map(_expanded_size, expr.args))
    if expr.is_Mul:
        return prod(map(_expanded_size, expr.args))
    if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0:
        size, power = _expanded_size(expr.base), int(expr.exp)
        return comb(size + power - 1, power)
    return 1


def _split(term: sp.Expr) -> Term | None:
    constant, dependent = term.as_independent(z)
    power, exponent, core = 0, sp.S.Zero, sp.S.One
    # apart, exp(-1600) and exp(8000 z) need not be numbers in float64
    for factor in constant.atoms(sp.exp) & set(sp.Mul.make_args(constant)):
        constant, exponent = constant / factor, exponent + factor.args[0]
    for factor in sp.Mul.make_args(dependent):
        base, degree = factor.as_base_exp()
        if isinstance(factor, sp.exp):
            exponent += factor.args[0]
        elif base == z and degree.is_Integer and degree > 0:
            power += int(degree)
        elif core == 1:
            core = factor
        elif factor != 1:
            return None
    exponent = sp.expand(exponent)
    quadratic = exponent.is_polynomial(z) and sp.degree(exponent, z) <= 2
    return (constant, power, exponent, core) if quadratic else None


def _smooth_term(term: Term, start: sp.Expr | None) -> sp.Expr | None:
    """Smoothing of a term, from `start` on or everywhere."""
    constant, power, exponent, core = term
    smooth = _smooth_power(power, core, start)
    if smooth is None:
        return None
    # completing the square: exp(exponent) changes mean and variance of z
    curvature, slope, offset = (exponent.coeff(z, k) for k in (2, 1, 0))
    spread = 1 - 2 * curvature * rho**2
    growth = slope**2 / 2 - 2 * curvature * offset
    mass = (curvature * m**2 + slope * m + offset + growth * rho**2) / spread
    tilted = {
        _MEAN: (m + slope * rho**2) / spread,
        _VARIANCE: rho**2 / spread,
    }
    return constant * sp.exp(mass) / sp.sqrt(spread) * smooth.xreplace(tilted)


@lru_cache(maxsize=512)
def _smooth_power(power: int, core: sp.Expr, start: sp.Expr | None) -> sp.Expr | None:
    """Smoothing of ``z**power * core`` in the symbols of the mean and the variance."""
    if power == 0:
        return _smooth_core(core, start)
    if core == 1 and start is None:  # the moments of a Gaussian variable
        return sp.Add(
            *[
                comb(power, 2 * j)
                * sp.factorial2(2 * j - 1)
                * _MEAN ** (power - 2 * j)
                * _VARIANCE**j
                for j in range(power // 2 + 1)
            ]
        )
    smooth = _smooth_power(power - 1, core, start)
    if smooth is None:
        return None
    # Stein's lemma: E[z f] = mean E f + variance d/dmean E f
    return _tidy(_MEAN * smooth + _VARIANCE * sp.diff(smooth, _MEAN))


def _smooth_core(core: sp.Expr, start: sp.Expr | None) -> sp.Expr | None:
    """Table of smoothings: a step, or one function of one linear form a z + b."""
    if start is not None:
        step = NormalCdf((_MEAN - start) / sp.sqrt(_VARIANCE))
        return step if core == 1 else None
    if core == 1:
        return sp.S.One
    function, power = core.as_base_exp() if core.is_Pow else (core, sp.S.One)
    if not (isinstance(function, sp.Function) and function.args[0].is_polynomial(z)):
        return None
    linear = sp.Poly(function.args[0], z)
    if linear.degree() != 1:
        return None
    slope, offset = linear.all_coeffs()
    at_mean, width = slope * _MEAN + offset, slope**2 * _VARIANCE
    if isinstance(function, sp.erf) and power == 1:
        return sp.erf(at_mean / sp.sqrt(1 + 2 * width))
    if isinstance(function, sp.erf) and power == 2:
        height = sp.sqrt(2) * at_mean / sp.sqrt(1 + 2 * width)
        return 1 - 8 * OwenT(height, 1 / sp.sqrt(1 + 4 * width))
    if isinstance(function, sp.sin | sp.cos) and power == 1:
        return function.func(at_mean) * sp.exp(-width / 2)
    return None


def _tidy(expr: sp.Expr) -> sp.Expr:
    """Write a closed form as a sum of transcendental functions with short factors.

    Arguments of functions are left as they are: expanding an exponent would turn
    ``exp(-(m - b)^2 / 2 rho^2)`` into a product that overflows.
    """
    opaque = {f: sp.Dummy() for f in _outermost(expr)}
    named = sp.expand(expr.xreplace(opaque))
    factors: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(named):
        factor, functions = term.as_independent(*opaque.values())
        factors[functions] = factors.get(functions, sp.S.Zero) + factor
    tidy = sp.Add(*[sp.factor_terms(_short(c)) * f for f, c in factors.items()])
    return tidy.xreplace({name: f for f, name in opaque.items()})


def _short(coefficient: sp.Expr) -> sp.Expr:
    factored = sp.factor(coefficient)
    return min(coefficient, factored, key=sp.count_ops)


def _outermost(expr: sp.Expr) -> list[sp.Expr]:
    """Functions in `expr` that are not inside another function, in a fixed order."""
    if isinstance(expr, sp.Function | sp.exp):
        return [expr]
    found = {f: None for a in expr.args for f in _outermost(a)}
    return sorted(found, key=sp.default_sort_key)
