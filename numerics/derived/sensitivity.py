"""How a result moves with any number of a problem."""

import re
from typing import Any

import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import check_digits
from detequiv.numerics.derived.implicit import differentiate_problem
from detequiv.numerics.solving import QUANTITIES
from detequiv.theory.errors import InputError
from detequiv.theory.problem import Problem, check_problem, interpolates

__all__ = ["derivatives"]


def derivatives(
    problem: Problem, name: str, *, digits: int = 15, width: int | None = None
) -> dict[str, mpmath.mpf]:
    """Differentiate every reported quantity by one number of the problem.

    Parameters
    ----------
    problem : Problem
        Where.
    name : str
        Dotted name, such as "ridge.penalty" or, of one group, "features.spike[0]".
        The number must lie inside its domain, not on its border. What a weight gains
        the others lose in proportion.
    digits : int
        Significant decimal digits; of a derivative that vanishes, relative to the
        quantity over the number.
    width : int, optional
        The number p of units, which is held fixed, as for `solve`; by default the limit
        of infinite width.

    Returns
    -------
    dict of str to mpf
        Derivatives by the names of the quantities; infinite that of an infinite trace.

    Raises
    ------
    InputError
        The name is unknown, or the number lies on the border of its domain.
    ConvergenceError
        The digits cannot be vouched for.

    Examples
    --------
    >>> from detequiv.numerics.solving import solve
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    ...     target=Target(function="z + (z**2 - 1)/2", noise="3/10"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    ... )
    >>> slope = derivatives(problem, "ridge.penalty")["ridge_objective"]
    >>> bool(abs(slope / solve(problem).readout_norm - 1) < 1e-15)
    True
    """
    check_problem(problem)
    check_digits(digits)
    value = _value(problem, name)
    size = abs(value) if not value.is_zero else sp.S.One
    found = differentiate_problem(
        lambda change: _moved(problem, name, value + change),
        size,
        digits,
        mpmath.mpf(10) ** -digits,
        width,
    )
    slopes = dict(zip(QUANTITIES, found.slopes, strict=True))
    if not problem.ridge.penalty.is_positive and interpolates(problem):
        # in units of one over the penalty, like the trace itself
        trace = QUANTITIES.index("resolvent_trace")
        slope, error = found.slopes[trace], found.errors[trace]
        moves = abs(slope) > error
        slopes["resolvent_trace"] = (
            mpmath.inf * mpmath.sign(slope) if moves else mpmath.mpf(0)
        )
    return slopes


_ENTRY = re.compile(r"(\w+)\.(\w+)(?:\[(\d+)\])?")


def _value(problem: Problem, name: str) -> sp.Expr:
    """Read a number of the problem by its dotted name."""
    match = _ENTRY.fullmatch(name)
    table, key, index = match.groups() if match else ("", "", None)
    found = problem.tables().get(table, {}).get(key)
    if isinstance(found, tuple) and index is not None and int(index) < len(found):
        found = found[int(index)]
    elif isinstance(found, tuple) and index is None and len(found) == 1:
        found = found[0]
    if not isinstance(found, sp.Expr) or not found.is_number:
        raise InputError(
            "name",
            name,
            "no such number in this problem; of a list, give one as in "
            "features.spike[0]",
        )
    return found


def _moved(problem: Problem, name: str, value: sp.Expr) -> Problem:
    """Replace one number of the problem."""
    match = _ENTRY.fullmatch(name)
    assert match is not None
    table, key, index = match.groups()
    moved: Any = value
    if isinstance(entries := problem.tables()[table][key], tuple):
        moved, place = list(entries), int(index or 0)
        if key == "weights" and len(moved) > 1:
            share = (1 - value) / (1 - moved[place])
            moved = [share * weight for weight in moved]
        moved[place] = value
    try:
        return problem.with_values({f"{table}.{key}": moved})
    except InputError:
        says = "lies on the border of its domain, and has no derivative"
        raise InputError(name, _value(problem, name), says) from None
