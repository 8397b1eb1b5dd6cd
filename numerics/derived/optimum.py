"""The ridge penalty of least generalisation error."""

from dataclasses import dataclass
from math import ceil

import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import check_digits
from detequiv.numerics.derived.implicit import (
    check_differentiable,
    differentiate_problem,
)
from detequiv.numerics.solving import QUANTITIES, sweep
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.precision import decimal_digits
from detequiv.theory.problem import Problem, check_problem

__all__ = ["Optimum", "optimal_penalty"]

GRID = [sp.Integer(10) ** sp.Rational(k, 4) for k in range(-24, 25)]  # penalties
SPACING = mpmath.log(10) / 4  # of their logarithms
MINIMISED = "generalization_error"
ITERATIONS = 60
FIRST_DIGITS = 25  # to which the minimum may be found at once
BEYOND = 5  # digits of a derivative beyond those of its zero, where it changes fast


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


def optimal_penalty(
    problem: Problem, *, digits: int = 15, width: int | None = None
) -> Optimum:
    """Find the ridge penalty of least generalisation error.

    From the lowest point of a grid of four penalties a decade, from 1e-6 to 1e6, the
    zero of the derivative is found by secants, with twice the digits whenever those
    asked for are there. That derivative, by implicit differentiation, changes sign
    within the last of the digits reported, by more than its error: that vouches for
    them.

    Parameters
    ----------
    problem : Problem
        Its own penalty does not matter.
    digits : int
        Significant decimal digits of the penalty.
    width : int, optional
        The number p of units, as for `solve`; by default the limit of infinite width.

    Raises
    ------
    ConvergenceError
        The error is least at the ends of the grid, or the digits cannot be vouched for.

    Examples
    --------
    >>> from detequiv.numerics.derived import derivatives
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
    check_problem(problem)
    check_digits(digits)
    problem.require_square("the optimal penalty")
    check_differentiable(problem, width)
    slope = _Slope(problem, width)
    place, bend, bracket = _bracket(problem, width)
    for rung in _rungs(digits):
        with decimal_digits(rung + 2 * BEYOND):
            place, bend, value = _zero(slope, place, bend, bracket, rung)
    with decimal_digits(digits + 2 * BEYOND):
        margin = mpmath.mpf(10) ** -digits / 2
        (below, error, _), (above, _, _) = (
            slope(place + k * margin, digits + _beyond(bend)) for k in (-1, 1)
        )
        penalty = mpmath.exp(place)
    if not (below < -error and above > error):
        raise ConvergenceError(
            f"{digits} digits of the optimal penalty, near {mpmath.nstr(penalty, 6)}, "
            "cannot be vouched for; ask for fewer"
        )
    best = problem.with_values({"ridge.penalty": _exact(penalty)})
    return Optimum(
        penalty=penalty, generalization_error=value, digits=digits, problem=best
    )


def _bracket(
    problem: Problem, width: int | None
) -> tuple[mpmath.mpf, mpmath.mpf, list[mpmath.mpf]]:
    """Lowest point of the grid, second derivative there, and its neighbours.

    All in logarithms, of the penalty and of the error.
    """
    points = sweep(
        [problem.with_values({"ridge.penalty": value}) for value in GRID],
        widths=None if width is None else [width] * len(GRID),
    )
    if all(point.failure for point in points) and points[0].failure:
        raise points[0].failure
    errors = [
        mpmath.inf if point.failure else mpmath.log(point.values[MINIMISED])
        for point in points
    ]
    least = errors.index(min(errors))
    if least in (0, len(GRID) - 1):
        raise ConvergenceError(
            "the generalisation error keeps falling as the penalty "
            f"{'falls' if least == 0 else 'grows'} to {float(GRID[least]):.0e}: "
            "it has no minimum between"
        )
    below, here, above = errors[least - 1 : least + 2]
    place = mpmath.log(mpmath.mpf(sp.N(GRID[least], 30)))
    bend = (below - 2 * here + above) / SPACING**2
    return place, bend, [place - SPACING, place + SPACING]


def _rungs(digits: int) -> list[int]:
    """Numbers of digits to go up to `digits`, each about twice the one before."""
    rungs = [digits]
    while rungs[0] > FIRST_DIGITS:
        rungs.insert(0, ceil(rungs[0] / 2) + 2)
    return rungs


def _beyond(bend: mpmath.mpf) -> int:
    """Digits of a derivative beyond those of its zero; more where it is flat."""
    flat = -mpmath.log10(bend) if bend > 0 else 0
    return BEYOND + max(0, ceil(flat))


class _Slope:
    """Derivative of the logarithm of the error by that of the penalty."""

    def __init__(self, problem: Problem, width: int | None) -> None:
        self._problem, self._width = problem, width

    def __call__(
        self, place: mpmath.mpf, digits: int
    ) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
        """Return the derivative, what is vouched for of it, and the error."""
        penalty = _exact(mpmath.exp(place))
        found = differentiate_problem(
            lambda d: self._problem.with_values({"ridge.penalty": penalty + d}),
            penalty,
            digits,
            mpmath.mpf(1),
            self._width,
        )
        k = QUANTITIES.index(MINIMISED)
        unit = mpmath.exp(place) / found.values[k]
        return found.slopes[k] * unit, found.errors[k] * unit, found.values[k]


def _zero(
    slope: _Slope,
    place: mpmath.mpf,
    bend: mpmath.mpf,
    bracket: list[mpmath.mpf],
    digits: int,
) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    """Go on by secants within the bracket; the place, the bend there, and the error."""
    last: tuple[mpmath.mpf, mpmath.mpf] | None = None
    for _ in range(ITERATIONS):
        here, _, value = slope(place, digits + _beyond(bend))
        if last is not None and last[0] != place:
            bend = (here - last[1]) / (place - last[0])
        last = place, here
        bracket[0 if here < 0 else 1] = place
        goal = place - here / bend if bend > 0 else mpmath.inf
        if abs(goal - place) < mpmath.mpf(10) ** -(digits + 1):
            place = goal
            break
        inside = bracket[0] < goal < bracket[1]
        place = goal if inside else sum(bracket) / 2
    return place, bend, value


def _exact(value: mpmath.mpf) -> sp.Rational:
    """Write a binary number as the exact fraction that it is."""
    sign, mantissa, exponent, _ = value._mpf_
    return sp.Rational((-1) ** sign * int(mantissa)) * sp.Rational(2) ** int(exponent)
