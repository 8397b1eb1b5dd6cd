"""The problems near a place of one number, and a quantity along them."""

from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import flint
import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import precision, to_ball
from detequiv.numerics.solving import (
    QUANTITIES,
    Task,
    Vouched,
    follow,
    solve,
    task_of,
    vouch,
)
from detequiv.theory.errors import ConvergenceError, DetequivError, InputError
from detequiv.theory.functions import exact
from detequiv.theory.problem import Problem, law_of

__all__ = ["Family", "read_place"]

arb = flint.arb
TRIED = sp.Rational(1, 10**6)  # a step to a side, to see whether there is one


def read_place(problem: Problem, parameter: str, at: Any) -> tuple[sp.Expr, str]:
    """Read where to expand, and on which sides the problem has a meaning."""
    text = str(at).strip() if isinstance(at, str | sp.Expr) else ""
    if text in ("oo", "inf", "infinity"):
        moved(problem, parameter, 1 / TRIED)
        return sp.oo, "+"
    sides = "+-"
    if isinstance(at, str) and text[-1:] in ("+", "-"):
        at, sides = text[:-1], text[-1]
    place = exact(at, "at")
    refused: InputError | None = None
    for side in sides:
        step = TRIED if side == "+" else -TRIED
        try:
            moved(problem, parameter, place + step)
        except InputError as error:
            refused, sides = error, sides.replace(side, "")
    if not sides and refused is not None:
        raise refused
    return place, sides


def moved(problem: Problem, parameter: str, value: sp.Expr) -> Problem:
    """Give one number of a problem a value, or a list of numbers a common factor."""
    try:
        now = problem.value(parameter)
    except (AttributeError, IndexError, ValueError, TypeError):
        now = None
    if isinstance(now, tuple) and len(now) > 1:
        return problem.with_values({parameter: [value * entry for entry in now]})
    moved = problem.with_values({parameter: value})
    if now is None or isinstance(now, str):
        raise InputError(parameter, value, "is no number of the problem")
    return moved


class Family:
    """A quantity at a distance from a place, as a ball.

    Parameters
    ----------
    problem : Problem
        Gives all other numbers.
    parameter : str
        What moves.
    place : Expr
        From where; infinite for large numbers.
    quantity : str
        Name of what is reported.
    """

    def __init__(
        self, problem: Problem, parameter: str, place: sp.Expr, quantity: str
    ) -> None:
        self._problem, self._parameter = problem, parameter
        self.place, self.quantity = place, quantity
        self._law = law_of(problem) if parameter.startswith("ridge.") else None
        # what was solved with the most digits on each side, by the distance
        self._solved: dict[str, dict[sp.Rational, Vouched]] = {"+": {}, "-": {}}
        self._digits = 0

    def __call__(
        self, side: str, distance: sp.Rational, digits: int, sure: bool
    ) -> Any:
        """Enclose the quantity, to so many significant digits."""
        step = distance if side == "+" else -distance
        value = 1 / step if self.place is sp.oo else self.place + step
        problem = moved(self._problem, self._parameter, value)
        task = task_of(problem, self._law or law_of(problem))
        if task.fields.interpolating and self.quantity == "resolvent_trace":
            raise InputError("quantity", self.quantity, "is infinite without a penalty")
        try:
            found = self._solve(task, side, distance, digits, sure)
        except MemoryError:
            raise ConvergenceError(
                f"averages at {self._parameter} = {float(value):.0e} exceed the memory"
            ) from None
        ball = found.outputs.quantities[QUANTITIES.index(self.quantity)]
        with precision(digits + 20):
            return ball + arb(0, (abs(ball) * arb(10) ** -digits).upper())

    def _solve(
        self, task: Task, side: str, distance: sp.Rational, digits: int, sure: bool
    ) -> Vouched:
        """Solve with the features, and from the solutions, of other distances."""
        if self._law is None:
            return vouch(task, digits)
        if digits > self._digits:
            self._digits, self._solved = digits, {"+": {}, "-": {}}
        known = self._solved[side]
        near = next(reversed(known.values()), None)
        start = _predict(known, distance, digits) if len(known) > 1 else None
        found = None
        if near is not None and start is not None and not sure:
            with suppress(ConvergenceError):
                found = follow(task, digits, near, start)
        found = found or vouch(task, digits, near, start)
        known[distance] = found
        return found

    def at_place(self, digits: int) -> mpmath.mpf | None:
        """Solve at the place itself; None where that has no meaning."""
        if self.place is sp.oo:
            return None
        try:
            problem = moved(self._problem, self._parameter, self.place)
            value: mpmath.mpf = getattr(solve(problem, digits=digits), self.quantity)
        except DetequivError:
            return None
        return value


def _predict(
    known: Mapping[sp.Rational, Vouched], distance: sp.Rational, digits: int
) -> list[Any]:
    """Carry the unknowns on to another distance, each as a power of it."""
    (a, first), (b, second) = islice(known.items(), 2)
    with precision(digits):
        power = (to_ball(distance / a)).log() / (to_ball(b / a)).log()
        return [
            (x * (y / x) ** power if y / x > 0 else y).mid()
            for x, y in zip(first.unknowns, second.unknowns, strict=True)
        ]
