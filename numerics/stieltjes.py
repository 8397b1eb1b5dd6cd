r"""The resolvent at complex z: float64, many points together, on the right branch.

The equations are those of the ridge problem at ``lambda = -z``. The solution that is
the Stieltjes transform of a measure is the one continued from large ``|z|`` through
the upper half plane, where ``g = -1/z``; it is followed straight down, at constant
``Re z``, to z itself or to the real axis, where Newton's method solves at ``x + i0``
exactly. The form chi does not depend on z, so that all averages over kappa
are matrix products.

Everything here is in the scale of ``Phi^T Phi / p``.
"""

from dataclasses import dataclass, field
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.batch import first_step
from detequiv.numerics.contours import (
    CONTOURS,
    REAL_AXIS,
    Contour,
    contour_fields,
    enclosed_zeros,
)
from detequiv.numerics.equations import Equations, float_equations
from detequiv.numerics.fields import Fields
from detequiv.numerics.quadrature import geometric_error
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.features import FeatureLaw
from detequiv.theory.matrices import upper_triangle
from detequiv.theory.potential import Model

__all__ = ["Resolvent", "ResolventSystem", "Roots", "follow_down", "is_physical"]

Array = NDArray[Any]
DIGITS = 18.0  # of the fields in kappa
BLOCK = 256  # points solved together: their chi stays in the cache
SETTLED = 1e-13  # relative Newton step after which nothing changes any more
ACCURATE = 1e-12  # relative error of the unknowns that is good enough
NEAR = 0.5  # relative Newton step within which a start belongs to its solution
CLOSE = 0.03  # the same, where the start is a neighbour's
SKIP = 6  # points from one that is reached from above to the next
VOUCHED = 1e-7  # relative error of the unknowns up to which they are returned
STALLED = 1e-7  # Newton step at which a singular Hessian stops the iteration
FAR = 20.0  # steps from the nodes at which a pole is of no account
RAISES = 30  # of the height from which points are followed down
ITERATIONS = 10  # of Newton's method
REFINEMENTS = 4  # of the rule in kappa


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
        keep = fields.rule.every(stride)
        dtype = complex if isinstance(fields.weights[0], flint.acb) else float
        weights = np.array([dtype(fields.weights[i]) for i in keep]) * stride
        columns = np.array([[dtype(c[i]) for i in keep] for c in fields.columns])
        self.equations = equations
        self.weights, self.columns = weights, columns
        self._parameters = parameters
        self._ridge = model.parameters.index(model.ridge)
        form = equations.form(columns, parameters)
        self.form = np.stack([np.broadcast_to(v, weights.shape) for v in form])
        pairs = upper_triangle(len(form))
        self._pairs = tuple(np.array(pairs).T)
        self._weighted_form = (self.form * weights).T.astype(complex)
        self._products = np.stack(
            [self.form[i] * self.form[j] * weights for i, j in pairs], axis=1
        ).astype(complex)
        self.form = self.form.astype(complex)

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

    def derivatives(self, x: Array, z: Array) -> tuple[Array, Array]:
        """Gradient (B, N) and Hessian (B, N, N) of Psi at the unknowns x (B, N)."""
        eq, p = self.equations, self.parameters(z)
        slope, curvature = eq.average([self.chi(x)], self._parameters)
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

    def pole_error(self, x: Array, z: Array) -> Array:
        """Error of the rule from zeros of ``1 + chi`` next to its nodes, shape (B,).

        One with a small weight is not seen in the convergence of coarser rules: each
        adds its residue, times ``exp(-2 pi d)`` at d steps from the nodes.
        """
        chi = self.chi(x)
        slope = np.gradient(chi, axis=1)
        offset = (1 + chi) / slope
        near = (np.abs(offset.real) < 1) & (np.abs(offset.imag) < FAR)
        error, k = np.zeros(len(x)), np.flatnonzero(near.any(axis=1))
        if not len(k):
            return error
        amplitude = self.equations.average([np.zeros(1)], self._parameters)[0]
        decay = np.exp(-2 * np.pi * np.abs(offset[k].imag))
        residue = 2 * np.pi * amplitude * decay / np.abs(slope[k])
        right = np.where(near[k], residue, 0.0) @ self._weighted_form
        step = self.solve_hessian(x[k], self.derivatives(x[k], z[k])[1], right)
        error[k] = np.max(np.abs(step) / self.scales(x[k]), axis=1)
        return error

    def newton(self, x: Array, z: Array) -> tuple[Array, Array]:
        """Newton's method: unknowns, and the relative size of the last step.

        Where the Hessian is singular (an edge) steps cease to shrink at the root of
        the rounding error; the iteration ends there. A point whose first step is
        not `NEAR` is given up.
        """
        x, last = x.copy(), np.full(len(x), np.inf)
        active = np.arange(len(x))
        for _ in range(ITERATIONS):
            step, size = self.newton_step(x[active], z[active])
            good = size < NEAR
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


