"""Finiteness on the real axis, and the strip around it where a function is analytic.

The only operations of the grammar with singularities are division, roots, log, tan
and tanh. Where the critical argument is a polynomial in z, or in one exponential of
z, its zeros are known; otherwise boxes that cover the axis, or a strip around it,
decide (:mod:`detequiv.theory.functions.boxes`).
"""

from functools import lru_cache
from itertools import pairwise
from math import inf

import sympy as sp

from detequiv.theory.functions.boxes import Box, enclose
from detequiv.theory.functions.grammar import z
from detequiv.theory.functions.pieces import Pieces

__all__ = ["require_finite", "steep_places", "strip"]

WINDOW = 40  # boxes cover [-WINDOW, WINDOW] finely and the rest by two half-lines
FINEST = 2.0**-12  # boxes on the axis are halved down to this width
WIDEST = 8.0  # of a strip that boxes establish
NARROWEST = 2.0**-6
STEEP = 0.05  # distance of a singularity from the axis to which rules give a panel
TAME = (
    ": removable and integrable singularities are not taken, only functions whose "
    "every part is finite"
)


def require_finite(parts: Pieces) -> None:
    """Check that every branch is finite and real on its interval.

    Raises
    ------
    ValueError
        It is not, or that cannot be excluded; the message says where.
    """
    ends = [-inf, *(float(b) for b in parts.breaks), inf]
    for branch, (left, right) in zip(parts.branches, pairwise(ends), strict=True):
        for part in sp.preorder_traversal(branch):
            kind = _critical(part)
            if not kind:
                continue
            try:
                _require(part, kind, left, right)
            except _SingularError as error:
                remark = TAME if _is_tame(branch, error.place, left, right) else ""
                raise ValueError(f"{error}{remark}") from None


class _SingularError(ValueError):
    """A part of an expression is singular at a known place."""

    def __init__(self, message: str, place: float) -> None:
        super().__init__(f"{message} at z = {place:.6g}")
        self.place = place


def _is_tame(function: sp.Expr, place: float, left: float, right: float) -> bool:
    """Whether a function seems square integrable about a place, by its growth there."""
    at = sp.Rational(place)
    sides = [1] * (place < right) + [-1] * (place > left)
    for side in sides:
        sizes = []
        for distance in (sp.Rational(1, 10**10), sp.Rational(1, 10**20)):
            value = function.subs(z, at + side * distance).evalf(30)
            if not value.is_comparable:
                return False
            sizes.append(abs(value))
        if not sizes[1] < 10**4 * (sizes[0] + 1):
            return False
    return True


def _critical(part: sp.Expr) -> str:
    """Name what may go wrong with one node of an expression."""
    if not part.has(z):
        return ""
    if isinstance(part, sp.log):
        return "logarithm"
    if isinstance(part, sp.tan):
        return "pole"
    if part.is_Pow and not isinstance(part, sp.exp):
        if part.exp.is_negative:
            return "pole" if part.exp.is_Integer else "logarithm"
        return "" if part.exp.is_Integer else "root"
    return ""


def _require(part: sp.Expr, kind: str, left: float, right: float) -> None:
    """Refuse a zero of the critical argument (for a root: a negative value)."""
    argument = sp.cos(part.args[0]) if isinstance(part, sp.tan) else part.args[0]
    name = {"pole": "has a pole", "logarithm": "is not finite", "root": "is not real"}
    if argument.is_polynomial(z):
        poly = sp.Poly(argument, z)
        zeros = sorted(float(sp.re(r)) for r in poly.nroots(n=30) if _is_real(r))
        inside = [x for x in zeros if left <= x <= right]
        outside = min([0.0, *inside]) - 2, max([0.0, *inside]) + 2
        marks = [max(left, outside[0]), *inside, min(right, outside[1])]
        middles = [(a + b) / 2 for a, b in pairwise(marks) if b > a]
        negative = [x for x in middles if poly.eval(sp.Rational(x)) < 0]
        if inside and kind != "root":
            raise _SingularError(f"{part} {name[kind]}", inside[0])
        if negative and kind != "pole":
            raise ValueError(f"{part} {name[kind]} at z = {negative[0]:.6g}")
        return
    cells = sorted(_cells(left, right), key=lambda c: -min(map(abs, c)))
    while cells:
        low, high = cells.pop()
        try:
            values = enclose(argument, Box(low, high))
        except ArithmeticError:
            values = Box(-inf, inf)
        if values.low > 0 or (values.high < 0 and kind == "pole"):
            continue
        if values.low >= 0 and kind == "root":
            continue
        if values.high < 0 or high - low < FINEST or inf in (-low, high):
            near = low if abs(low) < abs(high) else high
            certain = values.high < 0 or _changes_sign(argument, low, high)
            verb = name[kind] if certain else f"possibly {name[kind]}"
            raise ValueError(f"{part} {verb} near z = {near:.4g}")
        middle = (low + high) / 2
        cells += [(low, middle), (middle, high)]


