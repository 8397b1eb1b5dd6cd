"""Boxes of parameters: read, measured, split; what a claim's margin is over one.

A box is a product of closed intervals with exact rational ends. It is always split in
the same way, so that a list of boxes can be checked to cover a range.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import log
from typing import Any

import sympy as sp

from detequiv.numerics.arithmetic import (
    TANGENTS,
    compile_expressions,
    precision,
    to_ball,
)
from detequiv.numerics.certificates import (
    MOVABLE,
    Ball,
    Box,
    BoxEnclosure,
    Enclosures,
    ball_of,
    cube_of,
)
from detequiv.numerics.discovery.claims import Atom, Claim
from detequiv.theory.errors import InputError
from detequiv.theory.functions import exact
from detequiv.theory.problem import Problem

__all__ = ["Margins", "covers", "measure", "middle", "read_box", "split"]

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
    given: object = over  # anything: an array has no truth value
    if not isinstance(given, Mapping) or not given:
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


def split(box: Box) -> tuple[Box, Box]:
    """Cut a box across its longest side, in the logarithm of what is positive."""

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
        stack += [(part, depth + 1) for part in split(box)]
    return True


class Margins:
    """The margins of a claim's comparisons over boxes.

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
        self._by: dict[Any, list[str]] = {}
        for atom in claim.atoms.values():
            names = self._by.setdefault((atom.problem, atom.changes), [])
            if atom.by and atom.by not in names:
                names.append(atom.by)
        self._margins = compile_expressions(
            list(claim.atoms), [c.margin for c in claim.comparisons], TANGENTS
        )

    def _make(self, label: str, changes: tuple[tuple[str, Any], ...]) -> BoxEnclosure:
        problem = self.problems[label]
        return BoxEnclosure(problem.with_values(dict(changes)) if changes else problem)

    def over(self, box: Box) -> list[Any]:
        """Enclose each comparison's margin, as a function on the box's unit cube.

        Raises
        ------
        InputError
            The claim cannot be proved over such a box.
        ConvergenceError
            The box is too large for a proof.
        """
        self.require_movable(box)
        numbers = self._numbers(box)
        with precision(CARRIED):
            return list(self._margins(*numbers))

    def require_movable(self, box: Box) -> None:
        """Refuse ranges over which nothing can be proved."""
        for name, (low, high) in box.items():
            if not low <= high:
                says = "the first end must be the smaller"
                raise InputError(f"over.{name}", (low, high), says)
            if name not in MOVABLE and low != high:
                says = f"proofs over ranges are for {', '.join(MOVABLE)}"
                raise InputError(f"over.{name}", "a range", says)

    def balls_at(self, point: Mapping[str, sp.Rational]) -> dict[str, Ball]:
        """Enclose what the claim speaks of at a point, by its text."""
        numbers = self._numbers({name: (value, value) for name, value in point.items()})
        texts = map(str, self.claim.atoms.values())
        return dict(zip(texts, map(ball_of, numbers), strict=True))

    def _numbers(self, box: Box) -> list[Any]:
        """Enclose the claim's atoms over a box."""
        found: dict[Any, Enclosures] = {}
        numbers = []
        with precision(CARRIED):
            _, variables = cube_of(box)
        for atom in self.claim.atoms.values():
            if not atom.is_quantity:
                numbers.append(self._parameter(atom, box, variables))
                continue
            key = atom.problem, atom.changes
            if key not in found:
                found[key] = self._enclose(atom, box)
            each = found[key]
            numbers.append(
                each.derivatives[atom.name, atom.by]
                if atom.by
                else each.quantities[atom.name]
            )
        return numbers

    def _enclose(self, atom: Atom, box: Box) -> Enclosures:
        changes = dict(atom.changes)
        for name, (low, _) in box.items():
            if name not in MOVABLE and name not in changes:
                changes[name] = low
        enclosure = self._enclosures(atom.problem, tuple(sorted(changes.items())))
        by = self._by[atom.problem, atom.changes]
        return enclosure.over(box, by, fixed=changes)

    def _parameter(self, atom: Atom, box: Box, variables: Mapping[str, Any]) -> Any:
        if atom.name in variables:
            return variables[atom.name]
        if atom.name in box:
            return to_ball(box[atom.name][0])
        table, _, key = atom.name.partition(".")
        return to_ball(self.problems[atom.problem].tables()[table][key])
