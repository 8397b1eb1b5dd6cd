"""What number is this: integer relations, found at D digits and checked at 2 D.

Chance makes relations between n numbers, with integers up to H, once ``H^n`` is near
``10^D``; a shorter one is a short vector of a lattice (LLL). It is believed only if it
goes on to hold at twice the digits, where it was not looked for.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log2
from typing import Any

import flint
import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import bits, check_whole
from detequiv.numerics.discovery.kinds import (
    Constant,
    Kind,
    algebraic,
    linear,
    product,
    quotient,
)
from detequiv.numerics.solving import QUANTITIES, solve
from detequiv.theory.closed import natural_constants
from detequiv.theory.errors import InputError, is_name
from detequiv.theory.functions import exact, is_rounded
from detequiv.theory.precision import decimal_digits
from detequiv.theory.problem import Problem, law_of

__all__ = ["USUAL_CONSTANTS", "Identification", "identify"]

mpf = mpmath.mpf
USUAL_CONSTANTS = ("pi", "pi**2", "sqrt(2)", "sqrt(3)", "log(2)")
PRIMES = (2, 3, 5, 7)  # what products are made of, beside the constants
DEGREES = range(1, 9)  # of algebraic numbers
LEAST, MOST = 15, 120  # digits to look for a relation with; twice as many are checked
MOST_CONSTANTS = 12
CHANCE = mpf("1e-9")  # above it, nothing is claimed
ROOM = 20  # digits carried beyond those checked
SPARE = 40  # bits that the last digits of a number may happen to lack
_DECIMAL = re.compile(r"[+-]?(\d*\.?\d*)(?:e[+-]?\d+)?", re.IGNORECASE)
_ADVICE = (
    "is rounded to 16 digits, which cannot tell a relation from chance; give text of "
    "30 digits or more, a function of the number of digits, or a problem"
)


@dataclass(frozen=True, kw_only=True)
class Identification:
    """What a number is, as far as its digits tell.

    Attributes
    ----------
    expression : Expr
        Exact; rational numbers combine the constants, or a polynomial has it as root.
    kind : str
        "linear", "quotient" or "product" of constants, or "algebraic".
    height : int
        Largest integer of the relation.
    digits_checked : int
        To how many digits the expression and the number agree: twice as many as the
        relation was found with.
    chance : mpf
        Bound of the probability that some relation, of any kind looked for, that is no
        more complex than this one holds by chance: for a number whose logarithm is
        uniform over an interval of length one. Relations count as no more complex if
        their kind has, up to their height, no more values than this kind up to its.
    """

    expression: sp.Expr
    kind: str
    height: int
    digits_checked: int
    chance: mpmath.mpf

    def text(self) -> str:
        """One line with what is claimed and on what ground."""
        chance = mpmath.nstr(self.chance, 2)
        return (
            f"{self.expression} ({self.kind}; {self.digits_checked} digits agree; "
            f"by chance with probability below {chance})"
        )


@dataclass(frozen=True)
class _Value:
    """A number, the digits it is searched with and checked to, and its error there."""

    number: mpmath.mpf
    searched: int
    checked: int
    error: mpmath.mpf


def identify(
    value: Any,
    *,
    quantity: str | None = None,
    constants: Sequence[Any] | None = None,
    digits: int = 50,
) -> Identification | None:
    """Look for a number among combinations of constants, and algebraic numbers.

    Parameters
    ----------
    value : Problem, callable, str, mpf or Expr
        A problem, of which one quantity is meant; a function of the number of digits
        that returns the number to so many significant ones; text of decimals, all
        taken to be right; an mpf right to twice `digits`; or an exact expression.
    quantity : str, optional
        Of a problem; the generalisation error by default.
    constants : sequence of number or str, optional
        Such as ``["pi", "sqrt(3)"]``. By default those that the moments of a problem's
        activation are made of, or else `USUAL_CONSTANTS`. One that is a rational
        combination of those before it is left out.
    digits : int
        Digits with which relations are looked for, 15 to 120; of decimals, half of
        them if they are fewer than twice as many.

    Returns
    -------
    Identification or None
        The simplest relation that holds at twice the digits; None if there is none.

    Raises
    ------
    InputError
        A number rounded to float64, or to too few digits; one that vanishes or is not
        finite; an unknown quantity; a constant that is no number other than 0.
    ConvergenceError
        A problem could not be solved to the digits.

    Examples
    --------
    >>> found = identify(lambda digits: mpmath.zeta(2))
    >>> print(found.expression, found.digits_checked, found.chance < 1e-90)
    pi**2/6 100 True
    >>> identify("0.33333333333333333333333333333333333333334000") is None
    True
    """
    check_whole("digits", digits)
    if not LEAST <= digits <= MOST:
        raise InputError("digits", digits, f"give a number from {LEAST} to {MOST}")
    if isinstance(value, Problem):
        name = _checked_quantity(quantity)
        if constants is None:
            constants = natural_constants(law_of(value)) or None
        found = _of_problem(value, name, digits)
    elif quantity is not None:
        raise InputError("quantity", quantity, "is that of a problem; give a problem")
    else:
        found = _read(value, digits)
    if not (found.number and mpmath.isfinite(found.number)):
        raise InputError(
            "value", found.number, "give a number that is finite and not 0"
        )
    with decimal_digits(found.checked + ROOM):
        known = _independent(_numbers(constants, found.checked), found)
        return _simplest(found, known)


def _simplest(value: _Value, constants: Sequence[Constant]) -> Identification | None:
    """Choose the relation of fewest rivals among those of all kinds."""
    x = value.number
    whole = [(sp.Integer(q), mpf(q)) for q in PRIMES]
    factors = whole + [c for c in constants if not _is_product(c, whole, value)]
    kinds = [linear(x, constants), product(x, factors)]
    if constants:
        kinds.append(quotient(x, constants))
    kinds += [algebraic(x, degree) for degree in DEGREES]
    best: Identification | None = None
    for kind in kinds:
        for expression, height in _relations(kind, value):
            rivals = len(kinds) * kind.count(height)
            chance = rivals * 2 * value.error / abs(x)
            if chance < (CHANCE if best is None else best.chance):
                best = Identification(
                    expression=expression,
                    kind=kind.name,
                    height=height,
                    digits_checked=value.checked,
                    chance=+chance,
                )
    return best


def _relations(kind: Kind, value: _Value) -> Iterator[tuple[sp.Expr, int]]:
    """Yield relations of one kind that hold to all digits of the value."""
    x, moves = value.number, kind.moves
    scale = mpf(10) ** value.searched / max(moves)
    size = len(kind.numbers)
    rows = [
        [int(i == j) for j in range(size)] + [int(mpmath.nint(scale * v))]
        for i, v in enumerate(kind.numbers)
    ]
    relative = value.error / abs(x)
    for row in flint.fmpz_mat(rows).lll().tolist():
        integers = [int(a) for a in row[:size]]
        rest = mpmath.fdot(integers, kind.numbers)
        moved = mpmath.fdot(map(abs, integers), moves)
        if not moved or abs(rest) > 2 * relative * moved:
            continue
        for expression, height in kind.expressions(integers):
            number = _evaluate(expression, value.checked + ROOM)
            if abs(number - x) <= value.error:
                yield expression, height


def _evaluate(expression: sp.Expr, digits: int) -> mpmath.mpf:
    """Evaluate an exact real number to so many digits."""
    return sp.N(expression, digits)._to_mpmath(bits(digits))


def _independent(constants: Sequence[Constant], value: _Value) -> list[Constant]:
    """Leave out what is a rational combination of 1 and the constants before it."""
    kept: list[Constant] = []
    for constant in constants:
        there = _exactly(constant, value)
        if not any(_relations(linear(constant[1], kept), there)):
            kept.append(constant)
    return kept


def _is_product(constant: Constant, factors: Sequence[Constant], value: _Value) -> bool:
    return any(_relations(product(constant[1], factors), _exactly(constant, value)))


def _exactly(constant: Constant, value: _Value) -> _Value:
    number = constant[1]
    error = abs(number) * mpf(10) ** -value.checked
    return _Value(number, value.searched, value.checked, error)


def _numbers(constants: Sequence[Any] | None, digits: int) -> list[Constant]:
    given = USUAL_CONSTANTS if constants is None else constants
    if isinstance(given, str) or len(given) > MOST_CONSTANTS:
        raise InputError(
            "constants", given, f"give a list of at most {MOST_CONSTANTS} numbers"
        )
    read = [exact(c, "constants") for c in given]
    for constant in read:
        if constant.is_zero:
            raise InputError("constants", constant, "give numbers other than 0")
    return [(c, _evaluate(c, digits + ROOM)) for c in read]


def _checked_quantity(name: str | None) -> str:
    name = QUANTITIES[0] if name is None else name
    if not is_name(name, QUANTITIES):
        raise InputError("quantity", name, f"unknown; known: {', '.join(QUANTITIES)}")
    return name


def _of_problem(problem: Problem, name: str, digits: int) -> _Value:
    checked = 2 * digits
    number = getattr(solve(problem, digits=checked + 2), name)
    return _Value(number, digits, checked, abs(number) * mpf(10) ** -checked)


def _read(value: Any, digits: int) -> _Value:
    """Read a number, and how many of its digits there are."""
    if isinstance(value, Decimal):
        value = str(value)
    if callable(value) and not isinstance(value, sp.Basic):
        return _of_function(value, digits)
    if isinstance(value, str) and (match := _DECIMAL.fullmatch(value.strip())):
        count = len(match[1].replace(".", "").lstrip("0"))
        if count < 2 * LEAST:
            raise InputError(
                "value", value, f"has {count} digits; give {2 * LEAST} or more"
            )
        searched = min(digits, count // 2)
        with decimal_digits(count + ROOM):
            number = mpf(value.strip())
            error = mpf(10) ** (mpmath.floor(mpmath.log10(abs(number))) + 1 - count)
        return _Value(number, searched, count, error)
    if isinstance(value, mpf):
        return _with_digits(value, digits)
    if isinstance(value, sp.Float):
        return _with_digits(value._to_mpmath(value._prec), digits)
    if is_rounded(value):
        raise InputError("value", value, _ADVICE)
    return _rounded(_evaluate(exact(value, "value"), 2 * digits + ROOM), digits)


def _rounded(number: mpmath.mpf, digits: int) -> _Value:
    with decimal_digits(2 * digits + ROOM):
        return _Value(
            number, digits, 2 * digits, abs(number) * mpf(10) ** (-2 * digits)
        )


def _with_digits(number: mpmath.mpf, digits: int) -> _Value:
    """Take a binary number for right to twice the digits, if it can hold them."""
    held = number.man.bit_length() if mpmath.isfinite(number) and number else bits(999)
    if held + SPARE < bits(2 * digits):
        raise InputError(
            "value",
            mpmath.nstr(number, 15),
            f"has {int(held / log2(10))} digits, and {2 * digits} are checked; give "
            "more, fewer `digits`, or a function of them",
        )
    return _rounded(number, digits)


def _of_function(function: Callable[[int], Any], digits: int) -> _Value:
    needed = 2 * digits + 2
    with decimal_digits(needed + ROOM):
        found = function(needed)
    read = _read(found, digits)
    if read.checked < 2 * digits:
        raise InputError(
            "value", found, f"are {read.checked} digits where {needed} were asked for"
        )
    return _rounded(read.number, digits)