def _changes_sign(argument: sp.Expr, low: float, high: float) -> bool:
    """Whether a continuous function certainly has a zero in an interval."""
    try:
        ends = [enclose(argument, Box(x, x)) for x in (low, high)]
    except ArithmeticError:
        return False
    return min(e.high for e in ends) <= 0 <= max(e.low for e in ends)


def _is_real(root: sp.Expr) -> bool:
    return bool(abs(sp.im(root)) < sp.Float("1e-12"))


def _cells(left: float, right: float, width: float = 0.25) -> list[tuple[float, float]]:
    """Cover [left, right]: cells of one width in the window, half-lines outside."""
    count = int(WINDOW / width)
    marks = [-inf, *(k * width for k in range(-count, count + 1)), inf]
    return [
        (max(a, left), min(b, right))
        for a, b in pairwise(marks)
        if max(a, left) < min(b, right)
    ]


@lru_cache(maxsize=256)
def strip(function: sp.Expr) -> sp.Expr | None:
    """Half-width of the largest known strip around the axis where f is analytic.

    Exact for a function whose critical arguments are linear in z, quadratic, or
    linear in one exponential of z, which covers the catalogue; otherwise a lower
    bound.

    Returns
    -------
    Expr or None
        None when f is entire.

    Raises
    ------
    ValueError
        A singularity may be so close to the real axis that nothing can be said.

    Examples
    --------
    >>> strip(sp.tanh(2 * z)), strip(1 / (1 + z**2)), strip(sp.exp(-(z**2)))
    (pi/4, 1, None)
    """
    widths: list[sp.Expr] = []
    for part in sp.preorder_traversal(function):
        if not _has_strip(part):
            continue
        zeros = _zeros(part)
        if zeros is None:
            return sp.Rational(_by_boxes(function))
        widths += [height for _, height in zeros]
    width = sp.Min(*widths)
    return None if width is sp.oo else width


@lru_cache(maxsize=256)
def steep_places(function: sp.Expr) -> tuple[sp.Expr, ...]:
    """Places on the axis next to which there is a known singularity.

    Examples
    --------
    >>> steep_places(sp.tanh(z) + sp.tanh(1000 * z - 400))
    (2/5,)
    """
    parts = filter(_has_strip, sp.preorder_traversal(function))
    zeros = {zero for part in parts for zero in _zeros(part) or ()}
    return tuple(sorted({x for x, height in zeros if height < STEEP}, key=float))


def _has_strip(part: sp.Expr) -> bool:
    """Whether a part of an expression may be singular at complex z."""
    return bool(_critical(part)) or (isinstance(part, sp.tanh) and part.has(z))


def _zeros(part: sp.Expr) -> list[tuple[sp.Expr, sp.Expr]] | None:
    """Zeros of a critical argument next to the axis, if known.

    Each by its real part, and its distance from the axis.
    """
    argument = part.args[0]
    if isinstance(part, sp.tanh | sp.tan):
        if isinstance(part, sp.tan) or not argument.is_polynomial(z):
            return None
        if sp.degree(argument, z) != 1:
            return None
        slope, offset = sp.Poly(argument, z).all_coeffs()
        return [(-offset / slope, sp.pi / 2 / sp.Abs(slope))]
    if isinstance(argument, sp.cosh):
        return _zeros(sp.tanh(argument.args[0]))
    if argument.is_polynomial(z) and sp.degree(argument, z) <= 2:
        roots = sp.roots(sp.Poly(argument, z))
        return [(sp.re(r), sp.Abs(sp.im(r))) for r in roots]
    rates = {sp.diff(e.args[0], z) for e in argument.atoms(sp.exp)}
    if len(rates) == 1 and (rate := rates.pop()).is_number:
        power = sp.Dummy()
        (one,) = argument.atoms(sp.exp)
        poly = argument.subs(one, power)
        if (
            poly.is_polynomial(power)
            and sp.degree(poly, power) == 1
            and not poly.has(z)
        ):
            # the root is negative: it is not on the axis
            (root,) = sp.roots(sp.Poly(poly, power))
            place = (sp.log(-root) - one.args[0].subs(z, 0)) / rate
            return [(place, sp.pi / sp.Abs(rate))]
    return None


def _by_boxes(function: sp.Expr) -> float:
    """Widest strip, up to `WIDEST`, on which boxes show the function to be analytic."""
    for lines in (True, False):  # without the half-lines: within the window only
        cells = _cells(-inf, inf)[slice(None) if lines else slice(1, -1)]
        low, high = 0.0, WIDEST
        while high - low > NARROWEST / 4:
            middle = (low + high) / 2
            if all(_analytic(function, Box(a, b, middle)) for a, b in cells):
                low = middle
            else:
                high = middle
        if low >= NARROWEST:
            return low * (1 - 2.0**-20)
    raise ValueError(
        f"has, or may have, a singularity within {NARROWEST:.3g} of the real axis"
    )


def _analytic(function: sp.Expr, box: Box) -> bool:
    try:
        enclose(function, box)
    except ArithmeticError:
        return False
    return True
