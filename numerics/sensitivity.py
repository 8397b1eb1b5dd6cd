"""How a result moves with the problem: derivatives, and the best penalty.

Results are smooth functions of the numbers of a problem and known to any precision:
differences over steps far below the digits asked for are exact to them, and what is
left of the error is measured by halving the step.
"""

import re
from dataclasses import dataclass
from math import ceil
from typing import Any

import mpmath
import sympy as sp

from detequiv.numerics.digits import check_digits
from detequiv.numerics.solution import QUANTITIES
from detequiv.numerics.solve import solve
from detequiv.numerics.sweep import sweep
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.problem import Problem

__all__ = ["Optimum", "derivatives", "optimal_penalty"]

ATTEMPTS = 4  # with smaller steps
GRID = [sp.Integer(10) ** sp.Rational(k, 4) for k in range(-24, 25)]  # penalties
ITERATIONS = 60


def derivatives(
    problem: Problem, name: str, *, digits: int = 15
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

    Returns
    -------
    dict of str to mpf
        Derivatives by the names of the quantities.

    Raises
    ------
    InputError
        The name is unknown, or the number lies on the border of its domain.
    ConvergenceError
        The digits cannot be vouched for.

    Examples
    --------
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
    check_digits(digits)
    value = _value(problem, name)
    scale = abs(value) if not value.is_zero else sp.S.One
    places = ceil(digits / 4) + 2
    for _ in range(ATTEMPTS):
        step = scale * sp.Rational(1, 10**places)
        # the rounding error of a difference is that of the quantity over the step
        working = digits + places + 4
        sides = {
            k: solve(_moved(problem, name, value + k * step), digits=working)
            for k in (-4, -2, -1, 1, 2, 4)
        }
        with mpmath.workdps(working + 10):
            h = mpmath.mpf(sp.N(step, working + 10))
            size = mpmath.mpf(sp.N(scale, working + 10))
            slopes, good = {}, True
            for quantity in QUANTITIES:
                f = {k: getattr(side, quantity) for k, side in sides.items()}
                d1, d2, d4 = ((f[k] - f[-k]) / (2 * k * h) for k in (1, 2, 4))
                fine, coarse = (4 * d1 - d2) / 3, (4 * d2 - d4) / 3
                slopes[quantity] = (16 * fine - coarse) / 15
                unit = max(abs(fine), abs(f[1]) / size * mpmath.mpf(10) ** -digits)
                good &= bool(abs(fine - coarse) <= unit * mpmath.mpf(10) ** -digits)
        if good:
            return slopes
        places += 2
    raise ConvergenceError(
        f"{digits} digits of the derivatives by {name} cannot be vouched for; "
        "ask for fewer"
    )


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The penalty that minimises the generalisation error.

    Attributes
    ----------
    penalty : mpf
        Where.
    generalization_error : mpf
        The minimum.
    digits : int
        Decimal digits vouched for in both.
    problem : Problem
        The problem with that penalty.
    """

    penalty: mpmath.mpf
    generalization_error: mpmath.mpf
    digits: int
    problem: Problem


def optimal_penalty(problem: Problem, *, digits: int = 15) -> Optimum:
    """Find the ridge penalty of least generalisation error.

    The lowest point of a grid of four penalties a decade, from 1e-6 to 1e6, is
    refined by Newton's method on the derivative; that derivative changes sign within
    the last of the digits reported.

    Parameters
    ----------
    problem : Problem
        Its own penalty does not matter.
    digits : int
        Significant decimal digits of the penalty.

    Raises
    ------
    ConvergenceError
        The error is least at the ends of the grid, or the digits cannot be vouched for.

    Examples
    --------
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="relu", spike=1),
    ...     target=Target(function="z", noise="1/2"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    ... )
    >>> best = optimal_penalty(problem, digits=10)
    >>> slope = derivatives(best.problem, "ridge.penalty")["generalization_error"]
    >>> abs(slope) < 1e-10
    True
    """
    check_digits(digits)
    lower, start, upper = _bracket(problem)
    # three error sources, each 4 digits below: of the difference, of its rounding
    places = ceil(digits / 2) + 2
    working = digits + places + 4
    with mpmath.workdps(working + 10):
        bracket = [mpmath.log(v) for v in (lower, upper)]
        place = mpmath.log(start)
        for _ in range(ITERATIONS):
            slope, bend, _ = _slope(problem, place, places, working)
            bracket[0 if slope < 0 else 1] = place
            goal = place - slope / bend if bend > 0 else bracket[0]
            if not bracket[0] < goal < bracket[1]:
                goal = sum(bracket) / 2
            change, place = abs(goal - place), goal
            if change < mpmath.mpf(10) ** -(digits + 2):
                break
        margin = mpmath.mpf(10) ** -digits / 2
        below, _, _ = _slope(problem, place - margin, places, working)
        above, _, _ = _slope(problem, place + margin, places, working)
        _, _, value = _slope(problem, place, places, working)
        if not below < 0 < above:
            raise ConvergenceError(
                f"{digits} digits of the optimal penalty, near "
                f"{mpmath.nstr(mpmath.exp(place), 6)}, cannot be vouched for; "
                "ask for fewer"
            )
        penalty = mpmath.exp(place)
    best = _moved(problem, "ridge.penalty", _exact(penalty))
    return Optimum(
        penalty=penalty, generalization_error=value, digits=digits, problem=best
    )


def _bracket(problem: Problem) -> list[mpmath.mpf]:
    """Three penalties, the error least at the middle one."""
    points = sweep([_moved(problem, "ridge.penalty", value) for value in GRID])
    errors = [
        mpmath.inf if point.failure else point.values["generalization_error"]
        for point in points
    ]
    least = errors.index(min(errors))
    if least in (0, len(GRID) - 1):
        raise ConvergenceError(
            "the generalisation error keeps falling as the penalty "
            f"{'falls' if least == 0 else 'grows'} to {float(GRID[least]):.0e}: "
            "it has no minimum between"
        )
    return [mpmath.mpf(sp.N(v, 30)) for v in GRID[least - 1 : least + 2]]


def _slope(
    problem: Problem, place: mpmath.mpf, places: int, working: int
) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    """Two derivatives of the test error by the logarithm of the penalty; the error."""
    h = mpmath.mpf(10) ** -places
    low, middle, high = (
        solve(
            _moved(problem, "ridge.penalty", _exact(mpmath.exp(place + k * h))),
            digits=working,
        ).generalization_error
        for k in (-1, 0, 1)
    )
    return (high - low) / (2 * h), (high - 2 * middle + low) / h**2, middle


def _exact(value: mpmath.mpf) -> sp.Rational:
    """Write a binary number as the exact fraction that it is."""
    sign, mantissa, exponent, _ = value._mpf_
    return sp.Rational((-1) ** sign * int(mantissa)) * sp.Rational(2) ** int(exponent)


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
            "name", name, "no such number; of a list, give one as in features.spike[0]"
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
