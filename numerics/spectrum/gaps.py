r"""Gaps of the support, none of which is too narrow and no band either.

A gap has one of finitely many shares of the eigenvalues below it (its height, see
:mod:`detequiv.numerics.resolvent.counting`), and two gaps have not the same: a band of
positive mass lies between them. The share below x grows with x, so that each height is
crossed at one place, or in one gap: sections tell which. How narrow a band is plays no
part in this, nor how many orders of magnitude lie between two of them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.resolvent import SAME, BranchPoint, RealBranch
from detequiv.theory.errors import ConvergenceError

__all__ = ["inner_gaps", "outer_gap"]

Array = NDArray[Any]
FARTHEST = 280  # decades from the mean at which the bulk has ended
CHUNK = 6  # decades looked at together
SCAN = 96  # points on which the heights are bracketed first
SECTIONS = 10  # of a bracket in each round
ROUNDS = 16  # of them: brackets of 1e-16
SMOOTH = 0.6  # ratio of the densities in a bracket from which it has no gap
EVEN = 0.02  # relative error of the trapezoidal rule there


@dataclass(frozen=True)
class Places:
    """Points on the positive axis, by the logarithm of z, ascending.

    Attributes
    ----------
    t : (B,) array
        Logarithms of z.
    below : (B,) array
        Share of the eigenvalues below z.
    density : (B,) array
        Of log z.
    unknowns : (B, N) complex array
    """

    t: Array
    below: Array
    density: Array
    unknowns: Array

    def part(self, first: int, last: int) -> "Places":
        """Those from the first to before the last."""
        s = slice(first, last)
        return Places(self.t[s], self.below[s], self.density[s], self.unknowns[s])


def look(branch: RealBranch, t: Array) -> Places:
    """Solve at ``z = exp(t) + i0``."""
    z = np.exp(t)
    x = branch.down_to(z)
    weights = branch.weights
    density = np.maximum((x[:, : len(weights)] @ weights).imag * z / np.pi, 0.0)
    return Places(t, branch.counting.below(x, z), density, x)


def gap_at(branch: RealBranch, places: Places, k: int, height: float) -> Any:
    """Take the k-th place as a point of the gap of that height, if it is in it."""
    if abs(places.below[k] - height) > SAME:
        return None
    return branch.at(float(np.exp(places.t[k])), places.unknowns[k].real)


def outer_gap(branch: RealBranch, height: float, direction: int) -> BranchPoint:
    """Point of the gap below all of the bulk (-1), or of that above it (1).

    Raises
    ------
    ConvergenceError
        There is none.
    """
    start = np.log(branch.resolvent.mean())
    for first in range(1, FARTHEST, CHUNK):
        decades = np.arange(first, first + CHUNK)
        places = look(branch, start + direction * np.log(10.0) * decades)
        for k in range(len(decades)):
            point = gap_at(branch, places, k, height)
            if point is not None:
                found: BranchPoint = point
                return found
    side = "above" if direction > 0 else "below"
    raise ConvergenceError(f"no end of the support was found {side} the bulk")


def inner_gaps(branch: RealBranch, atom: float) -> list[BranchPoint]:
    """One point in each gap that has a part of the bulk on either side, ascending.

    Parameters
    ----------
    branch : RealBranch
        The real branch.
    atom : float
        Share of the eigenvalues that are 0.

    Raises
    ------
    ConvergenceError
        The resolvent was not reached at some point.
    """
    heights = branch.counting.heights()
    heights = heights[(heights > atom + SAME) & (heights < 1 - SAME)]
    if not len(heights):
        return []
    scan = look(branch, np.linspace(*_range(branch, heights), SCAN))
    found: list[BranchPoint] = []
    brackets: list[tuple[float, Places]] = []
    for h in heights:
        point, part = _narrow(branch, scan, float(h))
        if point is not None:
            found.append(point)
        elif not _smooth(part):
            brackets.append((float(h), part))
    for _ in range(ROUNDS):
        if not brackets:
            break
        rows = [np.linspace(p.t[0], p.t[-1], SECTIONS + 1) for _, p in brackets]
        all_of_them = look(branch, np.concatenate(rows))
        left = []
        for k, (h, _) in enumerate(brackets):
            first = k * (SECTIONS + 1)
            places = all_of_them.part(first, first + SECTIONS + 1)
            if _smooth(places):
                continue
            point, part = _narrow(branch, places, h)
            if point is not None:
                found.append(point)
            else:
                left.append((h, part))
        brackets = left
    return sorted(found, key=lambda point: point.z)


def _range(branch: RealBranch, heights: Array) -> tuple[float, float]:
    """Logarithms of places below and above all that have one of the heights."""
    start, ends = np.log(branch.resolvent.mean()), []
    for direction, height in ((-1, heights[0]), (1, heights[-1])):
        for first in range(1, FARTHEST, CHUNK):
            decades = np.arange(first, first + CHUNK)
            places = look(branch, start + direction * np.log(10.0) * decades)
            beyond = direction * (places.below - height) > SAME
            if beyond.any():
                ends.append(float(places.t[np.argmax(beyond)]))
                break
        else:
            raise ConvergenceError("the ends of the bulk were not found")
    return ends[0], ends[1]


def _narrow(
    branch: RealBranch, places: Places, height: float
) -> tuple[BranchPoint | None, Places]:
    """Find a point of the gap of that height, or the places about its crossing."""
    level = np.flatnonzero(np.abs(places.below - height) <= SAME)
    for k in level:
        point = gap_at(branch, places, int(k), height)
        if point is not None:
            return point, places
    above = int(np.argmax(places.below > height + SAME))
    below = np.flatnonzero(places.below[:above] < height - SAME)
    first = int(below[-1]) if len(below) else 0
    return None, places.part(first, above + 1)


def _smooth(places: Places) -> bool:
    """Whether the density is that of the inside of a band, all along."""
    rho, mass = places.density, places.below[-1] - places.below[0]
    rule = float(np.sum(np.diff(places.t) * (rho[1:] + rho[:-1]) / 2))
    return bool(rho.min() > SMOOTH * rho.max() and abs(rule / mass - 1) < EVEN)
