r"""Gaussian averages over kappa with proved error bounds.

The trapezoidal rule on ``abs(kappa) < T``, T half-way between two nodes, of an
integrand F that is analytic in the rectangle ``abs(Re) <= T``, ``abs(Im) <= a``
differs from the integral over [-T, T] by at most

    2 int_top abs(F) / (exp(2 pi a / h) - 1) + (h / pi) sum_sides sup abs(F),

by Cauchy's theorem with the kernel ``1 / (1 - exp(-2 pi i kappa / h))``, which on the
sides is at most ``exp(-2 pi abs(Im kappa) / h)``. F is bounded on discs that cover the
upper half of the boundary; what lies beyond T is bounded by polynomials.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import pairwise
from math import atan2, ceil
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import BALLS, add, compile_expressions, to_ball
from detequiv.numerics.certificates.smoothed import Smoothed
from detequiv.theory.problem import FeatureLaw, c1, c2, kappa

__all__ = ["Contour", "FieldEnclosures", "Integrand", "contour"]

arb, acb = flint.arb, flint.acb
Integrand = Callable[..., list[Any]]
SLACK = 1e-6  # relative, for the rounding of the discs' centres
DISCS = 2000  # that are remembered
FINEST = 1e-4  # radius of the smallest disc on the boundary, times the first one's


class FieldEnclosures:
    """The kappa-dependent functions of a model: at points, on discs, in the tails.

    Parameters
    ----------
    law : FeatureLaw
        Exact data of features and target.
    digits : float
        Absolute accuracy of averages that have no closed form.
    derivatives : int
        By parameters, that the integrands carry: each adds a factor chi.
    """

    def __init__(self, law: FeatureLaw, digits: float, derivatives: int = 0) -> None:
        self.slopes = [to_ball(u) for u in law.spikes]
        table = "features" if law.equations == "spiked" else "network"
        known = {
            scale: Smoothed(law.activation, scale, f"{table}.activation", digits)
            for scale in law.bulks
        }
        self.groups = [known[scale] for scale in law.bulks]
        spread = sp.sqrt(1 - law.alignment**2)
        self.target = Smoothed(law.target, spread, "target.function", digits)
        self.alignment = to_ball(law.alignment)
        self.noise = to_ball(law.noise_variance)
        self._tangents = compile_tangents(law)
        # rectangles of one height have the same discs
        self.on_disc = lru_cache(maxsize=DISCS)(self._on_disc)
        activation = 2 * self.groups[0].majorant.degree
        squares = 2 * max(activation // 2 + 1, self.target.majorant.degree)
        # of the integrands: products of two of chi's coefficients, or of one of them
        # and a squared residual
        self.degree = (1 + derivatives) * activation + max(activation, squares)

    def at(self, point: Any) -> list[Any]:
        """Fields at a real point, in the order of the model's `fields`."""
        return self._collect(
            point,
            [[s[0] for s in f.at(u * point, 1)] for f, u in self._functions()],
            lambda x: arb(x.real) if isinstance(x, acb) else arb(x),
        )

    def _on_disc(self, centre: complex, radius: float) -> list[Any] | None:
        """Enclosures of the fields on a disc; None if it is too large."""
        middle, half = acb(centre.real, centre.imag), arb(radius)
        values = []
        for function, slope in self._functions():
            value = function.on_disc(slope * middle, abs(slope) * half)
            if value is None:
                return None
            values.append(value)
        return self._collect(middle + acb(arb(0, half), arb(0, half)), values, acb)

    def tail(self, start: Any) -> list[Any]:
        """Balls around 0 that hold the fields at real points up to `start`."""
        values = [
            [arb(0, bound) for bound in f.tail((abs(u) * start).upper())]
            for f, u in self._functions()
        ]
        return self._collect(arb(0, start), values, arb)

    def _functions(self) -> Iterator[tuple[Smoothed, Any]]:
        yield from zip(self.groups, self.slopes, strict=True)
        yield self.target, self.alignment

    def _collect(
        self, point: Any, values: list[list[Any]], ring: Callable[[Any], Any]
    ) -> list[Any]:
        *groups, target = values
        return [
            ring(v)
            for v in (
                *(g[0] for g in groups),
                *(g[1] for g in groups),
                *(g[3] for g in groups),
                *(
                    h(point, g[1], g[2])[0]
                    for latent in self._tangents
                    for h, g in zip(latent, groups, strict=True)
                ),
                target[0],
                target[1],
                target[3] + self.noise,
            )
        ]


def compile_tangents(law: FeatureLaw) -> list[list[Callable[..., list[Any]]]]:
    """Compile the tangent functions of every latent and group."""
    return [
        [compile_expressions((kappa, c1, c2), [h], BALLS) for h in latent]
        for latent in law.tangents
    ]


