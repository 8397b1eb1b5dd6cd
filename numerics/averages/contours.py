r"""Contours in kappa that keep clear of the poles of ``1 / (1 + chi)``.

On the support of the spectrum chi is complex, but in its tails only just: a zero of
``1 + chi(kappa)`` then lies so close to the real axis that no quadrature there
can resolve it. The fields are entire functions of kappa, so the contour may be moved
away,

    kappa(t) = delta sinh(t) + i a ((right - left) tanh(t) + right + left) / 2,

up (+1) or down (-1) separately at its two ends. In the upper half plane of z
``Im chi > 0`` on the real axis, so that the average over kappa keeps its value as
long as no zero of ``1 + chi`` lies between the contour and the axis: the argument
principle counts them.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import asinh, ceil
from typing import Any

import flint
import numpy as np

from detequiv.numerics.arithmetic import precision, to_float
from detequiv.numerics.averages.fields import Fields
from detequiv.numerics.averages.law_fields import feature_columns
from detequiv.numerics.averages.quadrature import Rule, gaussian_radius
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.problem import FeatureLaw

__all__ = ["CONTOURS", "REAL_AXIS", "Contour", "contour_fields", "enclosed_zeros"]

arb, acb = flint.arb, flint.acb
Array = Any


@dataclass(frozen=True)
class Contour:
    """Which way the ends of the contour leave the real axis.

    Attributes
    ----------
    left, right : int
        +1: into the upper half plane, -1: the lower, 0: not at all.
    """

    left: int
    right: int

    @property
    def real(self) -> bool:
        """Whether this is the real axis."""
        return self.left == self.right == 0

    def rule(self, radius: float, delta: float, shift: float, step: float) -> Rule:
        """Trapezoidal rule in t, for ``|Re kappa| <= radius``."""
        count = ceil(asinh(radius / delta) / step)
        index = list(range(-count, count + 1))
        h, d = arb(step), arb(delta)
        nodes = [d * (h * j).sinh() for j in index]
        weights = [h * d * (h * j).cosh() for j in index]
        if self.real:
            return Rule([x.mid() for x in nodes], weights, index)
        mean = arb(self.right + self.left) / 2 * arb(shift)
        half = arb(self.right - self.left) / 2 * arb(shift)
        return Rule(
            [
                acb(x.mid(), (mean + half * (h * j).tanh()).mid())
                for x, j in zip(nodes, index, strict=True)
            ],
            [
                acb(w, h * half / (h * j).cosh() ** 2)
                for w, j in zip(weights, index, strict=True)
            ],
            index,
        )


REAL_AXIS = Contour(0, 0)
# in the order in which they help: chi is largest at the centre, at the ends, at one end
CONTOURS = (
    REAL_AXIS,
    *(Contour(-1, 1), Contour(1, -1), Contour(-1, -1), Contour(1, 1)),
)


@lru_cache(maxsize=32)
def contour_fields(
    law: FeatureLaw, contour: Contour, digits: float, step: float
) -> Fields:
    """Evaluate the fields of the features on a contour.

    The target's fields, which the spectrum does not depend on, are zero.

    Parameters
    ----------
    law : FeatureLaw
        Exact data of the features.
    contour : Contour
        Where kappa runs.
    digits : float
        Accuracy of the conditional moments, and reach of the rule into the tails.
    step : float
        Step of the rule in t.

    Raises
    ------
    ConvergenceError
        A conditional moment has not the digits asked for, or the tails have no end.
    """
    ratios = [to_float(u / r) for u, r in zip(law.spikes, law.bulks, strict=True)]
    slope = max(map(abs, ratios))
    radius = gaussian_radius(digits + 5)
    for _ in range(20):
        # the next zeros of 1 + chi are some 2 pi rho / u away from the nearest
        delta, shift = 1.6 / max(1.0, slope), 0.6 / max(1.0, slope)
        with precision(digits + 15):
            rule = contour.rule(radius, delta, shift, step)
        fields = _on_rule(law, rule, digits)
        if _tail(fields) < 10.0 ** -(digits - 2):
            return fields
        radius *= 1.2
    raise ConvergenceError(
        f"averages over kappa have not {digits:.0f} digits in their tails; ask for "
        "fewer"
    )


def _on_rule(law: FeatureLaw, rule: Rule, digits: float) -> Fields:
    with precision(digits + 15):
        norm = (2 * arb.pi()).sqrt()
        weights = [
            (w * (-x * x / 2).exp() / norm).mid()
            for w, x in zip(rule.weights, rule.nodes, strict=True)
        ]
        families = feature_columns(law, rule.nodes, digits)
    model, nothing = law.model, [arb(0)] * len(rule.nodes)
    columns = [nothing] * len(model.fields)
    for name, values in families.items():
        columns[model.families[name]] = [[v.mid() for v in c] for c in values]
    return Fields(weights, columns, model.families, rule)


def _tail(fields: Fields) -> float:
    """Largest share of an averaged c1^2 or cs that the outermost nodes carry."""
    share = 0.0
    for family, power in (("c1", 2), ("cs", 1)):
        for column in fields[family]:
            sizes = [
                abs(complex(w)) * abs(complex(v)) ** power
                for w, v in zip(fields.weights, column, strict=True)
            ]
            share = max(share, max(sizes[0], sizes[-1]) / (sum(sizes) + 1e-300))
    return share


def enclosed_zeros(on_contour: Array, on_axis: Array) -> Array:
    """Count the zeros of ``1 + chi`` between a contour and the real axis.

    Parameters
    ----------
    on_contour, on_axis : (B, n) complex array
        Values of ``1 + chi`` along each, at the same t, n odd; on the axis the
        imaginary part is not negative.

    Returns
    -------
    (B,) array of int
        Zeros enclosed on the left plus zeros enclosed on the right.
    """
    middle = on_contour.shape[1] // 2
    argument = np.unwrap(np.angle(on_contour), axis=1)
    gap = np.angle(on_contour / on_axis)
    upper = np.arctan2(np.maximum(on_axis.imag, 0.0), on_axis.real)
    total = np.zeros(len(on_contour), int)
    for first, last in ((0, middle), (middle, -1)):
        loop = argument[:, last] - argument[:, first]
        loop -= upper[:, last] - upper[:, first]
        loop -= gap[:, last] - gap[:, first]
        total += np.abs(np.rint(loop / (2 * np.pi))).astype(int)
    return total
