"""Spiked random features with several spikes, sampled from their definition."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detequiv.validation.witness.model import (
    FirstLayer,
    FloatArray,
    Model,
    on_sphere,
)

__all__ = ["SeveralModel", "SpikesModel", "orthonormal"]


@dataclass(frozen=True, kw_only=True)
class SeveralModel(Model):
    """A model whose labels depend on several projections.

    Its `target` takes arrays of shape (n, k). The `teacher` of a layer has k
    orthonormal rows.

    Parameters
    ----------
    activation, weights, target, noise
        As for `Model`.
    projections : int
        k.
    """

    projections: int

    def signal(self, layer: FirstLayer, inputs: FloatArray) -> FloatArray:
        """``g(z)`` for the inputs, shape (n,)."""
        return self.target(inputs @ layer.teacher.T)


@dataclass(frozen=True, kw_only=True)
class SpikesModel(SeveralModel):
    """Random features with several spikes.

    Unit j of group q has the row ``f_j = rho_q w_j + sum_i U_qi v_i``, the w_j uniform
    on the unit sphere of R^d and the v_i orthonormal.

    Parameters
    ----------
    activation, weights, target, noise, projections
        As for `SeveralModel`.
    spikes : tuple of tuple of float
        U_q, K vectors of length r.
    bulk : tuple of float, length K
        rho_q.
    alignment : tuple of tuple of float
        Z, ``<w*_l, v_i>``, k rows of length r.
    rest : tuple of tuple of float
        S, k rows: what the w* have of directions orthogonal to all v; rows of (Z, S)
        are orthonormal.
    """

    spikes: tuple[tuple[float, ...], ...]
    bulk: tuple[float, ...]
    alignment: tuple[tuple[float, ...], ...]
    rest: tuple[tuple[float, ...], ...]

    def first_layer(
        self,
        normals: FloatArray,
        group: NDArray[np.int64],
        axes: FloatArray,
        deviations: FloatArray,
        rng: Generator,
    ) -> FirstLayer:
        """Rows ``rho_q w_j + sum_i U_qi v_i``, and the w* by their overlaps."""
        spikes = np.asarray(self.spikes)
        rotation = np.hstack([np.asarray(self.alignment), np.asarray(self.rest)])
        frame = orthonormal(axes, rotation.shape[1], rng)
        directions = frame[: spikes.shape[1]]
        rows = on_sphere(normals)
        overlap = rows @ directions.T
        rows *= np.asarray(self.bulk)[group, None]
        rows += spikes[group] @ directions
        return FirstLayer(
            rows=rows,
            group=group,
            direction=directions,
            teacher=rotation @ frame,
            overlap=overlap,
        )


def orthonormal(axes: FloatArray, count: int, rng: Generator) -> FloatArray:
    """So many orthonormal rows: the two axes, and others from the generator.

    Raises
    ------
    ValueError
        They do not fit into the dimension.
    """
    dimension = axes.shape[1]
    if count > dimension:
        raise ValueError(f"dimension = {dimension}: {count} directions do not fit")
    others = rng.standard_normal((max(0, count - len(axes)), dimension))
    frame = np.vstack([axes, others])[:count]
    q, r = np.linalg.qr(frame.T)
    rows: FloatArray = (q * np.sign(np.diag(r))).T
    return rows
