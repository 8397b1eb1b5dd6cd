"""The distribution function of a limit law, and how far a matrix is from it."""

import numpy as np

from detequiv.numerics.spectrum import Spectrum
from detequiv.validation.witness import FloatArray

__all__ = ["Distribution"]

POINTS = 4000  # at which the function is tabulated


class Distribution:
    """Distribution function of a law whose support is one interval, atom apart.

    Parameters
    ----------
    law : Spectrum
        The law.

    Raises
    ------
    ValueError
        The support has gaps, or an end that is not regular: the function is tabulated
        between square-root ends.
    """

    def __init__(self, law: Spectrum) -> None:
        ends = [e for i in law.support for e in (i.lower, i.upper)]
        if [end.kind for end in ends] != ["regular", "regular"]:
            raise ValueError("support: one interval with regular ends is needed")
        self.low, self.high = (float(end.value) for end in ends)
        # Equal steps of an angle, at which the density times dx is smooth.
        angle = np.pi * (np.arange(POINTS) + 0.5) / POINTS
        ratio = np.log(self.high / self.low)
        middle = self.low * np.exp(ratio * (1 - np.cos(angle)) / 2)
        mass = law.density(middle) * middle * ratio * np.sin(angle) / 2
        self._places = self.low * np.exp(
            ratio * (1 - np.cos(np.linspace(0, np.pi, POINTS + 1))) / 2
        )
        below = np.cumsum(mass) * np.pi / POINTS
        self._below = law.atom_at_zero + np.concatenate([[0.0], below])

    @property
    def total(self) -> float:
        """Mass of the law: 1, but for the error of the table."""
        return float(self._below[-1])

    def __call__(self, x: FloatArray) -> FloatArray:
        """Mass at or below each x."""
        return np.interp(x, self._places, self._below)

    def distances(self, eigenvalues: FloatArray) -> tuple[float, float]:
        """Mean and largest distance from the distribution function of a matrix.

        Both over the bulk, where the few outliers do not count; the mean is taken over
        its length.
        """
        ordered = np.sort(eigenvalues)
        inside = ordered[(ordered > self.low) & (ordered < self.high)]
        x = np.sort(np.concatenate([self._places, inside]))
        law = self(x)
        steps = np.searchsorted(ordered, x, side="right") / len(ordered)
        # between neighbours the matrix's function is the left one's
        left = np.abs(law[:-1] - steps[:-1])
        right = np.abs(law[1:] - steps[:-1])
        area = float(np.sum((left + right) / 2 * np.diff(x)))
        return area / (self.high - self.low), float(np.max(np.maximum(left, right)))
