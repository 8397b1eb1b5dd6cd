"""Averages over several independent normal numbers, in float64."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil, prod
from typing import Any

import numpy as np
import sympy as sp
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import FLOATS, compile_expressions
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.functions import projections

__all__ = ["Lattice", "normal_density", "target_means"]

Array = NDArray[np.float64]
REACH = 9.0  # of rules in the directions beyond the spikes
STEPS = (0.4, 0.2, 0.1, 0.05)  # of these rules, to try
RESOLVED = 1e-9  # change at half the step, over the largest: its square is what is left
MOST_BEYOND = 40_000  # of their nodes
MOST_NODES = 3_000_000  # of a lattice


@dataclass(frozen=True, eq=False)
class Lattice:
    """Trapezoidal rule on a ball of r normal numbers.

    The functions averaged are analytic: the rule's error falls geometrically in
    1/step. Every second node in each direction is the rule at twice the step.

    Attributes
    ----------
    axes : (r, r) array
        Orthonormal rows, along which the nodes lie.
    steps : tuple of float
        Distance of neighbours along each.
    radius : float
        Reach of the rule into the tails.

    Raises
    ------
    ConvergenceError
        The rule has too many nodes.
    """

    axes: Array
    steps: tuple[float, ...]
    radius: float

    def __post_init__(self) -> None:
        """Refuse what does not fit into memory."""
        if prod(2 * n + 1 for n in self._counts) > 2 * MOST_NODES:
            raise ConvergenceError(
                "averages over the spikes' directions need too many nodes; ask for "
                "fewer digits, or for smaller or fewer spikes"
            )

    @property
    def _counts(self) -> list[int]:
        return [ceil(self.radius / step) for step in self.steps]

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """Places of the nodes on the lattice, shape (n, r)."""
        ranges = [np.arange(-n, n + 1) for n in self._counts]
        grid = np.array(np.meshgrid(*ranges, indexing="ij")).reshape(len(ranges), -1)
        inside = ((grid.T * np.array(self.steps)) ** 2).sum(1) <= self.radius**2
        places: NDArray[np.int64] = grid.T[inside]
        return places

    @cached_property
    def nodes(self) -> Array:
        """Values of kappa, shape (n, r)."""
        nodes: Array = (self._places * np.array(self.steps)) @ self.axes
        return nodes

    @cached_property
    def weights(self) -> Array:
        """Weights of the nodes, density included."""
        squares = (self.nodes**2).sum(1)
        weights: Array = normal_density(squares, len(self.steps)) * prod(self.steps)
        return weights

    def every(self, stride: int) -> NDArray[np.bool_]:
        """Tell the nodes of the rule at `stride` times the steps."""
        keep: NDArray[np.bool_] = (self._places % stride == 0).all(1)
        return keep


def normal_density(squares: Any, directions: int) -> Any:
    """Density of independent normal numbers, by the sum of their squares."""
    return np.exp(-squares / 2) / (2 * np.pi) ** (directions / 2)


def target_means(
    function: sp.Expr, alignment: Array, rest: Array, nodes: Array
) -> tuple[Array, Array, Array]:
    """Averages of a target over what the spikes do not see.

    Parameters
    ----------
    function : Expr
        g, in z1..zk.
    alignment, rest : (k, r) and (k, P) arrays
        The projections are ``Z kappa + S s``.
    nodes : (n, r) array
        Values of kappa.

    Returns
    -------
    tau0 : (n,) array
        ``E[g | kappa]``.
    tau1 : (P, n) array
        ``E[g s_j | kappa]``.
    tau2 : (n,) array
        Variance of what is left.

    Raises
    ------
    ConvergenceError
        No rule resolves the target.
    """
    variables = projections[: len(alignment)]
    code = compile_expressions(variables, [function], FLOATS)
    means = alignment @ nodes.T

    def average(places: Array, weights: Array) -> tuple[Array, Array, Array]:
        share = weights / weights.sum()
        return _averages(lambda *z: code(*z)[0], means, rest, places, share)

    if function.is_polynomial(*variables):  # a Gauss rule is exact
        degree = sp.Poly(function, *variables).total_degree()
        return average(*hermegauss(1 + degree))
    coarse = None
    for step in STEPS if rest.shape[1] else STEPS[:1]:
        places = np.arange(-REACH, REACH + step / 2, step)
        if len(places) ** rest.shape[1] > MOST_BEYOND:
            break
        fine = average(places, np.exp(-(places**2) / 2))
        if not rest.shape[1]:
            return fine
        if coarse is not None:
            size = max(np.abs(f).max() for f in fine)
            gap = max(np.abs(a - b).max() for a, b in zip(coarse, fine, strict=True))
            if gap <= RESOLVED * size:
                return fine
        coarse = fine
    raise ConvergenceError(
        f"averages of {function} beyond the spikes are not resolved in float64; give a "
        "smoother target.function, or an alignment of 1"
    )


def _averages(
    function: Callable[..., Any],
    means: Array,
    rest: Array,
    places: Array,
    weights: Array,
) -> tuple[Array, Array, Array]:
    """Sum over a product of rules, weights of sum 1."""
    beyond = rest.shape[1]
    tau0, square = np.zeros(means.shape[1]), np.zeros(means.shape[1])
    tau1 = np.zeros((beyond, means.shape[1]))
    index: Sequence[int]
    for index in product(range(len(places)), repeat=beyond):
        s = places[list(index)]
        value = np.broadcast_to(function(*(means + (rest @ s)[:, None])), tau0.shape)
        weighted = prod(weights[i] for i in index) * value
        tau0 += weighted
        square += weighted * value
        tau1 += s[:, None] * weighted
    return tau0, tau1, square - tau0**2 - (tau1**2).sum(0)
