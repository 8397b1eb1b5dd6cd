r"""The support of the spectrum: its intervals, each end with its kind.

:mod:`detequiv.numerics.spectrum.gaps` finds one point in each gap; from there the real
branch is followed to both ends of the gap, where
:mod:`detequiv.numerics.spectrum.edges` takes over. Everything here is in the scale of
``Phi^T Phi / p``.
"""

from dataclasses import dataclass
from math import ceil, log10
from typing import Any

import flint
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import exact_ball, precision, to_ball
from detequiv.numerics.averages import REAL_AXIS, contour_fields, first_step
from detequiv.numerics.equations import BallSystem
from detequiv.numerics.resolvent import BranchPoint, RealBranch
from detequiv.numerics.spectrum.edges import (
    Enlarged,
    Fold,
    SoftEnd,
    polish_edge,
    solve_floats,
)
from detequiv.numerics.spectrum.gaps import inner_gaps, outer_gap
from detequiv.theory.errors import ConvergenceError

__all__ = ["End", "find_end", "find_support", "rough_end"]

arb = flint.arb
Array = NDArray[Any]
NEAR = 1e-5  # relative distance from an end within which the march has stopped
ATTEMPTS = 9  # refinements of the rule in kappa
FEWEST = 10  # digits worked with
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


def find_end(
    branch: RealBranch, point: BranchPoint, direction: int, digits: int
) -> End:
    """End of the support met first from a point of a gap.

    Raises
    ------
    ConvergenceError
        The end could not be told, or not to that many digits.
    """
    digits = max(digits, FEWEST)
    enlarged, u, kind = _reach(branch, point, direction, digits)
    root = _polish(branch, enlarged, u, digits)
    with precision(2 * digits + GUARD):
        sizes = [exact_ball(float(s)) for s in enlarged.sizes]
        unknowns = tuple((v * s).mid() for v, s in zip(root, sizes, strict=False))
        return End((root[-1] * exact_ball(enlarged.size)).mid(), kind, unknowns)


def rough_end(branch: RealBranch, point: BranchPoint, direction: int) -> End:
    """Find the same end in float64 alone, on one rule: nothing is vouched for."""
    enlarged, u, kind = _reach(branch, point, direction, FEWEST)
    unknowns = map(float, u[: enlarged.count] * enlarged.sizes)
    return End(arb(float(u[-1]) * enlarged.size), kind, tuple(unknowns))


def _reach(
    branch: RealBranch, point: BranchPoint, direction: int, digits: int
) -> tuple[Enlarged, Array, str]:
    with np.errstate(all="ignore"):  # a step may lead anywhere before it is refused
        return _tell(branch, branch.march(point, direction), digits)


def _tell(
    branch: RealBranch, near: BranchPoint, digits: int
) -> tuple[Enlarged, Array, str]:
    """Tell which kind of end is near, and find it in float64."""
    count = branch.signature(near)
    found: list[tuple[Enlarged, Array, str]] = []
    fold = Fold(branch.system, near)
    u = solve_floats(fold)
    if u is not None and _meets(fold, u, near):
        if branch.one_sign(u[: fold.count] * fold.sizes):
            found.append((fold, u, "regular"))
    with precision(2 * digits + GUARD):
        for form in branch.far_forms():
            soft = SoftEnd(branch.system, near, form)
            u = solve_floats(soft)
            if u is None or not _meets(soft, u, near):
                continue
            x, z = u[: soft.count] * soft.sizes, u[-1] * soft.size
            if branch.one_sign(x) and branch.signature(BranchPoint(z, x)) == count:
                found.append((soft, u, "soft"))
    if len(found) != 1:
        raise ConvergenceError(
            f"the end of the support near {near.z:.8g} (scale of Phi^T Phi / p) "
            f"could not be told: {len(found)} conditions hold there"
        )
    return found[0]


def _meets(enlarged: Enlarged, u: Array, near: BranchPoint) -> bool:
    return bool(abs(u[-1] * enlarged.size - near.z) < NEAR * abs(near.z))


def _polish(branch: RealBranch, enlarged: Enlarged, u: Array, digits: int) -> list[Any]:
    """Bring an end to `digits` digits, on rules refined until two agree."""
    resolvent = branch.resolvent
    near = float(u[-1]) * enlarged.size
    # moments are known to so many decimals: those of a small end lie deeper
    depth = max(0.0, log10(resolvent.mean() / abs(near)))
    step, reached, coarser = first_step(digits + 2.0), np.inf, list[Any]()
    for _ in range(ATTEMPTS):
        fields = contour_fields(
            resolvent.law, REAL_AXIS, 2.0 * digits + 5 + ceil(depth), step
        )
        step *= 0.65
        with precision(2 * digits + GUARD + depth):
            balls = [to_ball(v) for v in branch.exact]
            system = BallSystem(resolvent.model, fields, balls)
            try:
                root, rounding = polish_edge(enlarged, u, system, digits + 5)
            except ConvergenceError:  # the end is another one on a rule too coarse
                continue
            if coarser:
                reached = max(rounding, _distance(root, coarser))
        if reached < 10.0 ** -(digits + 1):
            return root
        coarser = root
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
    atom = float(1 - smallest)
    if hard:
        lowest = End(arb(0), "hard")
    elif smallest != 1 and branch.vanishes:
        lowest = End(arb(0), "soft")
    else:
        lowest = find_end(branch, outer_gap(branch, atom, -1), 1, digits)
    if branch.unbounded:
        highest = End(arb("inf"), "soft")
    else:
        highest = find_end(branch, outer_gap(branch, 1.0, 1), -1, digits)
    ends = [lowest]
    for point in inner_gaps(branch, atom):
        ends += [find_end(branch, point, side, digits) for side in (-1, 1)]
    ends.append(highest)
    return list(zip(ends[::2], ends[1::2], strict=True))
