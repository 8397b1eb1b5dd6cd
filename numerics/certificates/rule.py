"""The trapezoidal rule in kappa, with its error."""

from functools import reduce
from math import ceil, exp, log, pi
from typing import Any

import flint

from detequiv.numerics.arithmetic import add
from detequiv.numerics.certificates.majorants import gaussian_tail
from detequiv.numerics.certificates.strips import (
    Contour,
    FieldEnclosures,
    Integrand,
)

__all__ = ["TrapezoidalRule", "half_nodes", "tail_bounds", "tail_of"]

arb = flint.arb


class TrapezoidalRule:
    """Averages of integrands over kappa, as balls that contain them.

    Parameters
    ----------
    fields : FieldEnclosures
        The model's fields.
    boundary : Contour
        Where the integrands have been found to be analytic.
    half_nodes : int
        Nodes on either side of 0.
    """

    def __init__(
        self, fields: FieldEnclosures, boundary: Contour, half_nodes: int
    ) -> None:
        self.boundary = boundary
        self.step = 2 * arb(boundary.reach) / (2 * half_nodes + 1)
        points = [self.step * j for j in range(-half_nodes, half_nodes + 1)]
        norm = self.step / (2 * arb.pi()).sqrt()
        self.nodes = [(norm * (-x * x / 2).exp(), fields.at(x)) for x in points]
        self.tail = tail_of(fields, boundary.reach)

    def sum(self, integrand: Integrand) -> list[Any]:
        """Apply the rule alone: averages without its error."""
        return reduce(
            add, ([weight * v for v in integrand(f)] for weight, f in self.nodes)
        )

    def average(
        self, integrand: Integrand, over_range: Integrand | None = None
    ) -> list[Any]:
        """Enclose the averages of the components of an integrand.

        Parameters
        ----------
        integrand : callable
            ``integrand(fields)`` at a point.
        over_range : callable, optional
            See `errors`; the integrand itself by default.
        """
        return add(self.sum(integrand), self.errors(over_range or integrand))

    def errors(self, integrand: Integrand) -> list[Any]:
        """Enclose the rule's errors.

        Parameters
        ----------
        integrand : callable
            ``integrand(fields)`` encloses its values on a piece of the boundary;
            ``integrand(fields, True)`` those for all fields within the balls.
        """
        height = arb(self.boundary.height)
        kernel = (2 * arb.pi() * height / self.step).exp() - 1
        bounds = zip(
            self.boundary.top_bounds(integrand),
            self.boundary.side_bounds(integrand),
            tail_bounds(self.tail, integrand),
            strict=True,
        )
        return [
            arb(0, (2 * top / kernel + sides * self.step / arb.pi() + tail).upper())
            for top, sides, tail in bounds
        ]


def tail_of(fields: FieldEnclosures, reach: float) -> tuple[Any, list[Any]]:
    """Weight and fields that bound integrals beyond ``abs(kappa) = reach``."""
    start = arb(reach)
    return 2 * gaussian_tail(start, fields.degree), fields.tail(start)


def tail_bounds(tail: tuple[Any, list[Any]], integrand: Integrand) -> list[Any]:
    """Bounds of the integrals over the two tails."""
    weight, fields = tail
    return [weight * abs(v).upper() for v in integrand(fields, True)]


def half_nodes(boundary: Contour, largest: float, digits: float) -> int:
    """Nodes on either side of 0 for an absolute error of ``10^-digits``."""
    decay = log(max(2 * largest, exp(1))) + digits * log(10)
    return ceil(boundary.reach * decay / (2 * pi * boundary.height) - 0.5)
