r"""Gaussian averages of one function about many means, on nodes that all share.

The average over g of ``f(rho g + m)`` is a sum over nodes ``x = rho g + m``: f is
evaluated once a node, however many means m there are, and the sums about all of them
are products of matrices.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import accumulate, pairwise, repeat
from math import log, log10, pi, sqrt
from operator import mul
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import (
    BALLS,
    compile_expressions,
    precision,
    to_ball,
    to_float,
)
from detequiv.numerics.averages.quadrature import (
    Rule,
    gaussian_radius,
    geometric_error,
    lattice,
    panels,
)
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.functions import z
from detequiv.theory.gaussian import Moments

__all__ = ["MomentValues", "average_values", "compiled"]

arb, acb, arb_mat, acb_mat = flint.arb, flint.acb, flint.arb_mat, flint.acb_mat
REFINEMENTS = 9  # of the inner rule, before giving up
BABY_STEPS = 16  # length of the short polynomials
SCAN = 16  # half-widths about a mean in which the largest square is looked for
SAMPLE = 16  # means at which the error of a step is measured


@dataclass(frozen=True)
class MomentValues:
    """Values of the conditional moments at a list of means.

    Balls whose radii are the errors to be expected, of rounding and of quadrature. What
    is exactly zero has none.
    """

    c0: list[Any]
    c1: list[Any]
    c2: list[Any]
    cs: list[Any]


@cache
def compiled(expressions: tuple[sp.Expr, ...], *arguments: sp.Symbol) -> Any:
    """Compile for balls, once."""
    return compile_expressions(arguments, expressions, BALLS)


def average_values(
    moments: Moments, means: Sequence[Any], scale: sp.Expr, digits: float
) -> MomentValues:
    """Average over g by a nested rule, refined until it has converged.

    The error of a step hardly depends on the mean, and is measured at some of them.
    """
    width = to_float(scale)
    places = [complex(x) for x in means]
    farthest = max(map(abs, places))
    shift = max(abs(x.imag) for x in places) / width
    # the sums are taken about 0, not about the mean: that costs (mean / rho)^2;
    # off the real axis the Gaussian kernel oscillates, and is larger than its sum
    cancelled = 2 * log10(1 + farthest / width) + shift**2 / (2 * log(10))
    working = digits + 15 + cancelled
    lowest, highest = (pick(x.real for x in places) for pick in (min, max))
    reach = _radius(moments, (lowest, highest), width, digits + 5 + cancelled)
    # what He_2 makes of the Gaussian's ends
    beyond = reach**2 * 10.0 ** -(digits + 5 + cancelled)
    radius = width * reach
    lower, upper = lowest - radius, highest + radius
    kinks = [k for k in moments.marks if lower < float(k) < upper]
    # the error measured falls short of the error reached by some 5 percent
    decay = (1.06 * digits + 5) * log(10)
    step = 1 / (1 + 0.15 * digits)
    if not kinks:
        # the shift of the contour by y costs exp(y^2 / 2 rho^2), gains exp(-2 pi y/h);
        # beyond this y it costs more than it gains, however wide the strip
        y = (2 - sqrt(2)) * width * sqrt(decay)
        if moments.strip is not None:
            y = min(y, float(moments.strip))
        step = 2 * pi * y / (decay + y**2 / (2 * width**2))
    ordered = sorted(means, key=lambda x: complex(x).real)
    sample = ordered[:: 1 + (len(means) - 1) // SAMPLE] + ordered[-1:]
    error = float("inf")
    for _ in range(REFINEMENTS):
        with precision(working):
            if kinks:
                # short panels keep the Gaussian resolved wherever its mean is
                breaks = _panel_breaks([lower, *map(float, kinks), upper], width)
                exact = {float(k): to_ball(k) for k in kinks}
                rule = panels([exact.get(b, arb(b)) for b in breaks], working, step)
            else:
                rule = lattice(sorted(x.real for x in places), radius, step)
            average = _Average(moments, rule, to_ball(scale), radius)
            error = average.error(sample)
            if error < 10.0**-digits:
                return average.values(means, error + beyond)
        step *= min(0.8, max(0.4, -0.9 * log10(error) / digits))
    raise ConvergenceError(
        f"the Gaussian average of {moments.function} reached {error:.1e} of the "
        f"{digits:.0f} digits asked for; ask for fewer digits"
    )


def _radius(
    moments: Moments, means: Sequence[float], width: float, digits: float
) -> float:
    """How many widths from its mean an average of f^2 has so many digits."""
    function = compiled((moments.function,), z)

    def density(mean: float, x: float) -> Any:
        value = abs(arb(function(arb(mean + width * x))[0])).mid()
        return (1 + value * value) * (arb(-x * x / 2)).exp()

    radius = gaussian_radius(digits)
    for mean in means:
        largest = max(density(mean, x / 2) for x in range(-SCAN, SCAN + 1))
        floor = largest * arb(10) ** (-arb(digits))
        while max(density(mean, -radius), density(mean, radius)) > 2 * floor:
            radius *= 1.1
    return radius


def _panel_breaks(points: list[float], width: float) -> list[float]:
    """Cut the intervals between `points` into panels of at most 8 widths."""
    breaks = [points[0]]
    for left, right in pairwise(points):
        count = int((right - left) / (8 * width)) + 1
        breaks += [left + (right - left) * i / count for i in range(1, count)]
        breaks.append(right)
    return breaks


class _Average:
    """Moments by one rule: matrix products of Gaussian kernels with f at the nodes.

    Parameters
    ----------
    moments : Moments
        The function.
    rule : Rule
        In ``x = rho g + m``, for all means.
    scale : arb
        rho.
    radius : float
        How far from its mean a Gaussian is resolved.
    """

    def __init__(self, moments: Moments, rule: Rule, scale: Any, radius: float) -> None:
        self.function = compiled((moments.function,), z)
        self.rule, self.scale, self.radius = rule, scale, radius
        self.norm = 1 / (scale * (2 * arb.pi()).sqrt())
        self.places = [float(x) for x in rule.nodes]
        self.rows: dict[int, list[Any]] = {}

    def _row(self, i: int) -> list[Any]:
        """Weighted columns ``f, x f, x^2 f, f^2`` of a node."""
        if i not in self.rows:
            x = self.rule.nodes[i]
            value = arb(self.function(x)[0])
            share = self.rule.weights[i] * self.norm * value
            if self.rule.step:
                # on a lattice the mean enters through a geometric progression alone
                share *= (-x * x / (2 * self.scale * self.scale)).exp()
            self.rows[i] = [share, share * x, share * x * x, share * value]
        return self.rows[i]

    def values(self, means: Sequence[Any], error: float) -> MomentValues:
        """Moments at all means, with this error relative to their sizes."""
        table = []
        for mean, row in zip(means, self._moments(means, 1), strict=True):
            radius = arb(0, arb(error) * (1 + sum(abs(v).mid() for v in row)))
            c0, c1, c2, cs = row
            if isinstance(cs, arb):
                cs = max(cs.mid(), arb(0)) + arb(0, cs.rad())
            shifts = [c0, c1, c2]
            for k, v in enumerate(shifts):
                # the mean of an odd function is zero, and rounding is no function
                odd = mean == 0 and v.contains(0)
                shifts[k] = type(v)(0) if odd else v + radius
            table.append([*shifts, cs + radius])
        return MomentValues(*map(list, zip(*table, strict=True)))

    def error(self, means: Sequence[Any]) -> float:
        """Error that rounding and the rule's coarser versions reveal, at some means."""
        fine, *coarser = (self._moments(means, stride) for stride in (1, 2, 4))
        sizes = [1 + sum(float(abs(v)) for v in row) for row in fine]
        differences = [
            max(
                max(float(abs(p - q)) for p, q in zip(row, other, strict=True)) / size
                for row, other, size in zip(fine, rows, sizes, strict=True)
            )
            for rows in coarser
        ]
        return geometric_error(differences[1], differences[0])

    def _moments(self, means: Sequence[Any], stride: int) -> list[list[Any]]:
        """c0, c1, c2 and cs at each mean, on every stride-th node."""
        keep = self.rule.every(stride)
        places = [self.places[i] for i in keep]
        moments: list[Any] = [None] * len(means)
        for block in _neighbours(means, self.radius / 4):
            centres = [complex(means[i]).real for i in block]
            lower, upper = min(centres) - self.radius, max(centres) + self.radius
            near = keep[bisect_left(places, lower) : bisect_right(places, upper)]
            sums = self._sums(near, stride, [means[i] for i in block])
            for i, row in zip(block, sums, strict=True):
                weighted = [stride * v for v in row]
                moments[i] = _centred(weighted, means[i], self.scale)
        return moments

    def _sums(
        self, near: list[int], stride: int, means: Sequence[Any]
    ) -> list[list[Any]]:
        """Sum the rows of nodes `near` with their kernels, at each mean."""
        matrix = acb_mat if isinstance(means[0], acb) else arb_mat
        square, step = self.scale * self.scale, self.rule.step
        nodes, rows = [self.rule.nodes[i] for i in near], [self._row(i) for i in near]
        if not step:
            twice = 2 * square
            kernel = [[(-((x - m) ** 2) / twice).exp() for x in nodes] for m in means]
            return list((matrix(kernel) * arb_mat(rows)).tolist())
        # a polynomial in the ratio: short ones by a matrix product, then Horner's rule
        rows += [[arb(0)] * 4] * (-len(rows) % BABY_STEPS)
        giant = range(0, len(rows), BABY_STEPS)
        short = arb_mat(
            [
                [rows[g + j][k] for k in range(4) for g in giant]
                for j in range(BABY_STEPS)
            ]
        )
        ratios = [(mean * step * stride / square).exp() for mean in means]
        powers = [
            list(accumulate(repeat(ratio, BABY_STEPS - 1), mul, initial=arb(1)))
            for ratio in ratios
        ]
        table = (matrix(powers) * short).tolist()
        sums = []
        for i, (mean, ratio) in enumerate(zip(means, ratios, strict=True)):
            first = (mean * (nodes[0] - mean / 2) / square).exp()
            jump = powers[i][-1] * ratio
            values = [
                table[i][k : k + len(giant)]
                for k in range(0, len(table[i]), len(giant))
            ]
            sums.append([first * _horner(v, jump) for v in values])
        return sums


def _horner(coefficients: list[Any], at: Any) -> Any:
    return reduce(lambda total, c: total * at + c, reversed(coefficients))


def _centred(sums: Sequence[Any], mean: Any, scale: Any) -> list[Any]:
    """c0, c1, c2, cs from the averages of ``f, x f, x^2 f, f^2``."""
    c0, first, second, square = sums
    c1 = (first - mean * c0) / scale
    c2 = (second - 2 * mean * first + mean * mean * c0) / (scale * scale) - c0
    return [c0, c1, c2, square - c0 * c0 - c1 * c1]


def _neighbours(means: Sequence[Any], width: float) -> list[list[int]]:
    """Positions of the means in groups that span at most `width`."""
    blocks: list[list[int]] = []
    first = 0.0
    for i in sorted(range(len(means)), key=lambda i: complex(means[i]).real):
        centre = complex(means[i]).real
        if not blocks or centre > first + width:
            blocks.append([])
            first = centre
        blocks[-1].append(i)
    return blocks
