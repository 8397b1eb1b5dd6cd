"""High precision: chord steps from a float64 solution, in balls, and what they leave.

Four errors are watched: rounding (the balls' radii), Newton's (the last correction),
the quadrature's (the same solve on every second and every fourth node), and that of the
fields (the same solve with all of them moved by their errors).
"""

from dataclasses import dataclass
from math import floor, inf, isfinite, log10
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
from detequiv.numerics.averages import Fields, LawFields, first_step, geometric_error
from detequiv.numerics.covariance.algebra import BallAlgebra
from detequiv.numerics.covariance.equations import level_equations
from detequiv.numerics.covariance.floats import (
    float_system,
    solve_covariance_floats,
)
from detequiv.numerics.covariance.system import Outputs, System
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.problem import CovarianceLaw

__all__ = ["CoveredDigits", "vouch_covariance"]

Array = NDArray[Any]
arb = flint.arb
ATTEMPTS = 8  # rounds of more precision and more nodes
GUARD, MOST_GUARD = 25, 100  # digits carried beyond those asked for, at first and last
STEPS = 60  # of the chord method; each should gain about 14 digits
POOR_GAIN = 1e-6  # a step that shrinks the correction by less wants a better matrix


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
    """

    unknowns: Array
    coefficients: Array
    quantities: Array
    residual: float
    digits: float


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
    extra, guard, reached = 2.0 + max(0.0, -log10(penalty)), GUARD, -inf
    source, step = LawFields(law.features), first_step(digits + 4)
    fields: Fields | None = None
    for _ in range(ATTEMPTS):
        if fields is not None and fields.digits >= digits + extra + 3:
            fields = source.refine(fields, step)
        else:
            fields = source.evaluate(digits + extra + 3, step)
        try:
            found, quadrature = _attempt(
                law, parameters, start.unknowns, fields, digits + extra, guard
            )
        except (ConvergenceError, np.linalg.LinAlgError) as error:
            if guard > MOST_GUARD:
                raise ConvergenceError(str(error)) from None
            guard *= 2
            continue
        reached = max(reached, found.digits)
        if found.digits >= digits:
            return found
        if quadrature:
            step /= 2
        else:
            extra += max(10.0, digits - found.digits)
    raise ConvergenceError(
        f"{max(0, floor(reached)) if isfinite(reached) else 0} of {digits} digits can "
        "be vouched for; ask for fewer, or for a larger ridge.penalty"
    )


def _attempt(
    law: CovarianceLaw,
    parameters: list[sp.Expr],
    start: Array,
    fields: Fields,
    digits: float,
    guard: int,
) -> tuple[CoveredDigits, bool]:
    """Solve on one rule, on coarser ones, and with the fields moved by their errors."""
    floats = float_system(law, fields, np.array(list(map(to_float, parameters))))
    unit = floats.units(start)
    chord = np.linalg.inv(floats.hessian(start) * unit[:, None] * unit)
    results: list[tuple[Array, Outputs, float]] = []
    with precision(digits + guard):
        x = np.array([exact_ball(float(v)) for v in start], object)
        rules = [(fields, 1), (fields, 2), (fields, 4), (fields.disturbed(4), 1)]
        for rule, stride in rules:
            system = _balls(law, parameters, rule, stride)
            goal = digits if results else digits + 10
            x, residual = _polish(system, chord, results[0][0] if results else x, goal)
            results.append((x, system.outputs(x), residual))
        labels = _label_variance(fields)
    x, outputs, residual = results[0]
    fine, half, quarter, disturbed = (list(o.quantities) for _, o, _ in results)

    def gap(one: list[Any], other: list[Any]) -> float:
        apart = [abs(p - q).mid() for p, q in zip(one, other, strict=True)]
        return relative_error(fine, apart, labels)

    rounding = relative_error(fine, [v.rad() for v in fine], labels)
    inherited = max(rounding, gap(quarter, disturbed))
    quadrature = geometric_error(gap(fine, quarter), gap(fine, half))
    error = max(inherited, quadrature, 10.0**-digits)
    found = CoveredDigits(
        x, outputs.coefficients, outputs.quantities, residual, -log10(error)
    )
    return found, quadrature > inherited


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
    system: System, chord: Array, start: Array, digits: float
) -> tuple[Array, float]:
    """Bring an approximate solution to so many relative digits; exact midpoints.

    Raises
    ------
    ConvergenceError
        Corrections stopped shrinking, with the digits reached.
    """
    array = system.algebra.array
    unit = array([exact_ball(float(v)) for v in system.units(start)])
    inverse = array([[exact_ball(float(v)) for v in row] for row in chord])
    x, previous, goal, exact = start, arb(1), arb(10) ** (-arb(digits)), False
    for _ in range(STEPS):
        gradient = system.gradient(x) * unit
        step = inverse @ gradient
        largest = max(abs(v).upper() for v in step)
        x = array([v.mid() for v in x - unit * step])
        if largest < goal:
            return x, float(max(abs(v).upper() for v in gradient))
        if largest > previous * POOR_GAIN and not exact and previous < 1:
            scaled = system.hessian(x) * unit[:, None] * unit
            size = len(x)
            columns = [
                system.algebra.solve(scaled, array([arb(i == j) for j in range(size)]))
                for i in range(size)
            ]
            inverse = array(
                [[v.mid() for v in row] for row in zip(*columns, strict=True)]
            )
            # what the poor matrix called small need not be: the next step will tell
            exact, largest = True, arb(1)
        elif largest > previous / 10 and exact:
            break
        previous = largest
    raise ConvergenceError(
        f"Newton's corrections stopped at {float(largest):.1e} on the way to "
        f"{digits:.0f} digits; try a larger penalty"
    )


def _label_variance(fields: Fields) -> Any:
    """Second moment of the labels, the scale below which a result is zero."""
    tau0, tau1, tau2 = (fields[name][0] for name in ("tau0", "tau1", "tau2"))
    return sum(
        (w * (a * a + b * b + c))
        for w, a, b, c in zip(fields.weights, tau0, tau1, tau2, strict=True)
    )
