"""Inputs with a covariance to many digits, from the solution in float64."""

from dataclasses import dataclass
from math import log10
from typing import Any

import flint
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import (
    exact_ball,
    precision,
    relative_error,
    to_ball,
    to_float,
)
from detequiv.numerics.averages import Fields, LawFields, first_step
from detequiv.numerics.covariance.algebra import BallAlgebra
from detequiv.numerics.covariance.equations import level_equations
from detequiv.numerics.covariance.floats import (
    float_system,
    solve_covariance_floats,
)
from detequiv.numerics.covariance.system import Outputs, System
from detequiv.numerics.iteration import error_left, polish, refine
from detequiv.theory.problem import CovarianceLaw

__all__ = ["CoveredDigits", "vouch_covariance"]

Array = NDArray[Any]
arb_mat = flint.arb_mat


@dataclass(frozen=True)
class CoveredDigits:
    """A solution, and how many of its digits stand.

    Attributes
    ----------
    unknowns, coefficients, quantities : array of arb
    residual : float
        Largest component of grad Psi, unknowns in their natural sizes.
    digits : float
        What rounding and quadrature leave, of every quantity.
    quadrature_limited : bool
        Whether it is the quadrature that leaves no more.
    """

    unknowns: Array
    coefficients: Array
    quantities: Array
    residual: float
    digits: float
    quadrature_limited: bool


def vouch_covariance(
    law: CovarianceLaw, parameters: list[sp.Expr], digits: int
) -> CoveredDigits:
    """Go up the precisions and refine the rules until the digits are there.

    Raises
    ------
    ConvergenceError
        They cannot be vouched for; the message says how many can.
    """
    floats = np.array(list(map(to_float, parameters)))
    penalty = floats[law.model.parameters.index(law.model.ridge)]
    start = solve_covariance_floats(law, floats)
    # g ~ 1/lambda multiplies conditional variances that cancel
    extra = 2.0 + max(0.0, -log10(penalty))

    def attempt(
        fields: Fields, step: float, digits: float, guard: int
    ) -> CoveredDigits:
        return _attempt(law, parameters, start.unknowns, fields, digits, guard)

    found: CoveredDigits = refine(
        LawFields(law.features), attempt, digits, extra, first_step(digits + 4)
    )
    return found


def _attempt(
    law: CovarianceLaw,
    parameters: list[sp.Expr],
    start: Array,
    fields: Fields,
    digits: float,
    guard: int,
) -> CoveredDigits:
    """Solve on one rule, on coarser ones, and with the fields moved by their errors."""
    floats = float_system(law, fields, np.array(list(map(to_float, parameters))))
    unit = floats.units(start)
    inverse = np.linalg.inv(floats.hessian(start) * unit[:, None] * unit)
    results: list[tuple[Array, Outputs, float]] = []
    with precision(digits + guard):
        for rule, stride in (
            (fields, 1),
            (fields, 2),
            (fields, 4),
            (fields.disturbed(4), 1),
        ):
            system = _balls(law, parameters, rule, stride)
            near, goal = (results[0][0], digits) if results else (start, digits + 10)
            x, residual = _polish(system, near, unit, inverse, goal)
            results.append((x, system.outputs(x), residual))
        labels = _label_variance(fields)
    x, outputs, residual = results[0]
    values = [list(o.quantities) for _, o, _ in results]
    rounding = relative_error(values[0], [v.rad() for v in values[0]], labels)
    error, limited = error_left(values, values[0], rounding, labels)
    return CoveredDigits(
        x,
        outputs.coefficients,
        outputs.quantities,
        residual,
        -log10(max(error, 10.0**-digits)),
        limited,
    )


def _balls(
    law: CovarianceLaw, parameters: list[sp.Expr], fields: Fields, stride: int
) -> System:
    """Put balls of the current precision into the equations."""
    array = BallAlgebra.array
    weights, nodes = fields.balls(stride)
    return System(
        level_equations(law.model, True),
        BallAlgebra(),
        array(weights),
        array(nodes).T,
        array([[exact_ball(v) for v in column] for column in law.levels]),
        array(list(map(to_ball, parameters))),
    )


def _polish(
    system: System, start: Array, sizes: Array, inverse: Array, digits: float
) -> tuple[Array, float]:
    """Chord steps with the equations' arrays."""
    array = system.algebra.array

    def gradient(x: list[Any]) -> list[Any]:
        return list(system.gradient(array(x)))

    def hessian(x: list[Any]) -> Any:
        return arb_mat(system.hessian(array(x)).tolist())

    found, residual = polish(gradient, hessian, start, sizes, inverse, digits)
    return array(found), residual


def _label_variance(fields: Fields) -> Any:
    """Second moment of the labels, the scale below which a result is zero."""
    tau0, tau1, tau2 = (fields[name][0] for name in ("tau0", "tau1", "tau2"))
    return sum(
        (w * (a * a + b * b + c))
        for w, a, b, c in zip(fields.weights, tau0, tau1, tau2, strict=True)
    )
