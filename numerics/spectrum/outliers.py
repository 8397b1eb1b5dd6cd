r"""Eigenvalues outside the support at a given width.

The means of the features and their tangent functions are directions that few units'
coefficients suffice to use: a readout with components y along them has the energy
``y^T H(z) y`` at ``lambda = -z``, the rest of the readout minimised away. H is half the
Hessian of the Energy in these coefficients with the penalty of a finite width, and

    [(Phi^T Phi / p - z)^{-1}]_kl = (H(z)^{-1})_kl sqrt(N_k N_l)

between the unit vectors that belong to them, ``N_k / g`` being the penalty of
coefficient k. An outlier is a z outside the support at which H is
singular; the squared overlap of its eigenvector is minus the residue.

Off the support the eigenvalues of H decrease with z (as those of the inverse of a
resolvent do), so that the number of outliers between two points is the difference
between their numbers of negative eigenvalues: none is missed.

Everything here is in the scale of ``Phi^T Phi / p``.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.averages import REAL_AXIS
from detequiv.numerics.equations import STALLED
from detequiv.numerics.resolvent import Resolvent, follow_down, is_physical
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import upper_triangle

__all__ = ["FiniteWidth", "Root", "log_determinant"]

Array = NDArray[Any]
MARGIN = 1e-6  # relative distance from the ends of a gap that is left out
TOGETHER = 1e-11  # relative distance below which outliers are one, with multiplicity
PLACE = 1e-14  # relative error of the place of an outlier
REAL = 1e-10  # imaginary part of an unknown, relative, that counts as none
FARTHEST = 1e6  # times the width and the end of the bulk, where the search ends
ACCURATE = (
    1e-4  # of a logarithm that counts for 1/p of the law, where draws vary by 1/p
)
FINEST = 4  # halvings of the step of the rule in kappa
CLOSE = 0.03  # first Newton step, relative, from a neighbour
STEP = 1e-30  # of a derivative by a complex step


@dataclass(frozen=True)
class Root:
    """An outlier.

    Attributes
    ----------
    z : float
        Its place.
    growth : float
        ``d log z / d log p`` at fixed proportions: near 1 or near 0.
    multiplicity : int
        Dimension of its eigenspace.
    overlaps : (C,) array
        Squared norm of the projection of each direction's unit vector onto the
        eigenspace.
    """

    z: float
    growth: float
    multiplicity: int
    overlaps: Array


class FiniteWidth:
    """The matrix H of one problem at one width.

    Parameters
    ----------
    resolvent : Resolvent
        The equations.
    width : int
        p.
    halvings : int
        Of the step of the rule in kappa.
    """

    def __init__(self, resolvent: Resolvent, width: int, halvings: int = 1) -> None:
        self.system = resolvent.system(REAL_AXIS, halvings)
        self.width = float(width)
        self._known: dict[float, Array] = {}
        eq = self.system.equations
        self._order = len(eq.model.coefficients)
        unit = np.array([-1.0])
        # those of the model; none of what follows depends on the ridge penalty
        self._parameters = [float(np.ravel(v)[0]) for v in self.system.parameters(unit)]
        slopes = eq.slopes(list(self.system.columns), self._parameters)
        nodes = len(self.system.weights)
        first = [np.broadcast_to(s, nodes) for s in slopes[: self._order]]
        penalised = np.diag(self._penalty(self.system.start(unit)[0]))
        # the directions whose functions of kappa the mean of the label is fitted with
        symbolic = eq.model.system.residual_slopes[0]
        self._directions = [k for k, s in enumerate(symbolic) if s != 0]
        self.kept = [k for k in self._directions if np.any(first[k] != 0)]
        self.norms = penalised.real[self.kept]
        functions = np.array([first[k] for k in self.kept]) + 0j
        self._functions = functions.reshape(len(self.kept), nodes)

    def _penalty(self, x: Array) -> Array:
        """Matrix of the quadratic penalty on all coefficients."""
        eq = self.system.equations
        local = eq.penalty(list(x), self._parameters)
        finite = eq.width_penalty([self.width], list(x), self._parameters)
        matrix = np.zeros((self._order, self._order), complex)
        for a, b, (i, j) in zip(
            local, finite, upper_triangle(self._order), strict=True
        ):
            matrix[i, j] = matrix[j, i] = a + b
        return matrix

    def unknowns(self, z: float) -> Array | None:
        """Real unknowns at z; None inside the support."""
        real = self._from_neighbour(z)
        if real is None:
            real = self._from_above(z)
        if real is not None:
            self._known[z] = real
        return real

    def _from_neighbour(self, z: float) -> Array | None:
        """Unknowns by Newton's method from the nearest known point, where close."""
        if not self._known:
            return None
        nearest = min(self._known, key=lambda known: abs(known - z))
        start = self._known[nearest][None] + 0j
        slope = self.system.slope(start, np.array([nearest + 0j]))
        start, point = start + slope * (z - nearest), np.array([z + 0j])
        with np.errstate(all="ignore"):
            if not self.system.newton_step(start, point)[1][0] < CLOSE:
                return None
            x, size = self.system.newton(start, point)
            if not size[0] < STALLED or not is_physical(self.system, x, point)[0]:
                return None
        real: Array = x[0].real
        return real

    def _from_above(self, z: float) -> Array | None:
        """Unknowns through the upper half plane."""
        with np.errstate(all="ignore"):
            x, size = follow_down(self.system, np.array([z + 0j]))
        if not np.isfinite(size[0]) or np.abs(x.imag).max() > REAL * np.abs(x).max():
            return None
        real: Array = x[0].real
        return real

    def matrix(self, x: Array) -> Array:
        """H for the unknowns x, directions in their norms; shape (C, C)."""
        eq = self.system.equations
        weight = eq.weight([self.system.chi(x[None])[0]], self._parameters)[0]
        average = (self._functions * (self.system.weights * weight)) @ self._functions.T
        penalty = self._penalty(x)[np.ix_(self.kept, self.kept)]
        scale = 1 / np.sqrt(self.norms)
        scaled: Array = (average + penalty) * scale[:, None] * scale
        return scaled

    def log_ratio(self, z: Array) -> Array:
        """Logarithm of ``det H`` over that of its penalty alone, at Im z > 0; (B,).

        Both have eigenvalues below the real axis, which fixes the branch: 0 at
        infinity.
        """
        x, size = follow_down(self.system, z)
        if not np.isfinite(size).all():
            raise ConvergenceError("the resolvent could not be followed to all points")
        logs = []
        for point in x:
            alone = np.diag(self._penalty(point))[self.kept] / self.norms
            whole = np.linalg.eigvals(self.matrix(point))
            logs.append(np.log(whole).sum() - np.log(alone).sum())
        return np.array(logs, complex)

    def _spectrum(self, z: float) -> Array:
        x = self.unknowns(z)
        if x is None:
            raise ConvergenceError(
                f"z = {z:.8g} (scale of Phi^T Phi / p) was taken to be off the "
                "support, but the resolvent is complex there"
            )
        values: Array = np.linalg.eigvalsh(self.matrix(x + 0j).real)
        return values

    def count(self, z: float) -> int:
        """Count the negative eigenvalues of H."""
        return int(np.sum(self._spectrum(z) < 0))

    def roots(self, low: float, high: float) -> list[Root]:
        """Outliers in a gap.

        Parameters
        ----------
        low, high : float
            Ends of the gap, ``0 <= low < high``; `high` may be infinite.

        Returns
        -------
        list of Root
            Ascending.

        Raises
        ------
        ConvergenceError
            The resolvent could not be followed.
        """
        if not self.kept:
            return []
        first = low * (1 + MARGIN) if low > 0 else high * 1e-6
        if np.isinf(high):
            last = 2 * first
            while self.count(last) < len(self.kept):
                last *= 4
                if last > FARTHEST * first * self.width:
                    raise ConvergenceError("the outliers have no bound that was found")
        else:
            last = high * (1 - MARGIN)
        places = self._between(first, self.count(first), last, self.count(last))
        return [self._describe(z, multiplicity) for z, multiplicity in places]

    def _between(
        self, low: float, below: int, high: float, above: int
    ) -> list[tuple[float, int]]:
        """Places of the outliers between two points, with multiplicities."""
        number = above - below
        if number <= 0:
            return []
        if number == 1:
            eigenvalue = self._eigenvalue(below)
            from scipy.optimize import brentq  # takes long to import

            z = brentq(eigenvalue, low, high, xtol=PLACE * low, rtol=PLACE)
            return [(float(z), 1)]
        middle = sqrt(low * high)
        if high - low < TOGETHER * high:
            return [(middle, number)]
        here = self.count(middle)
        return [
            *self._between(low, below, middle, here),
            *self._between(middle, here, high, above),
        ]

    def _eigenvalue(self, k: int) -> Any:
        return lambda z: self._spectrum(z)[k]

    def by_direction(self, root: Root) -> tuple[float, ...]:
        """Overlaps with the directions of m and t; 0 where the function vanishes."""
        values = dict(zip(self.kept, map(float, root.overlaps), strict=True))
        return tuple(values.get(k, 0.0) for k in self._directions)

    def _describe(self, z: float, multiplicity: int) -> Root:
        """Residue and growth of an outlier, by derivatives of H."""
        x = self.unknowns(z)
        assert x is not None
        values, vectors = np.linalg.eigh(self.matrix(x + 0j).real)
        null = vectors[:, np.argsort(np.abs(values))[:multiplicity]]
        slope = self.system.slope(x[None] + 0j, np.array([z + 0j]))[0].real
        by_z = null.T @ self.matrix(x + 1j * STEP * slope).imag @ null / STEP
        by_p = null.T @ self._by_width(x) @ null
        residue = null @ np.linalg.inv(-by_z) @ null.T
        growth = np.trace(np.linalg.solve(-by_z, by_p)) / multiplicity
        return Root(
            z, float(growth * self.width / z), multiplicity, np.diag(residue).copy()
        )

    def _by_width(self, x: Array) -> Array:
        """Differentiate H by p, at fixed norms of the directions."""
        eq = self.system.equations
        values = eq.width_penalty([self.width + 1j * STEP], list(x), self._parameters)
        matrix = np.zeros((self._order, self._order))
        for value, (i, j) in zip(values, upper_triangle(self._order), strict=True):
            matrix[i, j] = matrix[j, i] = np.imag(value) / STEP
        scale = 1 / np.sqrt(self.norms)
        kept: Array = matrix[np.ix_(self.kept, self.kept)] * scale[:, None] * scale
        return kept


def log_determinant(
    resolvent: Resolvent, width: int, z: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    r"""Take the logarithm of ``det H`` over that of its penalty P alone.

    The directions' share of the matrix's own determinant: with s the transform of the
    law,

    .. math:: \mathrm{tr}\, (\Phi^T\Phi/p - z)^{-1}
              = p\, s(z) - \frac{d}{dz} \log\det(H P^{-1}) .

    Parameters
    ----------
    resolvent : Resolvent
        The equations.
    width : int
        p.
    z : (B,) complex array
        Points with ``Im z > 0``.

    Raises
    ------
    ConvergenceError
        The resolvent could not be followed, or two rules in kappa differ.
    """
    coarse = FiniteWidth(resolvent, width, 0).log_ratio(z)
    for halvings in range(1, FINEST + 1):
        fine = FiniteWidth(resolvent, width, halvings).log_ratio(z)
        gap = np.abs(coarse - fine)
        if (gap <= ACCURATE).all():
            return fine
        coarse = fine
    worst = int(np.argmax(gap))
    raise ConvergenceError(
        f"log det H at z = {z[worst]:.6g} (scale of Phi^T Phi / p) was reached to "
        f"{gap[worst]:.1e} only; move z off the real axis"
    )
