"""Float64: the branch from large penalties, by Newton's method, one point at a time.

A stationary point of Psi with g > 0 and ``X_s > 0`` on every level is the only one
(:mod:`detequiv.theory.models.covariance`): positivity proves the branch, from wherever
it was reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detequiv.numerics.arithmetic import float64_guard, to_float
from detequiv.numerics.averages import Fields, LawFields, first_step, float_fields
from detequiv.numerics.covariance.algebra import FloatAlgebra
from detequiv.numerics.covariance.equations import level_equations
from detequiv.numerics.covariance.system import Outputs, System
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.problem import (
    CovarianceLaw,
    Problem,
    covariance_law,
    covariance_parameters,
)

__all__ = [
    "Covered",
    "float_system",
    "follow",
    "solve_covariance_floats",
    "solve_covariance_points",
]

Array = NDArray[Any]
TOLERANCE = 1e-12  # relative Newton step at which float64 iteration stops
ROUNDING = 1e-7  # below which steps may cease to shrink
ITERATIONS = 60
SWEEPS = 4  # of the plain iteration, before Newton's method
HIGHER = 30.0  # factor to the penalty that a lost branch is looked for at
CONTINUED = 12  # such factors, at most
SMALLEST = 1.01  # factor by which the penalty is lowered again
REFINEMENTS = 6  # of the rule in kappa
SETTLED = 1e-12  # relative change under refinement at which float64 has converged
SAFETY = 10.0  # between the change seen and the error vouched for


@dataclass(frozen=True)
class Covered:
    """Solution of one point in float64.

    Attributes
    ----------
    unknowns, coefficients, quantities : array
    error : float
        Relative error vouched for, of every quantity.
    step : float
        Of the rule in kappa that was fine enough.
    """

    unknowns: Array
    coefficients: Array
    quantities: Array
    error: float
    step: float


def float_system(
    law: CovarianceLaw, fields: Fields, parameters: Array, stride: int = 1
) -> System:
    """Put float64 numbers into a model's equations."""
    weights, columns = fields.floats(stride)
    return System(
        level_equations(law.model, False),
        FloatAlgebra(),
        weights,
        columns,
        _levels(law),
        parameters,
    )


@lru_cache(maxsize=16)
def _levels(law: CovarianceLaw) -> Array:
    return np.array([[float(v) for v in column] for column in law.levels])


def solve_covariance_floats(
    law: CovarianceLaw, parameters: ArrayLike, start: Array | None = None
) -> Covered:
    """Solve one point on a rule in kappa that is refined until nothing changes.

    Parameters
    ----------
    law : CovarianceLaw
    parameters : array_like
        In the model's order.
    start : (N,) array, optional
        Unknowns of a neighbour.

    Raises
    ------
    ConvergenceError
        The branch was lost, or the rule could not be refined enough.
    """
    with float64_guard():
        return _refined(law, np.asarray(parameters, float), start)


def _refined(law: CovarianceLaw, parameters: Array, start: Array | None) -> Covered:
    penalty = parameters[law.model.parameters.index(law.model.ridge)]
    # small conditional variances are multiplied by g ~ 1/lambda
    digits = 20.0 + max(0.0, -float(np.floor(np.log10(penalty))))
    best, x, source = np.inf, start, LawFields(law.features)
    for halvings in range(REFINEMENTS):
        fields = float_fields(source, digits, first_step(28.0), halvings)
        found: dict[int, Outputs] = {}
        for stride in (2, 1):
            system = float_system(law, fields, parameters, stride)
            x = follow(system, x)
            found[stride] = system.outputs(x)
        fine = found[1].quantities
        size = np.maximum(np.abs(fine), 1e-300)
        gap = float(np.max(np.abs(found[2].quantities - fine) / size))
        if gap < SETTLED or gap > best / 10:
            assert x is not None
            return Covered(
                x,
                found[1].coefficients,
                fine,
                SAFETY * (gap + _rounding(system, x, fine)) + 1e-15,
                first_step(28.0) / 2**halvings,
            )
        if not np.isfinite(gap):
            break
        best = min(best, gap)
    raise ConvergenceError(
        f"the average over kappa reached a relative error of {best:.1e} in float64; "
        "try a larger ridge.penalty"
    )


def _rounding(system: System, x: Array, quantities: Array) -> float:
    """Find what rounding of the unknowns, and of energies that cancel, does.

    The quantities are taken again at unknowns moved by a few units in the last place:
    rounding in what is summed changes them as much.
    """
    signs = np.where(np.arange(len(x)) % 2, 1.0, -1.0)
    moved = system.outputs(x * (1 + 4 * np.finfo(float).eps * signs)).quantities
    size = np.maximum(np.abs(quantities), 1e-300)
    return float(np.max(np.abs(moved - quantities) / size))


