"""Conditional moments as functions of the mean: one-dimensional tables in float64.

Features of several spikes depend on kappa through ``U_q . kappa`` alone. However many
nodes a rule in kappa has, moments are evaluated in balls at the Chebyshev points of
panels of this mean, and interpolated between them.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor, log2
from typing import Any

import numpy as np
import sympy as sp
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import exact_ball, precision, to_float
from detequiv.numerics.averages import conditional_values
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.gaussian import Moments

__all__ = ["PANEL", "MomentTable", "moment_table"]

Array = NDArray[np.float64]
POINTS = 20  # of a panel
PANEL = 1.0  # its width, over the scale of the Gaussian that smooths
DIGITS = 20.0  # of the moments at these points
RESOLVED = 1e-15  # of a panel's last coefficients, over its largest value
HALVINGS = 6  # of panels


@dataclass(frozen=True, eq=False)
class MomentTable:
    """Moments ``c0, c1, c2, cs`` of ``f(rho g + m)`` for ``|m| <= reach``.

    Attributes
    ----------
    reach : float
        Of the means.
    coefficients : (panels, POINTS, 4) array
        Of Chebyshev polynomials on each panel.
    """

    reach: float
    coefficients: Array

    def __call__(self, means: Array) -> Array:
        """Evaluate the four moments, shape (4, n), at means of shape (n,)."""
        count = len(self.coefficients)
        width = 2 * self.reach / count
        panel = ((means + self.reach) / width).astype(int).clip(0, count - 1)
        # panels begin at multiples of a power of two: this is exact
        x = (means - (panel * width - self.reach)) * (2 / width) - 1
        # panel after panel, each a product of matrices
        order = np.argsort(panel, kind="stable")
        ends = np.searchsorted(panel[order], np.arange(count + 1))
        polynomials = chebvander(x[order], POINTS - 1)
        values = np.empty((len(means), 4))
        for p, (start, end) in enumerate(pairwise(ends)):
            values[order[start:end]] = polynomials[start:end] @ self.coefficients[p]
        return values.T


@lru_cache(maxsize=64)
def moment_table(
    moments: Moments, scale: sp.Expr, reach: int, panel: float = PANEL
) -> MomentTable:
    """Tabulate the moments of one function.

    Parameters
    ----------
    moments : Moments
        The function and its closed forms.
    scale : Expr
        rho, positive.
    reach : int
        Of the means.
    panel : float
        Width of a panel over rho. Tables of two widths differ by their errors.

    Raises
    ------
    ConvergenceError
        The moments are not resolved by short panels.
    """
    # interpolation at Chebyshev points is a discrete cosine transform
    index = np.arange(POINTS)
    cosines = np.cos(
        np.pi / (2 * POINTS) * (np.outer(index, 2 * index + 1) % (4 * POINTS))
    )
    nodes, transform = cosines[1], cosines * (2 / POINTS)
    transform[0] /= 2
    width = 2.0 ** floor(log2(panel * to_float(scale)))
    for _ in range(HALVINGS):
        count = 2 * ceil(reach / width)
        places = (np.arange(count)[:, None] - count / 2 + (nodes + 1) / 2) * width
        values = _moments(moments, places.ravel(), scale).reshape(count, POINTS, 4)
        coefficients = np.einsum("kj,pjm->pkm", transform, values)
        largest = np.abs(values).max((0, 1))
        left = np.abs(coefficients[:, -2:]).max((0, 1))
        if (left <= RESOLVED * largest).all():
            return MomentTable(count * width / 2, coefficients)
        width /= 2
    raise ConvergenceError(
        f"Gaussian averages of {moments.function} are not resolved in float64; larger "
        "features.bulk smooth them more"
    )


def _moments(moments: Moments, places: Array, scale: sp.Expr) -> Array:
    """Moments at the places, rounded to float64, shape (n, 4)."""
    with precision(DIGITS + 15):
        means: list[Any] = [exact_ball(float(m)) for m in places]
        values = conditional_values(moments, means, scale, DIGITS)
    columns = values.c0, values.c1, values.c2, values.cs
    return np.array([[float(v) for v in column] for column in columns]).T
