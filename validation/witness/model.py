"""The spiked random feature model, sampled from its definition.

Nothing here knows of the theory: rows on a sphere, Gaussian inputs, a teacher.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detequiv.validation.witness.losses import Labels

__all__ = [
    "Covariance",
    "FirstLayer",
    "FloatArray",
    "Function",
    "InputsModel",
    "Model",
    "SpikedModel",
    "draw_first_layer",
    "draw_inputs",
    "group_sizes",
    "on_sphere",
]

# Inputs whose features are computed together.
BLOCK = 256

FloatArray = NDArray[np.float64]
Function = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, kw_only=True)
class Covariance:
    """Covariance of the inputs, diagonal, level after level.

    Attributes
    ----------
    eigenvalues, shares, power : tuple of float
        Variance of each level, the fraction of the directions that have it, and the
        share of the variance of ``<w*, x>`` that comes from it.
    """

    eigenvalues: tuple[float, ...]
    shares: tuple[float, ...]
    power: tuple[float, ...]

    def deviations(self, dimension: int) -> FloatArray:
        """Take the standard deviation of each of so many inputs.

        Raises
        ------
        ValueError
            A level is left without a direction.
        """
        return np.repeat(np.sqrt(self.eigenvalues), self._sizes(dimension))

    def axes(self, normals: FloatArray) -> FloatArray:
        """Two orthonormal vectors, uniform but for their power on each level.

        Parameters
        ----------
        normals : ndarray, shape (2, d)
            Independent standard normal numbers.

        Raises
        ------
        ValueError
            A level is left without a direction.
        """
        axes = np.zeros_like(normals)
        ends = np.cumsum(self._sizes(normals.shape[1]))
        for start, end, power in zip([0, *ends], ends, self.power, strict=False):
            first, second = on_sphere(normals[:, start:end])
            second -= (second @ first) * first
            axes[0, start:end] = np.sqrt(power) * first
            if end - start > 1:
                axes[1, start:end] = np.sqrt(power) * second / np.linalg.norm(second)
        return axes

    def _sizes(self, dimension: int) -> NDArray[np.int64]:
        sizes = group_sizes(self.shares, dimension)
        if not (sizes > 0).all():
            raise ValueError(
                f"dimension = {dimension}: leaves a level of the covariance without a "
                "direction; enlarge it"
            )
        return sizes


@dataclass(frozen=True, kw_only=True)
class Model(ABC):
    """Random features and the teacher whose labels they are fitted to.

    Inputs are ``x ~ N(0, Sigma)``, ``Sigma = I`` unless given; they are drawn as
    ``x = Sigma^(1/2) z``, and all vectors below are those that multiply z. Labels
    ``y = f*(<w*, x>) + noise * N(0, 1)``, or -1 and 1; unit j computes
    ``sigma(f_j . x)``. What the rows f_j are is a matter of the subclass.

    Parameters
    ----------
    activation : callable
        sigma, elementwise on arrays. Picklable if an executor is to run the draws.
    weights : tuple of float, length K
        pi_q, the fraction of the units that is in group q.
    target : callable
        g, elementwise on arrays.
    noise : float
        Standard deviation of the label noise.
    covariance : Covariance, optional
        Sigma.
    labels : Labels, optional
        How labels of -1 and 1 are drawn.
    """

    activation: Function
    weights: tuple[float, ...]
    target: Function
    noise: float
    # draws of isotropic inputs keep the names that they have been stored by
    covariance: Covariance | None = field(default=None, repr=False)
    labels: Labels | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be sampled."""
        if not self.noise >= 0:
            raise ValueError(
                f"noise = {self.noise}: must not be negative, "
                "it is a standard deviation"
            )

    @abstractmethod
    def first_layer(
        self,
        normals: FloatArray,
        group: NDArray[np.int64],
        axes: FloatArray,
        deviations: FloatArray,
        rng: Generator,
    ) -> "FirstLayer":
        """Make the rows of one draw.

        Parameters
        ----------
        normals : ndarray, shape (p, d)
            Independent standard normal numbers, for the rows at initialisation.
        group : ndarray of int, shape (p,)
            Group of each unit.
        axes : ndarray, shape (2, d)
            Two orthonormal vectors, uniform or with the power of the covariance.
        deviations : ndarray, shape (d,)
            Square roots of Sigma's eigenvalues.
        rng : Generator
            For whatever else is random.
        """

    def label(
        self, layer: "FirstLayer", inputs: FloatArray, rng: Generator
    ) -> FloatArray:
        """Noisy labels of the inputs, shape (n,)."""
        signal = self.signal(layer, inputs)
        if self.labels is not None:
            return self.labels.draw(signal, self.noise, rng)
        return signal + self.noise * rng.standard_normal(len(inputs))

    @property
    def mean(self) -> Function:
        """Mean of the labels given ``<w*, x>``, elementwise on arrays."""
        return self.target if self.labels is None else self.labels.mean

    def signal(self, layer: "FirstLayer", inputs: FloatArray) -> FloatArray:
        """``f*(<w*, x>)`` for the inputs, shape (n,)."""
        return self.target(inputs @ layer.teacher)

    def features(self, layer: "FirstLayer", inputs: FloatArray) -> FloatArray:
        """Feature matrix Phi of the inputs, shape (n, p): ``sigma(f_j . x_mu)``."""
        phi = np.empty((len(inputs), len(layer.rows)))
        # In blocks, which a processor's cache holds while the activation passes them.
        for start in range(0, len(inputs), BLOCK):
            block = slice(start, start + BLOCK)
            phi[block] = self.activation(inputs[block] @ layer.rows.T)
        return phi


