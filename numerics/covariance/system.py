"""The equations of one point with numbers in them, floats or balls.

N unknowns, C coefficients, F fields on n nodes in kappa, S levels. Sums over levels
are all that is ever done with these: time and memory grow with their number alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.covariance.algebra import BallAlgebra, FloatAlgebra
from detequiv.numerics.covariance.equations import LevelEquations
from detequiv.theory.models import upper_triangle

__all__ = ["Outputs", "System"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Outputs:
    """What a stationary point reports: quantities, and coefficients of the Energy."""

    quantities: Array
    coefficients: Array


@dataclass(frozen=True)
class System:
    """A model's equations at one point.

    Attributes
    ----------
    equations : LevelEquations
    algebra : FloatAlgebra or BallAlgebra
    weights : (n,) array
        Quadrature weights in kappa, density included.
    fields : (F, n) array
    levels : (L, S) array
        Functions of the level.
    parameters : (P,) array
    """

    equations: LevelEquations
    algebra: FloatAlgebra | BallAlgebra
    weights: Array
    fields: Array
    levels: Array
    parameters: Array

    @cached_property
    def form(self) -> Array:
        """Coefficients of chi, (N, n)."""
        return self._on_nodes(self.equations.form(self.fields, self.parameters))

    def chi(self, x: Array) -> Array:
        """Evaluate the linear form on every node."""
        values: Array = x @ self.form
        return values

    def precisions(self, x: Array) -> Array:
        """``X_s^-1``, (S, K, K)."""
        upper = self.equations.precision(x, self.levels, self.parameters)
        return self._symmetric(self._stack(upper, self.levels.shape[1]))

    def gradient(self, x: Array) -> Array:
        """Gradient of Psi, (N,)."""
        eq, p = self.equations, self.parameters
        slope = eq.average([self.chi(x)], p)[0]
        levels = eq.level_gradient(x, self.levels, self._inverse(x), p)
        gradient: Array = (
            self.algebra.array(eq.local_gradient(x, p))
            + self._over_levels(levels)
            + self.form @ (self.weights * slope)
        )
        return gradient

    def hessian(self, x: Array) -> Array:
        """Hessian of Psi, (N, N)."""
        eq, p = self.equations, self.parameters
        curvature = eq.average([self.chi(x)], p)[1]
        levels = eq.level_hessian(x, self.levels, self._inverse(x), p)
        upper = self.algebra.array(eq.local_hessian(x, p)) + self._over_levels(levels)
        bent = (self.form * (self.weights * curvature)) @ self.form.T
        hessian: Array = self._symmetric(upper[:, None])[0] + bent
        return hessian

    def outputs(self, x: Array) -> Outputs:
        """Report quantities, by the Energy's stationary point and one adjoint solve."""
        eq, p, array = self.equations, self.parameters, self.algebra.array
        inverse, chi = self._inverse(x), self.chi(x)
        _, _, weight, weight_slope = eq.average([chi], p)
        upper = array(eq.local_form(x, p)) + self._over_levels(
            eq.level_form(x, self.levels, inverse, p)
        )
        local = self._symmetric(upper[:, None])[0]
        offsets = self._on_nodes(eq.offsets(self.fields, p))
        design = self._rows(eq.slopes(self.fields, p))
        counted = self._rows(eq.counted(self.fields, p))
        shares = self.weights * weight
        matrix, right = local, array([0] * len(local))
        for rows, offset in zip(design, offsets, strict=True):
            matrix = matrix + (rows * shares) @ rows.T
            right = right + rows @ (shares * offset)
        for rows in counted:
            matrix = matrix - (rows * shares) @ rows.T
        y = self._stationary(matrix, right)

        squares = self._on_nodes(eq.rest(self.fields, p))[0]
        for rows, offset in zip(design, offsets, strict=True):
            squares = squares + (offset - y @ rows) ** 2
        for rows in counted:
            squares = squares - (y @ rows) ** 2
        value = shares @ squares + y @ local @ y
        by_x = (
            array(eq.local_energy(x, y, p))
            + self._over_levels(eq.level_energy(x, y, self.levels, inverse, p))
            + self.form @ (self.weights * weight_slope * squares)
        )
        unit = self.units(x)
        adjoint = unit * self.algebra.solve(
            self.hessian(x) * unit[:, None] * unit, by_x * unit
        )
        totals = []
        for by_gradient, by_level, by_average, by_energy in eq.sources:
            slopes, direct = self._on_nodes(by_average([chi], p))
            by_source = (
                array(by_gradient(x, p))
                + self._over_levels(by_level(x, self.levels, inverse, p))
                + self.form @ (self.weights * slopes)
            )
            energies = self._over_levels(by_energy(x, y, self.levels, inverse, p))
            partial = (self.weights * direct) @ squares + energies[0]
            totals.append(partial - adjoint @ by_source)
        local_slope, level_slope = eq.ridge_slope
        slope = array(local_slope(x, p)) + self._over_levels(
            level_slope(x, self.levels, inverse, p)
        )
        return Outputs(array(eq.quantities([value, *totals, *slope], x, p)), y)

    def units(self, x: Array) -> Array:
        """Natural sizes: g, ``sqrt(A_qq A_rr)``, ``sqrt(B_qq B_rr)``."""
        count = self.equations.groups
        pairs = upper_triangle(self.equations.order)
        size = list(np.abs(x[:count].astype(float)))
        for start in (count, count + len(pairs)):
            block = x[start : start + len(pairs)].astype(float)
            diagonal = [
                np.sqrt(abs(v))
                for v, (i, j) in zip(block, pairs, strict=True)
                if i == j
            ]
            size += [diagonal[i] * diagonal[j] for i, j in pairs]
        # what vanishes, as the coupling of features without a linear part, has none
        return self.algebra.array([self._plain(v) for v in size])

    def _plain(self, value: float) -> Any:
        return value if value > 0 else 1.0

    def _stationary(self, matrix: Array, right: Array) -> Array:
        """Coefficients of the Energy: m, which may be redundant, after the others."""
        count = self.equations.model.means
        first, rest = slice(0, count), slice(count, None)
        inner = matrix[rest, rest]
        # multipliers in the inverse units of what they belong to
        half = len(inner) // 2
        size = np.sqrt(np.abs(np.diagonal(inner)[half:].astype(float)))
        size = np.where(size > 0, size, 1.0)
        unit = self.algebra.array([*map(float, size), *map(float, 1 / size)])
        scaled = inner * unit[:, None] * unit
        columns = [right[rest], *matrix[rest, first].T]
        solved = [unit * self.algebra.solve(scaled, unit * c) for c in columns]
        mixed = matrix[first, rest]
        schur = matrix[first, first] - np.array([mixed @ v for v in solved[1:]]).T
        m = self.algebra.solve_semidefinite(schur, right[first] - mixed @ solved[0])
        others = solved[0] - sum(a * v for a, v in zip(m, solved[1:], strict=True))
        return np.concatenate([m, others])

    def _inverse(self, x: Array) -> list[Array]:
        """Upper triangle of ``X_s``, each an array over levels."""
        inverse = self.algebra.inverse(self.precisions(x))
        return [inverse[:, i, j] for i, j in upper_triangle(self.equations.order)]

    def _over_levels(self, values: Sequence[Any]) -> Array:
        """Sum functions of the level; a number is one that all levels share."""
        count = self.levels.shape[1]
        return self.algebra.array(
            [v.sum() if getattr(v, "shape", ()) else v * count for v in values]
        )

    def _on_nodes(self, values: Sequence[Any]) -> Array:
        return self._stack(values, len(self.weights))

    def _rows(self, values: Sequence[Any]) -> list[Array]:
        """Slopes of several residuals, (C, n) each."""
        size = len(self.equations.model.coefficients)
        rows = self._on_nodes(values)
        return [rows[k : k + size] for k in range(0, len(rows), size)]

    def _stack(self, values: Sequence[Any], count: int) -> Array:
        """Stack functions of the node or of the level, numbers too, (M, count)."""
        stacked = np.empty((len(values), count), self.algebra.array([0]).dtype)
        for row, value in zip(stacked, values, strict=True):
            row[:] = value
        return stacked

    @staticmethod
    def _symmetric(upper: Array) -> Array:
        """Matrices (S, K, K) from their upper triangles (K (K + 1) / 2, S)."""
        order = int((8 * len(upper) + 1) ** 0.5 - 1) // 2
        matrices = np.empty((upper.shape[1], order, order), upper.dtype)
        for row, (i, j) in zip(upper, upper_triangle(order), strict=True):
            matrices[:, i, j] = matrices[:, j, i] = row
        return matrices