def _stack(values: list[Any], count: int) -> Array:
    rows = np.empty((len(values), count), np.result_type(*values))
    for row, value in zip(rows, values, strict=True):
        row[:] = value
    return rows.T


def follow_down(system: ResolventSystem, z: Array) -> tuple[Array, Array]:
    """Continue from large ``Im z`` straight down to each of the points z.

    Parameters
    ----------
    system : ResolventSystem
        The equations.
    z : (B,) complex array
        ``Im z >= 0``; a real z is reached as ``z + i0``.

    Returns
    -------
    x : (B, N) complex array
        Unknowns.
    accuracy : (B,) array
        Relative size of the last Newton step; inf where the continuation stalled.
    """
    unit = system.start(np.array([-1.0]))
    chi = float((system.chi(unit) @ system.weights).real[0])
    slope = system.equations.average([np.zeros(1)], system._parameters)[0]
    height = np.full(len(z), 10 * chi * (1 + float(np.max(slope))) + 1e-300)
    x, accuracy = system.start(z + 1j * height), np.full(len(z), np.inf)
    for _ in range(RAISES):
        low = np.flatnonzero(np.isinf(accuracy))
        if not len(low):
            break
        high = z[low] + 1j * height[low]
        x[low], accuracy[low] = system.newton(system.start(high), high)
        low = low[~(accuracy[low] < STALLED)]
        accuracy[low] = np.inf
        height[low] *= 3  # the leading order of a skewed law is good further up only
    ratio = np.full(len(z), 0.1)
    # the last leap, to z itself, is tried from here
    leap = 0.03 * np.abs(z)
    alive = np.isfinite(accuracy)
    for _ in range(200):
        todo = np.flatnonzero(alive & (height > 0))
        if not len(todo):
            return x, np.where(alive, accuracy, np.inf)
        high, last = height[todo], height[todo] <= leap[todo]
        goal = np.where(last, 0.0, high * ratio[todo])
        tangent = system.slope(x[todo], z[todo] + 1j * high)
        start = x[todo] + tangent * (1j * (goal - high))[:, None]
        there = z[todo] + 1j * goal
        found, size = system.newton(start, there)
        good = (size < STALLED) & is_physical(system, found, there)
        x[todo[good]], accuracy[todo[good]] = found[good], size[good]
        height[todo[good]] = goal[good]
        ratio[todo] = np.where(good, ratio[todo] ** 1.3, np.sqrt(ratio[todo]))
        ratio[todo] = np.clip(ratio[todo], 0.01, 0.97)
        missed = todo[last & ~good]
        leap[missed] = height[missed] * 0.1
        ratio[missed] = 0.3
        alive &= (ratio < 0.95) & (leap > 1e-14 * np.abs(z))
    return x, np.where(height > 0, np.inf, accuracy)


def follow_along(system: ResolventSystem, z: Array) -> tuple[Array, Array]:
    """As `follow_down`, but real points by way of their neighbours, if these are close.

    Every `SKIP`-th point is reached from above. Between two of them Newton's method
    starts from the straight line; a point whose first step is not small, or whose
    solution is not physical, is reached from above too.
    """
    if len(z) <= 2 * SKIP or z.imag.any():
        return follow_down(system, z)
    order = np.argsort(z.real)
    knots, between = order[::SKIP], np.delete(order, slice(None, None, SKIP))
    x = np.zeros((len(z), system.equations.size), complex)
    accuracy = np.full(len(z), np.inf)
    x[knots], accuracy[knots] = follow_down(system, z[knots])
    for k in range(x.shape[1]):
        x[between, k] = np.interp(z.real[between], z.real[knots], x[knots, k])
    _, size = system.newton_step(x[between], z[between])
    near = between[size < CLOSE]
    x[near], accuracy[near] = system.newton(x[near], z[near])
    settled = (accuracy[near] < STALLED) & is_physical(system, x[near], z[near])
    accuracy[near[~settled]] = np.inf
    rest = between[np.isinf(accuracy[between])]
    x[rest], accuracy[rest] = follow_down(system, z[rest])
    return x, accuracy


def is_physical(system: ResolventSystem, x: Array, z: Array) -> Array:
    """Whether Im g_q >= 0, and where g is real, dg/dz > 0: shape (B,)."""
    count = system.equations.size - len(system.equations.inverse)
    g = x[:, :count]
    size = np.abs(g).max(1)
    above: Array = np.all(g.imag > -1e-9 * size[:, None], axis=1)
    real = above & (z.imag == 0) & np.all(np.abs(g.imag) < 1e-12 * size[:, None], 1)
    if real.any():
        rising = system.slope(x[real], z[real])[:, :count].real
        above[real] = np.all(rising > 0, axis=1)
    return above


