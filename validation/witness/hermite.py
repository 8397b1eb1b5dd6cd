"""Hermite coefficients of a function of a scaled normal number, to float64 accuracy.

With ``h_k = He_k / sqrt(k!)``, orthonormal under the standard normal law, those of
``z -> f(s z)`` are ``a_k(s) = E f(s z) h_k(z)``.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.polynomial.chebyshev import chebpts1, chebvander
from numpy.polynomial.legendre import leggauss

from detequiv.validation.witness.model import FloatArray, Function

__all__ = [
    "UnresolvedError",
    "hermite_coefficients",
    "hermite_expansion",
    "hermite_functions",
]

# Beyond |z| = 13 even a function of size exp(z^2 / 8) adds nothing in float64.
REACH = 13.0
# Gauss-Legendre points in each panel of the integrals, and the widths to try.
POINTS = 16
WIDTHS = (0.5, 0.25, 0.125, 0.0625, 0.03125)
# Chebyshev points between the smallest and the largest scale, in numbers to try.
SCALES = (16, 32, 64)
# Ends of the interval of scales are powers of two with this denominator.
ROUNDED = 8
# What the coefficients may be off by, in units of the function's root mean square.
ACCURACY = 1e-11


class UnresolvedError(ArithmeticError):
    """A function is too rough, or a series too slow, to be summed accurately."""


def hermite_expansion(
    function: Function, scales: FloatArray, order: int
) -> tuple[FloatArray, FloatArray]:
    """Coefficients ``a_k(s)``, k < order, and the second moment ``E f(s z)^2``.

    They are integrated at a few scales, between which they are interpolated: they are
    smooth in s even where f is not, if s > 0.

    Parameters
    ----------
    function : callable
        f, elementwise on arrays, and hashable: its integrals are remembered. Where it
        is not smooth, other than at 0, is its attribute ``kinks``, a tuple of float, if
        it has one.
    scales : ndarray, shape (m,)
        Values of s > 0.
    order : int
        Number of coefficients.

    Returns
    -------
    coefficients : ndarray, shape (m, order)
    moments : ndarray, shape (m,)

    Raises
    ------
    UnresolvedError
        The accuracy is not reached.

    Examples
    --------
    >>> import numpy as np
    >>> a, moment = hermite_expansion(np.square, np.array([2.0]), 4)
    >>> bool(np.allclose(a, [[4, 0, 4 * np.sqrt(2), 0]])), moment.round(9).tolist()
    (True, [48.0])
    """
    # Ends of the interval rounded outwards: draws that differ little share a table.
    low = 2.0 ** (np.floor(np.log2(scales.min()) * ROUNDED) / ROUNDED)
    high = 2.0 ** (np.ceil(np.log2(scales.max()) * ROUNDED) / ROUNDED)
    series = _interpolant(function, float(low), float(high), order)
    place = (2 * scales - (high + low)) / max(high - low, ACCURACY * high)
    table = chebvander(place, len(series) - 1) @ series
    return table[:, :-1], table[:, -1]


@lru_cache(maxsize=64)
def _interpolant(function: Function, low: float, high: float, order: int) -> FloatArray:
    """Chebyshev series in s, low <= s <= high, of the coefficients and the moment.

    Columns as of `_integrate`; one row, constant in s, if low is high.
    """
    width = _resolving_width(function, high, order)
    if low == high:
        return _integrate(function, np.array([high]), order, width)
    middle, half = (high + low) / 2, (high - low) / 2
    for count in SCALES:
        points = chebpts1(count)
        found = _integrate(function, middle + half * points, order, width)
        series = np.linalg.solve(chebvander(points, count - 1), found)
        rms = np.sqrt(found[:, -1].max())
        # The second moment, the last column, is measured in units of itself.
        size = np.append(np.full(order, rms), rms**2)
        if np.all(np.abs(series[-2:]) <= ACCURACY * size):
            return np.asarray(series, dtype=np.float64)
    raise UnresolvedError("the coefficients change too fast with the scale")


def hermite_coefficients(
    function: Function, scales: FloatArray, order: int
) -> FloatArray:
    """Coefficients ``a_k(s)``, k < order, alone, shape (m, order)."""
    return hermite_expansion(function, scales, order)[0]


def hermite_functions(points: FloatArray, order: int) -> FloatArray:
    """Values ``h_k``, k < order, at the points, shape (len(points), order)."""
    values = np.empty((len(points), order))
    before, now = np.zeros_like(points), np.ones_like(points)
    for k in range(order):
        values[:, k] = now
        before, now = now, (points * now - np.sqrt(k) * before) / np.sqrt(k + 1)
    return values


def _resolving_width(function: Function, scale: float, order: int) -> float:
    """Find the widest panels whose halves give the same integrals.

    One scale, the largest, stands for all: there the function is roughest.
    """
    scales = np.array([scale])
    wide = _integrate(function, scales, order, WIDTHS[0])
    ends = function(scale * np.array([-REACH, REACH])) ** 2 * np.exp(-(REACH**2) / 2)
    if not np.all(ends <= ACCURACY * wide[0, -1]):
        raise UnresolvedError("the function grows too fast to be integrated")
    for width, half in pairwise(WIDTHS):
        narrow = _integrate(function, scales, order, half)
        rms = np.sqrt(narrow[:, -1:])
        size = np.hstack([np.repeat(rms, order, axis=1), rms**2])
        if np.all(np.abs(wide - narrow) <= ACCURACY * size):
            return width
        wide = narrow
    raise UnresolvedError("the function is too rough to be integrated")


def _integrate(
    function: Function, scales: FloatArray, order: int, width: float
) -> FloatArray:
    """Integrate ``f(s z) h_k(z)``, k < order, and last ``f(s z)^2``, at each scale."""
    kinks = [kink for kink in getattr(function, "kinks", ()) if kink != 0]
    # All scales share their nodes, unless these must keep to kinks.
    parts = np.split(scales, len(scales)) if kinks else [scales]
    integrals = []
    for part in parts:
        nodes, table = _rule(order, width, tuple(float(k / part[0]) for k in kinks))
        values = function(np.multiply.outer(part, nodes))
        integrals.append(np.column_stack([values @ table, values**2 @ table[:, 0]]))
    return np.concatenate(integrals)


@lru_cache(maxsize=16)
def _rule(
    order: int, width: float, cuts: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Nodes z, and weights of integrals with ``h_k(z)`` times the normal density.

    Gauss-Legendre panels, which end at 0 and at the cuts.
    """
    panels = round(REACH / width)
    regular = np.linspace(-REACH, REACH, 2 * panels + 1)
    edges = np.sort(np.append(regular, np.clip(cuts, -REACH, REACH)))
    points, weights = leggauss(POINTS)
    half = np.diff(edges)[:, None] / 2
    nodes = (edges[:-1, None] + half * (1 + points)).ravel()
    density = (half * weights).ravel() * np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi)
    return nodes, density[:, None] * hermite_functions(nodes, order)
