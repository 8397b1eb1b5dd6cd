r"""How often the sign of a ridge fit is wrong, in balls.

Given the projection kappa and the part s of the target's projection orthogonal to it,
the fit of a fresh sample is Gaussian and independent of its label,

.. math:: f = \mu(\kappa) + \rho(\kappa) s + \sqrt{Q(\kappa)}\, G.

Fitted to a sample of leverage chi it becomes ``y - (y - f) / (1 + chi)``, whose sign is
wrong where ``y f < -chi``. Labels have the mean ``S(zeta kappa + sqrt(1 - zeta^2) s)``.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import ceil
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import BALLS, compile_expressions, to_ball
from detequiv.numerics.averages import (
    Fields,
    gaussian_radius,
    lattice,
)
from detequiv.numerics.equations import Predictor
from detequiv.theory.functions import z
from detequiv.theory.problem import FeatureLaw

__all__ = ["error_rates"]

arb = flint.arb
COARSER = 4.0  # step of the rule in s, in units of that in kappa
NODES = 4.0  # of a Gauss-Legendre rule between jumps, over the step in kappa


def error_rates(
    law: FeatureLaw,
    fields: Fields,
    stride: int,
    step: float,
    predictor: Predictor,
    digits: float,
) -> tuple[Any, Any]:
    """Classification error on fresh samples, and on those of the fit.

    Parameters
    ----------
    law : FeatureLaw
        Whose labels are -1 and 1.
    fields : Fields
        Weights and the labels' means on the rule in kappa.
    stride : int
        Use every stride-th node, in kappa and in s.
    step : float
        Step of the rule in kappa.
    predictor : Predictor
        On these nodes.
    digits : float
        Reach of the rule in s.
    """
    rule, means = fields.rule, fields["tau0"][0]
    assert rule is not None
    across = None
    if not (law.alignment**2 - 1).is_zero:
        across = _Across(law, step, stride, digits)
    fresh, fitted = arb(0), arb(0)
    parts = (
        predictor.mean,
        predictor.slope,
        predictor.spread,
        predictor.leverage,
    )
    nodes = zip(rule.every(stride), *parts, strict=True)
    for i, mean, slope, spread, leverage in nodes:
        if across is None:
            points = iter([(means[i], arb(0), arb(1))])
        else:
            points = across(rule.nodes[i])
        width = spread.sqrt()
        at_node, of_fit = arb(0), arb(0)
        for label, s, weight in points:
            centre = mean + slope * s
            for sign in (1, -1):
                share = weight * (1 + sign * label) / 2
                if share == 0:
                    continue
                at_node += share * _below(-sign * centre, width)
                if leverage.is_finite():  # else the fit is the label
                    of_fit += share * _below(-leverage - sign * centre, width)
        fresh += fields.weights[i] * stride * at_node
        fitted += fields.weights[i] * stride * of_fit
    return fresh, fitted


def _below(place: Any, width: Any) -> Any:
    """Probability that a centred normal number of this width lies below the place."""
    if width > 0:
        return (-place / (width * arb(2).sqrt())).erfc() / 2
    return BALLS["Heaviside"](place)


class _Across:
    """Average over s at one kappa: labels' means, nodes and weights.

    Where the labels jump, each piece has its own rule.
    """

    def __init__(
        self, law: FeatureLaw, step: float, stride: int, digits: float
    ) -> None:
        self._mean = compile_expressions((z,), [law.target.function], BALLS)
        self._along = to_ball(law.alignment)
        self._across = to_ball(sp.sqrt(1 - law.alignment**2))
        self._radius = gaussian_radius(digits + 5)
        self._kinks = [to_ball(k) for k in law.target.kinks]
        if self._kinks:
            self._nodes, self._weights = _legendre(ceil(NODES / (step * stride)))
        else:
            rule = lattice([0.0], self._radius, step * COARSER)
            keep = rule.every(stride)
            self._nodes = [rule.nodes[j] for j in keep]
            self._weights = [rule.weights[j] * stride for j in keep]

    def __call__(self, kappa: Any) -> Iterator[tuple[Any, Any, Any]]:
        norm = (2 * arb.pi()).sqrt()
        centre = self._along * kappa
        for left, size in self._pieces(centre):
            for node, weight in zip(self._nodes, self._weights, strict=True):
                s = left + size * node
                density = (-s * s / 2).exp() / norm
                label = self._mean(centre + self._across * s)[0]
                yield label, s, weight * size * density

    def _pieces(self, centre: Any) -> list[tuple[Any, Any]]:
        if not self._kinks:
            return [(arb(0), arb(1))]
        places = [(k - centre) / self._across for k in self._kinks]
        radius = self._radius
        inside = [x for x in places if -radius < float(x) < radius]
        ends = [arb(-radius), *sorted(inside, key=float), arb(radius)]
        return [(a, b - a) for a, b in pairwise(ends)]


def _legendre(count: int) -> tuple[list[Any], list[Any]]:
    """Nodes and weights of the Gauss-Legendre rule on [0, 1]."""
    pairs = [arb.legendre_p_root(count, k, weight=True) for k in range(count)]
    return [(1 + x) / 2 for x, _ in pairs], [w / 2 for _, w in pairs]
