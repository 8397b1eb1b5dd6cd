"""The working precision of mpmath's numbers, set by one thread at a time.

It belongs to the process, as does that of balls: were it moved by another thread in
the middle of a sum, digits would be lost without a word. Whoever sets either holds one
lock until it is set back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import mpmath

__all__ = ["ONE_AT_A_TIME", "binary_digits", "decimal_digits"]

ONE_AT_A_TIME = RLock()


@contextmanager
def decimal_digits(count: float) -> Iterator[None]:
    """Work with so many decimal digits in a block."""
    with ONE_AT_A_TIME, mpmath.workdps(count):
        yield


@contextmanager
def binary_digits(count: int) -> Iterator[None]:
    """Work with so many binary digits in a block."""
    with ONE_AT_A_TIME, mpmath.workprec(count):
        yield
