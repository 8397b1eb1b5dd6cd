"""Boxes of parameters: read, measured, split; what a claim's margin is over one.

A box is a product of closed intervals with exact rational ends. It is always split in
the same way, so that a list of boxes can be checked to cover a range.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import log
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import BALLS, compile_expressions, precision, to_ball
from detequiv.numerics.certificates import (
    MOVABLE,
    Box,
    BoxEnclosure,
    Enclosures,
)
from detequiv.numerics.discovery.claims import Atom, Claim, Comparison
from detequiv.theory.errors import InputError
from detequiv.theory.functions import exact
from detequiv.theory.problem import Problem

__all__ = ["Margins", "covers", "measure", "middle", "read_box", "split"]

arb = flint.arb
CARRIED = 40  # digits of margins
WIDE = 2  # ratio of the ends from which an interval is split at their geometric mean
DEEPEST = 200  # splits


def read_box(over: Mapping[str, Any], problems: Mapping[str, Problem]) -> Box:
    """Read the ends of the intervals exactly.

    Raises
    ------
    InputError
        No such parameter, an end that is no rational number or outside its domain, or
        ends in the wrong order.
    """
    if not over or not isinstance(over, Mapping):
        raise InputError("over", over, "give at least one parameter and its two ends")
    box = {}
    for name, ends in over.items():
        if not isinstance(ends, tuple | list) or len(ends) != 2:
            raise InputError(f"over.{name}", ends, "give the two ends of a range")
        low, high = (exact(end, f"over.{name}") for end in ends)
        if not (low.is_Rational and high.is_Rational):
            raise InputError(f"over.{name}", ends, "give rational ends")
        if not low < high:
            raise InputError(f"over.{name}", ends, "the first end must be the smaller")
        for problem in problems.values():
            for end in (low, high):
                problem.with_values({name: end})
        box[name] = (low, high)
    return box


def middle(box: Box) -> dict[str, sp.Rational]:
    """Centre of a box."""
    return {name: (low + high) / 2 for name, (low, high) in box.items()}


def measure(box: Box, whole: Box) -> float:
    """Share of the whole box, in the logarithm of positive parameters."""
    share = 1.0
    for name, (low, high) in box.items():
        first, last = whole[name]
        if first > 0:
            share *= log(float(high / low)) / log(float(last / first))
        else:
            share *= float((high - low) / (last - first))
    return share


def split(box: Box, whole: Box) -> tuple[Box, Box]:
    """Cut a box across its longest side, measured as in `measure`."""

    def length(name: str) -> float:
        low, high = box[name]
        return log(float(high / low)) if low > 0 else float(high - low)

    name = max(sorted(box), key=lambda n: (length(n), n))
    low, high = box[name]
    cut = (low + high) / 2
    if low > 0 and high > WIDE * low:
        # the geometric mean, to few digits
        cut = sp.Rational(f"{float(low) ** 0.5 * float(high) ** 0.5:.4g}")
    return {**box, name: (low, cut)}, {**box, name: (cut, high)}


def covers(boxes: list[Box], whole: Box) -> bool:
    """Whether boxes that came from splitting cover the whole."""
    known = {tuple(sorted(box.items())) for box in boxes}
    stack = [(whole, 0)]
    while stack:
        box, depth = stack.pop()
        if tuple(sorted(box.items())) in known:
            continue
        if depth == DEEPEST or len(stack) > len(known):
            return False
        stack += [(part, depth + 1) for part in split(box, whole)]
    return True


class Margins:
    """The margins of a claim's comparisons over boxes, as balls.

    Parameters
    ----------
    claim : Claim
        What is claimed.
    problems : mapping of str to Problem
        What of.
    """

    def __init__(self, claim: Claim, problems: Mapping[str, Problem]) -> None:
        self.claim, self.problems = claim, problems
        self._enclosures = lru_cache(maxsize=8)(self._make)

    def _make(self, label: str, changes: tuple[tuple[str, Any], ...]) -> BoxEnclosure:
        problem = self.problems[label]
        return BoxEnclosure(problem.with_values(dict(changes)) if changes else problem)

    def over(self, box: Box) -> list[Any]:
        """Enclose each comparison's margin over a box.

        Raises
        ------
        InputError
            The claim cannot be proved over such a box.
        ConvergenceError
            The box is too large for a proof.
        """
        found = self._all(box)
        with precision(CARRIED):
            return [
                self._margin(comparison, box, found)
                for comparison in self.claim.comparisons
            ]

    def atoms_over(self, box: Box) -> dict[str, Any]:
        """Enclose what the claim speaks of over a box, by its text."""
        found = self._all(box)
        with precision(CARRIED):
            return {
                str(atom): self._number(atom, box, found)
                for atom in self.claim.atoms.values()
            }

    def _all(self, box: Box) -> dict[Any, Enclosures]:
        found: dict[Any, Enclosures] = {}
        for atom in self.claim.atoms.values():
            key = atom.problem, atom.changes
            if atom.is_quantity and key not in found:
                found[key] = self._enclose(atom, box)
        return found

    def _enclose(self, atom: Atom, box: Box) -> Enclosures:
        changed = dict(atom.changes)
        own = {name: ends for name, ends in box.items() if name not in changed}
        fixed = {n: ends[0] for n, ends in own.items() if n not in MOVABLE}
        if any(own[n][0] != own[n][1] for n in fixed):
            known = ", ".join(MOVABLE)
            name = next(n for n in fixed if own[n][0] != own[n][1])
            raise InputError(
                f"over.{name}", "a range", f"proofs over ranges are for {known}"
            )
        moved = {n: ends for n, ends in own.items() if n in MOVABLE}
        for other in self.claim.atoms.values():
            key = other.problem, other.changes
            if other.by and key == (atom.problem, atom.changes):
                value = self._value(atom.problem, other.by, changed)
                moved.setdefault(other.by, (value, value))
        changes = tuple(sorted({**changed, **fixed}.items()))
        return self._enclosures(atom.problem, changes).over(moved)

    def _value(self, label: str, name: str, changed: Mapping[str, Any]) -> sp.Expr:
        table, _, key = name.partition(".")
        return changed.get(name, self.problems[label].tables()[table][key])

    def _margin(
        self, comparison: Comparison, box: Box, found: Mapping[Any, Enclosures]
    ) -> Any:
        """Its range: directly, and by the mean value theorem; the intersection."""
        symbols = list(self.claim.atoms)
        names = [n for n, (low, high) in box.items() if low < high]
        ranges = [self._number(a, box, found) for a in self.claim.atoms.values()]
        (direct,) = _compiled(tuple(symbols), (comparison.margin,))(*ranges)
        direct = arb(direct)
        atoms = list(self.claim.atoms.values())
        if any(atom.by for atom in atoms):
            return direct
        centre = [
            self._number(a, {n: (v, v) for n, v in middle(box).items()}, found)
            if not a.is_quantity
            else found[a.problem, a.changes].centre[a.name]
            for a in atoms
        ]
        (value,) = _compiled(tuple(symbols), (comparison.margin,))(*centre)
        slopes = _compiled(
            tuple(symbols), tuple(sp.diff(comparison.margin, s) for s in symbols)
        )(*ranges)
        total = arb(value)
        for name in names:
            low, high = box[name]
            by = sum(
                (
                    slope * self._derivative(a, name, found)
                    for slope, a in zip(slopes, atoms, strict=True)
                ),
                arb(0),
            )
            total += by * arb(0, to_ball((high - low) / 2).upper())
        try:
            return total.intersection(direct)
        except ValueError:  # they hold the same numbers: rounding at a common end
            return total

    def _number(self, atom: Atom, box: Box, found: Mapping[Any, Enclosures]) -> Any:
        if not atom.is_quantity:
            if atom.name in box:
                low, high = box[atom.name]
                return to_ball((low + high) / 2) + arb(
                    0, to_ball((high - low) / 2).upper()
                )
            return to_ball(self._value(atom.problem, atom.name, {}))
        enclosures = found[atom.problem, atom.changes]
        if atom.by:
            return enclosures.derivatives[atom.name, atom.by]
        return enclosures.quantities[atom.name]

    def _derivative(
        self, atom: Atom, name: str, found: Mapping[Any, Enclosures]
    ) -> Any:
        if not atom.is_quantity:
            return arb(int(atom.name == name))
        derivatives = found[atom.problem, atom.changes].derivatives
        return derivatives.get((atom.name, name), arb(0))


@lru_cache(maxsize=64)
def _compiled(symbols: tuple[sp.Symbol, ...], expressions: tuple[sp.Expr, ...]) -> Any:
    return compile_expressions(symbols, expressions, BALLS)
