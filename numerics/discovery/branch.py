"""The physical branch, enclosed.

The two equations of :mod:`detequiv.theory.closed.reduction` are monotone: bisection
with signs that balls prove encloses their one solution with w > 0 and W > 0, and no
other branch can be met.
"""

from collections.abc import Callable
from typing import Any

import flint

from detequiv.numerics.arithmetic import BALLS, compile_expressions, precision
from detequiv.theory.closed import Reduction, Untrained, coupled, weight
from detequiv.theory.errors import ConvergenceError, InputError

__all__ = ["check_numbers", "enclose_branch", "is_isolated", "refine_root"]

arb = flint.arb
FARTHEST = 4000  # halvings or doublings before a search gives up


def check_numbers(expression: Any, untrained: Untrained) -> None:
    """Refuse an expression with symbols that have no number.

    Raises
    ------
    InputError
        Naming the first of them.
    """
    lacking = expression.free_symbols & set(untrained.free)
    for symbol in sorted(lacking, key=str):
        raise InputError(str(symbol), "(a symbol)", "has no number; give one with `at`")


def enclose_branch(untrained: Untrained, digits: int) -> tuple[Any, Any]:
    """Enclose w and W at the stationary point.

    Parameters
    ----------
    untrained : Untrained
        With numbers for all that its equations have in them.
    digits : int
        Decimal digits to which both are enclosed, nearly.

    Returns
    -------
    (arb, arb)
        Balls that contain w and W, provably; W is w where no group has a linear part.

    Raises
    ------
    InputError
        A symbol of the equations has no number.
    """
    with precision(digits + 20):
        return _Branch(untrained, digits).enclose()


class _Branch:
    """The two monotone equations in balls."""

    def __init__(self, untrained: Untrained, digits: int) -> None:
        equations = [e.subs(untrained.values) for e in Reduction(untrained).monotone]
        for equation in equations:
            check_numbers(equation, untrained)
        self._values = [
            compile_expressions((weight, coupled), [e], BALLS) for e in equations
        ]
        self.tolerance = arb(10) ** -digits

    def enclose(self) -> tuple[Any, Any]:
        """Bisect in w, and in W for every w."""
        low, high = self._bisect(self._trace, arb(1))
        return low.union(high), self._coupled(low).union(self._coupled(high))

    def _trace(self, w: Any) -> Any:
        """First equation, along W(w)."""
        return self._values[0](w, self._coupled(w))[0]

    def _coupled(self, w: Any) -> Any:
        """W(w), which grows with w; w itself where no group has a linear part."""
        if len(self._values) == 1:
            return w
        low, high = self._bisect(lambda other: self._values[1](w, other)[0], w)
        return low.union(high)

    def _bisect(self, function: Callable[[Any], Any], start: Any) -> tuple[Any, Any]:
        """Narrow a sign change, both signs proved."""
        low = high = start.mid()
        for _ in range(FARTHEST):
            if function(low) < 0:
                break
            low = low / 2
        else:
            raise ConvergenceError("no point below the branch was found")
        for _ in range(FARTHEST):
            if function(high) > 0:
                break
            high = high * 2
        else:
            raise ConvergenceError("no point above the branch was found")
        while (high - low) > self.tolerance * high:
            for part in (2, 3, 5):
                middle = ((high - low) / part + low).mid()
                value = function(middle)
                if value < 0:
                    low = middle
                    break
                if value > 0:
                    high = middle
                    break
            else:  # the value is zero to the working precision
                break
        return low, high


def is_isolated(coefficients: list[Any], ball: Any) -> bool:
    """Whether a polynomial's derivative has no zero in a ball."""
    return not _slope(coefficients, ball).contains(0)


def refine_root(coefficients: list[Any], near: Any, steps: int) -> Any:
    """Narrow a ball around an isolated root to the working precision.

    Parameters
    ----------
    coefficients : list of arb
        That of the highest power first.
    near : arb
        Contains one root, and no zero of the derivative.
    steps : int
        Newton steps at most.

    Returns
    -------
    arb
    """
    for _ in range(steps):
        middle = near.mid()
        step = _value(coefficients, arb(middle)) / _slope(coefficients, near)
        narrowed = (middle - step).intersection(near)
        done = narrowed.rad() * 2 > near.rad()
        near = narrowed
        if done or near.rad() == 0:
            break
    return near


def _value(coefficients: list[Any], x: Any) -> Any:
    total = arb(0)
    for c in coefficients:
        total = total * x + c
    return total


def _slope(coefficients: list[Any], x: Any) -> Any:
    degree = len(coefficients) - 1
    return _value([c * (degree - i) for i, c in enumerate(coefficients[:-1])], x)
