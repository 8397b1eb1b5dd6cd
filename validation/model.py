"""The spiked random feature model, sampled from its definition.

Nothing here knows of the theory: rows on a sphere, Gaussian inputs, a teacher.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = [
    "FirstLayer",
    "FloatArray",
    "Function",
    "SpikedModel",
    "draw_first_layer",
    "draw_inputs",
    "draw_rows",
    "group_sizes",
]

FloatArray = NDArray[np.float64]
Function = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, kw_only=True)
class SpikedModel:
    """Spiked random features and the teacher whose labels they are fitted to.

    Unit j of group q computes ``sigma(f_j . x)`` with ``f_j = rho_q w_j + u_q v``, the
    w_j uniform on the unit sphere of R^d and ``|v| = 1``. Inputs are
    ``x ~ N(0, I_d)``; labels ``y = g(<w*, x>) + noise * N(0, 1)``.
    Source: arXiv:2410.18938, section 2.

    Parameters
    ----------
    activation : callable
        sigma, elementwise on arrays. Picklable if an executor is to run the draws.
    spike, bulk, weights : tuple of float, length K
        u_q, rho_q and pi_q, the fraction of the units that is in group q.
    target : callable
        g, elementwise on arrays.
    alignment : float
        ``<w*, v>``, in [-1, 1].
    noise : float
        Standard deviation of the label noise.
    """

    activation: Function
    spike: tuple[float, ...]
    bulk: tuple[float, ...]
    weights: tuple[float, ...]
    target: Function
    alignment: float
    noise: float

    def __post_init__(self) -> None:
        """Refuse what cannot be sampled."""
        if not len(self.spike) == len(self.bulk) == len(self.weights) > 0:
            raise ValueError(
                f"spike, bulk, weights have lengths {len(self.spike)}, "
                f"{len(self.bulk)}, {len(self.weights)}: give one value a group in each"
            )
        if not -1 <= self.alignment <= 1:
            raise ValueError(f"alignment = {self.alignment}: must lie in [-1, 1]")
        if not self.noise >= 0:
            raise ValueError(
                f"noise = {self.noise}: must not be negative, "
                "it is a standard deviation"
            )

    def label(
        self, layer: "FirstLayer", inputs: FloatArray, rng: Generator
    ) -> FloatArray:
        """Noisy labels of the inputs, shape (n,)."""
        signal = self.signal(layer, inputs)
        return signal + self.noise * rng.standard_normal(len(inputs))

    def signal(self, layer: "FirstLayer", inputs: FloatArray) -> FloatArray:
        """``g(<w*, x>)`` for the inputs, shape (n,)."""
        return self.target(inputs @ layer.teacher)

    def features(self, layer: "FirstLayer", inputs: FloatArray) -> FloatArray:
        """Feature matrix Phi of the inputs, shape (n, p): ``sigma(f_j . x_mu)``."""
        return self.activation(inputs @ layer.rows.T)


@dataclass(frozen=True, kw_only=True)
class FirstLayer:
    """One draw of the first layer and of the two directions it goes with.

    Attributes
    ----------
    rows : ndarray, shape (p, d)
        The f_j, group after group.
    group : ndarray of int, shape (p,)
        Group q(j) of each unit.
    direction, teacher : ndarray, shape (d,)
        The unit vectors v and w*.
    """

    rows: FloatArray
    group: NDArray[np.int64]
    direction: FloatArray
    teacher: FloatArray


def group_sizes(weights: tuple[float, ...], total: int) -> NDArray[np.int64]:
    """Round ``weights * total`` to integers with that total, by largest remainder.

    Examples
    --------
    >>> group_sizes((0.4, 0.4, 0.2), 9)
    array([4, 3, 2])
    """
    share = np.asarray(weights) * (total / sum(weights))
    sizes = np.floor(share).astype(np.int64)
    # Shares that are equal but for rounding tie; the first group wins.
    order = np.argsort(np.round(sizes - share, 9), kind="stable")
    sizes[order[: total - sizes.sum()]] += 1
    return sizes


def draw_rows(rng: Generator, count: int, dimension: int) -> FloatArray:
    """Draw vectors uniform on the unit sphere, shape (count, dimension)."""
    rows = rng.standard_normal((count, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def draw_first_layer(
    model: SpikedModel, *, dimension: int, width: int, rng: Generator
) -> FirstLayer:
    """Draw v, w* with ``<w*, v>`` exactly the alignment, and the rows f_j."""
    group = np.repeat(np.arange(len(model.weights)), group_sizes(model.weights, width))
    direction, other = draw_rows(rng, 2, dimension)
    other -= (other @ direction) * direction
    other /= np.linalg.norm(other)
    teacher = model.alignment * direction + np.sqrt(1 - model.alignment**2) * other
    rows = draw_rows(rng, width, dimension)
    rows *= np.asarray(model.bulk)[group, None]
    rows += np.asarray(model.spike)[group, None] * direction
    return FirstLayer(rows=rows, group=group, direction=direction, teacher=teacher)


def draw_inputs(rng: Generator, count: int, dimension: int) -> FloatArray:
    """Draw inputs ``x ~ N(0, I_d)``, shape (count, dimension)."""
    return rng.standard_normal((count, dimension))
