r"""Where an expression certainly is finite and analytic: boxes of complex numbers.

A function that is real on the real axis maps a box ``[a, b] + i [-c, c]`` into one
of the same kind, so three floats describe a box. Every operation of the grammar is
enclosed; one that might meet a singularity raises `ArithmeticError`. Rounding is not
tracked: callers leave a margin.
"""

from collections.abc import Callable, Mapping
from math import (
    atan2,
    copysign,
    cos,
    cosh,
    erf,
    exp,
    hypot,
    inf,
    isnan,
    log,
    pi,
    sin,
    sinh,
    sqrt,
    tanh,
)
from typing import NamedTuple

import sympy as sp

from detequiv.theory.functions.grammar import z

__all__ = ["Box", "enclose"]


class Box(NamedTuple):
    """The box ``[low, high] + i [-side, side]``."""

    low: float
    high: float
    side: float = 0.0


def enclose(expr: sp.Expr, box: Box) -> Box:
    """Enclose the values of a smooth expression in z on a box.

    Raises
    ------
    ArithmeticError
        The expression may be singular there.

    Examples
    --------
    >>> enclose(1 / (2 + sp.sin(z)), Box(-3.0, 3.0)).high
    1.0
    """
    result = _enclose(expr, box)
    if any(map(isnan, result)):
        raise ArithmeticError("infinity minus infinity")
    return result


def _enclose(expr: sp.Expr, box: Box) -> Box:
    if expr == z:
        return box
    if expr.is_number:
        value = float(expr)
        return Box(value, value)
    if expr.is_Pow and not isinstance(expr, sp.exp):
        return _power(expr, box)
    parts = [_enclose(a, box) for a in expr.args]
    if expr.is_Add:
        return Box(*(sum(side) for side in zip(*parts, strict=True)))
    if expr.is_Mul:
        product = parts[0]
        for part in parts[1:]:
            product = _multiply(product, part)
        return product
    return _FUNCTIONS[expr.func](parts[0])


def _power(expr: sp.Expr, box: Box) -> Box:
    base, power = expr.as_base_exp()
    if power.is_negative and _is_logistic(base):  # 1/(1 + e^w) has fewer poles than it
        half = _enclose((1 - sp.tanh(sp.log(base - 1) / 2)) / 2, box)
        return (
            _integer_power(half, int(-power))
            if power.is_Integer
            else _root(half, float(-power))
        )
    inner = _enclose(base, box)
    if power.is_negative:
        inner, power = _reciprocal(inner), -power
    return (
        _integer_power(inner, int(power))
        if power.is_Integer
        else _root(inner, float(power))
    )


def _is_logistic(base: sp.Expr) -> bool:
    return isinstance(base - 1, sp.exp)


def _times(x: float, y: float) -> float:
    """Product of bounds: zero times infinity is zero."""
    return 0.0 if x == 0 or y == 0 else x * y


def _size(box: Box) -> float:
    return max(abs(box.low), abs(box.high))


def _nearest(box: Box) -> float:
    """Smallest absolute value of a real part."""
    return max(box.low, -box.high, 0.0)


def _multiply(v: Box, w: Box) -> Box:
    corners = [_times(x, y) for x in (v.low, v.high) for y in (w.low, w.high)]
    sides = _times(v.side, w.side)
    across = _times(_size(v), w.side) + _times(_size(w), v.side)
    return Box(min(corners) - sides, max(corners) + sides, across)


def _square(w: Box) -> Box:
    return Box(
        _nearest(w) ** 2 - w.side**2,
        _times(_size(w), _size(w)),
        2 * _times(_size(w), w.side),
    )


def _integer_power(w: Box, power: int) -> Box:
    result = Box(1.0, 1.0)
    for bit in bin(power)[2:]:
        result = _square(result)
        result = _multiply(result, w) if bit == "1" else result
    return result


def _reciprocal(w: Box) -> Box:
    if w.high < 0:
        low, high, side = _reciprocal(Box(-w.high, -w.low, w.side))
        return Box(-high, -low, side)
    if w.low <= 0:
        raise ArithmeticError("division by zero")

    def real(x: float) -> float:
        return 0.0 if inf in (x, w.side) else x / (x * x + w.side * w.side)

    y = min(w.side, w.low)
    return Box(min(real(w.low), real(w.high)), 1 / w.low, y / (w.low * w.low + y * y))


def _root(w: Box, power: float) -> Box:
    if w.side == 0 and w.low >= 0:
        return Box(w.low**power, w.high**power)
    inner = _log(w)
    return _exp(Box(power * inner.low, power * inner.high, power * inner.side))


def _grow(x: float) -> float:
    return exp(x) if x < 700 else inf


