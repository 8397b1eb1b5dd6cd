r"""The resolvent at complex z: float64, many points together, on the right branch.

The equations are those of the ridge problem at ``lambda = -z``. The solution that is
the Stieltjes transform of a measure is the one continued from large ``|z|`` through
the upper half plane, where ``g = -1/z``; it is followed straight down, at constant
``Re z``, to z itself or to the real axis, where Newton's method solves at ``x + i0``
exactly.

Everything here is in the scale of ``Phi^T Phi / p``.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.averages import (
    CONTOURS,
    REAL_AXIS,
    Contour,
    Fields,
    contour_fields,
    enclosed_zeros,
    first_step,
    geometric_error,
)
from detequiv.numerics.equations import STALLED, ResolventSystem, float_equations
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import Model
from detequiv.theory.problem import FeatureLaw

__all__ = ["Resolvent", "Roots", "follow_down", "is_physical"]

Array = NDArray[Any]
DIGITS = 18.0  # of the fields in kappa
BLOCK = 1024  # points solved together: more of them need more memory
ACCURATE = 1e-12  # relative error of the unknowns that is good enough
CLOSE = 0.03  # the same, where the start is a neighbour's
SKIPS = 27, 9, 3  # points from one known to the next; the first from above
VOUCHED = 1e-7  # relative error of the unknowns up to which they are returned
RAISES = 30  # of the height from which points are followed down
REFINEMENTS = 4  # of the rule in kappa


def follow_down(system: ResolventSystem, z: Array) -> tuple[Array, Array]:
    """Continue from large ``Im z`` straight down to each of the points z.

    Parameters
    ----------
    system : ResolventSystem
        The equations.
    z : (B,) complex array
        ``Im z >= 0``; a real z is reached as ``z + i0``.

    Returns
    -------
    x : (B, N) complex array
        Unknowns.
    accuracy : (B,) array
        Relative size of the last Newton step; inf where the continuation stalled.
    """
    unit = system.start(np.array([-1.0]))
    chi = float((system.chi(unit) @ system.weights).real[0])
    height = np.full(len(z), 10 * chi * (1 + system.amplitude) + 1e-300)
    x, accuracy = system.start(z + 1j * height), np.full(len(z), np.inf)
    for _ in range(RAISES):
        low = np.flatnonzero(np.isinf(accuracy))
        if not len(low):
            break
        high = z[low] + 1j * height[low]
        x[low], accuracy[low] = system.newton(system.start(high), high)
        low = low[~(accuracy[low] < STALLED)]
        accuracy[low] = np.inf
        height[low] *= 3  # the leading order of a skewed law is good further up only
    ratio = np.full(len(z), 0.1)
    # the last leap, to z itself, is tried from here
    leap = 0.03 * np.abs(z)
    alive = np.isfinite(accuracy)
    for _ in range(200):
        todo = np.flatnonzero(alive & (height > 0))
        if not len(todo):
            return x, np.where(alive, accuracy, np.inf)
        high, last = height[todo], height[todo] <= leap[todo]
        goal = np.where(last, 0.0, high * ratio[todo])
        tangent = system.slope(x[todo], z[todo] + 1j * high)
        start = x[todo] + tangent * (1j * (goal - high))[:, None]
        there = z[todo] + 1j * goal
        found, size = system.newton(start, there)
        good = (size < STALLED) & is_physical(system, found, there)
        x[todo[good]], accuracy[todo[good]] = found[good], size[good]
        height[todo[good]] = goal[good]
        ratio[todo] = np.where(good, ratio[todo] ** 1.3, np.sqrt(ratio[todo]))
        ratio[todo] = np.clip(ratio[todo], 0.01, 0.97)
        missed = todo[last & ~good]
        leap[missed] = height[missed] * 0.1
        ratio[missed] = 0.3
        alive &= (ratio < 0.95) & (leap > 1e-14 * np.abs(z))
    return x, np.where(height > 0, np.inf, accuracy)


def follow_along(system: ResolventSystem, z: Array) -> tuple[Array, Array]:
    """As `follow_down`, but real points by way of their neighbours, if these are close.

    Some points are reached from above. Between them Newton's method starts from cubics,
    in rounds of ever closer points; a point whose first step is not small, or whose
    solution is not physical, is reached from above too.
    """
    if len(z) <= 2 * SKIPS[-1] or z.imag.any():
        return follow_down(system, z)
    order = np.argsort(z.real)
    x = np.zeros((len(z), system.equations.size), complex)
    accuracy = np.full(len(z), np.inf)
    skips = [skip for skip in SKIPS if len(z) > 2 * skip]
    known = order[:: skips[0]]
    x[known], accuracy[known] = follow_down(system, z[known])
    for skip, finer in pairwise([*skips, 1]):
        places = order[::finer]
        todo = np.delete(places, slice(None, None, skip // finer))
        slopes = system.slope(x[known], z[known])
        start = _between(z[known].real, x[known], slopes, z[todo].real)
        found, size = system.newton(start, z[todo], CLOSE)
        good = (size < STALLED) & is_physical(system, found, z[todo])
        x[todo[good]], accuracy[todo[good]] = found[good], size[good]
        rest = todo[~good]
        x[rest], accuracy[rest] = follow_down(system, z[rest])
        known = places
    return x, accuracy


def _between(knots: Array, values: Array, slopes: Array, t: Array) -> Array:
    """Interpolate by Hermite's cubics, shape (B, N); constant beyond the last knot."""
    k = np.clip(np.searchsorted(knots, t) - 1, 0, len(knots) - 2)
    h = (knots[k + 1] - knots[k])[:, None]
    s = np.minimum((t - knots[k])[:, None] / h, 1.0)
    a, b = values[k], values[k + 1]
    left, right = h * slopes[k] - b + a, b - a - h * slopes[k + 1]
    cubic: Array = a + s * (b - a) + s * (1 - s) * ((1 - s) * left + s * right)
    return cubic


