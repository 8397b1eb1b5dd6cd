"""Units with a density of readouts on nodes: Gauss rules, and features in float64."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import pi, sqrt

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import (
    FLOATS,
    compile_expressions,
    exact_ball,
    precision,
    to_float,
)
from detequiv.numerics.averages import (
    Fields,
    LawFields,
    conditional_values,
    first_step,
    float_fields,
    gauss_rule,
)
from detequiv.theory.continuum import Continuum, overlap, readout
from detequiv.theory.functions import z
from detequiv.theory.gaussian import Moments, m, rho
from detequiv.theory.problem import FeatureLaw

__all__ = ["READOUTS", "Nodes", "float_means", "nodes_of"]

Array = NDArray[np.float64]
READOUTS = (8, 16, 32, 64, 128, 256)  # nodes in the readout
LEAST = 1e-18  # weight of a node, below which it is left out
DIGITS = 20.0  # of the conditional moments
RULE = 28.0  # digits of the first rule in kappa
ACCURACY = 37.0  # of a float64 average: minus the logarithm of its error
REACH = 9.0  # of an average over g
MATRIX = 2_000_000  # entries of a matrix in memory


@dataclass(frozen=True)
class Nodes:
    """A network's units on `count` nodes of the readout, `overlaps` of the overlap.

    Attributes
    ----------
    units : Continuum
    count, overlaps : int
    dimension : Expr
        d, whose overlaps these are.
    """

    units: Continuum
    count: int
    overlaps: int
    dimension: sp.Expr

    @cached_property
    def rule(self) -> tuple[Array, Array]:
        """Readouts and their probabilities."""
        law = self.units.law
        nodes, weights = _rule(law.law, self.count)
        weights = weights / weights.sum()
        kept = weights > LEAST
        centre, scale = to_float(law.mean), to_float(law.scale)
        return centre + scale * nodes[kept], weights[kept] / weights[kept].sum()

    @cached_property
    def law(self) -> FeatureLaw:
        """Features of the nodes in the readout, their overlaps left out."""
        values, shares = self.rule
        numbers = compile_expressions([readout], self.units.numbers, FLOATS)(values)
        columns = [_rationals(np.broadcast_to(v, values.shape)) for v in numbers]
        return self.units.on_nodes(
            list(zip(*columns, strict=True)), _rationals(np.asarray(shares))
        )

    @cached_property
    def mixture(self) -> tuple[Array, Array, Array]:
        """Strengths, scales (count, overlaps), and probabilities of the overlaps."""
        nodes, shares = gauss_rule(self.overlaps, self.dimension, int(DIGITS))
        pair = compile_expressions([readout, overlap], self.units.with_overlap, FLOATS)(
            self.rule[0][:, None], np.array(list(map(to_float, nodes)))
        )
        shape = len(self.rule[0]), self.overlaps
        strengths, scales = (np.broadcast_to(v, shape) for v in pair)
        return strengths, scales, np.array(list(map(to_float, shares)))

    @property
    def whole_law(self) -> FeatureLaw:
        """The features with their overlaps, group after group."""
        strengths, scales, _ = self.mixture
        pairs = zip(*(_rationals(v.ravel()) for v in (strengths, scales)), strict=True)
        return replace(self.law, mixture=tuple(pairs))

    def fields(self, halvings: int, penalty: float) -> Fields:
        """Features of the nodes in the readout, target and weights, on a rule."""
        digits = DIGITS + max(0.0, -np.floor(np.log10(penalty)))
        return float_fields(LawFields(self.law), digits, first_step(RULE), halvings)

    def means(self, fields: Fields) -> Array:
        """``c0`` at each overlap on the rule of `fields`, (count, overlaps, n)."""
        assert fields.rule is not None
        kappa = np.array(list(map(float, fields.rule.nodes)))
        strengths, scales, _ = self.mixture
        return float_means(
            self.law.activation, strengths[..., None] * kappa, scales[..., None]
        )


def nodes_of(units: Continuum, dimension: sp.Expr, groups: int, overlaps: int) -> Nodes:
    """Find the nodes of which `groups` have a weight that counts."""
    counts = (n for n in READOUTS if n >= groups)
    tried = (Nodes(units, n, overlaps, dimension) for n in counts)
    return next(nodes for nodes in tried if len(nodes.rule[0]) == groups)


def _rationals(values: Array) -> list[sp.Rational]:
    return [sp.Rational(float(v)) for v in values]


def float_means(moments: Moments, means: Array, scales: Array) -> Array:
    """``E f(scale g + mean)`` in float64, the two broadcast against each other.

    By the closed form, or by a trapezoidal rule over g where f is analytic; otherwise
    in balls, one scale after the other.
    """
    if moments.c0 is not None:
        with np.errstate(all="ignore"):
            closed = _closed(moments.c0)(means, scales)[0]
        found: Array = np.broadcast_to(closed, means.shape)
        if np.isfinite(found).all():
            return found
    elif not moments.kinks:
        found = _trapezoidal(moments, means, scales)
        if np.isfinite(found).all():
            return found
    return _in_balls(moments, means, scales)


@lru_cache(maxsize=64)
def _closed(expression: sp.Expr) -> Callable[..., list[Array]]:
    return compile_expressions([m, rho], [expression], FLOATS)


def _trapezoidal(moments: Moments, means: Array, scales: Array) -> Array:
    """Average over g on a lattice; shifts of its contour say how fine it must be."""
    widest = float(scales.max())
    y = (2 - sqrt(2)) * sqrt(ACCURACY)
    if moments.strip is not None:
        y = min(y, float(moments.strip) / widest)
    step = 2 * pi * y / (ACCURACY + y * y / 2)
    count = int(REACH / step) + 1
    g = step * np.arange(-count, count + 1)
    weights = np.exp(-g * g / 2)
    weights /= weights.sum()
    function = compile_expressions([z], [moments.function], FLOATS)
    flat, wide = means.ravel(), np.broadcast_to(scales, means.shape).ravel()
    block = max(1, MATRIX // len(g))
    sums = np.empty(len(flat))
    for start in range(0, len(flat), block):
        part = slice(start, start + block)
        x = flat[part, None] + wide[part, None] * g
        with np.errstate(all="ignore"):
            sums[part] = np.broadcast_to(function(x)[0], x.shape) @ weights
    return sums.reshape(means.shape)


def _in_balls(moments: Moments, means: Array, scales: Array) -> Array:
    """Average as accurately as anywhere, scale after scale."""
    rows = means.reshape(-1, means.shape[-1])
    widths = np.broadcast_to(scales[..., 0], means.shape[:-1]).ravel()
    found = np.empty_like(rows)
    with precision(DIGITS + 15):
        for row, width, into in zip(rows, widths, found, strict=True):
            scale = sp.Rational(float(width))
            values = conditional_values(
                moments, [exact_ball(float(v)) for v in row], scale, DIGITS
            )
            into[:] = [float(v) for v in values.c0]
    return found.reshape(means.shape)


def _rule(law: str, count: int) -> tuple[Array, Array]:
    """Gauss rule of a density; the weights are not normalised."""
    # SciPy takes longer to import than most problems to solve
    from scipy.special import roots_hermitenorm, roots_legendre

    rules = {"normal": roots_hermitenorm, "uniform": roots_legendre}
    nodes, weights = rules[law](count)
    return nodes, weights
