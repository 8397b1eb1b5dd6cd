"""The physical branch, enclosed.

The two equations of :mod:`detequiv.theory.closed.reduction` are monotone: bisection
with signs that balls prove encloses their one solution with w > 0 and W > 0, and no
other branch can be met.
"""

from collections.abc import Callable
from typing import Any

import flint

from detequiv.numerics.arithmetic import precision, to_ball
from detequiv.theory.closed import Untrained
from detequiv.theory.errors import ConvergenceError, InputError

__all__ = ["enclose_branch"]

arb = flint.arb
FARTHEST = 4000  # halvings or doublings before a search gives up


def enclose_branch(untrained: Untrained, digits: int) -> tuple[Any, Any]:
    """Enclose w and W at the stationary point.

    Parameters
    ----------
    untrained : Untrained
        With numbers for all its parameters.
    digits : int
        Decimal digits to which both are enclosed, nearly.

    Returns
    -------
    (arb, arb)
        Balls that contain w and W, provably; W is w where no group has a linear part.
    """
    if untrained.free:
        name = str(untrained.free[0])
        raise InputError(name, "(a symbol)", "has no number; give one with `at`")
    with precision(digits + 20):
        return _Branch(untrained, digits).enclose()


class _Branch:
    """The two monotone equations in balls."""

    def __init__(self, untrained: Untrained, digits: int) -> None:
        def ball(value: Any) -> Any:
            return to_ball(value.subs(untrained.values))

        u = untrained
        self.groups = [
            tuple(map(ball, group))
            for group in zip(u.weights, u.linear, u.rest, strict=True)
        ]
        self.units = ball(u.units)
        self.samples = ball(u.samples) / self.units
        self.penalty = arb(1) if u.interpolating else ball(u.penalty)
        self.constant = 0 if u.interpolating else 1
        self.is_coupled = any(u.linear)
        self.tolerance = arb(10) ** -digits

    def enclose(self) -> tuple[Any, Any]:
        """Bisect in w, and in W for every w."""
        low, high = self._bisect(self._trace, arb(1))
        outer = low.union(high)
        if not self.is_coupled:
            return outer, outer
        return outer, self._coupled(low).union(self._coupled(high))

    def _trace(self, w: Any) -> Any:
        """``w + sum pi (1 - lambda g) - samples``, which grows with w."""
        coupled = self._coupled(w) if self.is_coupled else w
        total = self.constant * w - self.samples
        for share, linear, rest in self.groups:
            own = w * rest + coupled * linear
            total += share * own / (self.penalty + own)
        return total

    def _coupled(self, w: Any) -> Any:
        """W(w), the root of a function that grows with W; grows with w itself."""

        def balance(coupled: Any) -> Any:
            total = coupled / w - 1
            for share, linear, rest in self.groups:
                own = self.penalty + w * rest + coupled * linear
                total += self.units * share * linear * coupled / own
            return total

        low, high = self._bisect(balance, w)
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
