r"""The equations of the resolvent at complex z, in float64 and many points together.

Derivatives, Newton's method, and the errors of the rule in kappa, near a solution;
:mod:`detequiv.numerics.resolvent.floats` finds the right one. The form chi does not
depend on z, so that all averages over kappa are matrix products.

Everything here is in the scale of ``Phi^T Phi / p``.
"""

from functools import lru_cache
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from detequiv.numerics.averages import Fields
from detequiv.numerics.equations.equations import Equations
from detequiv.numerics.equations.linear_form import distinct_nodes
from detequiv.theory.models import upper_triangle

__all__ = ["STALLED", "ResolventSystem"]

Array = NDArray[Any]
SETTLED = 1e-13  # relative Newton step after which nothing changes any more
NEAR = 0.5  # relative Newton step within which a start belongs to its solution
STALLED = 1e-7  # Newton step at which a singular Hessian stops the iteration
FAR = 20.0  # steps from the nodes at which a pole is of no account
ITERATIONS = 10  # of Newton's method


class ResolventSystem:
    """Equations of the resolvent at B points z, on one rule in kappa.

    Parameters
    ----------
    equations : Equations
        Compiled for NumPy.
    parameters : list of float
        Parameters of the model; the ridge penalty among them is not used.
    fields : Fields
        Weights and fields on a contour.
    stride : int
        Use every stride-th node.
    """

    def __init__(
        self,
        equations: Equations,
        parameters: list[float],
        fields: Fields,
        stride: int = 1,
    ) -> None:
        model = equations.model
        balls, nodes = fields.balls(stride)
        dtype = complex if isinstance(balls[0], flint.acb) else float
        weights = np.array([dtype(w) for w in balls])
        columns = np.array([[dtype(v) for v in node] for node in nodes]).T
        self.equations = equations
        self.weights, self.columns = weights, columns
        self._parameters = parameters
        self._ridge = model.parameters.index(model.ridge)
        form = equations.form(columns, parameters)
        self.form = np.stack([np.broadcast_to(v, weights.shape) for v in form])
        pairs = upper_triangle(len(form))
        self._pairs = tuple(np.array(pairs).T)
        self.form = self.form.astype(complex)
        first, shares = distinct_nodes(self.form, weights + 0j)
        self._distinct = self.form[:, first]
        self._weighted_form = (self._distinct * shares).T.copy()
        self._products = np.stack(
            [self._distinct[i] * self._distinct[j] * shares for i, j in pairs], axis=1
        )

    def parameters(self, z: Array) -> list[Any]:
        """Parameters at the points z, with ``lambda = -z``."""
        values: list[Any] = list(self._parameters)
        values[self._ridge] = -z
        return values

    def start(self, z: Array) -> Array:
        """Leading order at large z, shape (B, N)."""
        values = self.equations.start(self.parameters(z))
        return np.stack([np.broadcast_to(v, z.shape) for v in values], axis=1) + 0j

    def chi(self, x: Array) -> Array:
        """Leverage chi of a sample at each node, shape (B, n)."""
        chi: Array = x @ self.form
        return chi

    @property
    def amplitude(self) -> float:
        """Derivative of what is averaged over samples by chi, at chi = 0."""
        slope = self.equations.average([np.zeros(1)], self._parameters)[0]
        return float(np.max(slope))

    def derivatives(self, x: Array, z: Array) -> tuple[Array, Array]:
        """Gradient (B, N) and Hessian (B, N, N) of Psi at the unknowns x (B, N)."""
        with _blas().limit(limits=1, user_api="blas"):
            return self._derivatives(x, z)

    def _derivatives(self, x: Array, z: Array) -> tuple[Array, Array]:
        eq, p = self.equations, self.parameters(z)
        slope, curvature = eq.average([x @ self._distinct], self._parameters)
        local = (x.T, self.inverse(x), p)
        gradient = _stack(eq.local_gradient(*local), len(x))
        gradient = gradient + slope @ self._weighted_form
        upper = _stack(eq.local_hessian(*local), len(x)) + curvature @ self._products
        hessian = np.empty((len(x), eq.size, eq.size), complex)
        i, j = self._pairs
        hessian[:, i, j] = hessian[:, j, i] = upper
        return gradient, hessian

    def slope(self, x: Array, z: Array) -> Array:
        """Differentiate the unknowns along z, shape (B, N)."""
        _, hessian = self.derivatives(x, z)
        return self.solve_hessian(x, hessian, self.by_ridge(x, z))

    def by_ridge(self, x: Array, z: Array) -> Array:
        """Differentiate grad Psi by ``lambda = -z``, shape (B, N)."""
        local = self.equations.sources[1][0]
        return _stack(local(x.T, self.inverse(x), self.parameters(z)), len(x))

    def scales(self, x: Array) -> Array:
        """Sizes of the unknowns: ``|g_q|`` and ``sqrt(A_qq A_rr)``; shape (B, N)."""
        eq = self.equations
        count = eq.size - len(eq.inverse)
        sizes = np.abs(x)
        positive = sizes[:, :count]
        parts = [np.maximum(positive, 1e-8 * positive.max(1, keepdims=True))]
        if eq.order:
            pairs = upper_triangle(eq.order)
            diagonal = [count + k for k, (i, j) in enumerate(pairs) if i == j]
            root = np.sqrt(sizes[:, diagonal])
            root = np.maximum(root, 1e-8 * root.max(1, keepdims=True))
            parts.append(np.stack([root[:, i] * root[:, j] for i, j in pairs], 1))
        return np.concatenate(parts, axis=1)

    def solve_hessian(self, x: Array, hessian: Array, right: Array) -> Array:
        """Solve ``Hess v = right`` with unknowns in their natural sizes, (B, N)."""
        s = self.scales(x)
        scaled = hessian * s[:, :, None] * s[:, None, :]
        solution: Array = np.linalg.solve(scaled, (right * s)[:, :, None])[:, :, 0] * s
        return solution

    def newton_step(self, x: Array, z: Array) -> tuple[Array, Array]:
        """One step of Newton's method (B, N) and its relative size (B,)."""
        gradient, hessian = self.derivatives(x, z)
        step = self.solve_hessian(x, hessian, -gradient)
        size = np.max(np.abs(step) / self.scales(x), axis=1)
        return step, np.where(np.isfinite(size), size, np.inf)

    def rounding_error(self, x: Array, z: Array) -> Array:
        """Error of unknowns from rounding in the equations and in z, shape (B,).

        The last step of Newton's method may be small by chance. What the gradient's
        terms lose, the inverse Hessian carries to the unknowns.
        """
        scales = self.scales(x)
        slope, _ = self.equations.average([x @ self._distinct], self._parameters)
        terms = 2 * np.abs(slope) @ np.abs(self._weighted_form)
        terms = (terms + np.abs(self.by_ridge(x, z) * z[:, None])) * scales
        _, hessian = self.derivatives(x, z)
        inverse = np.linalg.inv(hessian * scales[:, :, None] * scales[:, None, :])
        error: Array = (np.abs(inverse) @ terms[:, :, None])[:, :, 0].max(axis=1)
        return np.finfo(float).eps * error

    def pole_error(self, x: Array, z: Array) -> Array:
        """Error of the rule from zeros of ``1 + chi`` next to its nodes, shape (B,).

        One with a small weight is not seen in the convergence of coarser rules: each
        adds its residue, times ``exp(-2 pi d)`` at d steps from the nodes.
        """
        if len(self._distinct.T) == 1:
            return np.zeros(len(x))
        chi = self.chi(x)
        slope = np.gradient(chi, axis=1)
        offset = (1 + chi) / slope
        near = (np.abs(offset.real) < 1) & (np.abs(offset.imag) < FAR)
        error, k = np.zeros(len(x)), np.flatnonzero(near.any(axis=1))
        if not len(k):
            return error
        decay = np.exp(-2 * np.pi * np.abs(offset[k].imag))
        residue = 2 * np.pi * self.amplitude * decay / np.abs(slope[k])
        weighted = self.form * self.weights
        right = np.where(near[k], residue, 0.0) @ weighted.T
        step = self.solve_hessian(x[k], self.derivatives(x[k], z[k])[1], right)
        error[k] = np.max(np.abs(step) / self.scales(x[k]), axis=1)
        return error

    def newton(self, x: Array, z: Array, near: float = NEAR) -> tuple[Array, Array]:
        """Newton's method: unknowns, and the relative size of the last step.

        Where the Hessian is singular (an edge) steps cease to shrink at the root of
        the rounding error; the iteration ends there. A point whose first step is
        below `near` is given up.
        """
        x, last = x.copy(), np.full(len(x), np.inf)
        active = np.arange(len(x))
        for _ in range(ITERATIONS):
            step, size = self.newton_step(x[active], z[active])
            good = size < near
            x[active[good]] += step[good]
            stuck = (size < STALLED) & (size > last[active] / 2)
            last[active] = size
            active = active[(size > SETTLED) & ~stuck & good]
            if not len(active):
                break
        return x, last

    def inverse(self, x: Array) -> list[Array]:
        """Upper triangle of the inverse of the matrix unknown, each (B,)."""
        eq = self.equations
        if not eq.order:
            return []
        pairs = upper_triangle(eq.order)
        matrix = np.empty((len(x), eq.order, eq.order), x.dtype)
        for k, (i, j) in enumerate(pairs, eq.size - len(pairs)):
            matrix[:, i, j] = matrix[:, j, i] = x[:, k]
        inverse = np.linalg.inv(matrix)
        return [inverse[:, i, j] for i, j in pairs]


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    """Libraries whose threads cost more than they bring: the products are small."""
    return ThreadpoolController()


def _stack(values: list[Any], count: int) -> Array:
    rows = np.empty((len(values), count), np.result_type(*values))
    for row, value in zip(rows, values, strict=True):
        row[:] = value
    return rows.T
