"""Hermite coefficients of a function of a scaled normal number, to float64 accuracy.

With ``h_k = He_k / sqrt(k!)``, orthonormal under the standard normal law, those of
``z -> f(s z)`` are ``a_k(s) = E f(s z) h_k(z)``.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.polynomial.chebyshev import chebpts1, chebvander
from numpy.polynomial.legendre import leggauss

from detequiv.validation.model import FloatArray, Function

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
        f, elementwise on arrays. Where it is not smooth, other than at 0, is its
        attribute ``kinks``, a tuple of float, if it has one.
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
    low, high = float(scales.min()), float(scales.max())
    width = _resolving_width(function, high, order)
    if high - low <= ACCURACY * high:
        found = _integrate(function, np.array([high]), order, width)
        table = np.repeat(found, len(scales), axis=0)
        return table[:, :-1], table[:, -1]
    middle, half = (high + low) / 2, (high - low) / 2
    for count in SCALES:
        points = chebpts1(count)
        found = _integrate(function, middle + half * points, order, width)
        series = np.linalg.solve(chebvander(points, count - 1), found)
        rms = np.sqrt(found[:, -1].max())
        # The second moment, the last column, is measured in units of itself.
        size = np.append(np.full(order, rms), rms**2)
        if np.all(np.abs(series[-2:]) <= ACCURACY * size):
            table = chebvander((scales - middle) / half, count - 1) @ series
            return table[:, :-1], table[:, -1]
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
    kinks = getattr(function, "kinks", ())
    integrals = np.empty((len(scales), order + 1))
    for row, scale in zip(integrals, scales, strict=True):
        cuts = tuple(float(kink / scale) for kink in kinks if kink != 0)
        nodes, table = _rule(order, width, cuts)
        values = function(scale * nodes)
        row[:order] = values @ table
        row[order] = values**2 @ table[:, 0]
    return integrals


@lru_cache(maxsize=4)
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