@dataclass(frozen=True)
class Contour:
    """Enclosures on the upper half of a rectangle's boundary.

    Attributes
    ----------
    height, reach : float
        a and T: the rectangle is ``[-T, T] + i [-a, a]``.
    top : list of (arb, list of acb)
        Length of the piece times the normal density; fields on the piece.
    sides : list of list of (arb, list of acb)
        The same without the length, for the right and the left side.
    """

    height: float
    reach: float
    top: list[tuple[Any, list[Any]]]
    sides: list[list[tuple[Any, list[Any]]]]

    def excludes_zeros(self, denominator: Callable[[list[Any]], Any]) -> bool:
        """Whether another denominator can be proved to have no zeros inside."""
        right, left = self.sides
        turn, previous = 0.0, 1 + 0j
        for _, fields in (*right, *self.top, *left):
            value = denominator(fields)
            if not _away_from_zero(value):
                return False
            turn, previous = _turned(turn, previous, value)
        return _closed(turn, previous)

    def top_bounds(self, integrand: Integrand) -> list[Any]:
        """Bounds of the integrals of ``abs(F)`` along the top."""
        return _sum_bounds(self.top, integrand)

    def side_bounds(self, integrand: Integrand) -> list[Any]:
        """Bounds of the suprema of ``abs(F)`` on the sides, added."""
        right, left = (
            [
                max(column)
                for column in zip(
                    *(_sizes(weight, integrand(f)) for weight, f in side), strict=True
                )
            ]
            for side in self.sides
        )
        return add(right, left)


def contour(
    fields: FieldEnclosures,
    denominator: Callable[[list[Any]], Any],
    height: float,
    reach: float,
    radius: float,
) -> Contour | None:
    """Cover the boundary of a rectangle, if a denominator has no zeros inside.

    By the argument principle it has none if it does not vanish on the boundary and
    its argument returns to where it was. On the real axis it must be positive.

    Parameters
    ----------
    fields : FieldEnclosures
        The model's fields.
    denominator : callable
        From the fields to the function whose zeros are the integrand's poles.
    height, reach : float
        a and T.
    radius : float
        Largest radius of the discs.

    Returns
    -------
    Contour or None
        None if zeros, or singularities of the fields, cannot be excluded.
    """
    corners = [
        *((complex(reach, 0), complex(reach, height)),),
        *((complex(reach, height), complex(-reach, height)),),
        *((complex(-reach, height), complex(-reach, 0)),),
    ]
    parts: list[list[tuple[Any, list[Any]]]] = []
    turn, previous = 0.0, 1 + 0j
    for start, end in corners:
        count = ceil(abs(end - start) / (2 * radius))
        marks = [start + (end - start) * i / count for i in range(count + 1)]
        stack = list(pairwise(marks))[::-1]
        pieces = []
        while stack:
            left, right = stack.pop()
            middle, half = (left + right) / 2, abs(right - left) / 2
            # a little more, for the rounding of the ends
            disc = middle, half * (1 + SLACK)
            values = fields.on_disc(*disc)
            value = None if values is None else denominator(values)
            if value is None or not _away_from_zero(value):
                if half < FINEST * radius:
                    return None
                stack += [(middle, right), (left, middle)]
                continue
            turn, previous = _turned(turn, previous, value)
            assert values is not None
            length = abs(right - left) if start.imag == end.imag else 1
            pieces.append((_density(*disc) * length * arb(1 + SLACK), values))
        parts.append(pieces)
    right_side, top, left_side = parts
    if not _closed(turn, previous):
        return None
    return Contour(height, reach, top, [right_side, left_side])


def _away_from_zero(value: Any) -> bool:
    return bool(2 * _radius(value) < abs(value.mid()))


def _turned(turn: float, previous: complex, value: Any) -> tuple[float, complex]:
    """Add to the change of the argument from one piece of the boundary to the next."""
    direction = complex(value.mid())
    ratio = direction * previous.conjugate()
    return turn + atan2(ratio.imag, ratio.real), direction


def _closed(turn: float, last: complex) -> bool:
    """Whether the argument returns to where it was, on the real axis."""
    return abs(turn + atan2(-last.imag, last.real)) <= 3


def _sum_bounds(pieces: list[tuple[Any, list[Any]]], integrand: Integrand) -> list[Any]:
    return reduce(add, (_sizes(weight, integrand(f)) for weight, f in pieces))


def _sizes(weight: Any, values: list[Any]) -> list[Any]:
    return [(weight * abs(v).upper()).upper() for v in values]


def _density(centre: complex, radius: float) -> Any:
    """Bound of the modulus of the normal density on a disc."""
    around = arb(0, radius)
    point = acb(centre.real, centre.imag) + acb(around, around)
    return (abs((-point * point / 2).exp()) / (2 * arb.pi()).sqrt()).upper()


def _radius(value: Any) -> Any:
    """Half the diagonal of a complex ball."""
    x, y = value.real.rad(), value.imag.rad()
    return (x * x + y * y).sqrt()
