"""The equations in float64, for many points together: derivatives and results.

All arrays carry the points of a sweep as leading axis: B points, N unknowns, n nodes
in kappa, F fields, C coefficients.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.averages import Fields
from detequiv.numerics.equations.compiler import Compiled
from detequiv.numerics.equations.cone import Cone, symmetric
from detequiv.numerics.equations.equations import Equations, float_equations
from detequiv.numerics.equations.least_squares import least_squares
from detequiv.numerics.equations.linear_form import LinearForm
from detequiv.theory.models import Model, upper_triangle

__all__ = ["FloatSystem", "unit_sizes"]

Array = NDArray[Any]
STEP = 1e-6  # relative change of an energy that shows how quantities depend on it


@dataclass(frozen=True)
class FloatSystem:
    """A model's equations with numbers in them.

    Attributes
    ----------
    equations : Equations
        Compiled for NumPy.
    weights : (n,) array
        Quadrature weights in kappa, density included.
    fields : (F, n) array
        Values of the fields.
    parameters : (B, P) array
        Parameters of the model, one row a point.
    """

    equations: Equations
    weights: Array
    fields: Array
    parameters: Array

    @classmethod
    def of(
        cls, model: Model, fields: Fields, parameters: Array, stride: int = 1
    ) -> "FloatSystem":
        """Put numbers into a model's equations, on every stride-th node of a rule."""
        weights, columns = fields.floats(stride)
        return cls(float_equations(model), weights, columns, parameters)

    def select(self, points: Array) -> "FloatSystem":
        """Keep the points of a boolean mask or index array."""
        return FloatSystem(
            self.equations, self.weights, self.fields, self.parameters[points]
        )

    @property
    def _scalars(self) -> Array:
        return self.parameters.T

    @cached_property
    def _columns(self) -> list[Array]:
        """Parameters against nodes, each (B, 1), or (1, 1) where all points agree."""
        alike = (self.parameters == self.parameters[0]).all(0)
        columns = self.parameters.T[:, :, None]
        return [c[:1] if one else c for c, one in zip(columns, alike, strict=True)]

    def _on_nodes(self, function: Compiled) -> Array:
        """M functions of fields and parameters, (B, M, n); (1, M, n) if all agree."""
        values = function(self.fields, self._columns)
        shapes = [np.shape(value) for value in values]
        return _stack(values, np.broadcast_shapes((1, len(self.weights)), *shapes))

    @cached_property
    def form(self) -> LinearForm:
        """The linear form chi."""
        return LinearForm(self._on_nodes(self.equations.form), self.weights)

    @cached_property
    def _distinct(self) -> LinearForm:
        """The same on one of the nodes that have it in common: all that Psi needs."""
        return self.form.distinct

    def derivatives(self, cone: Cone) -> tuple[Array, Array]:
        """Gradient (B, N) and Hessian (B, N, N) of Psi at points of its cone."""
        eq, form, x = self.equations, self._distinct, cone.points
        chi = form.values(x)
        _, slope, curvature = np.broadcast_arrays(
            chi, *eq.average([chi], self._columns)
        )
        local = eq.local_gradient(x.T, self._inverse(cone), self._scalars)
        gradient = _stack(local, (len(x),)) + form.vectors(slope)
        return gradient, self._hessian(cone, form, curvature)

    def _hessian(self, cone: Cone, form: LinearForm, curvature: Array) -> Array:
        """Hessian of Psi from the curvature of its averaged part, (B, N, N)."""
        eq, x = self.equations, cone.points
        local = eq.local_hessian(x.T, self._inverse(cone), self._scalars)
        hessian = symmetric(_stack(local, (len(x),)), eq.size)
        return hessian + form.matrices(curvature)

    @property
    def start(self) -> Array:
        """Leading order of the unknowns at large penalty, shape (B, N)."""
        start = self.equations.start(self._scalars)
        return _stack(start, (len(self.parameters),)).astype(float)

    def _inverse(self, cone: Cone) -> list[Array]:
        """Upper triangle of the inverse of the matrix unknown."""
        pairs = upper_triangle(cone.order)
        return [cone.inverse[:, i, j] for i, j in pairs]

    def cone(self, x: Array) -> Cone:
        """Geometry of the unknowns at x (B, N)."""
        return Cone(x, self.equations.order)

    def inverse_hessian(self, cone: Cone) -> Array:
        """Inverse Hessian of Psi at a stationary point, shape (B, N, N)."""
        _, hessian = self.derivatives(cone)
        inner, outer = _unit_diagonal(hessian, cone.basis)
        inverse: Array = outer @ np.linalg.inv(inner) @ outer.swapaxes(1, 2)
        return inverse

    def outputs(self, x: Array) -> tuple[Array, Array, Array]:
        """Report quantities (B, Q), their rounding, and coefficients y (B, C).

        The rounding is what an error of one unit in the last place of each energy
        makes of them: large where energies cancel, as in a small training error.
        """
        eq, form, columns = self.equations, self.form, self._columns
        chi, cone, each = form.values(x), self.cone(x), (len(x),)
        _, curvature, weight, weight_slope = np.broadcast_arrays(
            chi, *eq.response([chi], columns)
        )
        penalty = symmetric(
            _stack(eq.penalty(x.T, self._scalars), each), len(eq.model.coefficients)
        )
        y, squares = self._fit(weight, penalty)
        value = (weight * squares) @ self.weights
        value += np.einsum("bi,bij,bj->b", y, penalty, y)

        by_x = _stack(eq.energy_gradient(x.T, y.T, self._scalars), each)
        by_x += form.vectors(weight_slope * squares)
        inner, outer = _unit_diagonal(self._hessian(cone, form, curvature), cone.basis)
        right = outer.swapaxes(1, 2) @ by_x[:, :, None]
        adjoint = (outer @ np.linalg.solve(inner, right))[:, :, 0]
        totals, everywhere = [], np.ones((1, len(self.weights)))
        for local, average, energy in eq.sources:
            slope, direct = average([chi], columns)
            by_source = _stack(local(x.T, self._inverse(cone), self._scalars), each)
            by_source += form.vectors(slope * everywhere)
            explicit = (direct * squares) @ self.weights
            explicit += energy(x.T, y.T, self._scalars)[0]
            totals.append(explicit - (adjoint * by_source).sum(1))
        energies = np.array([value, *totals])
        quantities = _stack(eq.quantities(energies, x.T, self._scalars), each)
        rounding = np.zeros_like(quantities)
        for k in range(len(energies)):
            moved = energies.copy()
            moved[k] *= 1 + STEP
            change = _stack(eq.quantities(moved, x.T, self._scalars), each) - quantities
            rounding += np.abs(change) * (np.finfo(float).eps / STEP)
        return quantities, rounding, y

    def _fit(self, weight: Array, penalty: Array) -> tuple[Array, Array]:
        """Minimising coefficients (B, C), sums of squares at the nodes (B, n)."""
        eq, nodes = self.equations, len(self.weights)
        offsets, slopes = self._on_nodes(eq.offsets), self._on_nodes(eq.slopes)
        slopes = slopes.reshape(len(slopes), offsets.shape[1], -1, nodes)
        y, squares = least_squares(
            [LinearForm(slope, self.weights) for slope in slopes.swapaxes(0, 1)],
            list(offsets.swapaxes(0, 1)),
            weight,
            penalty,
        )
        squares += eq.rest(self.fields, self._columns)[0]
        return y, squares


def _stack(values: list[Any], shape: tuple[int, ...]) -> Array:
    """Stack values along axis 1, each broadcast to a shape that begins with B."""
    kind = np.result_type(float, *values)
    stacked = np.empty((shape[0], len(values), *shape[1:]), kind)
    for i, value in enumerate(values):
        stacked[:, i] = value
    return stacked


def _unit_diagonal(hessian: Array, basis: Array) -> tuple[Array, Array]:
    """Hessian with unit diagonal, in the coordinates of the columns beside it."""
    inner = basis.swapaxes(1, 2) @ hessian @ basis
    size = unit_sizes(inner)
    return inner / size[:, :, None] / size[:, None, :], basis / size[:, None, :]


def unit_sizes(matrix: Array) -> Array:
    """Square roots of the diagonals of positive matrices, shape (B, N)."""
    diagonal: Array = np.sqrt(np.abs(np.einsum("bii->bi", matrix)))
    return np.where(diagonal > 0, diagonal, 1.0)
