r"""The potential for convex losses with numbers in it, in float64.

.. math:: \Phi(x, x'; y) = \mathrm{local}(x, x', y) + \tfrac\alpha\beta\, E\, M_\chi

depends on its unknowns, x = (g, A), their multipliers x' and the coefficients y,
through four linear forms on each node in kappa (mean and slope of the fit, its spread,
the leverage) and a local part, whose second derivatives are those of Psi and of Energy.
The third derivatives of Psi's local part, which the block of x needs, are contracted
with x': its Hessian is differentiated along x', by a step into the complex plane.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import FLOATS, compile_expressions
from detequiv.numerics.averages import Fields, LawFields, first_step, float_fields
from detequiv.numerics.equations import Cone, Equations, float_equations, symmetric
from detequiv.numerics.losses.channel import Channel, channel
from detequiv.numerics.losses.samples import Moments, Samples, sample_law
from detequiv.theory.losses import Loss
from detequiv.theory.models import Model, convex_model, upper_triangle
from detequiv.theory.problem import FeatureLaw

__all__ = ["FLOOR", "ConvexSystem", "Place", "Rules"]

Array = NDArray[Any]
FLOOR = 1e-14  # of chi and Q, where the features have no variance of their own
COMPLEX_STEP = 1e-30
DIGITS = 20.0  # of the fields


@dataclass(frozen=True)
class Place:
    """Values of all unknowns.

    Attributes
    ----------
    x, multipliers : (N,) array
        (g, A), and their multipliers: norms and overlaps of the readout.
    y : (C,) array
        (m, t, r).
    """

    x: Array
    multipliers: Array
    y: Array


@dataclass(frozen=True, eq=False)
class ConvexSystem:
    """Phi of one problem on one set of rules.

    Attributes
    ----------
    model : Model
        Whose Psi and Energy these are.
    channel : Channel
        Averages of the loss.
    samples : Samples
        Given the nodes in kappa.
    weights : (n,) array
        Quadrature weights in kappa, density included.
    fields : (F, n) array
        Values of the fields.
    parameters : (P,) array
        Parameters of the model.
    """

    model: Model
    channel: Channel
    samples: Samples
    weights: Array
    fields: Array
    parameters: Array

    @property
    def equations(self) -> Equations:
        """The derived equations of the model."""
        return float_equations(self.model)

    @cached_property
    def form(self) -> Array:
        """Coefficients of chi in x, and of Q in x', (n, N)."""
        return self._on_nodes(self.equations.form(self.fields, self.parameters))

    @cached_property
    def slopes(self) -> tuple[Array, Array]:
        """Coefficients of the fit's mean and slope in y, (n, C) each."""
        flat = self._on_nodes(self.equations.slopes(self.fields, self.parameters))
        count = flat.shape[1] // 2
        return flat[:, :count], flat[:, count:]

    def _on_nodes(self, values: list[Any]) -> Array:
        shape = self.weights.shape
        return np.stack([np.broadcast_to(v, shape) for v in values], 1)

    @cached_property
    def ratio(self) -> float:
        """Samples over features, alpha/beta."""
        return float(_second(self.model).ratio(*self.parameters)[0])

    def functions(self, at: Place) -> tuple[Array, Array, Array, Array]:
        """Evaluate mean, slope, spread and leverage on each node, (n,) each."""
        first, second = self.slopes
        spread = np.maximum(self.form @ at.multipliers, FLOOR)
        leverage = np.maximum(self.form @ at.x, FLOOR)
        return first @ at.y, second @ at.y, spread, leverage

    def moments(self, at: Place) -> Moments:
        """Averages of the envelope on each node."""
        return self.samples.moments(self.channel, *self.functions(at))

    def local_gradient(self, x: Array) -> Array:
        """Gradient of Psi's local part, real or complex."""
        eq = self.equations
        return np.array(eq.local_gradient(x, self.inverse(x), self.parameters))

    def local_hessian(self, x: Array) -> Array:
        """Hessian of the same."""
        eq = self.equations
        upper = np.array(eq.local_hessian(x, self.inverse(x), self.parameters))
        return np.asarray(symmetric(upper[None], eq.size)[0])

    def inverse(self, x: Array) -> list[Any]:
        """Upper triangle of the inverse of the matrix unknown."""
        eq = self.equations
        if not eq.order:
            return []
        matrix = symmetric(x[None, eq.size - len(eq.inverse) :], eq.order)[0]
        inverse = np.linalg.inv(matrix)
        return [inverse[i, j] for i, j in upper_triangle(eq.order)]

    def penalty(self, x: Array) -> Array:
        """Matrix of the Energy's local part, a quadratic form in y."""
        upper = np.array(self.equations.penalty(x, self.parameters), float)
        count = len(self.model.coefficients)
        return np.asarray(symmetric(upper[None], count)[0])

    def energy_gradient(self, at: Place) -> Array:
        """Differentiate the Energy's local part by x."""
        values = self.equations.energy_gradient(at.x, at.y, self.parameters)
        return np.array(values, float)

    def gradient(self, at: Place, moments: Moments) -> tuple[Array, Array, Array]:
        """Gradient of Phi by x, x' and y."""
        hessian = self.local_hessian(at.x)
        by_x, by_multipliers, by_y = self.sample_gradient(moments)
        return (
            hessian @ at.multipliers + self.energy_gradient(at) + by_x,
            self.local_gradient(at.x) + by_multipliers,
            2 * self.penalty(at.x) @ at.y + by_y,
        )

    def sample_gradient(self, moments: Moments) -> tuple[Array, Array, Array]:
        """Part of the gradient that the samples bring, as many as they are."""
        by_mean, by_slope, by_spread, by_chi = (
            self.ratio * self.weights * g for g in moments.gradient
        )
        first, second = self.slopes
        return (
            self.form.T @ by_chi,
            self.form.T @ by_spread,
            first.T @ by_mean + second.T @ by_slope,
        )

    def hessian(self, at: Place, moments: Moments) -> Array:
        """Hessian of Phi by (x, x', y)."""
        eq, size = self.equations, len(at.x)
        count = len(at.y)
        total = np.zeros((2 * size + count,) * 2)
        x, multipliers, y = np.split(np.arange(len(total)), [size, 2 * size])
        moved = at.x + 1j * COMPLEX_STEP * at.multipliers
        third = self.local_hessian(moved).imag / COMPLEX_STEP
        second = _second(self.model)
        by_xx = symmetric(
            np.array(second.by_xx(*at.x, *at.y, *self.parameters), float)[None],
            eq.size,
        )[0]
        by_xy = np.array(second.by_xy(*at.x, *at.y, *self.parameters), float)
        total[np.ix_(x, x)] = third + by_xx
        total[np.ix_(x, multipliers)] = local = self.local_hessian(at.x)
        total[np.ix_(multipliers, x)] = local
        total[np.ix_(x, y)] = mixed = by_xy.reshape(size, count)
        total[np.ix_(y, x)] = mixed.T
        total[np.ix_(y, y)] = 2 * self.penalty(at.x)
        forms = [(y, self.slopes[0]), (y, self.slopes[1])]
        forms += [(multipliers, self.form), (x, self.form)]
        for i, (rows, left) in enumerate(forms):
            for j, (columns, right) in enumerate(forms):
                factor = self.ratio * self.weights * moments.hessian[i, j]
                total[np.ix_(rows, columns)] += left.T @ (factor[:, None] * right)
        return total

    def value(self, at: Place, moments: Moments) -> float:
        """Phi itself: the minimum of the objective over p."""
        local = self.local_gradient(at.x) @ at.multipliers
        local += at.y @ self.penalty(at.x) @ at.y
        return float(local + self.ratio * self.weights @ moments.value)

    @cached_property
    def unfitted(self) -> float:
        """Objective over p without a fit, which bounds its minimum."""
        nothing, floor = np.zeros_like(self.weights), np.full_like(self.weights, FLOOR)
        found = self.samples.moments(self.channel, nothing, nothing, floor, floor)
        return self.ratio * float(self.weights @ found.value)

    def cone(self, x: Array) -> Cone:
        """Geometry of the unknowns, or of their multipliers."""
        return Cone(x[None], self.equations.order)


