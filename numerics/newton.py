r"""Float64: stationarity of Psi by Newton's method, for many points together.

The branch is followed from where it is known, ``lambda -> infinity``, down to
the penalty asked for: predictor along the tangent in ``log lambda``, corrector by
Newton with the exact Hessian. Steps are taken on the manifold of positive
numbers and positive definite matrices,

    g -> g exp(dg / g),    A -> A^{1/2} exp(A^{-1/2} dA A^{-1/2}) A^{1/2},

so that no iterate ever leaves it. All arrays carry the points of a sweep as
leading axis: B points, N unknowns, n nodes in kappa, F fields, C coefficients.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.equations import Equations
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.matrices import upper_triangle

__all__ = ["FloatSystem", "follow_branch", "newton"]

Array = NDArray[Any]
TOLERANCE = 1e-11  # relative Newton step at which float64 iteration stops
LARGEST_STEP = 1.0  # relative step beyond which Newton is damped
ITERATIONS = 12


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

    def at(self, ridge: Array) -> "FloatSystem":
        """Replace the ridge penalties, shape (B,)."""
        model = self.equations.model
        parameters = self.parameters.copy()
        parameters[:, model.parameters.index(model.ridge)] = ridge
        return FloatSystem(self.equations, self.weights, self.fields, parameters)

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

    def form(self) -> Array:
        """Coefficients of the linear form chi, shape (B, N, n)."""
        shape = (len(self.parameters), len(self.weights))
        return _stack(self.equations.form(self.fields, self._columns), shape)

    def chi(self, x: Array) -> Array:
        """Evaluate the linear form, shape (B, n)."""
        chi: Array = np.einsum("bi,bin->bn", x, self.form())
        return chi

    def derivatives(self, x: Array) -> tuple[Array, Array]:
        """Gradient (B, N) and Hessian (B, N, N) of Psi at the unknowns x (B, N)."""
        eq, form = self.equations, self.form()
        slope, curvature = eq.average([self.chi(x)], self._columns)
        local = (x.T, self._inverse(x), self._scalars)
        gradient = _stack(eq.local_gradient(*local), (len(x),))
        gradient = gradient + np.einsum("bin,bn->bi", form, slope * self.weights)
        hessian = _symmetric(_stack(eq.local_hessian(*local), (len(x),)), eq.size)
        weighted = form * (curvature * self.weights)[:, None, :]
        return gradient, hessian + weighted @ form.swapaxes(1, 2)

    def ridge_slope(self, x: Array) -> Array:
        """Differentiate grad Psi by the ridge penalty, shape (B, N)."""
        return self._source_gradient(self.equations.sources[1], x)

    def _source_gradient(self, source: Any, x: Array) -> Array:
        local, average, _ = source
        slope = average([self.chi(x)], self._columns)[0]
        gradient = _stack(local(x.T, self._inverse(x), self._scalars), (len(x),))
        weight = np.broadcast_to(slope, (len(x), len(self.weights))) * self.weights
        average_gradient: Array = np.einsum("bin,bn->bi", self.form(), weight)
        return gradient + average_gradient

    def _inverse(self, x: Array) -> list[Array]:
        eq = self.equations
        if not eq.order:
            return []
        matrix = _symmetric(x[:, eq.size - len(eq.inverse) :], eq.order)
        inverse = np.linalg.inv(matrix)
        return [inverse[:, i, j] for i, j in upper_triangle(eq.order)]

    def scales(self, x: Array) -> Array:
        """Natural size of each unknown: g_q, and sqrt(A_qq A_rr); shape (B, N)."""
        eq = self.equations
        positive = eq.size - len(eq.inverse)
        if not eq.order:
            return np.abs(x)
        matrix = _symmetric(x[:, positive:], eq.order)
        root = np.sqrt(np.abs(np.einsum("bii->bi", matrix)))
        sizes = [root[:, i] * root[:, j] for i, j in upper_triangle(eq.order)]
        return np.concatenate([np.abs(x[:, :positive]), np.stack(sizes, 1)], 1)

    def solve_hessian(self, x: Array, hessian: Array, right: Array) -> Array:
        """Solve ``Hess v = right`` with unknowns in their natural sizes.

        `right` has shape (B, N) or (B, N, k).
        """
        s = self.scales(x)
        scaled = hessian * s[:, :, None] * s[:, None, :]
        columns = right if right.ndim == 3 else right[:, :, None]
        solution = np.linalg.solve(scaled, columns * s[:, :, None]) * s[:, :, None]
        return solution if right.ndim == 3 else solution[:, :, 0]

    def retract(self, x: Array, step: Array) -> tuple[Array, Array]:
        """Move along the manifold; return the new point and the size of the step."""
        eq = self.equations
        positive = eq.size - len(eq.inverse)
        relative = step[:, :positive] / x[:, :positive]
        matrix, change = None, None
        size = np.max(np.abs(relative), axis=1)
        if eq.order:
            matrix = _symmetric(x[:, positive:], eq.order)
            change = _symmetric(step[:, positive:], eq.order)
            values, vectors = np.linalg.eigh(matrix)
            root = np.sqrt(values)[:, None, :]
            half = vectors * root
            inverse_half = vectors / root
            middle = inverse_half.swapaxes(1, 2) @ change @ inverse_half
            exponents, axes = np.linalg.eigh(middle)
            size = np.maximum(size, np.max(np.abs(exponents), axis=1))
        damping = np.minimum(1.0, LARGEST_STEP / np.maximum(size, 1e-300))[:, None]
        moved = x[:, :positive] * np.exp(damping * relative)
        if not eq.order:
            return moved, size
        basis = half @ axes
        matrix = (basis * np.exp(damping * exponents)[:, None, :]) @ basis.swapaxes(
            1, 2
        )
        upper = [matrix[:, i, j] for i, j in upper_triangle(eq.order)]
        return np.concatenate([moved, np.stack(upper, 1)], 1), size

    def outputs(self, x: Array) -> tuple[Array, Array]:
        """Report quantities (B, Q) and the minimising coefficients (B, C)."""
        eq, form = self.equations, self.form()
        model, columns, points = eq.model, self._columns, len(x)
        shape = (points, len(self.weights))
        weight, weight_slope = eq.weight([self.chi(x)], columns)
        weight = np.broadcast_to(weight, shape)
        count = len(model.coefficients)
        offsets = _stack(eq.offsets(self.fields, columns), shape)
        slopes = _stack(eq.slopes(self.fields, columns), shape)
        slopes = slopes.reshape(points, len(model.energy_residuals), count, -1)
        penalty = _symmetric(_stack(eq.penalty(x.T, self._scalars), (points,)), count)
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
        _, hessian = self.derivatives(x)
        adjoint = self.solve_hessian(x, hessian, by_x)
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


def _symmetric(upper: Array, order: int) -> Array:
    """Symmetric matrices (B, order, order) from their upper triangles (B, ...)."""
    matrix = np.empty((len(upper), order, order), upper.dtype)
    for k, (i, j) in enumerate(upper_triangle(order)):
        matrix[:, i, j] = matrix[:, j, i] = upper[:, k]
    return matrix


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


def newton(system: FloatSystem, x: Array) -> tuple[Array, Array, Array]:
    """Newton's method from x (B, N).

    Returns
    -------
    x : (B, N) array
    accuracy : (B,) array
        Relative size of the last full step: the distance still to go. inf where
        the iteration did not converge.
    first : (B,) array
        Relative size of the first step: how good the start was.
    """
    accuracy, first = np.full(len(x), np.inf), np.full(len(x), np.inf)
    active = np.arange(len(x))
    x = x.copy()
    for iteration in range(ITERATIONS):
        part = system.select(active)
        gradient, hessian = part.derivatives(x[active])
        step = part.solve_hessian(x[active], hessian, -gradient)
        moved, size = part.retract(x[active], step)
        size = np.where(np.isfinite(size), size, np.inf)
        if iteration == 0:
            first = size.copy()
        good = np.isfinite(moved).all(1)
        x[active[good]] = moved[good]
        # below the tolerance rounding decides: one step further changes nothing
        done = size < TOLERANCE
        accuracy[active[done]] = size[done]
        active = active[~done & good]
        if not len(active):
            break
    return x, accuracy, first


def follow_branch(system: FloatSystem) -> Array:
    """Solve at every point, following the physical branch from large penalties.

    Returns
    -------
    (B, N) array
        Unknowns, stationary to a relative step of `TOLERANCE`.

    Raises
    ------
    ConvergenceError
        At some point the continuation stalled.
    """
    model = system.equations.model
    target = system.parameters[:, model.parameters.index(model.ridge)]
    log_target = np.log(target)
    start = np.maximum(log_target, np.log(_large_penalty(system)))
    position, step = start.copy(), np.full(len(start), 2.0)
    x = _start(system.at(np.exp(position)))
    x, accuracy, _ = newton(system.at(np.exp(position)), x)
    for _ in range(500):
        lost = ~np.isfinite(accuracy)
        if lost.any():
            raise ConvergenceError(
                f"Newton's method found no solution at penalty "
                f"{np.exp(position[lost][0]):.3g}, where the branch begins"
            )
        todo = np.flatnonzero(position > log_target)
        if not len(todo):
            return x
        here = system.at(np.exp(position)).select(todo)
        goal = np.maximum(position[todo] - step[todo], log_target[todo])
        _, hessian = here.derivatives(x[todo])
        rate = here.ridge_slope(x[todo]) * np.exp(position[todo])[:, None]
        tangent = here.solve_hessian(x[todo], hessian, -rate)
        predicted, _ = here.retract(x[todo], tangent * (goal - position[todo])[:, None])
        there = here.at(np.exp(goal))
        corrected, reached, first = newton(there, predicted)
        accept = np.isfinite(reached) & (first < 0.7)
        x[todo[accept]] = corrected[accept]
        position[todo[accept]] = goal[accept]
        step[todo] = np.where(accept, step[todo] * 1.5, step[todo] * 0.4)
        stalled = step[todo] < 1e-6
        if stalled.any():
            raise ConvergenceError(
                "continuation in the ridge penalty stalled at "
                f"{np.exp(position[todo][stalled][0]):.6g} on the way to "
                f"{target[todo][stalled][0]:.6g}; try a larger penalty"
            )
    raise ConvergenceError("continuation in the ridge penalty took over 500 steps")


def _large_penalty(system: FloatSystem) -> Array:
    """Find a penalty at which features are a small perturbation, shape (B,)."""
    unit = system.at(np.ones(len(system.parameters)))
    x = _start(unit)
    chi = (unit.chi(x) * system.weights).sum(1)
    slope = unit.equations.average([np.zeros(1)], unit._columns)[0][:, 0]
    penalty: Array = 10.0 * (1 + chi * (1 + slope))
    return penalty


def _start(system: FloatSystem) -> Array:
    return _stack(
        system.equations.start(system._scalars), (len(system.parameters),)
    ).astype(float)
