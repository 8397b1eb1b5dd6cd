"""A function of z as smooth branches between breakpoints.

Absolute values, signs, steps, maxima and minima (whatever they are nested in) are
resolved once: where they switch is found exactly, and on each interval between two
such points the function is one smooth expression. Squares, products and derivatives
are then taken branch by branch.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import sympy as sp

from detequiv.theory.functions.grammar import z

__all__ = ["KINKED", "Pieces", "affine_slope", "pieces", "symmetric_part"]

KINKED = (sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min)


@dataclass(frozen=True)
class Pieces:
    """Smooth branches of one function.

    Attributes
    ----------
    breaks : tuple of Expr
        Where two branches meet, increasing, length n.
    branches : tuple of Expr
        Expressions in z on the n + 1 intervals between the breaks.
    """

    breaks: tuple[sp.Expr, ...]
    branches: tuple[sp.Expr, ...]

    def jumps(self) -> tuple[sp.Expr, ...]:
        """Right limit minus left limit at each break: 0 at a kink.

        Examples
        --------
        >>> pieces(sp.sign(z)).jumps(), pieces(sp.Abs(z)).jumps()
        ((2,), (0,))
        """
        return tuple(
            sp.simplify((right - left).subs(z, b))
            for b, left, right in zip(
                self.breaks, self.branches, self.branches[1:], strict=False
            )
        )

    def squared(self) -> "Pieces":
        """Square every branch."""
        return Pieces(self.breaks, tuple(b**2 for b in self.branches))


@lru_cache(maxsize=256)
def pieces(function: sp.Expr) -> Pieces:
    """Split a function of z into smooth branches.

    Raises
    ------
    ValueError
        A breakpoint is not the root of a polynomial that can be solved exactly.

    Examples
    --------
    >>> pieces(sp.Max(0, z, 2 * z - 1))
    Pieces(breaks=(0, 1), branches=(0, z, 2*z - 1))
    """
    points = _breaks(function)
    branches = [_resolve(function, at) for at in _samples(points)]
    breaks: list[sp.Expr] = []
    kept = branches[:1]
    for point, branch in zip(points, branches[1:], strict=True):
        if sp.expand(branch - kept[-1]) != 0:
            breaks.append(point)
            kept.append(branch)
    return Pieces(tuple(breaks), tuple(kept))


def symmetric_part(function: sp.Expr, sign: int) -> Pieces:
    """Even (`sign` 1) or odd (-1) part of a function of z.

    Branches that are affine in z, of a function of the other parity 0, are simplified
    to that form. (Others are not simplified at all: that may take minutes.)

    Examples
    --------
    >>> symmetric_part(sp.log(1 + sp.exp(z)), -1)
    Pieces(breaks=(), branches=(z/2,))
    """
    parts = pieces((function + sign * function.subs(z, -z)) / 2)
    return Pieces(
        parts.breaks,
        tuple(sp.simplify(b) if _looks_affine(b) else b for b in parts.branches),
    )


def affine_slope(function: sp.Expr) -> sp.Expr | None:
    """Slope of a function that is affine in z, however it is written; None of others.

    Examples
    --------
    >>> affine_slope(2 * sp.Max(z, 0) - 2 * sp.Max(-z, 0) + 1)
    2
    >>> affine_slope(sp.sin(z) ** 2 + sp.cos(z) ** 2), affine_slope(sp.Max(z, 0))
    (0, None)
    """
    branches = pieces(function).branches
    if not all(map(_looks_affine, branches)):
        return None
    simple = {sp.expand(sp.simplify(b)) for b in branches}
    slopes = {sp.diff(b, z) for b in simple}
    slope = slopes.pop()
    return None if len(simple) > 1 or slope.has(z) else slope


def _looks_affine(branch: sp.Expr) -> bool:
    """Whether the values at a few points are those of an affine function."""
    points = [sp.Rational(*p) for p in [(1, 3), (2, 3), (5, 4), (-7, 5)]]
    first, second, *others = [branch.subs(z, p).evalf(25) for p in points]
    slope = 3 * (second - first)
    gaps = [
        abs(value - first - slope * (p - points[0]))
        for p, value in zip(points[2:], others, strict=True)
    ]
    return all(gap.is_comparable and gap < sp.Float("1e-15") for gap in gaps)


def _breaks(expr: sp.Expr) -> list[sp.Expr]:
    """Points where a kinked function inside `expr` may switch, increasing."""
    if not expr.has(*KINKED):
        return []
    points = _merge([p for a in expr.args for p in _breaks(a)])
    if not isinstance(expr, KINKED):
        return points
    if isinstance(expr, sp.Max | sp.Min):
        differences = [
            a - b for i, a in enumerate(expr.args) for b in expr.args[i + 1 :]
        ]
    else:
        differences = [expr.args[0]]
    switches = list(points)
    for difference in differences:
        for at in _samples(points):
            switches += _roots(_same_sign(_resolve(difference, at)))
    return _merge(switches)


def _samples(points: list[sp.Expr]) -> list[sp.Expr]:
    """One rational number inside each interval between the points."""
    if not points:
        return [sp.S.Zero]
    near = [sp.Rational(str(p.evalf(25))) for p in points]
    inner = [(a + b) / 2 for a, b in pairwise(near)]
    return [near[0] - 1, *inner, near[-1] + 1]


def _merge(points: list[sp.Expr]) -> list[sp.Expr]:
    """Sort, and keep one of points that are equal."""
    merged: list[sp.Expr] = []
    for point in sorted(set(points), key=lambda p: p.evalf(25)):
        if not merged or abs((point - merged[-1]).evalf(25)) > sp.Float("1e-20"):
            merged.append(point)
    return merged


def _resolve(expr: sp.Expr, at: sp.Expr) -> sp.Expr:
    """Replace every kinked function by its smooth branch around the point `at`."""
    if not expr.has(*KINKED):
        return expr
    args = [_resolve(a, at) for a in expr.args]
    values = [a.subs(z, at) for a in args]
    if isinstance(expr, sp.Max | sp.Min):
        pick = max if isinstance(expr, sp.Max) else min
        return args[values.index(pick(values, key=lambda v: v.evalf(25)))]
    if isinstance(expr, KINKED):
        sign = sp.sign(values[0].evalf(25)) if not values[0].is_zero else sp.S.Zero
        return {
            sp.Abs: sign * args[0],
            sp.sign: sign,
            sp.Heaviside: (1 + sign) / 2,
        }[expr.func]
    return expr.func(*args)


def _same_sign(smooth: sp.Expr) -> sp.Expr:
    """Find a polynomial in z whose sign is that of a smooth function."""
    if smooth.is_polynomial(z):
        return smooth
    if smooth.is_Mul:
        return sp.Mul(*map(_same_sign, smooth.args))
    if isinstance(smooth, sp.exp | sp.cosh):
        return sp.S.One
    if isinstance(smooth, sp.tanh | sp.erf | sp.sinh):
        return _same_sign(smooth.args[0])
    if smooth.is_Pow and smooth.exp.is_Integer:
        return _same_sign(smooth.base) ** (abs(smooth.exp))
    if smooth.is_Pow:  # a root is real and nonnegative where it is defined
        return sp.S.One
    if smooth.is_Add and all(_same_sign(a) == 1 for a in smooth.args):
        return sp.S.One
    raise ValueError(
        "the breakpoints of max, min, abs, sign and step must be roots of "
        f"polynomials; those of {smooth} are not"
    )


def _roots(polynomial: sp.Expr) -> list[sp.Expr]:
    """Real roots, exactly."""
    poly = sp.Poly(polynomial, z).to_field()
    if poly.degree() < 1:
        return []
    roots: list[sp.Expr] = []
    for factor, _ in poly.factor_list()[1]:
        if factor.degree() == 1:
            slope, offset = factor.all_coeffs()
            roots.append(sp.radsimp(-offset / slope))
        elif factor.degree() == 2:
            roots += [r for r in sp.roots(factor) if r.is_real]
        elif not factor.domain.is_QQ or factor.count_roots() > 0:
            raise ValueError(
                f"the real roots of {factor.as_expr()}, breakpoints of max, min, abs, "
                "sign or step, are not square roots; give them as numbers"
            )
    return roots
