"""What float64 cannot solve, said in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from detequiv.theory.errors import ConvergenceError

__all__ = ["float64_guard"]


@contextmanager
def float64_guard(advice: str = "try a larger ridge.penalty") -> Iterator[None]:
    """Keep the warnings of NumPy silent, and report its failures as our own.

    What overflows is not finite, and not vouched for.

    Parameters
    ----------
    advice : str
        What to do about a matrix that cannot be solved.

    Raises
    ------
    ConvergenceError
        A matrix is singular, or not positive definite.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except np.linalg.LinAlgError as error:
        raise ConvergenceError(
            f"float64 met a matrix that it cannot solve ({error}); {advice}"
        ) from None
