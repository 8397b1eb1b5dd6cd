r"""Conditional moments of one function at many means, in balls.

``c0 = E f``, ``c1 = E g f``, ``c2 = E (g^2 - 1) f`` and the variance ``cs`` of what
is left, of ``f(rho g + m)`` with g standard normal. Closed forms are evaluated
where theory has them; otherwise the average over g is a quadrature on nodes
``x = rho g + m`` that all means share, so that f is evaluated once a node.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log, log10, pi, sqrt
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import (
    BALLS,
    compile_expressions,
    precision,
    to_ball,
    to_float,
)
from detequiv.numerics.quadrature import (
    Rule,
    gaussian_radius,
    geometric_error,
    lattice,
    panels,
)
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.gaussian import Moments, conditional_moments, m, rho
from detequiv.theory.grammar import hermite_polynomial, z
from detequiv.theory.special import GaussianMean

__all__ = ["MomentValues", "conditional_values", "gaussian_mean"]

arb, acb, arb_mat, acb_mat = flint.arb, flint.acb, flint.arb_mat, flint.acb_mat
HALVINGS = 6  # of the step of the inner rule, before giving up


@dataclass(frozen=True)
class MomentValues:
    """Values of the conditional moments at a list of means, as balls."""

    c0: list[Any]
    c1: list[Any]
    c2: list[Any]
    cs: list[Any]


@cache
def _compiled(expressions: tuple[sp.Expr, ...], *arguments: sp.Symbol) -> Any:
    return compile_expressions(arguments, expressions, BALLS)


def conditional_values(
    moments: Moments, means: Sequence[Any], scale: sp.Expr, digits: float
) -> MomentValues:
    """Evaluate the conditional moments of ``f(scale g + mean)``.

    Parameters
    ----------
    moments : Moments
        The function and its closed forms.
    means : sequence of arb, or of acb
        Exact binary numbers, length n. The moments are entire functions of the
        mean: complex means give them on a contour.
    scale : Expr
        rho, exact and nonnegative; 0 gives f itself.
    digits : float
        Decimal digits, relative to the largest moment at that mean, and relative
        for cs too where it is not below ``10^-digits`` squared.

    Raises
    ------
    ConvergenceError
        The average over g did not converge.
    """
    if scale.is_zero:
        with precision(digits + 10):
            itself = [_compiled((moments.function,), z)(x)[0] for x in means]
            nothing = [arb(0)] * len(itself)
        return MomentValues(itself, nothing, nothing, nothing)
    if moments.c0 is None:
        return _by_quadrature(moments, means, scale, digits)
    values = _closed(moments, means, scale, digits)
    if moments.second is None:
        cs = _by_quadrature(moments, means, scale, digits).cs
        return MomentValues(values.c0, values.c1, values.c2, cs)
    return values


def gaussian_mean(mean: GaussianMean, digits: float) -> Any:
    """Evaluate an average that has no closed form.

    Parameters
    ----------
    mean : GaussianMean
        ``E He_k(g) f(rho g + m)``, its arguments exact numbers.
    digits : float
        Decimal digits, relative to the largest of 1 and the average; the radius of the
        ball returned.

    Raises
    ------
    ConvergenceError
        The average did not converge.
    """
    function, centre, scale, order = mean.args
    weight = hermite_polynomial(int(order), (z - centre) / scale)
    average = conditional_moments(function.expr * weight)
    with precision(digits + 10):
        at = to_ball(centre)
        value = conditional_values(average, [at.mid()], scale, digits).c0[0]
        return value + arb(0, float(10.0 ** (1 - digits)) * float(1 + abs(value)))


def _closed(
    moments: Moments, means: Sequence[Any], scale: sp.Expr, digits: float
) -> MomentValues:
    """Evaluate closed forms, at a precision that outlasts their cancellations."""
    expressions = (moments.c0, moments.c1, moments.c2, moments.second or sp.S.Zero)
    evaluate = _compiled(expressions, m, rho)
    columns: tuple[list[Any], ...] = ([], [], [], [])
    for mean in means:
        for attempt in range(8):
            with precision(2 * (digits + 10) * 1.5**attempt):
                ring = type(mean)
                c0, c1, c2, second = (ring(v) for v in evaluate(mean, to_ball(scale)))
                cs = second - c0 * c0 - c1 * c1
                tiny = arb(10) ** (-arb(digits))
                size = abs(second) + tiny
                settled = cs.rad() < tiny * (abs(cs).mid() + tiny * size).mid()
            if settled or moments.second is None:
                break
        else:
            raise ConvergenceError(
                f"the conditional variance of {moments.function} at mean "
                f"{mean.str(6)} cancels beyond {digits:.0f} digits; ask for fewer"
            )
        cs = ring(0) if cs.contains(0) else cs
        for column, value in zip(columns, (c0, c1, c2, cs), strict=True):
            column.append(value)
    return MomentValues(*columns)


def _by_quadrature(
    moments: Moments, means: Sequence[Any], scale: sp.Expr, digits: float
) -> MomentValues:
    """Average over g by a nested rule, halving its step until it has converged."""
    width = to_float(scale)
    places = [complex(x) for x in means]
    reach = max(map(abs, places))
    shift = max(abs(x.imag) for x in places) / width
    # the sums are taken about 0, not about the mean: that costs (mean / rho)^2;
    # off the real axis the Gaussian kernel oscillates, and is larger than its sum
    working = digits + 15 + 2 * log10(1 + reach / width) + shift**2 / (2 * log(10))
    radius = gaussian_radius(working) * width
    lower = min(x.real for x in places) - radius
    upper = max(x.real for x in places) + radius
    kinks = [k for k in moments.kinks if lower < float(k) < upper]
    decay = digits * log(10)
    step = 1 / (1 + 0.15 * digits)
    if not kinks:
        strip = 4 * pi * width**2 if moments.strip is None else float(moments.strip)
        # the shift of the contour by y costs exp(y^2 / 2 rho^2), gains exp(-2 pi y/h)
        step = min(
            pi * width * sqrt(2 / decay),
            2 * pi * strip / (decay + strip**2 / (2 * width**2)),
        )
    error = float("inf")
    for _ in range(HALVINGS):
        with precision(working):
            if kinks:
                # short panels keep the Gaussian resolved wherever its mean is
                breaks = _panel_breaks([lower, *map(float, kinks), upper], width)
                exact = {float(k): to_ball(k) for k in kinks}
                rule = panels([exact.get(b, arb(b)) for b in breaks], working, step)
            else:
                rule = lattice(lower, upper, step)
            values, error = _average(moments, rule, means, to_ball(scale), radius)
        if error < 10.0**-digits:
            return values
        step /= 2
    raise ConvergenceError(
        f"the Gaussian average of {moments.function} reached {error:.1e} of the "
        f"{digits:.0f} digits asked for; ask for fewer digits"
    )


def _panel_breaks(points: list[float], width: float) -> list[float]:
    """Cut the intervals between `points` into panels of at most 8 widths."""
    breaks = [points[0]]
    for left, right in pairwise(points):
        count = int((right - left) / (8 * width)) + 1
        breaks += [left + (right - left) * i / count for i in range(1, count)]
        breaks.append(right)
    return breaks


def _average(
    moments: Moments, rule: Rule, means: Sequence[Any], scale: Any, radius: float
) -> tuple[MomentValues, float]:
    """Moments by one rule, and the error that its coarser versions reveal.

    The sums over nodes are matrix products: Gaussian kernel, means by nodes, times
    the columns ``f, x f, x^2 f, f^2`` for the rule and its coarser versions. Means
    near each other share the nodes within `radius` of them.
    """
    function = _compiled((moments.function,), z)
    norm = 1 / (scale * (2 * arb.pi()).sqrt())
    values = [arb(function(x)[0]).mid() for x in rule.nodes]
    rows = [
        [w * norm * v, w * norm * v * x, w * norm * v * x * x, w * norm * v * v]
        for w, x, v in zip(rule.weights, rule.nodes, values, strict=True)
    ]
    nothing = [arb(0)] * 4
    rows = [
        row
        + ([2 * v for v in row] if j % 2 == 0 else nothing)
        + ([4 * v for v in row] if j % 4 == 0 else nothing)
        for row, j in zip(rows, rule.index, strict=True)
    ]
    places = [float(x) for x in rule.nodes]
    sums: list[Any] = [None] * len(means)
    for block in _neighbours(means, radius):
        centres = [complex(means[i]).real for i in block]
        lower, upper = min(centres) - radius, max(centres) + radius
        near = [i for i, x in enumerate(places) if lower <= x <= upper]
        nodes = [rule.nodes[i] for i in near]
        kernel = _kernel(nodes, rule.step, [means[i] for i in block], scale)
        product = kernel * arb_mat([rows[i] for i in near])
        for i, row in zip(block, product.tolist(), strict=True):
            sums[i] = row
    table: list[list[Any]] = []
    differences = [0.0, 0.0]
    for mean, row in zip(means, sums, strict=True):
        fine, *coarser = (
            _centred(row[k : k + 4], mean, scale) for k in range(0, 12, 4)
        )
        size = 1 + sum(float(abs(v)) for v in fine)
        for i, other in enumerate(coarser):
            gap = max(float(abs(p - q)) for p, q in zip(fine, other, strict=True))
            differences[i] = max(differences[i], gap / size)
        *rest, cs = (v.mid() for v in fine)
        table.append([*rest, max(cs, arb(0)) if isinstance(cs, arb) else cs])
    c0, c1, c2, cs = map(list, zip(*table, strict=True))
    return MomentValues(c0, c1, c2, cs), geometric_error(differences[1], differences[0])


def _centred(sums: Sequence[Any], mean: Any, scale: Any) -> list[Any]:
    """c0, c1, c2, cs from the averages of ``f, x f, x^2 f, f^2``."""
    c0, first, second, square = sums
    c1 = (first - mean * c0) / scale
    c2 = (second - 2 * mean * first + mean * mean * c0) / (scale * scale) - c0
    return [c0, c1, c2, square - c0 * c0 - c1 * c1]


def _neighbours(means: Sequence[Any], radius: float) -> list[list[int]]:
    """Positions of the means in groups that span at most `radius`."""
    blocks: list[list[int]] = []
    first = 0.0
    for i in sorted(range(len(means)), key=lambda i: complex(means[i]).real):
        centre = complex(means[i]).real
        if not blocks or centre > first + radius:
            blocks.append([])
            first = centre
        blocks[-1].append(i)
    return blocks


def _kernel(nodes: Sequence[Any], step: Any, means: Sequence[Any], scale: Any) -> Any:
    """Matrix of ``exp(-(x - mean)^2 / (2 scale^2))``, means by nodes.

    On a lattice a row is a Gaussian times a geometric progression, so that one
    exponential a row is enough.
    """
    precise = 2 * scale * scale
    matrix = acb_mat if isinstance(means[0], acb) else arb_mat
    if not step:
        return matrix(
            [
                [(-(x - mean) * (x - mean) / precise).exp() for x in nodes]
                for mean in means
            ]
        )
    envelope = [(-x * x / precise).exp() for x in nodes]
    rows = []
    for mean in means:
        ratio = (2 * mean * step / precise).exp()
        power = (mean * (2 * nodes[0] - mean) / precise).exp()
        row = []
        for gaussian in envelope:
            row.append(gaussian * power)
            power *= ratio
        rows.append(row)
    return matrix(rows)
