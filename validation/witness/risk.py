r"""Test error and learned function of a fitted readout, with no test set.

Given the rows, the pre-activations and the teacher's projection are jointly Gaussian.
For two unit vectors at an angle of cosine r, Mehler's formula gives

.. math:: E\, f(s \langle u, x\rangle)\, f'(s' \langle u', x\rangle)
          = \sum_k a_k(s)\, a'_k(s')\, r^k

with the Hermite coefficients of both functions, so that the error is a sum over pairs
of units, of powers of the matrix of cosines. What the truncated series leaves out is
bounded by Cauchy and Schwarz, pair by pair.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detequiv.validation.witness.hermite import (
    UnresolvedError,
    hermite_expansion,
    hermite_functions,
)
from detequiv.validation.witness.model import FirstLayer, FloatArray, Function, Model

__all__ = ["excess_error", "learned_function"]

# Numbers of terms to try, all even: so the last power of a cosine is not negative.
ORDERS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
# Bound on what is left out, in units of the natural size of the result.
TOLERANCE = 1e-8
# Rows that stand for all when the number of terms to begin with is guessed.
SAMPLE = 32
# Units in a tile of the matrix of cosines: two tiles stay in a processor's cache.
TILE = 128


def excess_error(model: Model, layer: FirstLayer, readout: FloatArray) -> float:
    """``E (f*(<w*, x>) - f(x))^2`` over ``x ~ N(0, I_d)``, f* the mean of the labels.

    Raises
    ------
    UnresolvedError
        No number of terms tried gives it to the tolerance: some pair of rows is too
        nearly parallel, or the activation or the target too rough.
    """
    guess = _Guess.of(layer)
    for order in ORDERS:
        target, target_moment = hermite_expansion(model.mean, np.ones(1), order)
        units = _Units.expand(model.activation, layer, readout, order)
        size = float(target_moment[0] + units.own)
        cross, left_out = units.along(layer.teacher)
        target_tail = _root_tail(target, target_moment)[0]
        allowed = TOLERANCE * size - 2 * target_tail * left_out
        if guess.left_out(units) > allowed:
            continue
        pairs = _sum_pairs(units, allowed)
        if pairs is not None:
            # Zero when the target is learned exactly, but for rounding.
            return max(0.0, size - 2 * float(target[0] @ cross) + pairs)
    raise UnresolvedError("rows are too nearly parallel for the series of the error")


def learned_function(
    model: Model,
    layer: FirstLayer,
    readout: FloatArray,
    projections: tuple[float, ...],
) -> FloatArray:
    """``E f(x)`` over x with ``<v, x> = kappa``, for each kappa, shape (count,).

    Raises
    ------
    UnresolvedError
        No number of terms tried gives it to the tolerance.
    """
    kappa = np.asarray(projections, dtype=np.float64)
    if not kappa.size:
        return kappa
    # Cramer: |h_k(kappa)| < 1.09 exp(kappa^2 / 4).
    largest = 1.09 * np.exp(np.max(kappa**2, initial=0.0) / 4)
    for order in ORDERS:
        units = _Units.expand(model.activation, layer, readout, order)
        series, left_out = units.along(layer.direction)
        if largest * left_out <= TOLERANCE * np.sqrt(units.own):
            values: FloatArray = hermite_functions(kappa, order) @ series
            return values
    raise UnresolvedError("a row is too nearly parallel to the spike for the series")


@dataclass(frozen=True)
class _Units:
    """The predictor as a sum over units, each a Hermite series along its direction.

    Attributes
    ----------
    rows : ndarray, shape (p, d)
        The f_j.
    scale : ndarray, shape (p,)
        Their norms.
    series : ndarray, shape (p, order)
        Coefficients of ``a_j sigma(|f_j| z) / sqrt(p)``.
    tail : ndarray, shape (p,)
        Norm of the coefficients that come after.
    own : float
        Sum of the second moments of all units.
    """

    rows: FloatArray
    scale: FloatArray
    series: FloatArray
    tail: FloatArray
    own: float

    @classmethod
    def expand(
        cls, activation: Function, layer: FirstLayer, readout: FloatArray, order: int
    ) -> Self:
        """Expand the units, group by group: within one their scales are close."""
        scale = _norms(layer.rows)
        weight = readout / np.sqrt(len(scale))
        series, moment = np.empty((len(scale), order)), np.empty(len(scale))
        for q in np.unique(layer.group):
            mine = layer.group == q
            series[mine], moment[mine] = hermite_expansion(
                activation, scale[mine], order
            )
        return cls(
            rows=layer.rows,
            scale=scale,
            series=weight[:, None] * series,
            tail=np.abs(weight) * _root_tail(series, moment),
            own=float(weight**2 @ moment),
        )

    def along(self, axis: FloatArray) -> tuple[FloatArray, float]:
        """Hermite series of the predictor's mean given ``<axis, x>``.

        Returns
        -------
        series : ndarray, shape (order,)
        left_out : float
            Bound on the norm of the coefficients that come after.
        """
        cosine = np.clip(self.rows @ axis / self.scale, -1, 1)
        order = self.series.shape[1]
        power = np.vander(cosine, order + 1, increasing=True)
        series: FloatArray = np.einsum("jk,jk->k", self.series, power[:, :-1])
        with np.errstate(divide="ignore"):
            rest = power[:, -1] / np.sqrt(1 - cosine**2)
        return series, float(self.tail @ rest)


@dataclass(frozen=True)
class _Guess:
    """What the series of the pairs will leave out, judged by some rows with all.

    Attributes
    ----------
    some : ndarray of int, shape (s,)
        Which rows.
    logarithm : ndarray, shape (s, p)
        Of the cosines' absolute values; -inf for a row with itself.
    """

    some: NDArray[np.int64]
    logarithm: FloatArray

    @classmethod
    def of(cls, layer: FirstLayer) -> Self:
        rows, scale = layer.rows, _norms(layer.rows)
        some = np.arange(0, len(rows), max(1, len(rows) // SAMPLE))
        cosine = rows[some] @ rows.T / scale[some, None] / scale
        cosine[np.arange(len(some)), some] = 0
        with np.errstate(divide="ignore"):
            return cls(some, np.log(np.abs(cosine)))

    def left_out(self, units: "_Units") -> float:
        power = np.exp(units.series.shape[1] * self.logarithm)
        share = len(units.scale) / len(self.some)
        return share * float(units.tail[self.some] @ (power @ units.tail))


def _root_tail(series: FloatArray, moment: FloatArray) -> FloatArray:
    """Norm of the coefficients beyond a truncated series, no less than its rounding."""
    rest = moment - np.sum(series**2, axis=1)
    tail: FloatArray = np.sqrt(np.maximum(rest, np.finfo(float).eps * moment))
    return tail


def _sum_pairs(units: _Units, allowed: float) -> float | None:
    """Sum ``sum_k b_ik b_jk r_ij^k`` over i != j; None if more than `allowed` is left.

    The matrix of cosines is symmetric and made tile by tile, and its powers in place.
    """
    total = 0.0
    for i, j, cosine in _tiles(units):
        power = np.full(cosine.shape, 2.0)
        if i == j:
            power = np.triu(power, 1)
        left, right = units.series[i], units.series[j]
        for k in range(left.shape[1]):
            total += float(left[:, k] @ (power @ right[:, k]))
            power *= cosine
        allowed -= float(units.tail[i] @ (power @ units.tail[j]))
        if not allowed >= 0:
            return None
    return total


def _tiles(units: _Units) -> Iterator[tuple[slice, slice, FloatArray]]:
    """Tiles of the matrix of cosines on and above its diagonal."""
    rows, inverse = units.rows, 1 / units.scale
    starts = range(0, len(rows), TILE)
    for first in starts:
        i = slice(first, first + TILE)
        band = rows[i] @ rows[first:].T
        for start in starts[first // TILE :]:
            j = slice(start, start + TILE)
            tile = band[:, start - first : start - first + TILE] * inverse[i, None]
            tile *= inverse[j]
            yield i, j, tile


def _norms(rows: FloatArray) -> FloatArray:
    """Norm of each row."""
    norms: FloatArray = np.sqrt(np.einsum("ji,ji->j", rows, rows))
    return norms
