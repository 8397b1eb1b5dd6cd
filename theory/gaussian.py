r"""Gaussian smoothing of activations and targets: conditional Hermite functions.

Given kappa, a unit sees ``f(rho g + m)`` with ``m = u kappa`` and g standard
normal. Everything the theory needs of f follows from its Gaussian smoothing

    S(m, rho) = E_g f(rho g + m),

by Stein's lemma and the heat equation ``dS/d(rho^2) = S_mm / 2``:

    c0 = S,   c1 = E[g f] = rho S_m,   c2 = E[(g^2 - 1) f] = rho^2 S_mm = rho S_rho,

and ``cs = E f^2 - c0^2 - c1^2``, the second moment being the smoothing of f^2.
"""

from dataclasses import dataclass

import sympy as sp
from sympy.simplify.fu import TR8

from detequiv.theory.expressions import z

__all__ = ["Moments", "NormalCdf", "conditional_moments", "m", "rho", "smoothing"]

m = sp.Symbol("m", real=True)
rho = sp.Symbol("rho", positive=True)


class NormalCdf(sp.Function):
    """Standard normal distribution function.

    SymPy's ``erfc(-z)`` rewrites itself to ``2 - erfc(z)``, which loses the tail;
    this function leaves its evaluation to the numerics.
    """

    is_real = True
    is_nonnegative = True

    @classmethod
    def eval(cls, x: sp.Expr) -> sp.Expr | None:
        """Evaluate at the three points where the value is rational."""
        return {sp.S.Zero: sp.S.Half, sp.oo: sp.S.One, -sp.oo: sp.S.Zero}.get(x)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Differentiate: the standard normal density."""
        return sp.exp(-(self.args[0] ** 2) / 2) / sp.sqrt(2 * sp.pi)

    def _eval_evalf(self, prec: int) -> sp.Expr:
        return (sp.erfc(-self.args[0] / sp.sqrt(2)) / 2)._eval_evalf(prec)


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


def conditional_moments(function: sp.Expr) -> Moments:
    """Conditional Hermite functions of `function`, a SymPy expression in z.

    Examples
    --------
    >>> conditional_moments(sp.Max(0, z)).c1
    rho*NormalCdf(m/rho)
    """
    piecewise_smooth = _kinks_to_steps(function)
    c0 = smoothing(piecewise_smooth)
    return Moments(
        function=function,
        c0=c0,
        c1=None if c0 is None else _tidy(rho * sp.diff(c0, m)),
        c2=None if c0 is None else _tidy(rho**2 * sp.diff(c0, m, 2)),
        second=smoothing(sp.expand(piecewise_smooth**2)),
        kinks=_kinks(piecewise_smooth),
        strip=_strip(function),
    )


def smoothing(function: sp.Expr) -> sp.Expr | None:
    """Gaussian smoothing ``E_g f(rho g + m)`` of an expression in z.

    Sums of terms (polynomial) x (one of step, erf, exp, sin, cos of a linear
    form); products of trigonometric functions are made sums first.

    Returns
    -------
    Expr or None
        A function of m and rho; None when no closed form is known here.
    """
    total: sp.Expr = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(TR8(sp.expand(function)))):
        smooth = _smooth_term(_merge_steps(term))
        if smooth is None:
            return None
        total += smooth
    return _tidy(total)


def _tidy(expr: sp.Expr) -> sp.Expr:
    """Collect the few transcendental functions of a closed form, cancel the rest."""
    atoms = sorted(expr.atoms(sp.Function), key=sp.default_sort_key)
    return sp.collect(sp.expand(expr), atoms, sp.factor_terms)


def _smooth_term(term: sp.Expr) -> sp.Expr | None:
    """Smoothing of coefficient x power of z x core, by Stein's lemma in the power."""
    constant, dependent = term.as_independent(z)
    power, core = 0, sp.S.One
    for factor in sp.Mul.make_args(dependent):
        base, exponent = factor.as_base_exp()
        if base == z and exponent.is_Integer and exponent > 0:
            power += int(exponent)
        elif core == 1 or (isinstance(core, sp.exp) and isinstance(factor, sp.exp)):
            core = sp.powsimp(core * factor)
        else:
            return None
    smooth = _smooth_core(core)
    if smooth is None:
        return None
    for _ in range(power):  # E[(rho g + m) f] = m E f + rho^2 d/dm E f
        smooth = sp.expand(m * smooth + rho**2 * sp.diff(smooth, m))
    return constant * smooth