def follow(system: System, start: Array | None = None) -> Array:
    """Find the branch, from a neighbour or through larger and larger penalties.

    Raises
    ------
    ConvergenceError
        It was lost.
    """
    if start is not None:
        found = newton(system, start)
        if found is not None:
            return found
    place = system.equations.model.parameters.index(system.equations.model.ridge)
    penalty = system.parameters[place]

    def at(factor: float) -> System:
        parameters = system.parameters.copy()
        parameters[place] *= factor
        return replace(system, parameters=parameters)

    for power in range(CONTINUED):
        high = HIGHER**power
        found = newton(at(high), _swept(at(high)))
        if found is not None:
            break
    step = high
    while found is not None and high > 1:
        step = min(step, high)
        lower = newton(at(high / step), found)
        if lower is not None:
            found, high, step = lower, high / step, step**1.5
        elif step > SMALLEST:
            step **= 0.5
        else:
            found = None
    if found is None:
        raise ConvergenceError(
            f"the equations could not be solved in float64 at penalty = {penalty:.6g}; "
            "try a larger ridge.penalty"
        )
    return found


def _swept(system: System) -> Array:
    """Leading order at large penalty, and a few sweeps of the plain iteration.

    Psi is linear in A and in B between the others, so that each of their equations
    gives the other; the equation of g is that of ``-log g`` in a slowly varying field.
    """
    eq = system.equations
    penalty = eq.model.parameters.index(eq.model.ridge)
    count, size = eq.groups, eq.size
    middle = (count + size) // 2
    coupling, field = slice(count, middle), slice(middle, size)
    x = np.zeros(size)
    x[:count] = 1 / system.parameters[penalty]
    shares = np.array(eq.sources[1][0](x, system.parameters)[:count], float)
    mixed = np.diagonal(system.hessian(x)[coupling, field])
    for _ in range(SWEEPS):
        x[field] -= system.gradient(x)[coupling] / mixed
        x[:count] /= 1 + x[:count] * system.gradient(x)[:count] / shares
        x[coupling] -= system.gradient(x)[field] / mixed
    return x


def newton(system: System, start: Array) -> Array | None:
    """Newton's method for a positive stationary point of Psi; None if it is lost."""
    count, x, last = system.equations.groups, start, np.inf
    for _ in range(ITERATIONS):
        unit = system.units(x)
        try:
            step = -unit * np.linalg.solve(
                system.hessian(x) * unit[:, None] * unit, system.gradient(x) * unit
            )
        except np.linalg.LinAlgError:
            return None
        size = float(np.max(np.abs(step / unit)))
        if not np.isfinite(size):
            return None
        part = 1.0 if size < 2 else 2 / size
        while not _positive(system, moved := _moved(x, part * step, count)):
            part /= 2
            if part < 1e-3:
                return None
        x = moved
        # where rounding decides, one step further changes nothing
        if size < TOLERANCE or (size < ROUNDING and size > last / 2):
            return x
        last = size
    return None


def _moved(x: Array, step: Array, count: int) -> Array:
    """Move the positive unknowns by factors, the others by sums."""
    moved = x + step
    moved[:count] = x[:count] * np.exp(np.clip(step[:count] / x[:count], -2, 2))
    return moved


def _positive(system: System, x: Array) -> bool:
    """Whether g, the matrices of all levels, and what they add up to are positive."""
    if not (np.isfinite(x).all() and (x[: system.equations.groups] > 0).all()):
        return False
    if not (system.chi(x) > -1).all():
        return False
    matrices = system.precisions(x)
    size = np.sqrt(np.abs(np.diagonal(matrices, axis1=1, axis2=2)))
    try:
        np.linalg.cholesky(matrices / size[:, :, None] / size[:, None, :])
    except np.linalg.LinAlgError:
        return False
    return True


def solve_covariance_points(problems: Sequence[Problem]) -> tuple[Array, Array]:
    """Solve problems that differ in their ridge regression alone.

    Each begins at its neighbour's solution.

    Returns
    -------
    quantities : (B, Q) array
    errors : (B,) array
        Relative error vouched for, of every quantity of a point.

    Raises
    ------
    InputError
        A problem outside the range of the theory.
    ConvergenceError
        One of them could not be solved.
    """
    law = covariance_law(problems[0])
    found: list[Covered] = []
    for problem in problems:
        parameters = list(map(to_float, covariance_parameters(problem, law)))
        start = found[-1].unknowns if found else None
        found.append(solve_covariance_floats(law, parameters, start))
    return np.array([p.quantities for p in found]), np.array([p.error for p in found])
