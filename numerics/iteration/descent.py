r"""The minimum of Psi where float64 does not reach it: Newton's method in balls.

At n = p with a small penalty and similar spikes, A is so nearly singular that its
entries in float64 do not hold it. Here a point is kept in balls, and looked at from
itself: relative changes

.. math:: g \to g\,g', \qquad A \to L A' L^T, \qquad A = L L^T,

are an isometry of the cone that takes the identity to the point. Derivatives in
(g', A') at the identity are numbers of order one, whatever the point, so that the
geometry and Newton's step are those of float64.
"""

from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import cholesky, column, exact_ball, symmetric
from detequiv.numerics.equations import BallSystem, Cone
from detequiv.numerics.iteration.newton import LARGEST_STEP, SMALLEST_STEP, newton_step
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import upper_triangle

__all__ = ["descend"]

arb, arb_mat = flint.arb, flint.arb_mat
Array = NDArray[np.float64]
ARRIVED = 1e-8  # relative size of the last step
STEPS = 200


def descend(system: BallSystem) -> list[Any]:
    """Minimise Psi, from its leading order at large penalty.

    Parameters
    ----------
    system : BallSystem
        The equations, at a working precision that holds the unknowns.

    Returns
    -------
    list of arb
        Unknowns, exact midpoints, to a relative accuracy of `ARRIVED`.

    Raises
    ------
    ConvergenceError
        The minimum was not reached.
    """
    with np.errstate(all="ignore"):
        return _descend(system)


def _descend(system: BallSystem) -> list[Any]:
    equations = system.equations
    order, size = equations.order, equations.size
    diagonal = [float(i == j) for i, j in upper_triangle(order)]
    identity = np.array([[1.0] * (size - len(diagonal)) + diagonal])
    cone = Cone(identity, order)
    x = [arb(v).mid() for v in equations.start(system.parameters)]
    frame = _frame(x, order)
    slope = _floats(frame.transpose() * column(system.gradient(x))).T
    reach = LARGEST_STEP
    for _ in range(STEPS):
        hessian = _floats(frame.transpose() * system.hessian(x) * frame)
        step = newton_step(cone, slope, hessian[None])
        length = float(cone.size(step)[0])
        if length < ARRIVED:
            return x
        while reach > SMALLEST_STEP:
            part = step * min(1.0, reach / length)
            moved, velocity = cone.move(part)
            there = _midpoints(frame * column(list(map(exact_ball, moved[0]))))
            onward = system.gradient(there)
            uphill = _floats(frame.transpose() * column(onward))[:, 0] @ velocity[0]
            # a step that ends on a slope as steep as it began on has overshot
            if uphill < -0.5 * float(slope[0] @ part[0]):
                break
            reach = min(length, reach) / 4
        else:
            break
        if uphill < 0:
            reach *= 2
        x, frame = there, _frame(there, order)
        slope = _floats(frame.transpose() * column(onward)).T
    raise ConvergenceError(
        "the minimum of Psi was not reached; try a larger ridge.penalty or smaller "
        "spikes"
    )


def _frame(x: list[Any], order: int) -> Any:
    """Matrix that takes the unknowns seen from the point x to the unknowns."""
    count, pairs = len(x) - order * (order + 1) // 2, upper_triangle(order)
    frame = arb_mat(len(x), len(x))
    for i in range(count):
        frame[i, i] = x[i]
    root = cholesky(symmetric(x[count:], order))
    for row, (i, j) in enumerate(pairs, count):
        for place, (q, r) in enumerate(pairs, count):
            entry = root[i, q] * root[j, r]
            if q != r:
                entry += root[i, r] * root[j, q]
            frame[row, place] = entry.mid()
    return frame


def _midpoints(matrix: Any) -> list[Any]:
    return [v.mid() for v in matrix.entries()]


def _floats(matrix: Any) -> Array:
    return np.array([[float(v) for v in row] for row in matrix.tolist()])