@dataclass(frozen=True)
class Rules:
    """A problem and its loss, to be put on rules of any fineness.

    Attributes
    ----------
    law : FeatureLaw
        Features and target.
    model : Model
        Whose Psi and Energy become Phi.
    loss : Loss
        The loss.
    halvings : int
        How often the step in kappa is halved.
    """

    law: FeatureLaw
    model: Model
    loss: Loss
    halvings: int = 0

    @property
    def fields(self) -> Fields:
        """Fields on the finest rule in kappa."""
        law = LawFields(self.law)
        return float_fields(law, DIGITS, first_step(28.0), self.halvings)

    def system(
        self, parameters: Array, stride: int = 1, fineness: float = 1.0
    ) -> ConvexSystem:
        """Put Phi on every stride-th node, and on finer or rougher rules in s and G."""
        fields = self.fields
        weights, columns = fields.floats(stride)
        assert fields.rule is not None
        nodes = [float(fields.rule.nodes[i]) for i in fields.rule.every(stride)]
        return ConvexSystem(
            self.model,
            channel(self.loss, fineness),
            sample_law(
                self.law,
                np.array(nodes),
                columns[fields.families["tau0"]][0],
                self.loss.margin,
                fineness,
            ),
            weights,
            columns,
            parameters,
        )


@dataclass(frozen=True)
class _Second:
    """Compiled second derivatives of Energy's local part, and alpha/beta."""

    by_xx: Any
    by_xy: Any
    ratio: Any


@lru_cache(maxsize=16)
def _second(model: Model) -> _Second:
    x, y, p = model.unknowns.symbols, model.coefficients, model.parameters
    slopes = model.system.energy_local_gradient
    by_xx = [sp.diff(slopes[i], x[j]) for i, j in upper_triangle(len(x))]
    by_xy = [sp.diff(slope, s) for slope in slopes for s in y]
    return _Second(
        compile_expressions((*x, *y, *p), by_xx, FLOATS),
        compile_expressions((*x, *y, *p), by_xy, FLOATS),
        compile_expressions(p, [convex_model(model).samples], FLOATS),
    )
