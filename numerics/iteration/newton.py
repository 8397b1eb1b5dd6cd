r"""Float64: the minimum of Psi by Newton's method, for many points together.

Psi is convex along the geodesics of the cone of its unknowns, strictly for a
positive penalty: every term is linear along them (the logarithms of g and det A), an
exponential (lambda g, tr(V^{-1} A)) or the logarithm of a sum of exponentials
(log(1 + chi)). So a stationary point with g > 0 and A > 0 is the only one, and is the
branch that begins at large penalties: positivity proves the branch. Newton's method
with steps of bounded length along geodesics finds it from anywhere.

All arrays carry the points of a sweep as leading axis: B points, N unknowns.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.equations import Cone, FloatSystem, unit_sizes

__all__ = [
    "LARGEST_STEP",
    "SMALLEST_STEP",
    "TOLERANCE",
    "minimise",
    "newton_step",
]

Array = NDArray[Any]
TOLERANCE = 1e-11  # relative Newton step at which float64 iteration stops
ROUNDING = 1e-7  # below which steps may cease to shrink
CLOSE = 0.1  # below which Newton's steps need no control
LARGEST_STEP = 2.0  # logarithmic change in the first step; grows where it may
SMALLEST_STEP = 1e-3
ITERATIONS = 100


def minimise(
    system: FloatSystem, start: Array | None = None, tolerance: float = TOLERANCE
) -> tuple[Array, Array]:
    """Minimise Psi over the cone of its unknowns, at every point.

    Parameters
    ----------
    system : FloatSystem
        The equations of B points.
    start : (B, N) array, optional
        Where to begin; by default the leading order at large penalty.
    tolerance : float
        Relative size of a Newton step that is the last.

    Returns
    -------
    x : (B, N) array
        Unknowns.
    accuracy : (B,) array
        Relative size of the last full Newton step: the distance still to go. inf
        where Psi could not be minimised.
    """
    with np.errstate(all="ignore"):
        return _minimise(system, system.start if start is None else start, tolerance)


def _minimise(
    system: FloatSystem, start: Array, tolerance: float
) -> tuple[Array, Array]:
    x, accuracy = start.copy(), np.full(len(start), np.inf)
    active, part = np.arange(len(x)), system
    cone = part.cone(x)
    gradient, hessian = part.derivatives(cone)
    last, reach = accuracy.copy(), np.full(len(x), LARGEST_STEP)
    for _ in range(ITERATIONS):
        change = newton_step(cone, gradient, hessian)
        size = cone.size(change)
        accuracy[active] = size
        # where rounding decides, one step further changes nothing
        done = (size < tolerance) | ((size < ROUNDING) & (size > last / 2))
        last = size
        change = change * np.minimum(1, reach / np.maximum(size, 1e-300))[:, None]
        moved, velocity = cone.move(change)
        if done.all():
            x[active] = moved
            return x, accuracy
        downhill = np.einsum("bi,bij,bj->b", gradient, cone.basis, change)
        ahead = part.cone(moved)
        slope, curvature = part.derivatives(ahead)
        uphill = np.einsum("bi,bi->b", slope, velocity)
        # a step that ends on a slope as steep as it began on has overshot
        good = np.isfinite(moved).all(1) & np.isfinite(slope).all(1)
        good &= (size < CLOSE) | (uphill < -0.5 * downhill)
        capped = np.minimum(size, reach)
        reach = np.where(good, np.where(uphill < 0, 2, 1) * reach, capped / 4)
        x[active[good]] = moved[good]
        gradient = np.where(good[:, None], slope, gradient)
        hessian = np.where(good[:, None, None], curvature, hessian)
        lost = ~np.isfinite(size) | (reach < SMALLEST_STEP)
        keep = ~(done | lost)
        accuracy[active[lost]] = np.inf
        if not keep.all():
            active, last, reach = active[keep], last[keep], reach[keep]
            gradient, hessian = gradient[keep], hessian[keep]
            part = system.select(active)
        if not len(active):
            break
        cone = ahead if good.all() and keep.all() else part.cone(x[active])
    accuracy[active] = np.inf
    return x, accuracy


def newton_step(cone: Cone, gradient: Array, hessian: Array) -> Array:
    """Relative change towards the minimum, from gradient and Hessian of Psi; (B, N)."""
    basis = cone.basis
    inner = basis.swapaxes(1, 2) @ hessian @ basis + cone.curvature(gradient)
    size = unit_sizes(inner)
    inner = inner / size[:, :, None] / size[:, None, :]
    right = np.einsum("bij,bi->bj", basis, gradient) / size
    try:
        step: Array = -np.linalg.solve(inner, right[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        step = np.full_like(right, np.nan)
    # Psi is convex: a step that does not lead down is one of rounding
    flat = ~(np.einsum("bi,bi->b", right, step) <= 0) & np.isfinite(inner).all((1, 2))
    if flat.any():
        step[flat] = _descent(inner[flat], right[flat])
    return step / size


def _descent(matrices: Array, right: Array) -> Array:
    """Newton's step where a Hessian is singular to rounding: far along what is flat.

    As where no penalty bounds the unknowns and the samples hardly see them yet.
    """
    values, vectors = np.linalg.eigh(matrices)
    floor = 8 * values.shape[1] * np.finfo(float).eps * values[:, -1:]
    inner = np.einsum("bij,bi->bj", vectors, right) / np.maximum(values, floor)
    step: Array = -np.einsum("bij,bj->bi", vectors, inner)
    return step
