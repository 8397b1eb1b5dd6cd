"""More digits and finer rules, until the digits asked for stand.

Four errors are watched: rounding (the balls' radii), Newton's (the last correction,
far below the digits asked for), the quadrature's (the same solve on every second and
every fourth node), and that of the fields (the same solve with all of them moved by
their errors). Where they leave too few digits, precision and nodes are increased; where
that does not help, an error is raised and no number returned.
"""

from collections.abc import Callable, Sequence
from math import floor, inf, isfinite
from typing import Any, Protocol

import numpy as np

from detequiv.numerics.arithmetic import relative_error
from detequiv.numerics.averages import Fields, FieldSource, geometric_error
from detequiv.theory.errors import ConvergenceError

__all__ = ["GUARD", "SPARE", "error_left", "refine"]

ATTEMPTS = 9  # rounds of more precision and more nodes
GUARD, MOST_GUARD = 25, 100  # digits carried beyond those asked for, at first and last
SPARE = 3  # digits that fields have beyond those of the equations


class Refined(Protocol):
    """A solution on one rule, and how many of its digits stand."""

    @property
    def digits(self) -> float:
        """What rounding and quadrature leave, of every quantity."""

    @property
    def quadrature_limited(self) -> bool:
        """Whether it is the quadrature that leaves no more."""


# fields on a rule, its step, the digits to work for, and those carried beyond them
Attempt = Callable[[Fields, float, float, int], Any]


def refine(
    source: FieldSource,
    attempt: Attempt,
    digits: int,
    extra: float,
    step: float,
    fields: Fields | None = None,
) -> Any:
    """Go up the precisions and refine the rule until the digits are there.

    Parameters
    ----------
    source : FieldSource
        Where fields on a rule come from.
    attempt : callable
        Solves with fields on a rule of a step, for so many digits, at a precision of so
        many more. Returns a `Refined`.
    digits : int
        Of every reported quantity.
    extra : float
        Digits to work for beyond these, at first.
    step : float
        Of the first rule.
    fields : Fields, optional
        What is known of them: nodes are shared where they have digits enough.

    Raises
    ------
    ConvergenceError
        They cannot be vouched for; the message says how many can.
    """
    guard, reached = GUARD, -inf
    for _ in range(ATTEMPTS):
        enough = digits + extra + SPARE
        if fields is not None and fields.digits >= enough:
            fields = source.refine(fields, step)
        else:
            fields = source.evaluate(enough, step)
        try:
            found: Refined = attempt(fields, step, digits + extra, guard)
        except (ConvergenceError, np.linalg.LinAlgError) as error:
            if guard > MOST_GUARD:
                raise ConvergenceError(str(error)) from None
            guard *= 2
            continue
        reached = max(reached, found.digits)
        if found.digits >= digits:
            return found
        if found.quadrature_limited:
            step /= 2
        else:
            extra += min(max(10.0, digits - found.digits), 10.0 + digits)
    raise ConvergenceError(
        f"{max(0, floor(reached)) if isfinite(reached) else 0} of {digits} digits can "
        "be vouched for; ask for fewer, or for a larger ridge.penalty"
    )


def error_left(
    rules: Sequence[Sequence[Any]],
    references: Sequence[Any],
    rounding: float,
    labels: Any,
) -> tuple[float, bool]:
    """Relative error of results, from those on coarser and disturbed rules.

    Parameters
    ----------
    rules : four lists of arb
        The results on a rule, on every second and every fourth of its nodes, and on
        the latter with the fields moved by their errors.
    references : list of arb
        What the errors are relative to.
    rounding : float
        The error that the balls show.
    labels : arb
        Second moment of the labels, the scale below which a result is zero.

    Returns
    -------
    error : float
    quadrature_limited : bool
        Whether it is the quadrature's.
    """
    fine, half, quarter, disturbed = rules

    def gap(one: Sequence[Any], other: Sequence[Any]) -> float:
        apart = [abs(p - q).mid() for p, q in zip(one, other, strict=True)]
        return relative_error(list(references), apart, labels)

    inherited = max(rounding, gap(quarter, disturbed))
    quadrature = geometric_error(gap(fine, quarter), gap(fine, half))
    return max(inherited, quadrature), quadrature > inherited
