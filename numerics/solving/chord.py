"""High precision: chord steps from a float64 solution, in balls, and error balls.

The residual is evaluated at the working precision, the Newton matrix kept in
float64: each step then gains some 14 digits at the price of one residual. Where
the problem is too ill-conditioned for that, the Hessian is taken in balls.
"""

from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from detequiv.numerics.arithmetic import (
    add,
    column,
    exact_ball,
    inverse_of,
    solve_linear,
    symmetric,
)
from detequiv.numerics.averages import Fields
from detequiv.numerics.equations import Cone, Equations
from detequiv.numerics.solving.newton import FloatSystem
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import upper_triangle

__all__ = ["BallOutputs", "BallSystem", "polish", "solve_semidefinite"]

arb, arb_mat = flint.arb, flint.arb_mat
STEPS = 60  # of the chord method; each should gain about 14 digits
POOR_GAIN = 1e-6  # a step that shrinks the correction by less wants a better matrix


@dataclass(frozen=True)
class BallOutputs:
    """Reported quantities and minimising coefficients, as balls."""

    quantities: list[Any]
    coefficients: list[Any]


class BallSystem:
    """A model's equations with balls in them, at the current working precision.

    Parameters
    ----------
    equations : Equations
        Compiled for balls.
    fields : Fields
        Weights and fields on the rule in kappa.
    parameters : list of arb
        Parameters of the model.
    stride : int
        Use every stride-th node of the rule.
    """

    def __init__(
        self,
        equations: Equations,
        fields: Fields,
        parameters: list[Any],
        stride: int = 1,
    ) -> None:
        keep = fields.rule.every(stride)
        self.equations = equations
        self.parameters = parameters
        self.weights = [fields.weights[i] * stride for i in keep]
        self.fields = [[values[i] for values in fields.columns] for i in keep]
        self.form = arb_mat([equations.form(f, parameters) for f in self.fields])
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
        model = eq.model
        count, rows = len(model.coefficients), len(model.energy_residuals)
        weights = [eq.weight([c], p) for c in self.chi(x)]
        offsets = [eq.offsets(f, p) for f in self.fields]
        slopes = [_rows(eq.slopes(f, p), rows) for f in self.fields]
        penalty = symmetric(eq.penalty(x, p), count)

        design = arb_mat([row for node in slopes for row in node])
        scaled = arb_mat(
            [
                [w * v[0] * s for s in row]
                for w, v, node in zip(self.weights, weights, slopes, strict=True)
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
        return BallOutputs([arb(q) for q in quantities], y)

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


def polish(
    system: BallSystem, floats: FloatSystem | None, start: Any, digits: float
) -> tuple[list[Any], float]:
    """Bring an approximate solution to `digits` relative digits.

    Parameters
    ----------
    system : BallSystem
        The equations at the working precision, which must exceed `digits`.
    floats : FloatSystem
        The same equations in float64 (one point), for the Newton matrix; None where
        float64 does not hold it.
    start : (N,) array or list of arb
        Approximate solution.
    digits : float
        Relative size of the last correction, as ``10^-digits``.

    Returns
    -------
    x : list of arb
        Exact midpoints.
    residual : float
        Largest component of grad Psi, unknowns in their natural sizes.

    Raises
    ------
    ConvergenceError
        Corrections stopped shrinking, with the digits reached.
    """
    x = [v.mid() if isinstance(v, arb) else exact_ball(float(v)) for v in start]
    point = np.array([[float(v) for v in x]])
    cone = Cone(point, system.equations.order)
    scale = cone.sizes[0]
    sizes = [exact_ball(float(s)) for s in scale]
    if floats is None:
        chord = _inverse_hessian(system, x, sizes)
    else:
        rows = floats.inverse_hessian(cone)[0] / scale[:, None] / scale
        chord = arb_mat([[exact_ball(float(v)) for v in row] for row in rows])
    previous, goal, exact = arb(1), arb(10) ** (-arb(digits)), floats is None
    for _ in range(STEPS):
        gradient = [g * s for g, s in zip(system.gradient(x), sizes, strict=True)]
        step = (chord * column(gradient)).entries()
        largest = max(abs(s).upper() for s in step)
        x = [(v - s * d).mid() for v, s, d in zip(x, sizes, step, strict=True)]
        if largest < goal:
            return x, float(max(abs(g).upper() for g in gradient))
        if largest > previous * POOR_GAIN and not exact and previous < 1:
            chord = _inverse_hessian(system, x, sizes)
            # what the poor matrix called small need not be: the next step will tell
            exact, largest = True, arb(1)
        elif largest > previous / 10 and exact:
            break
        previous = largest
    raise ConvergenceError(
        f"Newton's corrections stopped at {float(largest):.1e} on the way to "
        f"{digits:.0f} digits; try a larger penalty"
    )


def _inverse_hessian(system: BallSystem, x: list[Any], sizes: list[Any]) -> Any:
    """Inverse Hessian of Psi, unknowns in units of their sizes, exact midpoints."""
    rows = system.hessian(x).tolist()
    scaled = arb_mat(
        [
            [(a * s * t).mid() for a, t in zip(row, sizes, strict=True)]
            for row, s in zip(rows, sizes, strict=True)
        ]
    )
    return arb_mat([[v.mid() for v in row] for row in inverse_of(scaled).tolist()])


def solve_semidefinite(matrix: Any, right: list[Any]) -> list[Any]:
    """Solve ``matrix y = right``, positive semidefinite and consistent.

    Pivoted elimination on the matrix with unit diagonal. Pivots whose ball
    contains 0, or that lie in the last third of the working precision, are
    dependent directions: their coefficients are 0, which leaves the minimum of
    the quadratic form as it is.
    """
    size = len(right)
    rows, b = matrix.tolist(), list(right)
    norm = [
        arb(1) if rows[i][i].contains(0) else rows[i][i].sqrt() for i in range(size)
    ]
    work = [[rows[i][j] / norm[i] / norm[j] for j in range(size)] for i in range(size)]
    b = [v / n for v, n in zip(b, norm, strict=True)]
    threshold = arb(2) ** (-(2 * flint.ctx.prec) // 3)
    open_rows, pivots = list(range(size)), []
    while open_rows:
        k = max(open_rows, key=lambda i: float(work[i][i]))
        if not work[k][k] > threshold:
            break
        open_rows.remove(k)
        pivots.append(k)
        for i in open_rows:
            factor = work[i][k] / work[k][k]
            b[i] -= factor * b[k]
            for j in open_rows:
                work[i][j] -= factor * work[k][j]
    y = [arb(0)] * size
    for place in reversed(range(len(pivots))):
        k = pivots[place]
        known = _sum(work[k][j] * y[j] for j in pivots[place + 1 :])
        y[k] = (b[k] - known) / work[k][k]
    return [v / n for v, n in zip(y, norm, strict=True)]


def _rows(values: list[Any], count: int) -> list[list[Any]]:
    width = len(values) // count
    return [values[i * width : (i + 1) * width] for i in range(count)]


def _sum(terms: Any) -> Any:
    return sum(terms, arb(0))