def _sine(angle: float) -> float:
    """Largest ``|sin y|`` for ``|y| <= angle``."""
    return sin(angle) if angle < pi / 2 else 1.0


def _cosine(angle: float) -> float:
    """Smallest ``cos y`` for ``|y| <= angle``."""
    return cos(angle) if angle < pi else -1.0


def _exp(w: Box) -> Box:
    small, large, turn = _grow(w.low), _grow(w.high), _cosine(w.side)
    return Box(
        _times(small if turn >= 0 else large, turn), large, _times(large, _sine(w.side))
    )


def _log(w: Box) -> Box:
    if w.low <= 0:
        raise ArithmeticError("logarithm of zero, or across its cut")
    largest = hypot(w.high, w.side)
    return Box(log(w.low), log(largest) if largest < inf else inf, atan2(w.side, w.low))


def _real_cosine(low: float, high: float) -> tuple[float, float]:
    """Range of cos on an interval of the real axis."""
    if not high - low < 2 * pi:
        return -1.0, 1.0
    ends = (cos(low), cos(high))
    top = int(high / (2 * pi)) * 2 * pi
    peaks = any(low <= top + k * 2 * pi <= high for k in (-1, 0, 1))
    troughs = any(low <= top + pi + k * 2 * pi <= high for k in (-2, -1, 0, 1))
    return -1.0 if troughs else min(ends), 1.0 if peaks else max(ends)


def _cos(w: Box) -> Box:
    low, high = _real_cosine(w.low, w.high)
    grown = cosh(w.side) if w.side < 700 else inf
    steep = _real_cosine(w.low - pi / 2, w.high - pi / 2)
    side = sinh(w.side) if w.side < 700 else inf
    return Box(
        _times(low, grown if low < 0 else 1.0),
        _times(high, grown if high > 0 else 1.0),
        _times(max(map(abs, steep)), side),
    )


def _sin(w: Box) -> Box:
    return _cos(Box(w.low - pi / 2, w.high - pi / 2, w.side))


def _tan(w: Box) -> Box:
    return _multiply(_sin(w), _reciprocal(_cos(w)))


def _hyperbolic(x: float, even: bool) -> float:
    return (
        copysign(inf, 1 if even else x) if abs(x) > 700 else (cosh if even else sinh)(x)
    )


def _cosh(w: Box) -> Box:
    near, far = (_hyperbolic(x, True) for x in (_nearest(w), _size(w)))
    turn = _cosine(w.side)
    slope = abs(_hyperbolic(_size(w), False))
    return Box(
        _times(near if turn >= 0 else far, turn), far, _times(slope, _sine(w.side))
    )


def _sinh(w: Box) -> Box:
    values = [
        _times(_hyperbolic(x, False), t) for x in w[:2] for t in (1.0, _cosine(w.side))
    ]
    return Box(
        min(values),
        max(values),
        _times(_hyperbolic(_size(w), True), _sine(w.side)),
    )


def _tanh(w: Box) -> Box:
    if w.side == 0:
        return Box(tanh(w.low), tanh(w.high))
    if w.high < 0:
        low, high, side = _tanh(Box(-w.high, -w.low, w.side))
        return Box(-high, -low, side)
    if w.side < pi / 2:
        turn = cos(2 * w.side)  # tanh(x + iy) = (sinh 2x + i sin 2y)/(cosh 2x + cos 2y)
        near = min(_nearest(w), 300.0)
        reach = cosh(2 * near)
        overshoot = 1 / sin(2 * w.side) if turn < 0 else 1.0

        def real(x: float) -> float:
            if turn < 0 or x > 300:
                return overshoot
            return sinh(2 * x) / (cosh(2 * x) + turn)

        past = turn * reach < -1  # the imaginary part has a maximum inside
        side = 1 / sqrt(reach * reach - 1) if past else sin(2 * w.side) / (reach + turn)
        low = tanh(w.low) if w.low >= 0 else -real(-w.low)
        return Box(low, real(w.high), side)
    if w.low > 0:
        distance = min(w.low, 300.0)
        return Box(tanh(distance), 1 / tanh(distance), 1 / sinh(2 * distance))
    raise ArithmeticError("a pole of tanh")


def _erf(w: Box) -> Box:
    near = _nearest(w)
    tilt = 2 / sqrt(pi) * _times(w.side, _grow(w.side**2 - near**2))
    return Box(erf(w.low) - tilt, erf(w.high) + tilt, tilt)


_FUNCTIONS: Mapping[type, Callable[[Box], Box]] = {
    sp.exp: _exp,
    sp.log: _log,
    sp.sin: _sin,
    sp.cos: _cos,
    sp.tan: _tan,
    sp.sinh: _sinh,
    sp.cosh: _cosh,
    sp.tanh: _tanh,
    sp.erf: _erf,
}
