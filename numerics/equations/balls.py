"""The equations in balls, at the current working precision."""

from dataclasses import dataclass
from typing import Any

import flint

from detequiv.numerics.arithmetic import (
    add,
    column,
    inverse_of,
    solve_linear,
    solve_semidefinite,
    symmetric,
)
from detequiv.numerics.averages import Fields
from detequiv.numerics.equations.equations import Equations, ball_equations
from detequiv.theory.models import Model, upper_triangle

__all__ = ["BallOutputs", "BallSystem", "Predictor"]

arb, arb_mat = flint.arb, flint.arb_mat


@dataclass(frozen=True)
class BallOutputs:
    """Reported quantities, minimising coefficients and multipliers, as balls.

    The multipliers ``-(Hess Psi)^{-1} d_x Energy`` are those of ``grad Psi = 0`` in the
    minimum of the Energy.
    """

    quantities: list[Any]
    coefficients: list[Any]
    multipliers: list[Any]


@dataclass(frozen=True)
class Predictor:
    r"""What the fit of a fresh sample is, on the nodes in kappa.

    .. math:: f = \mu(\kappa) + \rho(\kappa) s + \sqrt{Q(\kappa)}\, G.

    Attributes
    ----------
    mean, slope, spread : list of arb
        ``mu``, ``rho`` and ``Q``, whose form is that of chi at the multipliers.
    leverage : list of arb
        chi.
    """

    mean: list[Any]
    slope: list[Any]
    spread: list[Any]
    leverage: list[Any]


