"""The equations of a batch with float64 numbers in them, at one point."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import to_float
from detequiv.numerics.averages import Fields
from detequiv.numerics.batches.determinants import LogDeterminant
from detequiv.numerics.batches.equations import BatchEquations, float_batch
from detequiv.numerics.batches.residuals import Residuals
from detequiv.theory.models import upper_triangle
from detequiv.theory.problem import BatchLaw, Problem, exact_parameters

__all__ = ["FloatBatch"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class FloatBatch:
    """Psi's derivatives.

    Attributes
    ----------
    law : BatchLaw
        Of the network.
    equations : BatchEquations
        Compiled for NumPy.
    parameters : (P,) array
        In the order of the equations.
    weights, fields : (n,) array, (F, n) array
        On nodes in kappa.
    residuals : tuple of (N,) array
        Weights, r and s of a rule for the law of the residuals.
    """

    law: BatchLaw
    equations: BatchEquations
    parameters: Array
    weights: Array
    fields: Array
    residuals: tuple[Array, Array, Array]

    @classmethod
    def of(
        cls, problem: Problem, law: BatchLaw, fields: Fields, residuals: Residuals
    ) -> "FloatBatch":
        """Put a problem's numbers into the equations."""
        equations = float_batch(len(law.rates), len(law.law.tangents))
        parameters = np.array(list(map(to_float, batch_parameters(problem, law))))
        weights, columns = fields.floats()
        return cls(law, equations, parameters, weights, columns, residuals.floats)

    def on(self, fields: Fields, stride: int, residuals: Residuals) -> "FloatBatch":
        """Put the same numbers on other rules."""
        weights, columns = fields.floats(stride)
        return replace(
            self, weights=weights, fields=columns, residuals=residuals.floats
        )

    def at(self, **parameters: float) -> "FloatBatch":
        """Change parameters, by their names."""
        values = self.parameters.copy()
        for name, value in parameters.items():
            values[self._place[name]] = value
        return replace(self, parameters=values)

    @cached_property
    def _place(self) -> dict[str, int]:
        names = self.equations.batch.parameters
        return {symbol.name: k for k, symbol in enumerate(names)}

    def parameter(self, name: str) -> float:
        """One of the parameters by its name."""
        return float(self.parameters[self._place[name]])

    @cached_property
    def joint(self) -> LogDeterminant:
        """The matrix of one direction."""
        return LogDeterminant.at(self.equations.joint, [*self.parameters, 0.0], 1)

    @cached_property
    def sample(self) -> LogDeterminant:
        """The matrices of the samples."""
        _, r, _ = self.residuals
        return LogDeterminant.at(self.equations.sample, [*self.parameters, r], len(r))

    @cached_property
    def form(self) -> Array:
        """Coefficients of chi on the nodes, one row an unknown that moves it."""
        values = self.equations.form(*self.fields, *self.parameters)
        return np.array([np.broadcast_to(v, self.weights.shape) for v in values])

    def chi(self, x: Array) -> Array:
        """Evaluate chi on the nodes."""
        chi: Array = x[self.equations.moving] @ self.form
        return chi

    def derivatives(self, x: Array) -> tuple[Array, Array]:
        """Gradient (N,) and Hessian (N, N) of Psi at unknowns x, real or complex."""
        eq, moving = self.equations, np.array(self.equations.moving)
        gradient = np.array(eq.local_gradient(*x, *self.parameters), x.dtype)
        hessian = np.zeros((len(x), len(x)), x.dtype)
        second = eq.local_hessian(*x, *self.parameters)
        for (i, j), value in zip(eq.bent, second, strict=True):
            hessian[i, j] = hessian[j, i] = value
        slope, bend = eq.average(self.chi(x), *self.parameters)
        gradient[moving] += self.form @ (self.weights * slope)
        curvature = (self.form * (self.weights * bend)) @ self.form.T
        hessian[np.ix_(moving, moving)] += curvature
        beta = self.parameter("beta")
        for part, weights in (
            (self.joint, np.ones(1) / beta),
            (self.sample, self.residuals[0] * self.parameter("alpha0") / beta),
        ):
            first, mixed = part.derivatives(part.inverse(x), weights)
            moved = part.form.moved
            gradient[moved] += first
            hessian[np.ix_(moved, moved)] += mixed
        return gradient, hessian

    def variances(self, x: Array) -> Array:
        """V, from its place in the matrix of one direction."""
        joint, groups = self.joint, self.equations.groups
        own = joint.form.moved < groups
        variances: Array = -(x[joint.form.moved] * joint.slopes[0])[own]
        return variances

    def sizes(self, x: Array) -> Array:
        """Natural size of each unknown: its block's largest entry, and g itself."""
        eq, groups = self.equations, self.equations.groups
        sizes, scale = np.abs(x), float(np.abs(self.variances(x)).mean())
        first = groups
        for order, units in (
            (groups, (scale,)),
            (groups, (1 / scale,)),
            (2 * groups, (scale, 1.0, 1 / scale)),
            (2 * groups, (1 / scale, 1.0, scale)),
        ):
            pairs = upper_triangle(order)
            kind = np.array([i // groups + j // groups for i, j in pairs])
            for k, unit in enumerate(units):
                place = first + np.flatnonzero(kind == k)
                largest = np.abs(x[place]).max()
                sizes[place] = max(largest, 1e-6 * unit)
            first += len(pairs)
        assert first == eq.size
        return sizes


def batch_parameters(problem: Problem, law: BatchLaw) -> list[Any]:
    """Exact parameters of a batch, in the order of its model."""
    bend, rest = law.slopes[0], law.slopes[3]
    return [
        *exact_parameters(problem, law.law),
        *law.law.bulks,
        law.size,
        bend,
        rest,
        *law.rates,
    ]
