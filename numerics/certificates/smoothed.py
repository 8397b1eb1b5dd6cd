r"""Conditional moments at complex means, enclosed, with their Taylor series.

``c0``, ``c1``, ``c2`` and ``cs`` of ``f(rho g + m)`` are entire functions of the mean
m. At a point they are enclosed as Taylor polynomials, from the closed forms that theory
derives, or by a trapezoidal rule whose error is bounded. On a disc the remainder of the
polynomial is bounded by Cauchy's estimate on a larger disc.
"""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from math import ceil, log, pi, sqrt
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import (
    BALLS,
    compile_expressions,
    series_length,
    to_ball,
    to_float,
)
from detequiv.numerics.certificates.majorants import Majorant, gaussian_tail
from detequiv.theory.errors import InputError
from detequiv.theory.functions import z
from detequiv.theory.gaussian import Moments, m, rho

__all__ = ["Smoothed"]

arb, acb, acb_series = flint.arb, flint.acb, flint.acb_series
arb_mat, acb_mat = flint.arb_mat, flint.acb_mat
arb_poly, acb_poly = flint.arb_poly, flint.acb_poly
ORDER = 14  # of the Taylor polynomials on discs
Series = list[Any]


class Smoothed:
    """Conditional moments of one function at one bulk scale.

    Parameters
    ----------
    moments : Moments
        The function and its closed forms.
    scale : Expr
        rho, exact and nonnegative; 0 gives the function itself.
    field : str
        Name of the function in an error message.
    digits : float
        Absolute accuracy of what is not closed.

    Raises
    ------
    InputError
        The function has no proved bound, or neither a closed form nor a strip.
    """

    def __init__(
        self, moments: Moments, scale: sp.Expr, field: str, digits: float
    ) -> None:
        self.majorant = Majorant(moments, field)
        self.scale = to_ball(scale)
        self.sharp = bool(scale.is_zero)
        self._taylor: Callable[[Any, int], tuple[Series, Series]]
        if self.sharp:
            if moments.kinks:
                raise InputError(
                    field,
                    moments.function,
                    "its kinks are not smoothed; certificates need an alignment "
                    "below 1, or a function without kinks",
                )
            self._taylor = _composed(moments.function, sp.S.Zero, z)
        elif moments.c0 is not None and moments.second is not None:
            closed = _composed(moments.c0, moments.second, m, rho)
            self._taylor = lambda mean, n: closed(mean, n, self.scale)
        elif moments.kinks:
            raise InputError(
                field,
                moments.function,
                "has kinks and no closed average; certificates do not support it",
            )
        else:
            self._taylor = _Lattice(self.majorant, scale, digits).taylor

    def at(self, mean: Any, order: int) -> list[Series]:
        """Taylor coefficients in the mean of c0, c1, c2 and cs, `order` of each."""
        c0, second = self._taylor(mean, order + 2)
        if self.sharp:
            return [c0[:order], *[[acb(0)] * order] * 3]
        c1 = [(k + 1) * self.scale * c0[k + 1] for k in range(order)]
        c2 = [(k + 1) * (k + 2) * self.scale**2 * c0[k + 2] for k in range(order)]
        squares = [_convolve(c, c, order) for c in (c0, c1)]
        cs = [s - a - b for s, a, b in zip(second, *squares, strict=False)]
        return [c0[:order], c1, c2, cs]

    def on_disc(self, mean: Any, radius: Any) -> list[Any] | None:
        """Enclose c0, c1, c2 and cs on a disc, as complex balls.

        Returns
        -------
        list of acb or None
            None when the disc is too large, or too far from the axis.
        """
        if radius.is_zero():
            return [series[0] for series in self.at(mean, 1)]
        reach = self._reach(mean)
        if reach is None or not radius / reach < 0.4:
            return None
        ratio = (radius / reach).upper()
        last = ratio**ORDER / (1 - ratio)
        enclosures = []
        for series, bound in zip(
            self.at(mean, ORDER), self._bounds(mean, reach), strict=True
        ):
            spread, power = bound * last, arb(1)
            for coefficient in series[1:]:
                power *= radius
                spread += abs(coefficient).upper() * power
            enclosures.append(series[0] + _around_zero(acb, spread))
        return enclosures

    def tail(self, mean: Any) -> list[Any]:
        """Bounds of c0, c1, c2 and cs at real means up to `mean`."""
        if not self.sharp:
            return self.majorant.tail(self.scale, mean)
        return [self.majorant.on_strip(arb(0))(mean).upper(), *[arb(0)] * 3]

    def _reach(self, mean: Any) -> Any | None:
        """Radius of the disc on which Cauchy's estimate is taken."""
        if not self.sharp:
            return self.scale.mid()
        room = self.majorant.height - float(abs(mean.imag))
        return arb(min(1.0, room)) if room > 0 else None

    def _bounds(self, mean: Any, reach: Any) -> list[Any]:
        """Bounds of c0, c1, c2 and cs on the disc of radius `reach`."""
        real, imaginary = abs(mean.real), abs(mean.imag)
        if self.sharp:
            poly = self.majorant.on_strip((imaginary + reach).upper())
            return [poly((real + reach).upper()), *[arb(0)] * 3]

        def bound(radius: Any, power: int) -> Any:
            return self.majorant.average(
                self.scale,
                (real + radius).upper(),
                (imaginary + radius).upper(),
                power,
            )

        # derivatives on the disc, by Cauchy's estimate on the disc twice as large
        c0, wide = bound(reach, 1), bound(2 * reach, 1)
        c1 = self.scale * wide / reach
        c2 = 2 * self.scale**2 * wide / reach**2
        return [c0, c1, c2, bound(reach, 2) + c0 * c0 + c1 * c1]


