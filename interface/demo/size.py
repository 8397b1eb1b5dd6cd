"""How much the demonstration simulates."""

from dataclasses import dataclass

__all__ = ["Size"]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is simulated.

    Attributes
    ----------
    dimension, repetitions : int
        d of test errors and learned functions, and draws of each.
    large : int
        d of the matrix whose eigenvalues are drawn.
    samples : tuple of str
        n/d of the simulated points.
    """

    dimension: int = 400
    repetitions: int = 6
    large: int = 600
    samples: tuple[str, ...] = ("3/4", "1", "3/2", "2", "3", "4", "6")
