r"""A network of several heads after some steps on the population, sampled.

Heads ``f^h(x) = (1/p) sum_j A_j^h sigma(<w_j, x>)``; a step of rate ``eta p`` on half
the sum of their squared errors takes a row to

.. math:: w + \eta \sum_h A^h E[(g^h(z) - f^h(x))\, \sigma'(\langle w, x\rangle)\, x],

the gradient of ``E[(g - f) sigma(<w, x>)]``. With s the norm of w, c the components of
``w/s`` along the directions of z, and ``R_alpha`` the series of the residual given z,

.. math:: E = \sum_n P_n(c)\, a_n(s), \qquad P_n(c) = \sum_{|\alpha| = n}
   \sqrt{n!/\alpha!}\, R_\alpha c^\alpha .

f stands for its mean given z: the network as it is, from which it differs by
``O(1/sqrt(p))`` in other directions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detequiv.validation.witness.directions.series import (
    LONGEST,
    multiplicities,
    powers,
    target_series,
)
from detequiv.validation.witness.directions.spikes import SeveralModel, orthonormal
from detequiv.validation.witness.hermite import hermite_coefficients
from detequiv.validation.witness.model import (
    FirstLayer,
    FloatArray,
    Function,
    on_sphere,
)

__all__ = ["StepsModel"]


@dataclass(frozen=True, kw_only=True)
class StepsModel(SeveralModel):
    """Features of a network after some gradient steps.

    Parameters
    ----------
    activation, weights, target, noise, projections
        As for `SeveralModel`.
    readout : tuple of tuple of float
        The vocabulary: K vectors of length H.
    steps : tuple of float
        eta of each step.
    heads : tuple of callable
        The g^h, each as `target` is.
    """

    readout: tuple[tuple[float, ...], ...]
    steps: tuple[float, ...]
    heads: tuple[Function, ...]

    def first_layer(
        self,
        normals: FloatArray,
        group: NDArray[np.int64],
        axes: FloatArray,
        deviations: FloatArray,
        rng: Generator,
    ) -> FirstLayer:
        """Rows after the steps."""
        teacher = orthonormal(axes, self.projections, rng)
        rows = on_sphere(normals)
        overlap = rows @ teacher.T
        readout = np.asarray(self.readout)[group]
        for step in self.steps:
            rows = rows + step * self._pull(rows, readout, teacher)
        return FirstLayer(
            rows=rows, group=group, direction=teacher, teacher=teacher, overlap=overlap
        )

    def _pull(
        self, rows: FloatArray, readout: FloatArray, teacher: FloatArray
    ) -> FloatArray:
        """``sum_h A_j^h E[(g^h - f^h) sigma'(<w_j, x>) x]`` of each row, (p, d)."""
        order = LONGEST[self.projections]
        norm = np.linalg.norm(rows, axis=1)
        unit = rows / norm[:, None]
        cosines = unit @ teacher.T
        a = hermite_coefficients(self.activation, norm, order + 2)
        series = [target_series(g, self.projections, order) for g in self.heads]
        indices = series[0].indices
        degree, many = indices.sum(1), multiplicities(indices)
        table = powers(cosines, indices)
        # one column a head: targets less outputs, with sqrt(n!/alpha!) once more
        outputs = many[:, None] ** 2 * ((table * a[:, degree]).T @ readout) / len(rows)
        residual = np.array([s.coefficients for s in series]).T - outputs
        own = readout @ residual.T
        raised = np.sqrt((degree + 1) * (degree + 2)) * a[:, degree + 2]
        pull = (table * own * raised).sum(1)[:, None] * unit
        basis = np.eye(self.projections, dtype=np.int64)
        for direction, one, column in zip(teacher, basis, indices.T, strict=True):
            slope = powers(cosines, np.maximum(indices - one, 0)) * column
            pull += (slope * own * a[:, degree]).sum(1)[:, None] * direction
        scaled: FloatArray = pull / norm[:, None]
        return scaled