def is_physical(system: ResolventSystem, x: Array, z: Array) -> Array:
    """Whether Im g_q >= 0, and where g is real, dg/dz > 0: shape (B,)."""
    count = system.equations.size - len(system.equations.inverse)
    g = x[:, :count]
    size = np.abs(g).max(1)
    above: Array = np.all(g.imag > -1e-9 * size[:, None], axis=1)
    real = above & (z.imag == 0) & np.all(np.abs(g.imag) < 1e-12 * size[:, None], 1)
    if real.any():
        rising = system.slope(x[real], z[real])[:, :count].real
        above[real] = np.all(rising > 0, axis=1)
    return above


@dataclass(frozen=True)
class Roots:
    """Unknowns at B points.

    Attributes
    ----------
    unknowns : (B, N) complex array
    errors : (B,) array
        Error of each point's unknowns, relative to their natural sizes.
    contours : (B,) array of int
        Place in `CONTOURS` of the one on which each point was solved.
    """

    unknowns: Array
    errors: Array
    contours: Array


@dataclass(frozen=True)
class Resolvent:
    """Unknowns of the resolvent of one problem, at any complex z.

    Attributes
    ----------
    model : Model
        The potentials.
    law : FeatureLaw
        The features.
    parameters : tuple of float
        Parameters of the model.
    """

    model: Model
    law: FeatureLaw
    parameters: tuple[float, ...]
    _systems: dict[Any, ResolventSystem] = field(default_factory=dict, repr=False)

    def fields(self, contour: Contour, halvings: int) -> Fields:
        """Evaluate the fields on a contour, its step halved so often."""
        step = first_step(28.0) / 2**halvings
        return contour_fields(self.law, contour, DIGITS, step)

    def system(
        self, contour: Contour, halvings: int, stride: int = 1
    ) -> ResolventSystem:
        """Put the fields on a contour into the equations, its step halved so often."""
        key = contour, halvings, stride
        if key not in self._systems:
            self._systems[key] = ResolventSystem(
                float_equations(self.model),
                list(self.parameters),
                self.fields(contour, halvings),
                stride,
            )
        return self._systems[key]

    @property
    def groups(self) -> int:
        """Number K of groups."""
        return len(self.law.spikes)

    def mean(self) -> float:
        """First moment of the bulk: ``(alpha/beta) E chi`` at g = 1, A = V."""
        system = self.system(REAL_AXIS, 1)
        chi = system.chi(system.start(np.array([-1.0])))
        return float((chi @ system.weights).real[0]) * system.amplitude

    def solve(self, z: Array, vouched: float = VOUCHED) -> Roots:
        """Solve at the points z.

        Parameters
        ----------
        z : (B,) complex array
            ``Im z >= 0``, not 0; a real z stands for ``z + i0``.
        vouched : float
            Relative error of the unknowns up to which they are returned.

        Raises
        ------
        ConvergenceError
            The error stays above that at some point.
        """
        # a point far from its solution may overflow: it is given up, with the rest
        with np.errstate(all="ignore"):
            starts = range(0, max(len(z), 1), BLOCK)
            blocks = [self._solve(z[i : i + BLOCK]) for i in starts]
        roots = Roots(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
        if (roots.errors > vouched).any():
            worst = int(np.argmax(roots.errors))
            raise ConvergenceError(
                f"the resolvent at z = {z[worst]:.6g} (scale of Phi^T Phi / p) was "
                f"reached to {roots.errors[worst]:.1e} only; move z off the real axis"
            )
        return roots

    def _solve(self, z: Array) -> tuple[Array, Array, Array]:
        size = len(self.model.unknowns.symbols)
        x, error = np.zeros((len(z), size), complex), np.full(len(z), np.inf)
        contours = np.zeros(len(z), int)
        open_points = np.arange(len(z))
        for halvings in range(REFINEMENTS):
            for place, contour in enumerate(CONTOURS):
                found, rounding, quadrature = self._on_contour(
                    contour, halvings, z[open_points]
                )
                better = rounding + quadrature < error[open_points]
                x[open_points[better]] = found[better]
                error[open_points[better]] = (rounding + quadrature)[better]
                contours[open_points[better]] = place
                # where rounding is the larger error, no rule is better
                settled = quadrature <= np.maximum(ACCURATE, rounding)
                open_points = open_points[~settled | np.isinf(rounding)]
                if not len(open_points):
                    return x, error, contours
        return x, error, contours

    def _on_contour(
        self, contour: Contour, halvings: int, z: Array
    ) -> tuple[Array, Array, Array]:
        """Unknowns, Newton's last step, and the error of the rule in kappa."""
        system = self.system(contour, halvings)
        x, rounding = follow_along(system, z)
        quadrature = np.full(len(z), np.inf)
        done = np.flatnonzero(np.isfinite(rounding))
        gaps = [
            self.system(contour, halvings, stride).newton_step(x[done], z[done])[1]
            for stride in (4, 2)
        ]
        regular = [geometric_error(c, f) for c, f in zip(*gaps, strict=True)]
        quadrature[done] = np.maximum(regular, system.pole_error(x[done], z[done]))
        quadrature[done[~self.admits(contour, halvings, x[done])]] = np.inf
        return x, rounding, quadrature

    def admits(self, contour: Contour, halvings: int, x: Array) -> Array:
        """Whether averages keep their value on a contour, for unknowns x; (B,)."""
        if contour.real or not len(x):
            return np.ones(len(x), bool)
        there, axis = (self.system(c, halvings) for c in (contour, REAL_AXIS))
        clear: Array = enclosed_zeros(1 + there.chi(x), 1 + axis.chi(x)) == 0
        return clear