class BallSystem:
    """A model's equations with balls in them, at the current working precision.

    Parameters
    ----------
    model : Model
        The potentials.
    fields : Fields
        Weights and fields on the nodes in kappa.
    parameters : list of arb
        Parameters of the model.
    stride : int
        Use every stride-th node of a rule.
    """

    def __init__(
        self, model: Model, fields: Fields, parameters: list[Any], stride: int = 1
    ) -> None:
        self.equations: Equations = ball_equations(model)
        self.parameters = parameters
        self.weights, self.fields = fields.balls(stride)
        rows = [self.equations.form(f, parameters) for f in self.fields]
        self.form = arb_mat(rows)
        self._form_transpose = self.form.transpose()

    def chi(self, x: list[Any]) -> list[Any]:
        """Evaluate the linear form on every node."""
        return list((self.form * column(x)).entries())

    def gradient(self, x: list[Any]) -> list[Any]:
        """Gradient of Psi."""
        slopes = [self.equations.average([c], self.parameters)[0] for c in self.chi(x)]
        return add(self._local(self.equations.local_gradient, x), self._average(slopes))

    def hessian(self, x: list[Any]) -> Any:
        """Hessian of Psi, a matrix of balls."""
        size = self.equations.size
        bend = [self.equations.average([c], self.parameters)[1] for c in self.chi(x)]
        rows = self.form.tolist()
        weighted = arb_mat(
            [
                [w * b * a for a in row]
                for row, w, b in zip(rows, self.weights, bend, strict=True)
            ]
        )
        local = self._local(self.equations.local_hessian, x)
        return self._form_transpose * weighted + symmetric(local, size)

    def outputs(self, x: list[Any]) -> BallOutputs:
        """Report quantities, by one least squares and one adjoint solve."""
        eq, p = self.equations, self.parameters
        weights = [eq.weight([c], p) for c in self.chi(x)]
        penalty = symmetric(eq.penalty(x, p), len(eq.model.coefficients))
        y, squares = self.fit([v[0] for v in weights], penalty)
        local = (column(y).transpose() * penalty * column(y))[0, 0]
        shares = [w * s for w, s in zip(self.weights, squares, strict=True)]
        value = _sum(v[0] * s for v, s in zip(weights, shares, strict=True)) + local

        slope_shares = [v[1] * s for v, s in zip(weights, squares, strict=True)]
        by_x = add(eq.energy_gradient(x, y, p), self._average(slope_shares))
        adjoint = solve_linear(self.hessian(x), by_x)
        totals = []
        for local_gradient, average, local_energy in eq.sources:
            slope = [average([c], p) for c in self.chi(x)]
            by_source = add(
                self._local(local_gradient, x), self._average([s[0] for s in slope])
            )
            direct = _sum(s[1] * v for s, v in zip(slope, shares, strict=True))
            implicit = _sum(a * b for a, b in zip(adjoint, by_source, strict=True))
            totals.append(direct + local_energy(x, y, p)[0] - implicit)
        quantities = eq.quantities([value, *totals], x, p)
        multipliers = [-v for v in adjoint]
        return BallOutputs([arb(q) for q in quantities], y, multipliers)

    def predictor(self, x: list[Any], outputs: BallOutputs) -> Predictor:
        """Fit of a fresh sample, of a model with two residuals."""
        eq, y = self.equations, column(outputs.coefficients)
        slopes = [_rows(eq.slopes(f, self.parameters), 2) for f in self.fields]
        mean, slope = (
            list((arb_mat([rows[k] for rows in slopes]) * y).entries()) for k in (0, 1)
        )
        spread = list((self.form * column(outputs.multipliers)).entries())
        return Predictor(mean, slope, spread, self.chi(x))

    def fit(self, factors: list[Any], penalty: Any) -> tuple[list[Any], list[Any]]:
        """Fit the residuals by least squares.

        Parameters
        ----------
        factors : list of arb
            Positive factors of the squares at the nodes.
        penalty : arb_mat
            Positive semidefinite quadratic form in the coefficients.

        Returns
        -------
        y : list of arb
            Minimising coefficients.
        squares : list of arb
            Sums of squares at the nodes, without the factors, rest included.
        """
        eq, p = self.equations, self.parameters
        rows = len(eq.model.energy_residuals)
        offsets = [eq.offsets(f, p) for f in self.fields]
        slopes = [_rows(eq.slopes(f, p), rows) for f in self.fields]
        design = arb_mat([row for node in slopes for row in node])
        scaled = arb_mat(
            [
                [w * v * s for s in row]
                for w, v, node in zip(self.weights, factors, slopes, strict=True)
                for row in node
            ]
        )
        normal = scaled.transpose() * design + penalty
        right = scaled.transpose() * column([o for node in offsets for o in node])
        y = solve_semidefinite(normal, right.entries())
        fitted = (design * column(y)).entries()
        squares = []
        for k, (f, node) in enumerate(zip(self.fields, offsets, strict=True)):
            residuals = [o - v for o, v in zip(node, fitted[k * rows :], strict=False)]
            squares.append(_sum(r * r for r in residuals) + eq.rest(f, p)[0])
        return y, squares

    def labels(self) -> Any:
        """Mean square of the labels, the scale below which a result is zero."""
        eq, p = self.equations, self.parameters
        return _sum(
            w * (_sum(o * o for o in eq.offsets(f, p)) + eq.rest(f, p)[0])
            for w, f in zip(self.weights, self.fields, strict=True)
        )

    def _average(self, values: list[Any]) -> list[Any]:
        """kappa-average of values times the coefficients of the linear form."""
        weighted = [w * v for w, v in zip(self.weights, values, strict=True)]
        return list((self._form_transpose * column(weighted)).entries())

    def _local(self, function: Any, x: list[Any]) -> list[Any]:
        eq = self.equations
        inverse: list[Any] = []
        if eq.order:
            matrix = inverse_of(symmetric(x[eq.size - len(eq.inverse) :], eq.order))
            inverse = [matrix[i, j] for i, j in upper_triangle(eq.order)]
        return [arb(v) for v in function(x, inverse, self.parameters)]


def _rows(values: list[Any], count: int) -> list[list[Any]]:
    width = len(values) // count
    return [values[i * width : (i + 1) * width] for i in range(count)]


def _sum(terms: Any) -> Any:
    return sum(terms, arb(0))
