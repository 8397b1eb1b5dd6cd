r"""The support of the spectrum: its intervals, each end with its kind.

Off the support the unknowns are real, the ``g_q`` increase with z, and ``1 + chi`` has
one sign for all samples. This real branch is entered in each gap and followed to both
of its ends, where :mod:`detequiv.numerics.spectrum.edges` takes over. Everything here
is in the scale of ``Phi^T Phi / p``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import exact_ball, precision, to_ball
from detequiv.numerics.averages import REAL_AXIS, contour_fields, geometric_error
from detequiv.numerics.equations import BallSystem, ResolventSystem, ball_equations
from detequiv.numerics.solving import first_step
from detequiv.numerics.spectrum.edges import (
    BranchPoint,
    Enlarged,
    Fold,
    SoftEnd,
    polish_edge,
    solve_floats,
)
from detequiv.numerics.spectrum.resolvent import Resolvent, follow_down, is_physical
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.functions import far_slope

__all__ = ["End", "RealBranch", "find_support"]

arb = flint.arb
Array = NDArray[Any]
CONVERGED = 1e-9  # relative Newton step on the real branch
CLOSE = 1e-7  # relative distance from an end at which the enlarged system takes over
SCAN = 200  # points that look for gaps inside
SHARE = 1e-3  # of the mass of the bulk that each side of a gap has at least
NO_DENSITY = 1e-8  # of log x, that counts as none
ZOOMS = 4  # refinements around each minimum of the density
ATTEMPTS = 8  # refinements of the rule in kappa
FEWEST = 10  # digits worked with: rules too coarse are not told from each other
GUARD = 25  # digits carried beyond those asked for


@dataclass(frozen=True)
class End:
    """An end of an interval of the support.

    Attributes
    ----------
    value : arb
        Exact midpoint, or infinite.
    kind : str
        "regular", "soft" or "hard".
    unknowns : tuple of arb
        Those of the resolvent there, exact midpoints; none where it was not solved.
    """

    value: Any
    kind: str
    unknowns: tuple[Any, ...] = ()


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
        fields = contour_fields(law, REAL_AXIS, 18.0, first_step(28.0))
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

    def from_above(self, z: float) -> BranchPoint | None:
        """Point of the branch at z, reached through the upper half plane."""
        with np.errstate(all="ignore"):
            x, size = follow_down(self.system, np.array([z + 0j]))
        return self.at(z, x[0].real) if np.isfinite(size[0]) else None

    def far_out(self, sign: int) -> BranchPoint:
        """Return a point of the branch at large z of that sign."""
        z = sign * 30 * self.resolvent.mean()
        for _ in range(100):
            point = self.at(z, self.system.start(np.array([z + 0j]))[0].real)
            if point is not None:
                return point
            z *= 3
        raise ConvergenceError("the resolvent far from the support was not found")

    def march(self, point: BranchPoint, direction: int) -> BranchPoint:
        """Follow the branch until an end of the support is `CLOSE`."""
        # where an eigenvalue of the Hessian changes sign another branch was met
        count, step = self._signature(point), 0.3 * abs(point.z)
        while step > CLOSE * abs(point.z):
            z = point.z + direction * step
            slope = self.system.slope(point.x[None] + 0j, np.array([point.z + 0j]))
            found = self.at(z, point.x + slope[0].real * (z - point.z))
            if found is not None and self._signature(found) == count:
                point, step = found, 1.4 * step
            else:
                step /= 2
        return point

    def end(self, point: BranchPoint, direction: int, digits: int) -> End:
        """End of the support met first from a point of a gap.

        Raises
        ------
        ConvergenceError
            The end could not be told, or not to that many digits.
        """
        digits = max(digits, FEWEST)
        with np.errstate(all="ignore"):  # a step may lead anywhere before it is refused
            enlarged, u, kind = self._tell(self.march(point, direction), digits)
        root = self._polish(enlarged, u, digits)
        with precision(2 * digits + GUARD):
            sizes = [exact_ball(float(s)) for s in enlarged.sizes]
            unknowns = tuple((v * s).mid() for v, s in zip(root, sizes, strict=False))
            return End((root[-1] * exact_ball(enlarged.size)).mid(), kind, unknowns)

    def _tell(self, near: BranchPoint, digits: int) -> tuple[Enlarged, Array, str]:
        """Tell which kind of end is near, and find it in float64."""
        count = self._signature(near)
        found: list[tuple[Enlarged, Array, str]] = []
        fold = Fold(self.system, near)
        u = solve_floats(fold)
        if u is not None and self._meets(fold, u, near):
            if self.one_sign(u[: fold.count] * fold.sizes):
                found.append((fold, u, "regular"))
        with precision(2 * digits + GUARD):
            for form in self.far_forms():
                soft = SoftEnd(self.system, near, form)
                u = solve_floats(soft)
                if u is None or not self._meets(soft, u, near):
                    continue
                x, z = u[: soft.count] * soft.sizes, u[-1] * soft.size
                if self.one_sign(x) and self._signature(BranchPoint(z, x)) == count:
                    found.append((soft, u, "soft"))
        if len(found) != 1:
            raise ConvergenceError(
                f"the end of the support near {near.z:.8g} (scale of Phi^T Phi / p) "
                f"could not be told: {len(found)} conditions hold there"
            )
        return found[0]

    @staticmethod
    def _meets(enlarged: Enlarged, u: Array, near: BranchPoint) -> bool:
        return bool(abs(u[-1] * enlarged.size - near.z) < 100 * CLOSE * abs(near.z))

    def _signature(self, point: BranchPoint) -> int:
        """Count the negative eigenvalues of the Hessian of Psi."""
        x = point.x[None] + 0j
        _, hessian = self.system.derivatives(x, np.array([point.z + 0j]))
        scale = self.system.scales(x)[0]
        values = np.linalg.eigvalsh(hessian[0].real * scale[:, None] * scale)
        return int(np.sum(values < 0))

    def _polish(self, enlarged: Enlarged, u: Array, digits: int) -> list[Any]:
        """Bring an end to `digits` digits, on rules refined until they agree."""
        law, model = self.resolvent.law, self.resolvent.model
        step, reached = first_step(digits + 2.0), np.inf
        for _ in range(ATTEMPTS):
            fields = contour_fields(law, REAL_AXIS, 2.0 * digits + 5, step)
            with precision(2 * digits + GUARD):
                balls = [to_ball(v) for v in self.exact]
                roots, rounding = [], 0.0
                for stride in (1, 2, 4):
                    system = BallSystem(model, fields, list(balls), stride)
                    root, radius = polish_edge(enlarged, u, system, digits + 5)
                    roots.append(root)
                    rounding = max(rounding, radius)
                gaps = [_distance(root, roots[0]) for root in roots[1:]]
            reached = min(reached, max(rounding, geometric_error(gaps[1], gaps[0])))
            if reached < 10.0 ** -(digits + 1):
                return roots[0]
            step *= 0.65
        near = float(u[-1]) * enlarged.size
        raise ConvergenceError(
            f"the end of the support near {near:.8g} (scale of Phi^T Phi / p) "
            f"was reached to {reached:.1e} only; ask for fewer digits"
        )


def _distance(root: list[Any], other: list[Any]) -> float:
    return max(float(abs(a - b)) for a, b in zip(root, other, strict=True))


def find_support(
    branch: RealBranch, smallest: sp.Expr, hard: bool, digits: int
) -> list[tuple[End, End]]:
    """All intervals of the support, the atom at zero left aside.

    Gaps are looked for where each side has `SHARE` of the mass of the bulk at least;
    two intervals of which one has less are given as one.

    Parameters
    ----------
    branch : RealBranch
        The real branch.
    smallest : Expr
        Rank of the features over p.
    hard : bool
        Whether two of the dimensions that limit the rank are equal.
    digits : int
        Significant digits of each end.

    Returns
    -------
    list of (End, End)
        Lower and upper end of each interval, ascending.

    Raises
    ------
    ConvergenceError
        An end was not found, or not to that many digits.
    """
    mean = branch.resolvent.mean()
    if hard:
        lowest = End(arb(0), "hard")
    elif smallest == 1:
        lowest = branch.end(branch.far_out(-1), 1, digits)
    elif branch.vanishes:
        lowest = End(arb(0), "soft")
    else:
        lowest = branch.end(_near_zero(branch, mean), 1, digits)
    if branch.unbounded:
        highest = End(arb("inf"), "soft")
    else:
        highest = branch.end(branch.far_out(1), -1, digits)
    low, high = float(lowest.value), float(highest.value)
    ends = [lowest]
    for point in _gaps(branch, low or 1e-6 * mean, min(high, 100 * mean)):
        if point.z > float(ends[-1].value):  # in a gap that is not known yet
            ends += [branch.end(point, -1, digits), branch.end(point, 1, digits)]
    ends.append(highest)
    return list(zip(ends[::2], ends[1::2], strict=True))


def _near_zero(branch: RealBranch, mean: float) -> BranchPoint:
    """Point of the gap between an atom at zero and the bulk."""
    for decade in range(2, 14):
        point = branch.from_above(mean * 10.0**-decade)
        if point is not None:
            return point
    raise ConvergenceError("no gap was found between the atom at zero and the bulk")


def _gaps(branch: RealBranch, low: float, high: float) -> list[BranchPoint]:
    """One point in each gap inside (low, high) with some of the mass on each side."""
    count = branch.resolvent.groups

    def density(x: Array) -> Array:
        # rough in the tails, where 1 + chi has zeros near the axis of kappa
        with np.errstate(all="ignore"):
            unknowns, size = follow_down(branch.system, x + 0j)
        lost = np.isinf(size)
        unknowns[lost] = branch.resolvent.solve(x[lost] + 0j).unknowns
        value: Array = np.abs(unknowns[:, :count].imag).sum(1) * x
        # equal to 0 throughout a gap, which has one last point then
        value[value < NO_DENSITY] = 0
        return value

    def look(x: Array, level: int, share: float) -> list[BranchPoint]:
        values = density(x)
        mass = np.cumsum(np.minimum(values[:-1], values[1:]) * np.diff(np.log(x)))
        points = []
        for k in range(1, len(x) - 1):
            low = values[k] <= values[k - 1] and values[k] < values[k + 1]
            if not (low and share < mass[k - 1] / mass[-1] < 1 - share):
                continue
            point = None if values[k] else branch.from_above(x[k])
            if point is not None:
                points.append(point)
            elif level and values[k]:
                points += look(np.linspace(x[k - 1], x[k + 1], 9), level - 1, 0.0)
        return points

    return look(np.geomspace(low, high, SCAN), ZOOMS, SHARE)
