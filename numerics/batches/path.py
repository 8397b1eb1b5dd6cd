"""The physical solution: from a large penalty down, by Newton's method in float64.

At a large penalty the resolvent is one over it, and everything follows; the branch that
begins there is the one that the penalty asked for continues.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.batches.floats import FloatBatch
from detequiv.numerics.equations import symmetric
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import upper_triangle

__all__ = ["follow_down", "newton"]

Array = NDArray[Any]
LARGE = 30.0  # penalty of the beginning, over the leverages without one
ROUNDS = 20  # of the iteration there
CLOSE = 1e-6  # Newton step, in natural sizes, that ends a point on the way
FIRST, SMALLEST = 1.0, 1e-3  # change of the penalty's logarithm in a step
STEPS = 400
NEWTON = 8  # steps at a point on the way
ROUNDING = 1e-6  # below which steps may cease to shrink


def follow_down(system: FloatBatch) -> Array:
    """Unknowns at the penalty of `system`, to the accuracy `CLOSE`.

    Raises
    ------
    ConvergenceError
        The branch was lost on the way.
    """
    goal = np.log(system.parameter("lambda"))
    here = max(np.log(LARGE * _leverage(system)), goal)
    system = system.at(**{"lambda": float(np.exp(here))})
    found = newton(system, _start(system), CLOSE)
    if found is None:
        raise ConvergenceError(_lost(here))
    x, reach = found, FIRST
    for _ in range(STEPS):
        if here <= goal:
            return x
        there = max(goal, here - reach)
        guess = _ahead(system, x, there - here)
        onward = system.at(**{"lambda": float(np.exp(there))})
        found = newton(onward, guess, CLOSE)
        if found is not None and _nearby(system, found, guess):
            x, here, system, reach = found, there, onward, 1.6 * reach
        else:
            reach /= 3
            if reach < SMALLEST:
                break
    raise ConvergenceError(_lost(here))


def _lost(here: float) -> str:
    return (
        "the equations of the batch could be followed down to a penalty of "
        f"{np.exp(here):.1e}; try a larger ridge.penalty"
    )


def newton(system: FloatBatch, start: Array, tolerance: float) -> Array | None:
    """Newton's method, until a step is below `tolerance` or as small as rounding.

    None where it leaves the domain, or does not arrive.
    """
    x: Array = start
    last = np.inf
    for _ in range(NEWTON):
        with np.errstate(all="ignore"):
            try:
                gradient, hessian = system.derivatives(x)
                sizes = system.sizes(x)
                scaled = hessian * sizes[:, None] * sizes
                step = -np.linalg.solve(scaled, gradient * sizes)
            except np.linalg.LinAlgError:
                return None
        length = float(np.abs(step).max())
        if not np.isfinite(length):
            return None
        groups = system.equations.groups
        positive = x[:groups] * np.exp(np.clip(step[:groups], -2, 2))
        x = x + sizes * step
        x[:groups] = positive
        if not _physical(system, x):
            return None
        if length < tolerance or (length < ROUNDING and length > last / 4):
            return x
        last = length
    return None


def _physical(system: FloatBatch, x: Array) -> bool:
    """Whether g, the leverages and the variances of theta have their signs."""
    groups = system.equations.groups
    upper = x[groups : groups + len(upper_triangle(groups))]
    diagonal = np.diag(symmetric(upper[None], groups)[0])
    positive = (x[:groups] > 0).all() and (diagonal > 0).all()
    return bool(positive and (system.chi(x) > -1e-12).all())


def _nearby(system: FloatBatch, x: Array, guess: Array) -> bool:
    """Whether Newton's method found what continues the branch, and no other one."""
    moved: Any = np.abs(x - guess) / system.sizes(x)
    return bool(moved.max() < 0.5)


def _ahead(system: FloatBatch, x: Array, change: float) -> Array:
    """Prediction along the branch, the penalty's logarithm changed."""
    eq, groups = system.equations, system.equations.groups
    _, hessian = system.derivatives(x)
    local, _ = eq.sources[1]
    moved = np.array(local(*system.parameters), float) * system.parameter("lambda")
    sizes = system.sizes(x)
    rate = -np.linalg.solve(hessian * sizes[:, None] * sizes, moved * sizes)
    guess = x + sizes * rate * change
    guess[:groups] = x[:groups] * np.exp(rate[:groups] * change)
    return guess


def _leverage(system: FloatBatch) -> float:
    """Typical leverage where g and A are those of no data, times the penalty."""
    unit = system.at(**{"lambda": 1.0})
    return max(1e-300, float(unit.weights @ unit.chi(_start(unit, 0))))


def _start(system: FloatBatch, rounds: int = ROUNDS) -> Array:
    """Iterate the equations at a large penalty, from g = 1/lambda and no samples."""
    eq, k = system.equations, system.equations.groups
    single, double = len(upper_triangle(k)), len(upper_triangle(2 * k))
    first = np.cumsum([k, single, single, double])  # of A, B, Q and Qhat
    mass, beta = system.residuals[0], system.parameter("beta")
    shares = system.parameters[5 : 5 + k]
    half = np.array([0.5 if i == j else 0.25 for i, j in upper_triangle(k)])
    x = np.zeros(eq.size)
    x[:k] = 1 / system.parameter("lambda")

    def put(place: int, matrix: Array) -> None:
        pairs = upper_triangle(len(matrix))
        x[first[place] : first[place] + len(pairs)] = [matrix[p] for p in pairs]

    for i in range(rounds + 1):
        inverse = system.joint.inverse(x)[0]
        put(0, inverse[3 * k :, 3 * k :])
        put(2, inverse[k : 3 * k, k : 3 * k])
        samples = np.tensordot(mass, system.sample.inverse(x), 1)
        put(3, samples[: 2 * k, : 2 * k])
        if i < rounds:
            gradient, _ = system.derivatives(x)
            x[first[1] : first[2]] += beta * half * gradient[first[0] : first[1]]
            x[:k] = 1 / (1 / x[:k] + 0.5 * gradient[:k] / shares)
    return x
