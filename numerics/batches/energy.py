r"""What is reported of a batch: the Energy and its total derivatives, in float64.

The Energy is minimised over coefficients ``y = (m, C z)``: C, the tangents' prior
covariance, may be singular. By the envelope theorem the total derivative by a source is

.. math:: E[\dot w\, (\mathrm{residuals}^2)] - z^T \dot C z,

with the derivatives of w and C along the change of the unknowns; that of C is the
imaginary part of C at a complex point.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import to_float
from detequiv.numerics.batches.floats import FloatBatch
from detequiv.theory.batches import LABELS, POWERS, special_directions
from detequiv.theory.models import upper_triangle

__all__ = ["FloatEnergy"]

Array = NDArray[Any]
TINY = 1e-30  # imaginary part, over what it changes, that carries a derivative
DEPENDENT = 1e-13  # eigenvalue, over the largest, of dependent means


@dataclass(frozen=True, eq=False)
class FloatEnergy:
    """The minimal Energy at a stationary point of Psi.

    Attributes
    ----------
    system : FloatBatch
        The equations.
    x : (N,) array
        The stationary point.
    width : int or None
        Units, of which the means of the groups cost ``m_q^2 / (p pi_q g_q)``.
    """

    system: FloatBatch
    x: Array
    width: int | None = None

    def prior(self, x: Array) -> Array:
        """Covariance C of the coefficients of the tangents, at unknowns x."""
        system, eq, k = self.system, self.system.equations, self.system.equations.groups
        mass, r, s = system.residuals
        inverse = system.sample.inverse(x)[:, : 2 * k, : 2 * k]

        def tilted(values: Array) -> Array:
            block = np.zeros((3 * k, 3 * k), inverse.dtype)
            block[: 2 * k, : 2 * k] = np.tensordot(mass * values, inverse, 1)
            return block

        def moment(values: Array) -> float:
            return float(mass @ values)

        special = x.copy()
        special[eq.field] = _upper(tilted(s**2)[: 2 * k, : 2 * k])
        psi = [r**n for n in POWERS]
        blocks = special_directions(
            system.joint.inverse(x)[0][k:, k:],
            system.joint.inverse(special)[0][k:, k:],
            [tilted(s * f) for f in psi],
            [[tilted(f * g) for g in psi] for f in psi],
            [moment(s * f) for f in psi],
            [[moment(f * g) for g in psi] for f in psi],
            system.parameter("alpha0"),
        )
        numbers = self._numbers([moment(r**n) for n in range(1, 1 + len(LABELS))], x)
        columns = len(eq.prior.coupled)
        selection = np.zeros((12 * k, columns), inverse.dtype)
        rows, places = np.array(eq.selected).T
        selection[rows, places] = eq.selection(*numbers)
        posterior = selection.T @ np.block(blocks) @ selection
        posterior += np.diag(np.array(eq.noise(*numbers)) + 0 * x[0])
        precision = np.zeros_like(posterior)
        for first in np.flatnonzero(eq.prior.coupled)[::k]:
            for place, (i, j) in zip(eq.precision, upper_triangle(k), strict=True):
                own, other = first + i, first + j
                precision[own, other] = precision[other, own] = x[place]
        whole = np.eye(columns) - precision @ posterior
        prior: Array = np.linalg.solve(whole.T, posterior.T).T
        return prior

    def _numbers(self, moments: list[float], x: Array) -> list[Any]:
        """Numbers of the prior in its order, at unknowns x."""
        law = self.system.law
        return [
            to_float(law.size),
            *map(to_float, law.slopes),
            *moments,
            to_float(law.law.alignment),
            to_float(law.length),
            *map(to_float, law.rates),
            *map(to_float, law.law.bulks),
            *self.system.variances(x),
        ]

    @cached_property
    def _fit(self) -> tuple[Array, Array, Array, float]:
        """Coefficients y, the prior's multipliers z, sums of squares, the Energy."""
        system, eq, k = self.system, self.system.equations, self.system.equations.groups
        fields, parameters = system.fields, system.parameters
        weight, _ = eq.weight(system.chi(self.x), *parameters)
        shape = (-1, len(system.weights))
        offsets = _stack(eq.offsets(*fields, *parameters), shape[1])
        slopes = _stack(eq.slopes(*fields, *parameters), shape[1])
        slopes = slopes.reshape(len(offsets), -1, shape[1])
        mass = system.weights * weight
        normal = np.einsum("rin,n,rjn->ij", slopes, mass, slopes, optimize=True)
        if self.width is not None:
            normal[:k, :k] += np.diag(self._width[0])
        prior = self.prior(self.x)
        # tangents first: y = C (1 + normal C)^{-1} (right - normal m)
        right = np.einsum("rin,n,rn->i", slopes, mass, offsets, optimize=True)
        whole = np.eye(len(prior)) + normal[k:, k:] @ prior
        inner = np.linalg.solve(whole, np.column_stack([right[k:], normal[k:, :k]]))
        left = normal[:k, k:] @ prior @ inner
        m = _semidefinite(normal[:k, :k] - left[:, 1:], right[:k] - left[:, 0])
        z = inner[:, 0] - inner[:, 1:] @ m
        y = np.concatenate([m, prior @ z])
        squares = ((offsets - np.einsum("rin,i->rn", slopes, y)) ** 2).sum(0)
        squares += eq.rest(*fields, *parameters)[0]
        value = float(mass @ squares + z @ prior @ z)
        if self.width is not None:
            value += float(self._width[0] @ m**2)
        return y, z, squares, value

    @cached_property
    def _width(self) -> tuple[Array, Array]:
        """Penalties of the means of the groups, and their slopes by g."""
        eq, k = self.system.equations, self.system.equations.groups
        values = np.array(eq.width(*self.x, self.width, *self.system.parameters))
        return values[:k], values[k:]

    @property
    def coefficients(self) -> Array:
        """Coefficients of the learned function, in the model's order."""
        return self._fit[0]

    @cached_property
    def energies(self) -> Array:
        """The Energy, and its total derivatives by the source and by the penalty."""
        system, eq, x = self.system, self.system.equations, self.x
        groups, moving = eq.groups, np.array(eq.moving)
        y, z, squares, value = self._fit
        chi, parameters = system.chi(x), system.parameters
        _, bend = eq.weight(chi, *parameters)
        _, hessian = system.derivatives(x)
        sizes = system.sizes(x)
        scaled = hessian * sizes[:, None] * sizes
        totals = [value]
        for local, average in eq.sources:
            slope, explicit = average(chi, *parameters)
            moved = np.array(local(*parameters), float)
            moved[moving] += system.form @ (system.weights * slope)
            change = -sizes * np.linalg.solve(scaled, moved * sizes)
            along = bend * (change[moving] @ system.form) + explicit
            tilt = TINY / np.abs(change / sizes).max()
            bent = self.prior(x + 1j * tilt * change).imag / tilt
            total = (system.weights * along) @ squares - z @ bent @ z
            if self.width is not None:
                total += self._width[1] @ (y[:groups] ** 2 * change[:groups])
            totals.append(float(total))
        return np.array(totals)

    @cached_property
    def quantities(self) -> Array:
        """What is reported, in the order of the model."""
        return self._report(self.energies)

    def _report(self, energies: Array) -> Array:
        eq = self.system.equations
        values = eq.quantities(*energies, *self.x, *self.system.parameters)
        return np.array(values, float)

    @property
    def rounding(self) -> Array:
        """What one unit in the last place of each energy makes of the quantities."""
        moved = [
            self._report(self.energies * (1 + 1e-6 * unit)) - self.quantities
            for unit in np.eye(len(self.energies))
        ]
        rounding: Array = np.abs(moved).sum(0) * (np.finfo(float).eps / 1e-6)
        return rounding


def _stack(values: list[Any], count: int) -> Array:
    return np.array([np.broadcast_to(v, count) for v in values])


def _upper(matrix: Array) -> list[Any]:
    return [matrix[i, j] for i, j in upper_triangle(len(matrix))]


def _semidefinite(matrix: Array, right: Array) -> Array:
    """Solution of least norm, columns of unit size; dependent ones left out."""
    norm = np.sqrt(np.maximum(np.diag(matrix), 0))
    norm = np.where(norm > 1e-14 * norm.max(initial=0), norm, np.inf)
    unit = matrix / norm[:, None] / norm
    inverse = np.linalg.pinv((unit + unit.T) / 2, rcond=DEPENDENT, hermitian=True)
    solution: Array = inverse @ (right / norm) / norm
    return solution
