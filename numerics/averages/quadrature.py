r"""Nested quadrature rules for Gaussian averages, at any precision.

Smooth integrands get the trapezoidal rule, whose error falls geometrically in
the number of nodes; for the average over kappa it is applied after the map
``kappa = delta sinh(t)``, because the integrand's complex singularities approach
the real axis as the spikes grow. Integrands with kinks get the double
exponential (tanh-sinh) rule on each smooth piece.

Every rule is nested: every second node, with doubled weights, is the same rule at
twice the step, which costs nothing and measures the error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import asinh, ceil, floor, inf, log, pi, sqrt
from typing import Any

import flint

__all__ = [
    "Rule",
    "gaussian_radius",
    "geometric_error",
    "lattice",
    "panels",
    "sinh_rule",
]

arb = flint.arb


@dataclass(frozen=True)
class Rule:
    """Nodes and weights of ``integral f(x) dx = sum_i weights_i f(nodes_i)``.

    Attributes
    ----------
    nodes, weights : list of arb
        Length n; the nodes are exact binary numbers.
    index : list of int
        Place of each node on its lattice: the nodes whose index is a multiple of
        s, their weights multiplied by s, are the same rule at s times the step.
    step : arb, optional
        Distance of neighbours, where the nodes themselves are equidistant.
    """

    nodes: list[Any]
    weights: list[Any]
    index: list[int]
    step: Any = None

    def every(self, stride: int) -> list[int]:
        """Positions of the nodes of the rule at `stride` times the step."""
        return [i for i, j in enumerate(self.index) if j % stride == 0]


def gaussian_radius(digits: float) -> float:
    """Where the standard normal density falls below ``10^-digits``.

    Examples
    --------
    >>> round(gaussian_radius(15), 1)
    8.3
    """
    return sqrt(2 * digits * log(10))


def geometric_error(coarse: float, fine: float) -> float:
    """Error of a rule at step h, from the errors seen at steps 4h and 2h.

    `coarse` is the difference between the results at 4h and h, `fine` that
    between 2h and h. Geometric convergence squares the error when the step is
    halved; the observed exponent, shortened by a tenth, is extrapolated once.
    Where the two do not show such convergence the last difference itself stands.

    Examples
    --------
    >>> geometric_error(1e-4, 1e-8) < 1e-13
    True
    >>> geometric_error(1e-4, 0.5e-4)
    5e-05
    """
    if fine == 0 or coarse == 0:
        return fine
    if fine >= 1 or coarse >= 1:
        return fine if fine < inf else inf
    exponent = min(log(fine) / log(coarse), 2.0)
    return float(fine ** (1 + 0.9 * (exponent - 1))) if exponent > 1.5 else fine


def lattice(places: Sequence[float], radius: float, step: float) -> Rule:
    """Trapezoidal rule on the multiples of `step` within `radius` of increasing places.

    Between places that lie farther apart there are no nodes.
    """
    index: list[int] = []
    for place in places:
        first, last = ceil((place - radius) / step), floor((place + radius) / step)
        index += range(max(first, index[-1] + 1) if index else first, last + 1)
    h = arb(step)
    return Rule([h * j for j in index], [h] * len(index), index, h)


def sinh_rule(radius: float, delta: float, step: float) -> Rule:
    """Trapezoidal rule in t, ``x = delta sinh(t)``, for ``|x| <= radius``."""
    count = ceil(asinh(radius / delta) / step)
    index = list(range(-count, count + 1))
    h, d = arb(step), arb(delta)
    return Rule(
        [(d * (h * j).sinh()).mid() for j in index],
        [h * d * (h * j).cosh() for j in index],
        index,
    )


def panels(breaks: Sequence[Any], digits: float, step: float) -> Rule:
    """Tanh-sinh rule on each interval between consecutive `breaks` (balls).

    The rule leaves out what lies within ``10^-digits`` of the panel's ends.
    """
    count = ceil(asinh(digits * log(10) / pi) / step)
    h, half_pi = arb(step), arb.pi() / 2
    nodes, weights, index = [], [], []
    for left, right in pairwise(breaks):
        for j in range(-count, count + 1):
            inner = half_pi * (h * j).sinh()
            # share of the panel to the nearer end, without cancellation
            share = (right - left) / (1 + (2 * abs(inner)).exp())
            nodes.append((left + share if j < 0 else right - share).mid())
            weights.append(
                (right - left) / 2 * h * half_pi * (h * j).cosh() / inner.cosh() ** 2
            )
            index.append(j)
    return Rule(nodes, weights, index)
