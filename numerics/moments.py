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
from math import log, pi, sqrt
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import BALLS, compile_expressions, precision, to_ball
from detequiv.numerics.quadrature import (
    Rule,
    gaussian_radius,
    geometric_error,
    lattice,
    panels,
)
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.expressions import z
from detequiv.theory.gaussian import Moments, m, rho

__all__ = ["MomentValues", "conditional_values"]

arb = flint.arb
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
    means : sequence of arb
        Exact binary numbers, length n.
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
            values = [_compiled((moments.function,), z)(x)[0] for x in means]
            nothing = [arb(0)] * len(values)
        return MomentValues(values, nothing, nothing, nothing)
    if moments.c0 is None:
        return _by_quadrature(moments, means, scale, digits)
    values = _closed(moments, means, scale, digits)
    if moments.second is None:
        cs = _by_quadrature(moments, means, scale, digits).cs
        return MomentValues(values.c0, values.c1, values.c2, cs)
    return values


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
                c0, c1, c2, second = (
                    arb(v) for v in evaluate(arb(mean), to_ball(scale))
                )
                cs = second - c0**2 - c1**2
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
        cs = arb(0) if cs.contains(0) else cs
        for column, value in zip(columns, (c0, c1, c2, cs), strict=True):
            column.append(value)
    return MomentValues(*columns)


def _by_quadrature(
    moments: Moments, means: Sequence[Any], scale: sp.Expr, digits: float
) -> MomentValues:
    """Average over g by a nested rule, halving its step until it has converged."""
    width = float(scale)
    working = digits + 15
    radius = gaussian_radius(working) * width
    lower = min(float(x) for x in means) - radius
    upper = max(float(x) for x in means) + radius
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
    """Moments by one rule, and the error that its coarser versions reveal."""
    function = _compiled((moments.function,), z)
    values = [arb(function(x)[0]).mid() for x in rule.nodes]
    strides = (1, 2, 4)
    positions = [frozenset(rule.every(s)) for s in strides]
    places = [float(x) for x in rule.nodes]
    columns: tuple[list[Any], ...] = ([], [], [], [])
    differences = [0.0, 0.0]
    for mean in means:
        near = [
            j for j, x in enumerate(places) if abs(x - float(mean)) <= radius
        ]
        g = {j: ((rule.nodes[j] - mean) / scale).mid() for j in near}
        density = {j: (rule.weights[j] * (-(g[j] ** 2) / 2).exp()).mid() for j in near}
        results = []
        for stride, kept in zip(strides, positions, strict=True):
            used = [j for j in near if j in kept]
            norm = stride / (scale * (2 * arb.pi()).sqrt())
            c0 = norm * _sum(density[j] * values[j] for j in used)
            c1 = norm * _sum(density[j] * values[j] * g[j] for j in used)
            c2 = norm * _sum(density[j] * values[j] * (g[j] ** 2 - 1) for j in used)
            a, b = c0.mid(), c1.mid()
            cs = norm * _sum(density[j] * (values[j] - a - b * g[j]) ** 2 for j in used)
            results.append([c0, c1, c2, cs])
        size = 1 + sum(float(abs(v)) for v in results[0])
        for i, other in enumerate(results[1:]):
            gap = max(
                float(abs(p - q)) for p, q in zip(results[0], other, strict=True)
            )
            differences[i] = max(differences[i], gap / size)
        for column, value in zip(columns, results[0], strict=True):
            column.append(value.mid())
    return MomentValues(*columns), geometric_error(differences[1], differences[0])


def _sum(terms: Any) -> Any:
    total = arb(0)
    for term in terms:
        total += term
    return total
