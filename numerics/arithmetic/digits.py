"""Numbers that are asked for: of digits, of units, of seconds; places on an axis."""

from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.theory.errors import InputError

__all__ = ["check_digits", "check_finite", "check_positive", "check_whole"]

MOST = 250  # digits: errors are floats, and the smallest of these is 1e-308


def check_digits(digits: int) -> None:
    """Refuse a number of digits that cannot be vouched for.

    Raises
    ------
    InputError
        Not a whole number from 1 to 250.
    """
    check_whole("digits", digits)
    if digits > MOST:
        raise InputError("digits", digits, f"give at most {MOST}")


def check_whole(name: str, value: int) -> None:
    """Refuse what is no whole number of at least 1.

    Raises
    ------
    InputError
        With the name and the value.
    """
    try:
        whole = 0 if isinstance(value, bool) else index(value)
    except TypeError:
        whole = 0
    if whole < 1:
        raise InputError(name, value, "give a whole number of at least 1")


def check_positive(name: str, value: float) -> None:
    """Refuse what is no positive, finite number.

    Raises
    ------
    InputError
        With the name and the value.
    """
    number = check_finite(name, value)
    if number.ndim or isinstance(value, bool) or not number > 0:
        raise InputError(name, value, "give a positive number")


def check_finite(name: str, values: Any) -> NDArray[np.float64]:
    """Numbers in float64, all of them finite, as an array of the shape they have.

    Raises
    ------
    InputError
        With the name and the values.
    """
    try:
        numbers = np.asarray(values, np.float64) if values is not None else None
    except (TypeError, ValueError, OverflowError):
        numbers = None
    if numbers is None or isinstance(values, str | bytes):
        raise InputError(name, values, "give numbers")
    if not np.all(np.isfinite(numbers)):
        raise InputError(name, values, "is not finite; give finite numbers")
    return numbers
