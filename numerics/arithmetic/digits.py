"""Whole numbers that are asked for: of digits, of units."""

from operator import index

from detequiv.theory.errors import InputError

__all__ = ["check_digits", "check_whole"]

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
