"""Lists of numbers in a problem: one a group, fractions of the units, or vectors."""

from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import exact, is_rounded, sign
from detequiv.theory.problem.tables.vectors import is_list, is_nested, read_vectors

__all__ = ["MOST_GROUPS", "read_fractions", "read_numbers", "read_numbers_or_vectors"]

Numbers = Any  # a number, or a sequence of them
MOST_GROUPS = 8


def read_numbers(value: Numbers, field: str) -> tuple[sp.Expr, ...]:
    """Read one number or a list of them, from 1 to `MOST_GROUPS`."""
    value = _entries(value)
    if not 1 <= len(value) <= MOST_GROUPS:
        raise InputError(field, value, f"give from 1 to {MOST_GROUPS} numbers")
    return tuple(exact(v, field) for v in value)


def read_numbers_or_vectors(value: Any, field: str) -> tuple[Any, ...]:
    """Read numbers, or vectors of more than one."""
    if not is_nested(value):
        return read_numbers(value, field)
    if len(value) > MOST_GROUPS:
        raise InputError(field, value, f"give from 1 to {MOST_GROUPS} vectors")
    vectors = read_vectors(value, field)
    return sum(vectors, ()) if len(vectors[0]) == 1 else vectors


def read_fractions(
    value: Numbers | None, count: int, field: str
) -> tuple[sp.Expr, ...]:
    """Read fractions of sum 1."""
    if value is None:
        return (sp.Rational(1, count),) * count
    numbers = read_numbers(value, field)
    if len(numbers) != count:
        raise InputError(field, value, f"give {count} numbers, one a group")
    if not all(sign(v) > 0 for v in numbers):
        raise InputError(field, value, "must be positive")
    total = sum(numbers)
    rounding = count * max(map(is_rounded, _entries(value)))
    if rounding and abs(total - 1) <= rounding:
        return tuple(v / total for v in numbers)
    if not (total - 1).equals(0):
        raise InputError(
            field,
            value,
            f"must sum to 1, and miss it by {sp.N(abs(total - 1), 3)}; write thirds "
            "as '1/3'",
        )
    return numbers


def _entries(value: Any) -> list[Any]:
    """Entries of a list or an array, or the one number as a list."""
    return list(value) if is_list(value) else [value]