@dataclass(frozen=True)
class Roots:
    """Unknowns at B points.

    Attributes
    ----------
    unknowns : (B, N) complex array
    errors : (B,) array
        Error of each point's unknowns, relative to their natural sizes.
    contours : (B,) array of int
        Place in `CONTOURS` of the one on which each point was solved.
    """

    unknowns: Array
    errors: Array
    contours: Array


@dataclass(frozen=True)
class Resolvent:
    """Unknowns of the resolvent of one problem, at any complex z.

    Attributes
    ----------
    model : Model
        The potentials.
    law : FeatureLaw
        The features.
    parameters : tuple of float
        Parameters of the model.
    """

    model: Model
    law: FeatureLaw
    parameters: tuple[float, ...]
    _systems: dict[Any, ResolventSystem] = field(default_factory=dict, repr=False)

    def system(
        self, contour: Contour, halvings: int, stride: int = 1
    ) -> ResolventSystem:
        """Put the fields on a contour into the equations, its step halved so often."""
        key = contour, halvings, stride
        if key not in self._systems:
            step = first_step(28.0) / 2**halvings
            fields = contour_fields(self.law, contour, DIGITS, step)
            self._systems[key] = ResolventSystem(
                float_equations(self.model), list(self.parameters), fields, stride
            )
        return self._systems[key]

    @property
    def groups(self) -> int:
        """Number K of groups."""
        return len(self.law.spikes)

    def mean(self) -> float:
        """First moment of the bulk: ``(alpha/beta) E chi`` at g = 1, A = V."""
        system = self.system(REAL_AXIS, 0)
        chi = system.chi(system.start(np.array([-1.0])))
        slope = system.equations.average([np.zeros(1)], list(self.parameters))[0]
        return float((chi @ system.weights).real[0] * slope[0])

    def solve(self, z: Array) -> Roots:
        """Solve at the points z.

        Parameters
        ----------
        z : (B,) complex array
            ``Im z >= 0``, not 0; a real z stands for ``z + i0``.

        Raises
        ------
        ConvergenceError
            The error stays above 1e-7 at some point.
        """
        # a point far from its solution may overflow: it is given up, with the rest
        with np.errstate(all="ignore"):
            starts = range(0, max(len(z), 1), BLOCK)
            blocks = [self._solve(z[i : i + BLOCK]) for i in starts]
        roots = Roots(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
        if (roots.errors > VOUCHED).any():
            worst = int(np.argmax(roots.errors))
            raise ConvergenceError(
                f"the resolvent at z = {z[worst]:.6g} (scale of Phi^T Phi / p) was "
                f"reached to {roots.errors[worst]:.1e} only; move z off the real axis"
            )
        return roots

    def _solve(self, z: Array) -> tuple[Array, Array, Array]:
        size = len(self.model.unknowns.symbols)
        x, error = np.zeros((len(z), size), complex), np.full(len(z), np.inf)
        contours = np.zeros(len(z), int)
        open_points = np.arange(len(z))
        for halvings in range(REFINEMENTS):
            for place, contour in enumerate(CONTOURS):
                found, rounding, quadrature = self._on_contour(
                    contour, halvings, z[open_points]
                )
                better = rounding + quadrature < error[open_points]
                x[open_points[better]] = found[better]
                error[open_points[better]] = (rounding + quadrature)[better]
                contours[open_points[better]] = place
                # where rounding is the larger error, no rule is better
                settled = quadrature <= np.maximum(ACCURATE, rounding)
                open_points = open_points[~settled | np.isinf(rounding)]
                if not len(open_points):
                    return x, error, contours
        return x, error, contours

    def _on_contour(
        self, contour: Contour, halvings: int, z: Array
    ) -> tuple[Array, Array, Array]:
        """Unknowns, Newton's last step, and the error of the rule in kappa."""
        system = self.system(contour, halvings)
        x, rounding = follow_along(system, z)
        quadrature = np.full(len(z), np.inf)
        done = np.flatnonzero(np.isfinite(rounding))
        gaps = [
            self.system(contour, halvings, stride).newton_step(x[done], z[done])[1]
            for stride in (4, 2)
        ]
        regular = [geometric_error(c, f) for c, f in zip(*gaps, strict=True)]
        quadrature[done] = np.maximum(regular, system.pole_error(x[done], z[done]))
        quadrature[done[~self.admits(contour, halvings, x[done])]] = np.inf
        return x, rounding, quadrature

    def admits(self, contour: Contour, halvings: int, x: Array) -> Array:
        """Whether averages keep their value on a contour, for unknowns x; (B,)."""
        if contour.real or not len(x):
            return np.ones(len(x), bool)
        there, axis = (self.system(c, halvings) for c in (contour, REAL_AXIS))
        clear: Array = enclosed_zeros(1 + there.chi(x), 1 + axis.chi(x)) == 0
        return clear
