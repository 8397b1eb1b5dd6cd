"""How many digits may be asked for."""

from operator import index

from detequiv.theory.errors import InputError

__all__ = ["check_digits"]

MOST = 250  # errors are floats, and the smallest of these is 1e-308


def check_digits(digits: int) -> None:
    """Refuse a number of digits that cannot be vouched for.

    Raises
    ------
    InputError
        Not a whole number from 1 to 250.
    """
    try:
        whole = index(digits)
    except TypeError:
        whole = 0
    if not 1 <= whole <= MOST:
        says = f"give a whole number of at least 1, at most {MOST}"
        raise InputError("digits", digits, says)