@cache
def _composed(
    first: sp.Expr, second: sp.Expr, *arguments: sp.Symbol
) -> Callable[..., tuple[Series, Series]]:
    """Taylor coefficients of two expressions in the first of their arguments."""
    compiled = compile_expressions(arguments, [first, second], SERIES)

    def taylor(point: Any, order: int, *rest: Any) -> tuple[Series, Series]:
        with series_length(order):
            one, two = compiled(acb_series([acb(point), 1], order), *rest)
        return _coefficients(one, order), _coefficients(two, order)

    return taylor


def _coefficients(value: Any, order: int) -> Series:
    known = value.coeffs() if isinstance(value, acb_series) else [acb(value)]
    return [*known, *[acb(0)] * (order - len(known))]


def _series_power(x: Any, exponent: int) -> Any:
    if exponent < 0:
        return 1 / _series_power(x, -exponent)
    result = arb(1)
    for bit in bin(exponent)[2:]:
        result = result * result * x if bit == "1" else result * result
    return result


def _series_tanh(x: Any) -> Any:
    return 1 - 2 / (1 + (2 * x).exp())


def _series_owen_t(h: Any, a: Any) -> Any:
    """Integrate the derivative, which is elementary, from the value at the centre."""
    centre = BALLS["OwenT"](h.coeffs()[0], a)
    density = (-h * h / 2).exp() / (2 * arb.pi()).sqrt()
    slope = density * (a * h * (-1 / arb(2).sqrt())).erfc() / 2 - density / 2
    return centre + (slope * h.derivative()).integral()


def _either(name: str, series: Callable[..., Any]) -> Callable[..., Any]:
    """Use `series` on power series, and the function of balls on constants."""
    constant = BALLS[name]
    return lambda x, *rest: (
        series(x, *rest) if isinstance(x, acb_series) else constant(x, *rest)
    )


SERIES: Mapping[str, Callable[..., Any]] = {
    **BALLS,
    "integer_power": _series_power,
    "NormalCdf": _either("NormalCdf", lambda x: (x * (-1 / arb(2).sqrt())).erfc() / 2),
    "OwenT": _either("OwenT", _series_owen_t),
    "tanh": _either("tanh", _series_tanh),
    **{
        name: _either(name, lambda x, name=name: getattr(x, name)())
        for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "erf", "erfc")
    },
}


