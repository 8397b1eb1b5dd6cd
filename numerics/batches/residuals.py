"""The joint law of a sample's residual and of its projection on the target: a rule."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import (
    BALLS,
    FLOATS,
    compile_expressions,
    precision,
    to_ball,
)
from detequiv.numerics.averages import Rule, gaussian_radius, lattice, panels
from detequiv.theory.functions import z
from detequiv.theory.problem import BatchLaw

__all__ = ["Residuals", "residual_rule"]

Array = NDArray[Any]
arb = flint.arb
DEGREE = 6  # highest moment of the residual
NOISE_STEP = 2.8  # of the rule over the noise, over that over the projection
FARTHEST = 36.0  # beyond this the normal density is below float64


@dataclass(frozen=True)
class Residuals:
    """Nodes for averages over (r, s): r the label's residual, s the projection.

    Attributes
    ----------
    weights, r, s : list of arb
        Probabilities and places, length n.
    index : list of (int, int)
        Places on the lattices of s and of the noise, which `every` thins out.
    """

    weights: list[Any]
    r: list[Any]
    s: list[Any]
    index: list[tuple[int, int]]

    def every(self, stride: int) -> "Residuals":
        """Thin the rule out to `stride` times the step."""
        keep = [
            n
            for n, place in enumerate(self.index)
            if all(i % stride == 0 for i in place)
        ]
        total = sum(self.weights[n] for n in keep)
        return Residuals(
            [self.weights[n] / total for n in keep],
            [self.r[n] for n in keep],
            [self.s[n] for n in keep],
            [self.index[n] for n in keep],
        )

    @cached_property
    def floats(self) -> tuple[Array, Array, Array]:
        """Weights, r and s in float64."""
        weights, r, s = (
            np.array(list(map(float, v))) for v in (self.weights, self.r, self.s)
        )
        return weights, r, s


@lru_cache(maxsize=32)
def residual_rule(law: BatchLaw, digits: float, step: float) -> Residuals:
    """Product of a rule over the projection and a trapezoidal rule over the noise.

    Parameters
    ----------
    law : BatchLaw
        Of the network.
    digits : float
        Accuracy of the nodes, and share of the highest moments left out in the tails.
    step : float
        Of the rule over the projection.
    """
    radius = _radius(law, digits)
    with precision(digits + 15):
        places = _projections(law, radius, digits, step)
        label = compile_expressions([z], [law.law.target.function], BALLS)
        output = to_ball(law.output)
        means = [arb(label(s)[0]) - output for s in places.nodes]
        noise = to_ball(law.law.noise_variance).sqrt()
        spread = lattice([0.0], radius, NOISE_STEP * step)
        if law.law.noise_variance.is_zero:
            spread = Rule([arb(0)], [(2 * arb.pi()).sqrt()], [0])
        rows = _rows(places, means, spread, noise, digits)
    weights, r, s, index = map(list, zip(*rows, strict=True))
    return Residuals(weights, r, s, index)


def _rows(
    places: Rule, means: list[Any], spread: Rule, noise: Any, digits: float
) -> list[tuple[Any, Any, Any, tuple[int, int]]]:
    """Nodes of the product that matter to the highest moments."""
    first, second = (_masses(rule) for rule in (places, spread))
    at, shift = (np.array(list(map(float, v))) for v in (means, spread.nodes))
    r = at[:, None] + float(noise) * shift
    share = np.outer(list(map(float, first)), list(map(float, second)))
    s = np.array(list(map(float, places.nodes)))
    share *= (1 + np.abs(r)) ** DEGREE * (1 + s**2)[:, None]
    keep = np.argwhere(share > 10.0 ** -(digits + 2) * share.max())
    return [
        (
            (first[i] * second[j]).mid(),
            (means[i] + noise * spread.nodes[j]).mid(),
            places.nodes[i],
            (places.index[i], spread.index[j]),
        )
        for i, j in keep.tolist()
    ]


def _masses(rule: Rule) -> list[Any]:
    """Probabilities of the nodes under the standard normal law."""
    norm = 1 / (2 * arb.pi()).sqrt()
    return [
        w * norm * (-x * x / 2).exp()
        for w, x in zip(rule.weights, rule.nodes, strict=True)
    ]


def _projections(law: BatchLaw, radius: float, digits: float, step: float) -> Rule:
    kinks = [to_ball(k).mid() for k in law.law.target.marks]
    inside = sorted((k for k in kinks if abs(float(k)) < radius), key=float)
    if inside:
        return panels([arb(-radius), *inside, arb(radius)], digits + 5, step)
    return lattice([0.0], radius, step)


def _radius(law: BatchLaw, digits: float) -> float:
    """Reach at which the highest moments have so many digits."""
    label = compile_expressions([z], [law.law.target.function], FLOATS)

    def moment(x: Array) -> Array:
        with np.errstate(all="ignore"):
            size = np.broadcast_to(np.abs(label(x)[0]), x.shape)
            log = DEGREE * np.log1p(size) + 2 * np.log1p(np.abs(x)) - x**2 / 2
        return np.where(np.isfinite(log), log, -np.inf)

    radius = gaussian_radius(digits)
    largest = moment(np.linspace(-FARTHEST, FARTHEST, 2001)).max()
    ends = np.array([-1.0, 1.0])
    while radius < FARTHEST and moment(ends * radius).max() > largest - 2.3 * digits:
        radius *= 1.05
    return radius
