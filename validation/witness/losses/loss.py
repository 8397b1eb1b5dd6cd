"""Losses of the margin and of the residual, with their derivatives by the fit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["LOSSES", "Loss"]

Array = NDArray[np.float64]
LOSSES = ("logistic", "hinge", "squared_hinge", "huber")


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A convex loss ``loss(y, f)``.

    Attributes
    ----------
    name : str
        ``"logistic"``: log(1 + exp(-y f)), ``"hinge"``: max(0, 1 - y f),
        ``"squared_hinge"``: its square, ``"huber"``: the square of r = y - f up to
        |r| = delta, then 2 delta |r| - delta^2.
    delta : float
        Of ``"huber"``.
    """

    name: str
    delta: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a name that is not known."""
        if self.name not in LOSSES:
            raise ValueError(f"name = {self.name!r}: one of {', '.join(LOSSES)}")

    def value(self, labels: Array, fit: Array) -> Array:
        """Loss of each sample."""
        if self.name == "huber":
            size = np.abs(labels - fit)
            near = np.minimum(size, self.delta)
            return np.asarray(near * (2 * size - near))
        if self.name == "logistic":
            return np.logaddexp(0, -labels * fit)
        short = np.maximum(0, 1 - labels * fit)
        return np.asarray(short if self.name == "hinge" else short**2)

    def slope(self, labels: Array, fit: Array) -> Array:
        """First derivative by the fit, of a smooth loss."""
        if self.name == "huber":
            return np.asarray(2 * np.clip(fit - labels, -self.delta, self.delta))
        if self.name == "logistic":
            return np.asarray(-labels * expit(-labels * fit))
        return np.asarray(-2 * labels * np.maximum(0, 1 - labels * fit))

    def curvature(self, labels: Array, fit: Array) -> Array:
        """Second derivative by the fit, of a smooth loss."""
        if self.name == "huber":
            return np.where(np.abs(labels - fit) < self.delta, 2.0, 0.0)
        if self.name == "logistic":
            return np.asarray(expit(fit) * expit(-fit))
        return np.where(labels * fit < 1, 2.0, 0.0)
