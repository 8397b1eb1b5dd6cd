r"""Float64: the minimum of Psi by Newton's method, for many points together.

Psi is convex along the geodesics of the cone of its unknowns, strictly for a
positive penalty: every term is linear along them (the logarithms of g and det A), an
exponential (lambda g, tr(V^{-1} A)) or the logarithm of a sum of exponentials
(log(1 + chi)). So a stationary point with g > 0 and A > 0 is the only one, and is the
branch that begins at large penalties: positivity proves the branch. Newton's method
with steps of bounded length along geodesics finds it from anywhere.

All arrays carry the points of a sweep as leading axis: B points, N unknowns, n nodes
in kappa, F fields, C coefficients.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.cone import Cone, symmetric
from detequiv.numerics.equations import Equations
from detequiv.theory.matrices import upper_triangle

__all__ = ["TOLERANCE", "FloatSystem", "minimise"]

Array = NDArray[Any]
TOLERANCE = 1e-11  # relative Newton step at which float64 iteration stops
ROUNDING = 1e-7  # below which steps may cease to shrink
CLOSE = 0.1  # below which Newton's steps need no control
LARGEST_STEP = 2.0  # logarithmic change in the first step; grows where it may
SMALLEST_STEP = 1e-3
ITERATIONS = 100


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

    def select(self, points: Array) -> "FloatSystem":
        """Keep the points of a boolean mask or index array."""
        return FloatSystem(
            self.equations, self.weights, self.fields, self.parameters[points]
        )

    @property
    def _scalars(self) -> Array:
        return self.parameters.T

    @property
    def _columns(self) -> Array:
        return self.parameters.T[:, :, None]

    @cached_property
    def form(self) -> Array:
        """Coefficients of the linear form chi, shape (B, N, n)."""
        shape = (len(self.parameters), len(self.weights))
        return _stack(self.equations.form(self.fields, self._columns), shape)

    def chi(self, x: Array) -> Array:
        """Evaluate the linear form, shape (B, n)."""
        chi: Array = (x[:, None] @ self.form)[:, 0]
        return chi

    def derivatives(self, x: Array) -> tuple[Array, Array]:
        """Gradient (B, N) and Hessian (B, N, N) of Psi at the unknowns x (B, N)."""
        eq, form = self.equations, self.form
        slope, curvature = eq.average([self.chi(x)], self._columns)
        local = (x.T, self._inverse(x), self._scalars)
        gradient = _stack(eq.local_gradient(*local), (len(x),))
        gradient = gradient + (form @ (slope * self.weights)[:, :, None])[:, :, 0]
        hessian = symmetric(_stack(eq.local_hessian(*local), (len(x),)), eq.size)
        weighted = form * (curvature * self.weights)[:, None, :]
        return gradient, hessian + weighted @ form.swapaxes(1, 2)

    def _source_gradient(self, source: Any, x: Array) -> Array:
        local, average, _ = source
        slope = average([self.chi(x)], self._columns)[0]
        gradient = _stack(local(x.T, self._inverse(x), self._scalars), (len(x),))
        weight = np.broadcast_to(slope, (len(x), len(self.weights))) * self.weights
        average_gradient: Array = np.einsum("bin,bn->bi", self.form, weight)
        return gradient + average_gradient

    def _inverse(self, x: Array) -> list[Array]:
        eq = self.equations
        if not eq.order:
            return []
        inverse = self.cone(x).inverse
        return [inverse[:, i, j] for i, j in upper_triangle(eq.order)]

    def cone(self, x: Array) -> Cone:
        """Geometry of the unknowns at x (B, N)."""
        return Cone(x, self.equations.order)

    def scales(self, x: Array) -> Array:
        """Natural size of each unknown: g_q, and sqrt(A_qq A_rr); shape (B, N)."""
        basis: Array = np.sqrt((self.cone(x).basis ** 2).sum(2))
        return basis

    def inverse_hessian(self, x: Array) -> Array:
        """Inverse Hessian of Psi at a stationary point, shape (B, N, N)."""
        basis = self.cone(x).basis
        _, hessian = self.derivatives(x)
        inner = basis.swapaxes(1, 2) @ hessian @ basis
        size = _sizes(inner)
        unit = np.linalg.inv(inner / size[:, :, None] / size[:, None, :])
        outer = basis / size[:, None, :]
        inverse: Array = outer @ unit @ outer.swapaxes(1, 2)
        return inverse

    def outputs(self, x: Array) -> tuple[Array, Array]:
        """Report quantities (B, Q) and the minimising coefficients (B, C)."""
        eq, form = self.equations, self.form
        model, columns, points = eq.model, self._columns, len(x)
        shape = (points, len(self.weights))
        weight, weight_slope = eq.weight([self.chi(x)], columns)
        weight = np.broadcast_to(weight, shape)
        count = len(model.coefficients)
        offsets = _stack(eq.offsets(self.fields, columns), shape)
        slopes = _stack(eq.slopes(self.fields, columns), shape)
        slopes = slopes.reshape(points, len(model.energy_residuals), count, -1)
        penalty = symmetric(_stack(eq.penalty(x.T, self._scalars), (points,)), count)
        root = np.sqrt(self.weights * weight)[:, None, :]
        y = _least_squares(
            (slopes * root[:, :, None, :]).swapaxes(2, 3).reshape(points, -1, count),
            (offsets * root).reshape(points, -1),
            penalty,
        )
        residuals = offsets - np.einsum("brcn,bc->brn", slopes, y)
        rest = eq.rest(self.fields, columns)[0]
        squares = (residuals**2).sum(1) + rest
        local = np.einsum("bi,bij,bj->b", y, penalty, y)
        value = (weight * squares * self.weights).sum(1) + local

        by_x = _stack(eq.energy_gradient(x.T, y.T, self._scalars), (points,))
        slope_weights = weight_slope * squares * self.weights
        by_x = by_x + np.einsum("bin,bn->bi", form, slope_weights)
        adjoint = np.einsum("bij,bj->bi", self.inverse_hessian(x), by_x)
        totals = []
        for source in eq.sources:
            slope = source[1]([self.chi(x)], columns)[1]
            direct = (slope * squares * self.weights).sum(1)
            direct = direct + source[2](x.T, y.T, self._scalars)[0]
            implicit = np.einsum("bi,bi->b", adjoint, self._source_gradient(source, x))
            totals.append(direct - implicit)
        quantities = eq.quantities([value, *totals], x.T, self._scalars)
        return _stack(quantities, (points,)), y


def _stack(values: list[Any], shape: tuple[int, ...]) -> Array:
    """Stack values along axis 1, each broadcast to (B,) or (B, n)."""
    return np.stack([np.broadcast_to(v, shape) for v in values], axis=1)


def _least_squares(design: Array, target: Array, penalty: Array) -> Array:
    """Minimise ``|target - design y|^2 + y^T penalty y``, of least norm if singular.

    Columns are scaled to unit norm first: dependent columns (an odd activation
    without spike, repeated spikes) leave y undetermined, not the fit.
    """
    values, vectors = np.linalg.eigh(penalty)
    root = (vectors * np.sqrt(np.maximum(values, 0))[:, None, :]).swapaxes(1, 2)
    full = np.concatenate([design, root], axis=1)
    right = np.concatenate([target, np.zeros(root.shape[:2])], axis=1)
    norm = np.sqrt((full**2).sum(1))
    norm = np.where(norm > 1e-14 * norm.max(1, keepdims=True), norm, np.inf)
    u, s, vt = np.linalg.svd(full / norm[:, None, :], full_matrices=False)
    keep = s > 1e-13 * s[:, :1]
    inverse = np.divide(1, s, out=np.zeros_like(s), where=keep)
    projected = np.einsum("bri,br->bi", u, right) * inverse
    solution: Array = np.einsum("bij,bi->bj", vt, projected) / norm
    return solution


def _sizes(matrix: Array) -> Array:
    """Square roots of the diagonals of positive matrices, shape (B, N)."""
    diagonal: Array = np.sqrt(np.abs(np.einsum("bii->bi", matrix)))
    return np.where(diagonal > 0, diagonal, 1.0)


def minimise(system: FloatSystem, start: Array | None = None) -> tuple[Array, Array]:
    """Minimise Psi over the cone of its unknowns, at every point.

    Parameters
    ----------
    system : FloatSystem
        The equations of B points.
    start : (B, N) array, optional
        Where to begin; by default the leading order at large penalty.

    Returns
    -------
    x : (B, N) array
        Unknowns.
    accuracy : (B,) array
        Relative size of the last full Newton step: the distance still to go. inf
        where Psi could not be minimised.
    """
    with np.errstate(all="ignore"):
        return _minimise(system, _start(system) if start is None else start)


def _minimise(system: FloatSystem, start: Array) -> tuple[Array, Array]:
    x, accuracy = start.copy(), np.full(len(start), np.inf)
    active, part = np.arange(len(x)), system
    gradient, hessian = part.derivatives(x)
    last, reach = accuracy.copy(), np.full(len(x), LARGEST_STEP)
    for _ in range(ITERATIONS):
        cone = part.cone(x[active])
        change = _newton_step(cone, gradient, hessian)
        size = cone.size(change)
        accuracy[active] = size
        # where rounding decides, one step further changes nothing
        done = (size < TOLERANCE) | ((size < ROUNDING) & (size > last / 2))
        last = size
        change = change * np.minimum(1, reach / np.maximum(size, 1e-300))[:, None]
        moved, velocity = cone.move(change)
        downhill = np.einsum("bi,bij,bj->b", gradient, cone.basis, change)
        slope, curvature = part.derivatives(moved)
        uphill = np.einsum("bi,bi->b", slope, velocity)
        # a step that ends on a slope as steep as it began on has overshot
        good = np.isfinite(moved).all(1) & np.isfinite(slope).all(1)
        good &= (size < CLOSE) | (uphill < -0.5 * downhill)
        capped = np.minimum(size, reach)
        reach = np.where(good, np.where(uphill < 0, 2, 1) * reach, capped / 4)
        x[active[good]] = moved[good]
        gradient = np.where(good[:, None], slope, gradient)
        hessian = np.where(good[:, None, None], curvature, hessian)
        lost = ~np.isfinite(size) | (reach < SMALLEST_STEP)
        keep = ~(done | lost)
        accuracy[active[lost]] = np.inf
        if not keep.all():
            active, last, reach = active[keep], last[keep], reach[keep]
            gradient, hessian = gradient[keep], hessian[keep]
            part = system.select(active)
        if not len(active):
            break
    accuracy[active] = np.inf
    return x, accuracy


def _newton_step(cone: Cone, gradient: Array, hessian: Array) -> Array:
    """Relative change towards the minimum, shape (B, N)."""
    basis = cone.basis
    inner = basis.swapaxes(1, 2) @ hessian @ basis + cone.curvature(gradient)
    size = _sizes(inner)
    inner = inner / size[:, :, None] / size[:, None, :]
    right = np.einsum("bij,bi->bj", basis, gradient) / size
    step: Array = -np.linalg.solve(inner, right[:, :, None])[:, :, 0] / size
    return step


def _start(system: FloatSystem) -> Array:
    return _stack(
        system.equations.start(system._scalars), (len(system.parameters),)
    ).astype(float)