def _smooth_core(core: sp.Expr) -> sp.Expr | None:
    """Table of smoothings: one function of one linear form a z + b."""
    if core == 1:
        return sp.S.One
    if not (isinstance(core, sp.Function) and core.args[0].is_polynomial(z)):
        return None
    linear = sp.Poly(core.args[0], z)
    if linear.degree() != 1:
        return None
    slope, offset = linear.all_coeffs()
    at_m, variance = slope * m + offset, slope**2 * rho**2
    match core:
        case sp.Heaviside():
            return NormalCdf(at_m / (sp.Abs(slope) * rho))
        case sp.erf():
            return sp.erf(at_m / sp.sqrt(1 + 2 * variance))
        case sp.exp():
            return sp.exp(at_m + variance / 2)
        case sp.sin() | sp.cos():
            return core.func(at_m) * sp.exp(-variance / 2)
    return None


def _kinks_to_steps(function: sp.Expr) -> sp.Expr:
    """Write max, min, abs and sign of linear forms with Heaviside steps."""

    def maximum(*args: sp.Expr) -> sp.Expr:
        head, *rest = args
        for other in rest:
            head = other + (head - other) * step(head - other)
        return head

    def minimum(*args: sp.Expr) -> sp.Expr:
        return -maximum(*(-a for a in args))

    def step(argument: sp.Expr, *_: sp.Expr) -> sp.Expr:
        slope = argument.coeff(z, 1) if argument.is_polynomial(z) else sp.S.Zero
        if slope.is_positive:
            return sp.Heaviside(sp.expand(argument / slope))
        if slope.is_negative:  # one direction only, so that equal steps look equal
            return 1 - sp.Heaviside(sp.expand(argument / slope))
        return sp.Heaviside(argument)

    rewritten = function.replace(sp.Max, maximum).replace(sp.Min, minimum)
    rewritten = rewritten.replace(sp.Abs, lambda a: a * (2 * step(a) - 1))
    rewritten = rewritten.replace(sp.sign, lambda a: 2 * step(a) - 1)
    return sp.expand(rewritten.replace(sp.Heaviside, step))


def _merge_steps(term: sp.Expr) -> sp.Expr:
    """Use H^2 = H: powers of a step are that step."""
    return term.replace(
        lambda e: e.is_Pow and isinstance(e.base, sp.Heaviside), lambda e: e.base
    )


def _kinks(piecewise_smooth: sp.Expr) -> tuple[sp.Expr, ...]:
    """Points where a step switches."""
    points: set[sp.Expr] = set()
    for step in piecewise_smooth.atoms(sp.Heaviside):
        points |= set(sp.solveset(step.args[0], z, sp.S.Reals))
    return tuple(sorted(points, key=lambda k: float(k)))


def _strip(function: sp.Expr) -> sp.Expr | None:
    """Half-width of the strip of analyticity, from the poles of tanh and 1/(1+e^z)."""
    widths = [sp.S.Infinity]
    for part in sp.preorder_traversal(function):
        if isinstance(part, sp.tanh):
            slope = sp.diff(part.args[0], z)
            widths.append(sp.pi / 2 / sp.Abs(slope) if slope.is_number else sp.S.Half)
        elif part.is_Pow and part.exp.is_negative and part.base.has(z):
            rates = [sp.diff(e.args[0], z) for e in part.base.atoms(sp.exp)]
            known = len(rates) == 1 and rates[0].is_number and rates[0] != 0
            widths.append(sp.pi / sp.Abs(rates[0]) if known else sp.S.Half)
    width = min(widths)
    return None if width is sp.S.Infinity else width
