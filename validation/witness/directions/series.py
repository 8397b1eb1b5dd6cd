r"""Hermite series of functions of several independent normal numbers.

With the orthonormal ``h_alpha(z) = prod_l h_{alpha_l}(z_l)`` and a unit vector u whose
components along the k directions of z are c,

.. math:: E[g(z)\, h_n(\langle u, x\rangle)] = \sum_{|\alpha| = n}
   \sqrt{n!/\alpha!}\; g_\alpha\, c^\alpha .
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import lgamma

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from detequiv.validation.witness.hermite import hermite_functions
from detequiv.validation.witness.model import FloatArray, Function

__all__ = ["LONGEST", "TargetSeries", "multiplicities", "powers", "target_series"]

NODES = {1: 160, 2: 160, 3: 60}  # of a Gauss rule in each direction, by their number
LONGEST = {1: 64, 2: 64, 3: 24}  # order of a series, by the number of directions


@dataclass(frozen=True, kw_only=True)
class TargetSeries:
    """A function of z by its coefficients.

    Attributes
    ----------
    indices : ndarray of int, shape (count, k)
        The alpha, of degree below the order.
    coefficients : ndarray, shape (count,)
        ``sqrt(n!/alpha!) g_alpha``.
    square : float
        ``E g^2``.
    tail : float
        Norm of the ``g_alpha`` that are left out.
    """

    indices: NDArray[np.int64]
    coefficients: FloatArray
    square: float
    tail: float

    def along(self, cosines: FloatArray, series: FloatArray) -> FloatArray:
        """``E g(z) f_j(<u_j, x>)`` for each row j, shape (p,).

        Parameters
        ----------
        cosines : ndarray, shape (p, k)
            Components of the unit vectors u_j along the directions of z.
        series : ndarray, shape (p, order)
            Hermite coefficients of f_j.
        """
        degree = self.indices.sum(1)
        terms = powers(cosines, self.indices) * series[:, degree]
        values: FloatArray = terms @ self.coefficients
        return values


@lru_cache(maxsize=16)
def _multi_indices(directions: int, order: int) -> NDArray[np.int64]:
    """All alpha of degree below the order, shape (count, directions).

    Examples
    --------
    >>> _multi_indices(2, 2).tolist()
    [[0, 0], [0, 1], [1, 0]]
    """
    every = product(range(order), repeat=directions)
    return np.array([alpha for alpha in every if sum(alpha) < order], dtype=np.int64)


def multiplicities(indices: NDArray[np.int64]) -> FloatArray:
    """``sqrt(n! / alpha!)`` of each alpha."""
    log = [lgamma(sum(a) + 1) - sum(lgamma(v + 1) for v in a) for a in indices.tolist()]
    return np.exp(np.array(log) / 2)


def powers(cosines: FloatArray, indices: NDArray[np.int64]) -> FloatArray:
    """``c_j^alpha``, shape (p, count)."""
    order = int(indices.max(initial=0)) + 1
    tables = [np.vander(c, order, increasing=True) for c in cosines.T]
    value = np.ones((len(cosines), len(indices)))
    for table, column in zip(tables, indices.T, strict=True):
        value *= table[:, column]
    return value


@lru_cache(maxsize=64)
def target_series(target: Function, directions: int, order: int) -> TargetSeries:
    """Expand a smooth function of values of shape (n, k)."""
    places, weights = hermegauss(NODES[directions])
    weights = weights / weights.sum()
    grid = np.stack(np.meshgrid(*[places] * directions, indexing="ij"), -1)
    values = target(grid.reshape(-1, directions)).reshape(grid.shape[:-1])
    table = weights[:, None] * hermite_functions(places, order)
    square, found = values**2, values
    for _ in range(directions):  # the axes take turns
        square = np.tensordot(square, weights, (0, 0))
        found = np.tensordot(found, table, (0, 0))
    indices = _multi_indices(directions, order)
    g = found[tuple(indices.T)]
    rest = max(float(square) - float(g @ g), 1e-15 * float(square))
    return TargetSeries(
        indices=indices,
        coefficients=multiplicities(indices) * g,
        square=float(square),
        tail=np.sqrt(rest),
    )
