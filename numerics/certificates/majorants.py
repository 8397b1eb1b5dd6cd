r"""Bounds of functions on strips around the real axis, and of their Gaussian averages.

``abs(f(x + iy)) <= P(abs(x))`` for ``abs(y)`` up to a height, P a polynomial with
nonnegative coefficients, is carried through sums, products and the functions that
admit such a bound. By shifting the line of integration, the Gaussian smoothing of f is
bounded at complex means, where it is an entire function:

    abs(E f(rho g + m)) <= exp(delta^2 / 2) E P(rho abs(g) + abs(Re m)),

``delta rho`` being the part of ``abs(Im m)`` that the strip does not cover. Bounds are
upper ends of balls: they are proved, not estimated.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from math import inf
from operator import add, mul
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import to_ball, to_float
from detequiv.theory.errors import InputError
from detequiv.theory.functions import z
from detequiv.theory.gaussian import Moments

__all__ = ["Majorant", "gaussian_tail"]

arb, arb_poly = flint.arb, flint.arb_poly
Bound = Callable[[Any], Any]  # from a height to a polynomial
SUPPORTED = (
    "polynomials, abs, max, min, sign, step, and sin, cos, erf, tanh, sigmoid and "
    "softplus of a*z + b"
)
INSIDE = 0.8  # share of the strip of analyticity that is used


class Majorant:
    """Bounds of one function.

    Parameters
    ----------
    moments : Moments
        The function.
    field : str
        Its name in an error message.

    Attributes
    ----------
    on_strip : callable
        From a height to a polynomial P, ``abs(f(x + iy)) <= P(abs(x))`` for
        ``abs(y) <= height``.
    height : float
        Largest height that is used; infinite for an entire function.
    degree : int
        Degree of P.

    Raises
    ------
    InputError
        The function is not one of those that are bounded here.
    """

    def __init__(self, moments: Moments, field: str) -> None:
        self.moments = moments
        try:
            self.on_strip = _bound(moments.function)
        except _NotBounded as part:
            raise InputError(
                field,
                moments.function,
                f"{part} has no proved bound; certificates support {SUPPORTED}",
            ) from None
        self.height = inf
        if moments.kinks:
            self.height = 0.0
        elif moments.strip is not None:
            self.height = INSIDE * to_float(moments.strip)
        self.degree = max(0, int(self.on_strip(arb(0)).degree()))

    def average(self, scale: Any, real: Any, imaginary: Any, power: int) -> Any:
        """Bound ``E f^power`` at means of bounded real and imaginary part.

        Parameters
        ----------
        scale : arb
            rho, positive.
        real, imaginary : arb
            Bounds of ``abs(Re m)`` and ``abs(Im m)``.
        power : int
            1, or 2 for the second moment.
        """
        height = min(imaginary, arb(self.height))
        poly = self.on_strip(height) ** power
        delta = (imaginary - height) / scale
        return ((delta * delta / 2).exp() * _absolute_mean(poly, scale, real)).upper()

    def tail(self, scale: Any, mean: Any) -> list[Any]:
        """Bounds of ``abs(c0)``, ``abs(c1)``, ``abs(c2)`` and cs at real means.

        Means up to `mean` in absolute value; for larger ones the bounds, being
        polynomials in the mean, grow at most as ``mean^degree``, degree 2 for cs.
        """
        poly = self.on_strip(arb(0))
        by_power = [_absolute_mean(poly, scale, mean, k).upper() for k in range(3)]
        second = _absolute_mean(poly * poly, scale, mean).upper()
        return [by_power[0], by_power[1], by_power[0] + by_power[2], second]


def gaussian_tail(start: Any, degree: int) -> Any:
    """Integral of ``(x / start)^degree`` times the normal density, from `start` on.

    Examples
    --------
    >>> gaussian_tail(arb(2), 0).str(10, radius=False)
    '0.02275013195'
    """
    half = arb(degree + 1) / 2
    integral = (start * start / 2).gamma_upper(half) * arb(2) ** (half - 1)
    return integral / ((2 * arb.pi()).sqrt() * start**degree)


def _absolute_mean(poly: Any, scale: Any, real: Any, extra: int = 0) -> Any:
    """``E abs(g)^extra P(scale abs(g) + real)``."""
    shifted = poly(arb_poly([real, scale]))
    # E abs(g)^k = 2^(k/2) Gamma((k + 1)/2) / sqrt(pi)
    return sum(
        (
            c
            * arb(2) ** (arb(k + extra) / 2)
            * (arb(k + extra + 1) / 2).gamma()
            / arb.pi().sqrt()
            for k, c in enumerate(shifted.coeffs())
        ),
        arb(0),
    )


class _NotBounded(Exception):
    """A part of an expression for which no rule exists."""


def _bound(expr: sp.Expr) -> Bound:
    """Bound an expression in z by a polynomial, as a function of the height."""
    if expr == z:
        return lambda height: arb_poly([height, 1])
    if expr.is_number:
        size = arb_poly([abs(to_ball(expr)).upper()])
        return lambda height: size
    if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0:
        base, power = _bound(expr.base), int(expr.exp)
        return lambda height: base(height) ** power
    if isinstance(expr, sp.sign | sp.Heaviside):
        return lambda height: arb_poly([1])
    if isinstance(expr, sp.Add | sp.Max | sp.Min | sp.Mul | sp.Abs):
        parts = [_bound(a) for a in expr.args]
        combine = mul if expr.is_Mul else add
        return lambda height: reduce(combine, (part(height) for part in parts))
    if (logistic := _logistic(expr)) is not None:
        return logistic
    if expr.func in _ALONG and sp.diff(expr.args[0], z).is_number:
        along = _ALONG[expr.func]
        slope = abs(to_ball(sp.diff(expr.args[0], z)))
        return lambda height: arb_poly([along((slope * height).upper())])
    raise _NotBounded(str(expr))


def _logistic(expr: sp.Expr) -> Bound | None:
    """Bound ``1 / (1 + exp(w))`` and ``log(1 + exp(w))``, w linear in z."""
    inverse = expr.is_Pow and expr.exp == -1
    if not (inverse or isinstance(expr, sp.log)):
        return None
    exponential = expr.args[0] - 1
    if not isinstance(exponential, sp.exp):
        return None
    linear = exponential.args[0]
    slope, offset = sp.diff(linear, z), linear.subs(z, 0)
    if not (slope.is_number and offset.is_number):
        return None
    steep, shift = abs(to_ball(slope)), abs(to_ball(offset))

    def bound(height: Any) -> Any:
        least = _least_of_one_plus_exp((steep * height).upper())
        if inverse:
            return arb_poly([(1 / least).upper()])
        # its modulus is between `least` and 1 + exp(abs(Re w)), its argument below pi
        constant = arb(2).log() + shift - least.log() + arb.pi()
        return arb_poly([constant.upper(), steep.upper()])

    return bound


def _least_of_one_plus_exp(height: Any) -> Any:
    """Bound ``abs(1 + exp(w))`` from below for ``abs(Im w) <= height < pi``."""
    return arb(1) if height <= arb.pi() / 2 else height.sin()


def _tanh(height: Any) -> Any:
    """``abs(tanh)^2 = (sinh^2 x + sin^2 y) / (sinh^2 x + cos^2 y)``."""
    return max(arb(1), height.tan().upper())


def _erf(height: Any) -> Any:
    """Go up from the real axis: the derivative is ``2 exp(-z^2) / sqrt(pi)``."""
    return 1 + 2 * height * (height * height).exp() / arb.pi().sqrt()


_ALONG: Mapping[Any, Callable[[Any], Any]] = {
    sp.sin: lambda height: height.cosh(),
    sp.cos: lambda height: height.cosh(),
    sp.erf: _erf,
    sp.tanh: _tanh,
}