class _Lattice:
    """Averages over g by the trapezoidal rule, with its error.

    The error, as a function of the mean, is entire like the average: bounded on a
    disc it bounds the errors of Taylor coefficients.
    """

    def __init__(self, majorant: Majorant, scale: sp.Expr, digits: float) -> None:
        self.majorant, self.scale = majorant, to_ball(scale)
        width, decay = to_float(scale), digits * log(10)
        gauss = width * sqrt(2 * decay)
        self.height = min(gauss, majorant.height)
        # room for means off the axis, up to two bulk scales from it
        room = (self.height / width + 2) ** 2 / 2
        self.step = 2 * pi * self.height / (decay + room)
        self.count = ceil(width * (sqrt(2 * decay + 25) + 1) / self.step)
        self._offsets = [arb(self.step) * d for d in self._span]
        self._gaussian = [(-x * x / (2 * self.scale**2)).exp() for x in self._offsets]
        self._tables: dict[tuple[Any, int], Any] = {}
        self._value = lru_cache(maxsize=None)(self._uncached_value)
        self._function = compile_expressions([z], [majorant.moments.function], BALLS)

    @property
    def _span(self) -> range:
        return range(-self.count, self.count + 1)

    def _uncached_value(self, index: int) -> Any:
        return arb(self._function(arb(self.step) * index)[0])

    def _table(self, matrix: Any, order: int) -> Any:
        """Powers of the offsets times the Gaussian, offsets by powers."""
        if (matrix, order) not in self._tables:
            self._tables[matrix, order] = matrix(
                [
                    [w * x**k for k in range(order)]
                    for w, x in zip(self._gaussian, self._offsets, strict=True)
                ]
            )
        return self._tables[matrix, order]

    def taylor(self, mean: Any, order: int) -> tuple[Series, Series]:
        """Taylor coefficients of ``E f`` and ``E f^2`` at a mean."""
        ring, matrix = (arb, arb_mat) if isinstance(mean, arb) else (acb, acb_mat)
        h, scale = arb(self.step), self.scale
        centre = round(float(mean.real) / self.step)
        shift = h * centre - mean
        # exp(-(x - mean)^2 / 2 rho^2), x = centre + offset, by a geometric progression
        ratio = (-h * shift / scale**2).exp()
        before, after = _powers(1 / ratio, self.count), _powers(ratio, self.count)
        tilts = [*before[:0:-1], *after]
        values = [self._value(centre + d) for d in self._span]
        first = [t * v for t, v in zip(tilts, values, strict=True)]
        second = [t * v for t, v in zip(first, values, strict=True)]
        sums = (matrix([first, second]) * self._table(matrix, order)).tolist()
        norm = h / (scale * (2 * arb.pi()).sqrt())
        norm *= (-shift * shift / (2 * scale**2)).exp()
        # exp(-(y - t)^2 / 2) = exp(-y^2 / 2) sum_k He_k(y) t^k / k!
        y = (acb_poly if ring is acb else arb_poly)([shift / scale, 1 / scale])
        lower, hermite = 0 * y, 0 * y + 1
        result: tuple[Series, Series] = ([], [])
        errors = [self._error(mean, power) for power in (1, 2)]
        for k in range(order):
            for series, row, error in zip(result, sums, errors, strict=True):
                value = _dot(hermite.coeffs(), row) * norm / scale**k
                series.append(value + _around_zero(ring, error / scale**k))
            lower, hermite = hermite, (y * hermite - lower) * (1 / arb(k + 1))
        return result

    def _error(self, mean: Any, power: int) -> Any:
        """Bound of the rule's error on the disc of radius rho around `mean`."""
        scale = self.scale
        real, imaginary = abs(mean.real) + scale, abs(mean.imag) + scale
        height = arb(self.height)
        edge = (
            self.majorant.average(scale, real, height, power)
            * (((height + imaginary) / scale) ** 2 / 2).exp()
        )
        shift = (2 * arb.pi() * height / self.step).exp() - 1
        poly = self.majorant.on_strip(arb(0)) ** power
        start = arb(self.step) * (self.count - 2) - scale
        degree = max(0, int(poly.degree()))
        assert start * start > degree * scale * scale  # the summands decrease
        cut = poly(real + start) * gaussian_tail(start / scale, degree)
        growth = ((imaginary / scale) ** 2 / 2).exp()
        return (2 * edge / shift + 2 * growth * cut).upper()


def _around_zero(ring: Any, error: Any) -> Any:
    """Real or complex ball around 0."""
    width = arb(0, error.upper())
    return width if ring is arb else acb(width, width)


def _powers(base: Any, count: int) -> list[Any]:
    powers = [type(base)(1)]
    for _ in range(count):
        powers.append(powers[-1] * base)
    return powers


def _dot(a: Series, b: Series) -> Any:
    return sum((x * y for x, y in zip(a, b, strict=False)), arb(0))


def _convolve(a: Series, b: Series, order: int) -> Series:
    return [sum((a[i] * b[k - i] for i in range(k + 1)), acb(0)) for k in range(order)]
