"""Labels of -1 and 1, drawn from what they are defined by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["Labels"]

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels of -1 and 1 given the signal ``g(<w*, x>)``.

    Attributes
    ----------
    mean : callable
        Mean of a label given ``<w*, x>``: for averages over labels that are not drawn.
    slope : float or None
        ``P(y = 1) = 1 / (1 + exp(-slope g))``; None for the sign of the noisy signal.
    """

    mean: Callable[[Array], Array]
    slope: float | None = None

    def draw(self, signal: Array, noise: float, rng: Generator) -> Array:
        """Labels of the signals, shape (n,)."""
        if self.slope is None:
            labels: Array = np.sign(signal + noise * rng.standard_normal(len(signal)))
            return labels
        up = rng.random(len(signal)) * (1 + np.exp(-self.slope * signal)) < 1
        return np.where(up, 1.0, -1.0)
