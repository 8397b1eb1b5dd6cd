r"""A two-layer network whose first layer takes one gradient step, sampled.

Network ``f(x) = (1/p) sum_j A_j sigma(<w_j, x>)``, one step of rate ``eta p`` on half
the mean squared error with the labels ``y = f*(<w*, x>) + noise``, as in
arXiv:2410.18938:

.. math:: f_j = w_j + \eta A_j\, E[(y - f(x))\, \sigma'(\langle w_j, x\rangle)\, x].

The average is either over n0 samples, exactly as written, or over the population.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detequiv.validation.witness.hermite import hermite_coefficients
from detequiv.validation.witness.model import (
    FirstLayer,
    FloatArray,
    Function,
    Model,
    draw_inputs,
    on_sphere,
)

__all__ = ["ROWS", "Density", "TrainedModel"]

ROWS = ("spherical", "gaussian")
# Of the series in the overlap; its terms fall like the overlap's powers.
ORDER = 64
# Samples of the gradient step processed at once.
BLOCK = 2048


@dataclass(frozen=True)
class Density:
    """A law of readouts, independent of one another.

    Attributes
    ----------
    law : str
        "normal" or "uniform".
    first, second : float
        Mean and standard deviation, or the ends.
    """

    law: str
    first: float
    second: float

    def draw(self, count: int, rng: Generator) -> FloatArray:
        """Draw so many readouts."""
        draw = rng.normal if self.law == "normal" else rng.uniform
        return draw(self.first, self.second, count)


@dataclass(frozen=True, kw_only=True)
class TrainedModel(Model):
    """Features of a network after one gradient step.

    Parameters
    ----------
    activation, weights, target, noise
        As for `Model`.
    readout : tuple of float, length K, or Density
        The vocabulary A_q of the second layer at initialisation, or of what law each
        unit draws its own; all units are then of one group.
    step : float
        eta.
    rows : str
        Law of the w_j: "spherical", uniform on the unit sphere, or "gaussian",
        ``N(0, I_d / d)``.
    batch_per_dim : float or None
        ``n0 / d`` of the samples of the gradient step; None for the gradient of the
        population loss. In the latter f(x) stands for its mean, from which it
        differs by ``O(1/sqrt(p))``.
    slope : callable or None
        The activation's derivative, elementwise; needed for a step on samples.
    """

    readout: tuple[float, ...] | Density
    step: float
    rows: str = "spherical"
    batch_per_dim: float | None = None
    slope: Function | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be sampled."""
        super().__post_init__()
        if isinstance(self.readout, Density):
            if len(self.weights) != 1:
                raise ValueError(
                    f"weights = {self.weights}: units with a density are one group"
                )
        elif not len(self.readout) == len(self.weights) > 0:
            raise ValueError(
                f"readout, weights have lengths {len(self.readout)}, "
                f"{len(self.weights)}: give one value a group in each"
            )
        if self.rows not in ROWS:
            raise ValueError(f"rows = {self.rows!r}: one of {', '.join(ROWS)}")
        if self.batch_per_dim is not None and self.labels is not None:
            raise ValueError("batch_per_dim: a step on samples has no labels -1 and 1")
        if self.batch_per_dim is not None and self.slope is None:
            raise ValueError(
                "slope = None: a step on samples needs the activation's derivative"
            )

    def first_layer(
        self,
        normals: FloatArray,
        group: NDArray[np.int64],
        axes: FloatArray,
        deviations: FloatArray,
        rng: Generator,
    ) -> FirstLayer:
        """Rows after the step; the spike points along the common part of the updates.

        Raises
        ------
        ValueError
            The batch holds no sample.
        """
        dimension, teacher = normals.shape[1], axes[0]
        start = normals / np.sqrt(dimension)
        if self.rows == "spherical":
            start = on_sphere(normals)
        start = start * deviations
        if isinstance(self.readout, Density):
            readout = self.readout.draw(len(start), rng)
        else:
            readout = np.asarray(self.readout)[group]
        if self.batch_per_dim is None:
            pull, direction = self._population_pull(start, readout, teacher), teacher
        else:
            count = round(self.batch_per_dim * dimension)
            if count < 1:
                raise ValueError("batch_per_dim: no sample; enlarge the dimension")
            pull, direction = self._batch_pull(start, readout, teacher, count, rng)
        if self.covariance is not None:
            # gradients are along x = Sigma^(1/2) z, rows act on z: Sigma^(1/2) twice
            pull, direction = pull * deviations**2, direction * deviations**2
            direction /= np.linalg.norm(direction)
        return FirstLayer(
            rows=start + self.step * readout[:, None] * pull,
            group=group,
            direction=direction,
            teacher=teacher,
            overlap=start @ direction,
        )

    def _population_pull(
        self, start: FloatArray, readout: FloatArray, teacher: FloatArray
    ) -> FloatArray:
        r"""``E[(y - f) sigma'(<w, x>) x]`` for each row w, shape (p, d).

        It is the gradient of ``E[(y - f) sigma(<w, x>)]``, which depends on the row
        through its norm r and its overlap ``omega`` with the teacher alone. With
        Hermite coefficients normalised, ``a_k(r)`` those of ``sigma(r s)`` and
        ``g_k`` those of the target less the output, it is
        :math:`\sum_k g_k a_k(r) \omega^k` (Mehler).
        """
        norm = np.linalg.norm(start, axis=1)
        unit = start / norm[:, None]
        omega = unit @ teacher
        if self.rows == "spherical" and self.covariance is None:
            a = hermite_coefficients(self.activation, np.ones(1), ORDER + 3)
        else:
            a = hermite_coefficients(self.activation, norm, ORDER + 3)
        g = hermite_coefficients(self.mean, np.ones(1), ORDER + 1)[0]
        g[0] -= np.mean(readout * a[:, 0])
        k = np.arange(ORDER + 1)
        power = omega[:, None] ** k
        by_overlap = (power[:, :-1] * (k * g * a[:, :-2])[:, 1:]).sum(1) / norm
        # r da_k/dr = k a_k + sqrt((k + 1)(k + 2)) a_{k+2}, by parts
        moved = k * a[:, :-2] + np.sqrt((k + 1) * (k + 2)) * a[:, 2:]
        by_norm = (power * g * moved).sum(1) / norm
        away = teacher - omega[:, None] * unit
        pull: FloatArray = by_norm[:, None] * unit + by_overlap[:, None] * away
        return pull

    def _batch_pull(
        self,
        start: FloatArray,
        readout: FloatArray,
        teacher: FloatArray,
        count: int,
        rng: Generator,
    ) -> tuple[FloatArray, FloatArray]:
        """Mean of ``(y - f) sigma'(<w, x>) x`` over samples, and of ``(y - f) x``.

        The former has shape (p, d); the latter, scaled to norm 1, shape (d,).
        """
        assert self.slope is not None
        pull, common = np.zeros_like(start), np.zeros_like(teacher)
        for first in range(0, count, BLOCK):
            inputs = draw_inputs(rng, min(BLOCK, count - first), len(teacher))
            noise = self.noise * rng.standard_normal(len(inputs))
            seen = inputs @ start.T
            output = self.activation(seen) @ readout / len(readout)
            inputs *= (self.target(inputs @ teacher) + noise - output)[:, None]
            pull += self.slope(seen).T @ inputs
            common += inputs.sum(0)
        return pull / count, common / np.linalg.norm(common)
