r"""Expand a function in powers of a small number, the exponents being found.

From values on a geometric scale ``h_j = 2^j h_0`` of

.. math:: f(h) = \sum_k c_k h^{e_k}, \qquad e_0 < e_1 < \dots,

the ratio of the first two shows :math:`e_0`, and ``f(2h) - 2^{e_0} f(h)`` no longer has
that term: its ratio shows :math:`e_1`, and so on. Each exponent must be a rational of
small denominator to the digits that the next term leaves. The coefficients solve a
linear system, exact but for the terms left out; their error is seen by leaving out one
more. At the end the expansion must foretell the function where it was not seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf, isnan, log, nan
from typing import Any

import flint
import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import bits, precision, to_ball, to_mpf
from detequiv.theory.errors import ConvergenceError

__all__ = ["Powers", "find_powers"]

arb, arb_mat = flint.arb, flint.arb_mat
Ball = Any  # flint.arb
# f at h, to so many significant digits, and whether that must be measured there
Sample = Callable[[sp.Rational, int, bool], Ball]

DENOMINATORS = (1, 2, 3, 4)  # of exponents
SHARP = 2e-4  # how near to such a rational an exponent must be
DULL = 5e-3  # of those that are not reported
ALIKE = 5e-4  # how near to it the error must fall at fresh scales
SMALL = (10, 16, 24)  # decimal places of the first h, over the gap of the exponents
PILOT = 3  # exponents found at few digits, for the gap
MOST = 14  # terms beyond those asked for
SPARE = 12  # digits carried beyond the last term's
GUARD = 2  # digits of coefficients beyond those asked for
BITS = 20  # that a ratio must have
FRESH = (3, 48)  # scales, in units of the first, that no term was found from
FAR = sp.Rational(1, 50)  # where a sum that ends must still be the function


@dataclass(frozen=True)
class Powers:
    """What was found.

    Attributes
    ----------
    terms : list of (Rational, mpf)
        Exponents, increasing, and coefficients.
    next_exponent : Expr
        That of the first term left out; infinite if there is none.
    known : list of (Rational, arb)
        All terms found, those that were left out too.
    first : Rational
        The smallest h at which the function was seen.
    carried : int
        Digits to which it was seen.
    """

    terms: list[tuple[sp.Rational, mpmath.mpf]]
    next_exponent: sp.Expr
    known: list[tuple[sp.Rational, Ball]]
    first: sp.Rational
    carried: int

    def misses(self, sample: Sample, *, mirrored: bool = False) -> str:
        """Foretell the function where it was not seen; say what is missed, if anything.

        Parameters
        ----------
        sample : callable
            As of `find_powers`.
        mirrored : bool
            Whether it is the function at -h.
        """
        if mirrored and not all(e.is_Integer for e, _ in self.known):
            return "has powers that are not whole"
        with precision(self.carried + SPARE):  # which even a change of sign rounds to
            known = [(e, -c if mirrored and e % 2 else c) for e, c in self.known]
        if self.next_exponent is sp.oo:
            return self._misses_sum(sample, known)
        scales = [multiple * self.first for multiple in FRESH]
        values = [sample(h, self.carried, True) for h in scales]
        with precision(self.carried + SPARE):
            for k in range(len(self.terms) + 1):
                near, far = (
                    abs(value - _sum(known[:k], h))
                    for h, value in zip(scales, values, strict=True)
                )
                slope = _slope(near, far, FRESH[1] / FRESH[0])
                if not abs(slope - float(known[k][0])) < ALIKE:
                    return (
                        f"falls like a power {slope:.4f} after {k} terms at fresh "
                        f"scales, not {known[k][0]}"
                    )
        return ""

    def _misses_sum(self, sample: Sample, known: list[tuple[sp.Rational, Ball]]) -> str:
        value = sample(FAR, self.carried, True)
        with precision(self.carried + SPARE):
            rest = abs(value - _sum(known, FAR))
            scale = max(
                [abs(value).mid(), *(abs(c).mid() for _, c in known)], key=float
            )
            seen = rest > scale * arb(10) ** (-self.carried // 2)
        return f"is another function at {FAR}" if seen else ""


class _Unclear(ConvergenceError):
    """Another scale, or more digits, may show more."""

    def __init__(self, message: str, found: int) -> None:
        super().__init__(message)
        self.found = found


def find_powers(sample: Sample, count: int, digits: int) -> Powers:
    """Find the first terms of an expansion at ``h -> 0+``.

    Parameters
    ----------
    sample : callable
        The function at a rational h > 0, as a ball of so many significant digits; and
        whether these must be vouched for there, or may be on both sides of it.
    count : int
        How many terms.
    digits : int
        Significant decimal digits of every coefficient.

    Raises
    ------
    ConvergenceError
        No powers of small denominator are seen, or the digits cannot be vouched for;
        the message says how far it got.

    Examples
    --------
    >>> def root(h, digits, sure):
    ...     with precision(digits + 5):
    ...         return (1 + to_ball(h).sqrt()) ** 2 / to_ball(h)
    >>> found = find_powers(root, 3, 20)
    >>> [(str(e), int(mpmath.nint(c))) for e, c in found.terms], found.next_exponent
    ([('-1', 1), ('-1/2', 2), ('0', 1)], oo)
    """
    worst: _Unclear | None = None
    gap: float | None = None
    for places in SMALL:
        try:
            gap = _gap(sample, places) if gap is None else gap
            return _at_scale(sample, count, digits, places / gap, gap)
        except _Unclear as unclear:
            if worst is None or unclear.found >= worst.found:
                worst = unclear
    assert worst is not None
    raise ConvergenceError(str(worst))


def _gap(sample: Sample, places: int) -> float:
    """Smallest distance of the first exponents, or 1 if there is but one."""
    carried = (PILOT + 1) * places + SPARE
    found = _Found(sample, sp.Rational(1, 10**places), carried, PILOT)
    while len(found.exponents) < PILOT:
        try:
            if not found.extend():
                break
        except _Unclear:
            if len(found.exponents) < 2:
                raise
            break
    gaps = (b - a for a, b in pairwise(found.exponents))
    return float(min(gaps, default=1))


def _at_scale(
    sample: Sample, count: int, digits: int, places: float, gap: float
) -> Powers:
    """Find terms from a first h of ``10^-places`` until their digits are there."""
    expected = count + 2 + ceil(digits / (places * gap - 2))
    carried = ceil(places * gap * expected) + SPARE
    first = sp.Rational(1, 10 ** ceil(places))
    found = _Found(sample, first, carried, count)
    errors: list[float] = []
    while len(found.exponents) < count + MOST:
        more = found.extend()
        if not more:
            if any(c.rel_accuracy_bits() < bits(digits + GUARD) for c in found.solve()):
                raise found.unclear("is lost in rounding")
            return _confirmed(found, found.solve(), count)
        if len(found.exponents) > count + 1:
            coefficients, errors = found.coefficients()
            if max(errors[:count]) <= 10.0 ** -(digits + GUARD):
                return _confirmed(found, coefficients, count)
    reached = -max(mpmath.log10(e) for e in errors[:count])
    raise _Unclear(
        f"{max(0, int(reached))} of {digits} digits of the coefficients can be vouched "
        "for; ask for fewer digits or terms",
        len(found.exponents),
    )


class _Found:
    """Exponents found so far, and the values that showed them.

    Parameters
    ----------
    sample : callable
        As of `find_powers`.
    first : Rational
        h_0.
    digits : int
        To which it is asked.
    sure : int
        How many exponents, and the next, must be sharp.
    """

    def __init__(
        self, sample: Sample, first: sp.Rational, digits: int, sure: int
    ) -> None:
        self.sample, self.first, self.digits, self.sure = sample, first, digits, sure
        self.exponents: list[sp.Rational] = []
        self.values: list[Ball] = []

    def extend(self) -> bool:
        """Find one more exponent; False if there is nothing left."""
        wanted = len(self.exponents) + 3
        while len(self.values) < wanted:
            h = self.first * 2 ** len(self.values)
            self.values.append(self.sample(h, self.digits, len(self.values) < 2))
        with precision(self.digits + SPARE):
            rest = self.values[:wanted]
            for e in self.exponents:
                factor = arb(2) ** to_ball(e)
                rest = [b - factor * a for a, b in pairwise(rest)]
            if all(value.contains(0) for value in rest):
                return False
            near, far = _slope(rest[0], rest[1], 2), _slope(rest[1], rest[2], 2)
        if isnan(near) or isnan(far):
            raise self.unclear("is lost in rounding or changes sign")
        candidates = [sp.Rational(round(q * near), q) for q in DENOMINATORS]
        exponent = min(candidates, key=lambda e: abs(near - float(e)))
        apart, change = abs(near - float(exponent)), abs(far - near)
        # the next term is the nearer half of the change, or more if it is near
        sharp = SHARP if len(self.exponents) <= self.sure else DULL
        if apart > sharp + 3 * change or change > 10 * sharp:
            raise self.unclear(f"behaves there like a power {near:.5f}")
        if self.exponents and exponent <= self.exponents[-1]:
            raise self.unclear("shows no further power")
        self.exponents.append(exponent)
        return True

    def unclear(self, what: str) -> _Unclear:
        known = ", ".join(map(str, self.exponents)) or "none"
        return _Unclear(
            f"powers found: {known}; from {float(self.first):.0e} on the rest {what}",
            len(self.exponents),
        )

    def coefficients(self) -> tuple[list[Ball], list[float]]:
        """Coefficients of all terms, and relative errors of all but the last."""
        best, coarser = self.solve(), self.solve(len(self.exponents) - 1)
        errors = [_relative(a, b) for a, b in zip(best, coarser, strict=False)]
        return best, errors

    def solve(self, count: int | None = None) -> list[Ball]:
        """Coefficients of the first terms, by default all, without any others."""
        count = len(self.exponents) if count is None else count
        with precision(self.digits + SPARE):
            h = to_ball(self.first)
            powers = [to_ball(e) for e in self.exponents[:count]]
            matrix = arb_mat(
                [[arb(2) ** (j * e) for e in powers] for j in range(count)]
            )
            values = arb_mat(count, 1, self.values[:count])
            try:
                scaled = matrix.solve(values).entries()
            except ZeroDivisionError:
                raise self.unclear("cannot be told apart") from None
            return [c * h ** (-e) for c, e in zip(scaled, powers, strict=True)]


def _relative(best: Ball, coarser: Ball) -> float:
    """Relative error of the better of two values."""
    error = abs(best - coarser).upper()
    size = abs(best).lower()
    return float(error / size) if size > 0 else inf


def _confirmed(found: _Found, coefficients: list[Ball], count: int) -> Powers:
    """Take the terms, if they foretell the function at fresh scales."""
    exponents = found.exponents
    known = list(zip(exponents, coefficients, strict=True))
    powers = Powers(
        terms=[(e, to_mpf(c)) for e, c in known[:count]],
        next_exponent=exponents[count] if len(exponents) > count else sp.oo,
        known=known,
        first=found.first,
        carried=found.digits,
    )
    if missed := powers.misses(found.sample):
        raise found.unclear(missed)
    return powers


def _sum(terms: list[tuple[sp.Rational, Ball]], h: sp.Rational) -> Ball:
    x = to_ball(h)
    return sum((c * x ** to_ball(e) for e, c in terms), arb(0))


def _slope(near: Ball, far: Ball, ratio: float) -> float:
    """Power that takes a value to another, at a ratio of h; nan if that is unclear."""
    if not far / near > 0 or (far / near).rel_accuracy_bits() < BITS:
        return nan
    return float((far / near).log()) / log(ratio)