@dataclass(frozen=True, kw_only=True)
class SpikedModel(Model):
    """Spiked random features, to be fitted to a teacher.

    Unit j of group q has the row ``f_j = rho_q w_j + u_q v``, the w_j uniform on the
    unit sphere of R^d and ``|v| = 1``. Source: arXiv:2410.18938, section 2.

    Parameters
    ----------
    activation, weights, target, noise
        As for `Model`.
    spike, bulk : tuple of float, length K
        u_q and rho_q.
    alignment : float
        ``<w*, v>``, in [-1, 1].
    """

    spike: tuple[float, ...]
    bulk: tuple[float, ...]
    alignment: float

    def __post_init__(self) -> None:
        """Refuse what cannot be sampled."""
        super().__post_init__()
        if not len(self.spike) == len(self.bulk) == len(self.weights) > 0:
            raise ValueError(
                f"spike, bulk, weights have lengths {len(self.spike)}, "
                f"{len(self.bulk)}, {len(self.weights)}: give one value a group in each"
            )
        if not -1 <= self.alignment <= 1:
            raise ValueError(f"alignment = {self.alignment}: must lie in [-1, 1]")

    def first_layer(
        self,
        normals: FloatArray,
        group: NDArray[np.int64],
        axes: FloatArray,
        deviations: FloatArray,
        rng: Generator,
    ) -> "FirstLayer":
        """Rows ``rho_q w_j + u_q v``, with ``<w*, v>`` exactly the alignment."""
        direction, other = axes
        teacher = self.alignment * direction + np.sqrt(1 - self.alignment**2) * other
        rows = on_sphere(normals) * deviations
        overlap = rows @ direction
        rows *= np.asarray(self.bulk)[group, None]
        rows += np.asarray(self.spike)[group, None] * direction
        return FirstLayer(
            rows=rows,
            group=group,
            direction=direction,
            teacher=teacher,
            overlap=overlap,
        )


@dataclass(frozen=True, kw_only=True)
class InputsModel(Model):
    """No layer at all: unit j is the input ``x_j``, and there are d of them."""

    def first_layer(
        self,
        normals: FloatArray,
        group: NDArray[np.int64],
        axes: FloatArray,
        deviations: FloatArray,
        rng: Generator,
    ) -> "FirstLayer":
        """Rows of the square root of Sigma."""
        direction, _ = axes
        rows = np.diag(deviations)
        return FirstLayer(
            rows=rows,
            group=group,
            direction=direction,
            teacher=direction,
            overlap=rows @ direction,
        )


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
    overlap : ndarray, shape (p,)
        ``omega_j = <w_j, v>``, w_j the row at initialisation.
    """

    rows: FloatArray
    group: NDArray[np.int64]
    direction: FloatArray
    teacher: FloatArray
    overlap: FloatArray


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


def on_sphere(normals: FloatArray) -> FloatArray:
    """Scale each row to norm 1: uniform on the sphere if its entries are normal."""
    norm = np.sqrt(np.einsum("ji,ji->j", normals, normals))
    rows: FloatArray = normals / norm[:, None]
    return rows


def draw_first_layer(
    model: Model, *, dimension: int, width: int, rng: Generator
) -> FirstLayer:
    """Draw the rows f_j and the two directions they go with.

    From one seed all models start from the same rows and go on to the same inputs and
    labels: what else a model needs it draws from a generator of its own.
    """
    group = np.repeat(np.arange(len(model.weights)), group_sizes(model.weights, width))
    directions = rng.standard_normal((2, dimension))
    if model.covariance is None:
        direction, other = on_sphere(directions)
        other -= (other @ direction) * direction
        axes = np.array([direction, other / np.linalg.norm(other)])
        deviations = np.ones(dimension)
    else:
        axes = model.covariance.axes(directions)
        deviations = model.covariance.deviations(dimension)
    normals = rng.standard_normal((width, dimension))
    apart = np.random.default_rng(rng.integers(2**63, size=4))
    return model.first_layer(normals, group, axes, deviations, apart)


def draw_inputs(rng: Generator, count: int, dimension: int) -> FloatArray:
    """Draw inputs ``x ~ N(0, I_d)``, shape (count, dimension)."""
    return rng.standard_normal((count, dimension))
