"""What theory says of the eigenvalues that a trial draws."""

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.averages import REAL_AXIS
from detequiv.numerics.resolvent import RealBranch, Resolvent, follow_down
from detequiv.numerics.spectrum import (
    REAL,
    FiniteWidth,
    Spectrum,
    log_determinant,
)
from detequiv.theory.problem import Problem, exact_parameters, law_of
from detequiv.validation.witness import FloatArray

__all__ = [
    "clear_outliers",
    "mass_below",
    "resolvent_of",
    "trace_correction",
    "width_corrections",
]

NODES = 64  # of the Gauss rule over heights
CLEAR = 2.0  # times the end of the bulk from which an outlier is told from it
HEIGHT = 1e-2  # over the axis of a derivative on it, in units of the penalty
STEP = 1e-5  # of a derivative, over the distance from the real axis
# Places over the bulk's mean among which its end is looked for.
PLACES = np.geomspace(0.5, 1e5, 100)


def mass_below(law: Spectrum, points: NDArray[np.complex128]) -> FloatArray:
    r"""Smoothed distribution function of a law, at x by a Cauchy kernel of width y.

    .. math:: \frac12 - \frac1\pi E \arctan\frac{\lambda - x}{y}
              = \frac12 - \frac1\pi \int_y^\infty \mathrm{Re}\, s(x + i t)\, dt

    Parameters
    ----------
    law : Spectrum
        The law of the eigenvalue lambda; s is its Stieltjes transform.
    points : complex ndarray
        ``x + i y`` with y > 0, any shape.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    share = (nodes + 1) / 2  # t = y / share
    heights = points.imag[..., None] / share
    transform = law.stieltjes(points.real[..., None] + 1j * heights)
    integral = (transform.real * heights / share) @ (weights / 2)
    below: FloatArray = 0.5 - integral / np.pi
    return below


def width_corrections(
    problem: Problem, width: int, points: NDArray[np.complex128]
) -> tuple[NDArray[np.complex128], FloatArray]:
    r"""Find what the directions of a finite width add to transform and smoothed mass.

    They move as many eigenvalues, some of them out of the bulk: of order 1/p, and by no
    power series in 1/p where such an outlier passes a point as the width grows. With L
    the logarithm of the determinant that they bring, ``-L'(z) / p`` and
    ``-Im L(z) / (pi p)``.

    Parameters
    ----------
    problem : Problem
        Features and proportions.
    width : int
        p.
    points : complex ndarray, shape (B,)
        ``x + i y`` with y > 0, in the scale of ``Phi^T Phi / n``.

    Returns
    -------
    transform : complex ndarray, shape (B,)
    mass : ndarray, shape (B,)

    Raises
    ------
    ConvergenceError
        A point is too close to the real axis.
    """
    resolvent, ridge = resolvent_of(problem), problem.ridge
    factor = float(ridge.width_per_dim / ridge.samples_per_dim)
    steps = STEP * points.imag
    before, here, after = (
        log_determinant(resolvent, width, (points + k * steps) / factor)
        for k in (-1, 0, 1)
    )
    slope = (after - before) / (2 * steps)
    return -slope / width, -here.imag / (np.pi * width)


def trace_correction(resolvent: Resolvent, width: int) -> float:
    r"""Find what the directions of a finite width add to the resolvent's trace.

    To ``(1/p) tr (Phi^T Phi / p + lambda)^-1``, as `width_corrections` tells it:
    ``-L'(z) / p`` at ``z = -lambda``, where L is real on the axis, and its derivative
    the imaginary part a little above over the height.

    Parameters
    ----------
    resolvent : Resolvent
        The equations, with a positive penalty.
    width : int
        p.

    Raises
    ------
    ConvergenceError
        The determinant was not reached.
    """
    place = resolvent.model.parameters.index(resolvent.model.ridge)
    penalty = resolvent.parameters[place]
    height = HEIGHT * penalty
    above = log_determinant(resolvent, width, np.array([-penalty + 1j * height]))
    return -float(above[0].imag) / (height * width)


def resolvent_of(problem: Problem) -> Resolvent:
    """Put a problem's numbers into the equations of the resolvent."""
    law = law_of(problem)
    return Resolvent(law.model, law, tuple(map(float, exact_parameters(problem, law))))


def clear_outliers(problem: Problem, width: int) -> list[float]:
    """Outliers of ``Phi^T Phi / n`` far above the bulk at a given width, descending.

    Those at least `CLEAR` times its end, which is found to some ten percent; none where
    the leverage of samples has no bound, and the bulk no end.
    """
    resolvent, ridge = resolvent_of(problem), problem.ridge
    exact = exact_parameters(problem, law_of(problem))
    if RealBranch(resolvent, exact).unbounded:
        return []
    matrix = FiniteWidth(resolvent, width)
    places = resolvent.mean() * PLACES
    with np.errstate(all="ignore"):
        x, size = follow_down(resolvent.system(REAL_AXIS, 1), places + 0j)
    real = np.abs(x.imag).max(1) <= REAL * np.abs(x).max(1)
    inside = np.flatnonzero(~(real & np.isfinite(size)))
    end = places[min(inside[-1] + 1, len(places) - 1)]
    factor = float(ridge.width_per_dim / ridge.samples_per_dim)
    return [root.z * factor for root in matrix.roots(CLEAR * end, np.inf)][::-1]
