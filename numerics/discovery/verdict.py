"""What was found of a claim: a record that can be checked again by itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import at_centre, is_positive
from detequiv.numerics.certificates import Ball, Box
from detequiv.numerics.discovery.claims import read_claim
from detequiv.numerics.discovery.ranges import (
    Margins,
    covers,
    measure,
    read_box,
    split,
)
from detequiv.theory.display import Shown, Tabular
from detequiv.theory.errors import ConvergenceError, DetequivError
from detequiv.theory.functions import value_text
from detequiv.theory.precision import decimal_digits
from detequiv.theory.problem import Problem

__all__ = ["Verdict", "examine", "refuted"]

REFINED = 3  # times that a box of a record may be split


def examine(margins: Margins, box: Box) -> tuple[bool, bool]:
    """Tell whether a claim is proved on all of a box, and whether its centre fails."""
    found = margins.over(box)
    comparisons = margins.claim.comparisons
    return all(
        is_positive(margin, strict=comparison.strict)
        for margin, comparison in zip(found, comparisons, strict=True)
    ), any(bool(at_centre(margin) < 0) for margin in found)


def refuted(margins: Margins, point: Mapping[str, sp.Rational]) -> bool:
    """Whether the claim is proved to be false at a point."""
    balls = margins.over({name: (value, value) for name, value in point.items()})
    return any(bool(margin < 0) for margin in balls)


def _is_proved(margins: Margins, box: Box, splits: int) -> bool:
    """Prove the claim on a box, or on the parts of it.

    Another version, or another processor's float64, may need smaller boxes.
    """
    try:
        if examine(margins, box)[0]:
            return True
    except ConvergenceError:
        pass
    return splits > 0 and all(
        _is_proved(margins, part, splits - 1) for part in split(box)
    )


def _are_parts(boxes: list[Box], whole: Box) -> bool:
    """Whether boxes are different parts of the whole."""
    different = {tuple(sorted(box.items())) for box in boxes}
    return len(different) == len(boxes) and all(
        box.keys() == whole.keys()
        and all(
            first <= low < high <= last
            for (first, last), (low, high) in (
                (ends, box[name]) for name, ends in whole.items()
            )
        )
        for box in boxes
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Verdict(Shown):
    """Verdict on a claim over a closed box of parameters.

    Attributes
    ----------
    verdict : {"proved", "counterexample", "undecided"}
        "proved": the claim holds for every point of the box, and "counterexample": it
        is false at one point; both are theorems about the equations of the limit.
    claim : str
        As it was written.
    problems : mapping of str to Problem
        By name; the name of a single one is "".
    over : mapping of str to (Rational, Rational)
        The box.
    counterexample : mapping of str to Rational, or None
        A point at which the claim is false.
    values : mapping of str to Ball
        What the claim speaks of there, by its text.
    proved, open : tuple of mapping
        Boxes on which the claim is proved, and those left, the largest first.
    remark : str
        What would help, if undecided.
    seconds : float
        Wall time.
    """

    verdict: Literal["proved", "counterexample", "undecided"]
    claim: str
    problems: Mapping[str, Problem]
    over: Box
    counterexample: Mapping[str, sp.Rational] | None
    values: Mapping[str, Ball]
    proved: tuple[Box, ...]
    open: tuple[Box, ...]
    remark: str
    seconds: float

    @property
    def proved_fraction(self) -> float:
        """Share of the box on which the claim is proved.

        In the logarithm of parameters that are positive in it.
        """
        return min(1.0, sum(measure(box, self.over) for box in self.proved))

    def recheck(self, most: int | None = None) -> bool:
        """Repeat every proof of the record.

        Parameters
        ----------
        most : int, optional
            Boxes whose proofs are repeated, evenly spread; all by default.

        Returns
        -------
        bool
            Whether each box is proved again and, for "proved", they cover the whole;
            whether the counterexample is one. An undecided record claims nothing but
            its proved boxes.
        """
        try:
            return self._holds(most)
        except (DetequivError, KeyError):
            return False

    def _holds(self, most: int | None) -> bool:
        margins = Margins(read_claim(self.claim, self.problems), self.problems)
        read_box(self.over, self.problems)
        if self.verdict == "counterexample":
            return self._is_refuted(margins)
        boxes = list(self.proved)
        told = {"proved": covers, "undecided": _are_parts}.get(self.verdict)
        if told is None or not told(boxes, self.over):
            return False
        stride = max(1, ceil(len(boxes) / (most or len(boxes) or 1)))
        return all(_is_proved(margins, box, REFINED) for box in boxes[::stride])

    def _is_refuted(self, margins: Margins) -> bool:
        """Whether the claim is false at the point, and its values are those told."""
        point = self.counterexample
        if point is None or set(point) != set(self.over):
            return False
        inside = all(
            low <= point[name] <= high for name, (low, high) in self.over.items()
        )
        if not inside or not refuted(margins, point):
            return False
        found = margins.balls_at(point)
        return found.keys() == self.values.keys() and all(
            abs(ball.midpoint - found[name].midpoint)
            <= ball.radius + found[name].radius
            for name, ball in self.values.items()
        )

    def _table(self) -> Tabular:
        rows = [("claim", self.claim)]
        rows += [(n, f"{low} to {high}") for n, (low, high) in self.over.items()]
        rows.append(("proved fraction", f"{self.proved_fraction:.3g}"))
        for name, value in (self.counterexample or {}).items():
            rows.append((f"at {name}", str(value)))
        rows += [(name, str(ball)) for name, ball in self.values.items()]
        return Tabular(self.verdict, rows, note=self.remark)

    def to_json(self) -> str:
        """Write all that :meth:`from_json` and :meth:`recheck` need."""
        return json.dumps(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Texts and numbers, with the keys of ``detequiv check --json``."""
        point = self.counterexample
        return {
            "verdict": self.verdict,
            "claim": self.claim,
            "over": _texts(self.over),
            "counterexample": None
            if point is None
            else {name: str(value) for name, value in point.items()},
            "values": {name: list(ball.texts()) for name, ball in self.values.items()},
            "proved_fraction": self.proved_fraction,
            "proved": list(map(_texts, self.proved)),
            "open": list(map(_texts, self.open)),
            "remark": self.remark,
            "seconds": self.seconds,
            "problems": {
                name: _plain(problem.tables())
                for name, problem in self.problems.items()
            },
        }

    @classmethod
    def from_json(cls, text: str) -> "Verdict":
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            It is no such record.
        """
        record = json.loads(text)
        point = record["counterexample"]
        return cls(
            verdict=record["verdict"],
            claim=record["claim"],
            problems={
                name: Problem.from_tables(tables)
                for name, tables in record["problems"].items()
            },
            over=read_texts(record["over"]),
            counterexample=None
            if point is None
            else {name: sp.Rational(value) for name, value in point.items()},
            values={
                name: Ball(*map(_number, pair))
                for name, pair in record["values"].items()
            },
            proved=tuple(map(read_texts, record["proved"])),
            open=tuple(map(read_texts, record["open"])),
            remark=record["remark"],
            seconds=record["seconds"],
        )


def _number(text: str) -> Any:
    with decimal_digits(60):
        return mpmath.mpf(text)


def _texts(box: Box) -> dict[str, list[str]]:
    return {name: [str(low), str(high)] for name, (low, high) in box.items()}


def read_texts(box: Mapping[str, list[str]]) -> dict[str, tuple[Any, Any]]:
    """Read a box from its texts."""
    return {
        name: (sp.Rational(low), sp.Rational(high)) for name, (low, high) in box.items()
    }


def _plain(value: Any) -> Any:
    """Tables with their exact numbers and functions as texts."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return value if isinstance(value, bool | int) else value_text(value)
