r"""Conditional moments of one function at many means, in balls.

``c0 = E f``, ``c1 = E g f``, ``c2 = E (g^2 - 1) f`` and the variance ``cs`` of what
is left, of ``f(rho g + m)`` with g standard normal. Closed forms are evaluated
where theory has them; otherwise the average over g is a quadrature
(:mod:`detequiv.numerics.averages.shared_nodes`).
"""

from collections.abc import Sequence
from math import lgamma, log
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import average_by, precision, to_ball
from detequiv.numerics.averages.shared_nodes import (
    MomentValues,
    average_values,
    compiled,
)
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.functions import hermite_polynomial, z
from detequiv.theory.gaussian import (
    GaussianMean,
    Moments,
    OwenT,
    conditional_moments,
    m,
    rho,
)

__all__ = ["MomentValues", "central_values", "conditional_values", "gaussian_mean"]

arb = flint.arb
ROUNDS = 8  # of more precision, until closed forms outlast what cancels in them
CLOSER = 3  # times the digits, where a moment may be zero


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
            function = compiled((moments.function,), z)
            # a constant is printed as a plain number
            itself = [type(x)(function(x)[0]) for x in means]
            nothing = [arb(0)] * len(itself)
        return MomentValues(itself, nothing, nothing, nothing)
    if moments.c0 is None:
        return average_values(moments, means, scale, digits)
    if moments.second is not None and moments.second.has(OwenT) and not moments.kinks:
        # an integral a mean; the nodes of the average serve all means at once
        return average_values(moments, means, scale, digits)
    values = _closed(moments, means, scale, digits)
    if moments.second is None:
        cs = average_values(moments, means, scale, digits).cs
        return MomentValues(values.c0, values.c1, values.c2, cs)
    return values


def central_values(moments: Moments, scale: sp.Expr, digits: float) -> MomentValues:
    """Evaluate the conditional moments at mean 0, with zeros that are zero.

    A group without spike has these at every kappa. Where they vanish, as the mean of
    an odd function does, rounding must not take their place: the mean of a readout
    costs nothing, and would make of it a constant feature of any size.

    Parameters
    ----------
    moments : Moments
        The function and its closed forms.
    scale : Expr
        rho.
    digits : float
        As for `conditional_values`. Without a closed form a moment below
        ``10^-digits`` of the function is looked at again with three times the digits,
        and is zero if it is still below.

    Returns
    -------
    MomentValues
        Lists of length 1.
    """
    means = [arb(0)]
    values = conditional_values(moments, means, scale, digits)
    if moments.c0 is not None and not scale.is_zero:
        with precision(2 * (digits + 10)):
            exact = compiled((moments.c0, moments.c1, moments.c2), m, rho)
            c0, c1, c2 = map(arb, exact(arb(0), to_ball(scale)))
        return _or_zero(MomentValues([c0], [c1], [c2], values.cs), arb(0))
    settled = _or_zero(values, _least(values, digits))
    if settled == values:
        return values
    finer = conditional_values(moments, means, scale, CLOSER * digits)
    return _or_zero(finer, _least(finer, CLOSER * digits))


def _least(values: MomentValues, digits: float) -> Any:
    """Size of moments at mean 0 that digits relative to the function leave."""
    c0, c1, cs = values.c0[0], values.c1[0], values.cs[0]
    return (c0 * c0 + c1 * c1 + abs(cs)).sqrt().mid() * arb(10) ** -arb(digits)


def _or_zero(values: MomentValues, least: Any) -> MomentValues:
    """Put zero for moments at mean 0 that may be zero, or are below the least."""
    c0, c1, c2 = (
        column if abs(column[0]).lower() > least else [arb(0)]
        for column in (values.c0, values.c1, values.c2)
    )
    return MomentValues(c0, c1, c2, values.cs)


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
        at = [to_ball(centre).mid()]
        # errors are relative to the largest moment, the mean square of He_k f
        lost = lgamma(int(order) + 1) / log(10)
        value = conditional_values(average, at, scale, digits + lost).c0[0]
        return value + arb(0, float(10.0 ** (1 - digits)) * float(1 + abs(value)))


average_by(gaussian_mean)


def _closed(
    moments: Moments, means: Sequence[Any], scale: sp.Expr, digits: float
) -> MomentValues:
    """Evaluate closed forms, at a precision that outlasts their cancellations."""
    expressions = (moments.c0, moments.c1, moments.c2, moments.second or sp.S.Zero)
    evaluate = compiled(expressions, m, rho)
    table: list[Any] = [None] * len(means)
    tiny, left = arb(10) ** (-arb(digits)), list(range(len(means)))
    for attempt in range(ROUNDS):
        with precision(2 * (digits + 10) * 1.5**attempt):
            width, cancelled = to_ball(scale), []
            for i in left:
                c0, c1, c2, second = map(type(means[i]), evaluate(means[i], width))
                cs = second - c0 * c0 - c1 * c1
                least = abs(cs).mid() + tiny * (abs(second) + tiny)
                if moments.second is not None and not cs.rad() < (tiny * least).mid():
                    cancelled.append(i)
                table[i] = [c0, c1, c2, cs - cs.mid() if cs.contains(0) else cs]
        left = cancelled
        if not left:
            return MomentValues(*map(list, zip(*table, strict=True)))
    raise ConvergenceError(
        f"the conditional variance of {moments.function} at mean "
        f"{means[left[0]].str(6)} cancels beyond {digits:.0f} digits; ask for fewer"
    )
