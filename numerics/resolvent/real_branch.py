r"""The real solutions of the equations, off the support.

Off the support the unknowns are real, the ``g_q`` increase with z, and ``1 + chi`` has
one sign for all samples. On this real branch the share of the eigenvalues below z (see
:mod:`detequiv.numerics.resolvent.counting`) tells one gap from another. Everything
here is in the scale of ``Phi^T Phi / p``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import precision, to_ball
from detequiv.numerics.averages import REAL_AXIS
from detequiv.numerics.equations import ResolventSystem, ball_equations
from detequiv.numerics.resolvent.counting import SAME, Counting
from detequiv.numerics.resolvent.floats import Resolvent, follow_down, is_physical
from detequiv.theory.functions import far_slope

__all__ = ["BranchPoint", "RealBranch"]

arb = flint.arb
Array = NDArray[Any]
CONVERGED = 1e-7  # relative Newton step on the real branch; rounding may leave 1e-9
ROUGH = 1e-3  # relative error at a fold that does not mislead a search
CLOSE = 1e-7  # relative distance from an end at which a march stops


@dataclass(frozen=True)
class BranchPoint:
    """A point of the real branch.

    Attributes
    ----------
    z : float
        In the scale of ``Phi^T Phi / p``.
    x : (N,) float array
        Unknowns.
    """

    z: float
    x: Array


class RealBranch:
    """The real solutions of the equations, off the support.

    Parameters
    ----------
    resolvent : Resolvent
        The equations of one problem.
    exact : list
        Parameters of the model, exact.
    """

    def __init__(self, resolvent: Resolvent, exact: list[sp.Expr]) -> None:
        self.resolvent = resolvent
        self.exact = exact
        self.system: ResolventSystem = resolvent.system(REAL_AXIS, 1)
        self.weights = np.array([float(w) for w in resolvent.law.weights])
        self.counting = Counting(self.system)
        function = resolvent.law.activation.function
        spiked = [u for u in resolvent.law.spikes if u != 0]
        # towards kappa -> -oo and kappa -> oo, the slope of each group's activation
        self._far = [
            [far_slope(function, side * int(sp.sign(sp.N(u)))) for u in spiked]
            for side in (-1, 1)
        ]

    @property
    def unbounded(self) -> bool:
        """Whether the leverage of samples grows without bound."""
        return any(far.unbounded for side in self._far for far in side)

    def far_forms(self) -> list[list[Any]]:
        """Coefficients of chi where it has a limit at infinity, at most 2 lists."""
        law, model = self.resolvent.law, self.resolvent.model
        if all(u.is_zero for u in law.spikes):
            return []
        fields = self.resolvent.fields(REAL_AXIS, 1)
        groups, forms = len(law.spikes), []
        for slopes in self._far:
            if not all(far.settles for far in slopes):
                continue
            left = iter(slopes)
            values = [column[0] for column in fields.columns]
            for q, (u, rho) in enumerate(zip(law.spikes, law.bulks, strict=True)):
                if not u.is_zero:
                    values[groups + q] = to_ball(rho * next(left).slope)
                    values[2 * groups + q] = arb(0)
            parameters = [to_ball(v) for v in self.exact]
            forms.append(ball_equations(model).form(values, parameters))
        return forms

    @cached_property
    def _far_floats(self) -> list[Array]:
        with precision(30):
            return [np.array([float(v) for v in form]) for form in self.far_forms()]

    @property
    def vanishes(self) -> bool:
        """Whether samples far out have no bulk features at all."""
        return any(not form.any() for form in self._far_floats)

    def one_sign(self, x: Array) -> bool:
        """Whether ``1 + chi`` has the same sign for all samples."""
        chi = self.system.chi(x[None] + 0j)[0].real
        # beyond the last node chi tends to a limit, or to an infinity of its sign there
        beyond = [1 + form @ x for form in self._far_floats]
        beyond += [
            chi[-k]
            for k, side in enumerate(self._far)
            if any(f.unbounded for f in side)
        ]
        values = np.concatenate([1 + chi, beyond])
        # a soft end is approached where chi(oo) = -1
        seen = values[np.abs(values) > 1e-12 * (1 + np.abs(chi).max())]
        return bool((seen > 0).all() or (seen < 0).all())

    def at(self, z: float, start: Array) -> BranchPoint | None:
        """Point of the branch at z near the unknowns `start`, if there is one."""
        points = np.array([z + 0j])
        with np.errstate(all="ignore"):
            try:
                x, size = self.system.newton(start[None] + 0j, points)
                if (
                    not size[0] < CONVERGED
                    or not is_physical(self.system, x, points)[0]
                ):
                    return None
            except np.linalg.LinAlgError:
                return None
        return BranchPoint(z, x[0].real) if self.one_sign(x[0].real) else None

    def down_to(self, z: Array) -> Array:
        """Unknowns at ``z + i0``, z real, reached through the upper half plane; (B, N).

        In a tail where the rule on the real axis ends, another contour is taken. Next
        to an end of the support they are rough.

        Raises
        ------
        ConvergenceError
            Some point was not reached.
        """
        with np.errstate(all="ignore"):
            x, size = follow_down(self.system, z + 0j)
        lost = np.isinf(size)
        if lost.any():
            x[lost] = self.resolvent.solve(z[lost] + 0j, ROUGH).unknowns
        return x

    def march(self, point: BranchPoint, direction: int) -> BranchPoint:
        """Follow the branch until an end of the support is `CLOSE`."""
        # where an eigenvalue of the Hessian changes sign another branch was met, and
        # where the share of the eigenvalues below does, another gap
        count, below = self.signature(point), self.below(point)
        step = 0.3 * abs(point.z)
        while step > CLOSE * abs(point.z):
            z = point.z + direction * step
            slope = self.system.slope(point.x[None] + 0j, np.array([point.z + 0j]))
            found = self.at(z, point.x + slope[0].real * (z - point.z))
            if (
                found is not None
                and self.signature(found) == count
                and abs(self.below(found) - below) < SAME
            ):
                point, step = found, 1.4 * step
            else:
                step /= 2
        return point

    def below(self, point: BranchPoint) -> float:
        """Share of the eigenvalues below a point."""
        x, z = point.x[None] + 0j, np.array([point.z])
        return float(self.counting.below(x, z)[0])

    def signature(self, point: BranchPoint) -> int:
        """Count the negative eigenvalues of the Hessian of Psi."""
        x = point.x[None] + 0j
        _, hessian = self.system.derivatives(x, np.array([point.z + 0j]))
        scale = self.system.scales(x)[0]
        values = np.linalg.eigvalsh(hessian[0].real * scale[:, None] * scale)
        return int(np.sum(values < 0))
