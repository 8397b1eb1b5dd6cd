"""The kappa-dependent functions of a problem on a quadrature rule in kappa."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, log, pi
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
from detequiv.numerics.averages.fields import Fields, FieldSource
from detequiv.numerics.averages.moments import (
    MomentValues,
    central_values,
    conditional_values,
)
from detequiv.numerics.averages.quadrature import (
    Rule,
    gaussian_radius,
    panels,
    sinh_rule,
)
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.problem import FeatureLaw, c1, c2, kappa

__all__ = ["LawFields", "feature_columns", "first_step", "float_fields"]

arb = flint.arb
Known = dict[Any, tuple[Any, ...]]  # values of all fields at a node, by its place
OSCILLATING = 4.0  # first step of functions that oscillate, in units of the others'


@dataclass(frozen=True)
class LawFields:
    """The fields of a problem's features and target, on rules as fine as is needed.

    Attributes
    ----------
    law : FeatureLaw
        Exact data of features and target.
    interpolating : bool
        Whether the averages will weight with ``1/chi`` and not ``1/(1 + chi)``: the
        variances in the far tails then count relative to themselves.
    """

    law: FeatureLaw
    interpolating: bool = False

    def evaluate(self, digits: float, step: float) -> Fields:
        """Evaluate the fields.

        Parameters
        ----------
        digits : float
            Accuracy of the conditional moments, and reach of the rule into the tails.
        step : float
            Step of the rule in its own variable (t of ``kappa = delta sinh(t)``).

        Raises
        ------
        ConvergenceError
            A conditional moment has not the digits asked for.
        """
        radius, accuracy = gaussian_radius(digits + 5), digits
        known: Known = {}
        for _ in range(20):
            fields = _on_rule(self.law, radius, step, accuracy, known)
            tail, noise = _tail(fields), 0.0
            if self.interpolating:
                tail, noise = _interpolating_tail(fields, accuracy)
            if noise > 10.0 ** -(digits + 2):
                accuracy, known = accuracy * 1.5, {}
            elif tail > 10.0 ** -(digits + 2):
                radius, known = radius * 1.2, _known(fields)
            else:
                return fields
            if accuracy > 4 * digits:
                break
        if not self.interpolating:
            raise ConvergenceError(
                f"the average over kappa reached a share of {tail:.1e} in its tails; "
                "ask for fewer digits, or for smaller spikes"
            )
        raise ConvergenceError(
            "without a penalty, samples far out decide, and there the features' "
            "variance vanishes too fast for this precision; give a ridge.penalty > 0"
        )

    def refine(self, fields: Fields, step: float) -> Fields:
        """Evaluate the fields with another step; what is known at a node is kept.

        Parameters
        ----------
        fields : Fields
            What is known.
        step : float
            The new step. Powers of 2 times the known one share nodes with it.
        """
        return _on_rule(self.law, fields.radius, step, fields.digits, _known(fields))


def _known(fields: Fields) -> Known:
    """Values at the nodes, by their exact places."""
    assert fields.rule is not None
    rows = zip(*fields.columns, strict=True)
    return {x.man_exp(): row for x, row in zip(fields.rule.nodes, rows, strict=True)}


def _on_rule(
    law: FeatureLaw,
    radius: float,
    step: float,
    digits: float,
    known: Known,
) -> Fields:
    with precision(digits + 15):
        rule = _rule(law, radius, step, digits)
        weights = [
            (w * (-x * x / 2).exp() / (2 * arb.pi()).sqrt()).mid()
            for w, x in zip(rule.weights, rule.nodes, strict=True)
        ]
        places = [x.man_exp() for x in rule.nodes]
        new = [x for x, p in zip(rule.nodes, places, strict=True) if p not in known]
        rows = zip(*_columns(law, new, digits), strict=True) if new else ()
        known = known | {x.man_exp(): row for x, row in zip(new, rows, strict=True)}
    columns = list(map(list, zip(*(known[p] for p in places), strict=True)))
    return Fields(weights, columns, law.families, rule, radius, digits)


def _rule(law: FeatureLaw, radius: float, step: float, digits: float) -> Rule:
    """Choose a rule in kappa by the functions' kinks and the reach of their changes."""
    if (law.alignment**2 - 1).is_zero:
        kinks = [to_ball(k / law.alignment).mid() for k in law.target.marks]
        inside = sorted((k for k in kinks if abs(float(k)) < radius), key=float)
        if inside:
            return panels([arb(-radius), *inside, arb(radius)], digits + 5, step)
    slope = max(
        abs(to_float(u / r)) for u, r in zip(law.spikes, law.bulks, strict=True)
    )
    width = 1.6 / max(1.0, slope)
    if law.activation.function.has(sp.sin, sp.cos):
        # what oscillates needs nodes everywhere, not near 0 alone
        return sinh_rule(radius, radius, step * OSCILLATING * width / radius)
    return sinh_rule(radius, width, step)


def _columns(law: FeatureLaw, nodes: list[Any], digits: float) -> list[list[Any]]:
    """Evaluate the fields at the nodes, in the order of the model."""
    spread = sp.sqrt(1 - law.alignment**2)
    target = moments_at(law.target, nodes, law.alignment, spread, digits)
    if law.binary:  # the second moment of labels of -1 and 1 is 1
        rest = [1 - a * a - b * b for a, b in zip(target.c0, target.c1, strict=True)]
    else:
        noise = to_ball(law.noise_variance)
        rest = [x + noise for x in target.cs]
    families = {
        **feature_columns(law, nodes, digits),
        "tau0": [target.c0],
        "tau1": [target.c1],
        "tau2": [rest],
    }
    return [column for name in law.families for column in families[name]]


def feature_columns(
    law: FeatureLaw, nodes: list[Any], digits: float
) -> dict[str, list[list[Any]]]:
    """Evaluate the fields of the features, by family, on real or complex nodes.

    One column a group; c0 has one a node of each group's mixture, if there is any, and
    h those of one latent after the other.
    """
    once = {
        pair: moments_at(law.activation, nodes, *pair, digits)
        for pair in zip(law.spikes, law.bulks, strict=True)
    }
    groups = [once[pair] for pair in zip(law.spikes, law.bulks, strict=True)]
    means = [moments_at(law.activation, nodes, *pair, digits) for pair in law.mixture]
    return {
        "c0": [v.c0 for v in means or groups],
        "c1": [v.c1 for v in groups],
        "cs": [v.cs for v in groups],
        "h": _tangent_columns(law, nodes, groups),
    }


def _tangent_columns(
    law: FeatureLaw, nodes: Sequence[Any], groups: Sequence[MomentValues]
) -> list[list[Any]]:
    """Evaluate the tangent functions, latent after latent."""
    columns = []
    for latent in law.tangents:
        for tangent, values in zip(latent, groups, strict=True):
            h = _compiled(tangent)
            points = zip(nodes, values.c1, values.c2, strict=True)
            columns.append([type(x)(h(x, a, b)[0]) for x, a, b in points])
    return columns


@lru_cache(maxsize=64)
def _compiled(tangent: sp.Expr) -> Any:
    return compile_expressions((kappa, c1, c2), [tangent], BALLS)


def moments_at(
    function: Any, nodes: list[Any], slope: sp.Expr, scale: sp.Expr, digits: float
) -> MomentValues:
    """Moments at the means ``slope kappa``; at one mean only if they are all equal."""
    if slope.is_zero:
        once = central_values(function, scale, digits)
        count = len(nodes)
        return MomentValues(
            once.c0 * count, once.c1 * count, once.c2 * count, once.cs * count
        )
    factor = to_ball(slope)
    means = [(factor * x).mid() for x in nodes]
    return conditional_values(function, means, scale, digits)


def _ends(fields: Fields) -> list[tuple[int, Any]]:
    """Positions of the outermost nodes, and the standard normal density there.

    A rule may give these nodes hardly any weight: it says nothing of the tails.
    """
    assert fields.rule is not None
    nodes = fields.rule.nodes
    return [(i, (-(nodes[i] ** 2) / 2).exp()) for i in (0, len(nodes) - 1)]


def _tail(fields: Fields) -> float:
    """Largest density of a squared field at the ends of the rule, over its average."""
    share = 0.0
    for column in fields.columns:
        average = sum(w * v * v for w, v in zip(fields.weights, column, strict=True))
        for i, density in _ends(fields):
            if column[i] != 0:
                share = max(share, float(density * column[i] ** 2 / average))
    return share


def _interpolating_tail(fields: Fields, accuracy: float) -> tuple[float, float]:
    """Share of the outermost nodes, and of the rounding of the variances.

    Of averages with weight 1 and of averages with weight ``1/chi``, which behaves like
    one over the variances; the larger of the two.
    """
    variances = [sum(row) for row in zip(*fields["cs"], strict=True)]
    if any(float(v) == 0 for v in variances):
        return inf, inf
    plain = [float(w) for w in fields.weights]
    raised = [float(w / v) for w, v in zip(fields.weights, variances, strict=True)]
    tail = max(
        max(float(density) / sum(plain), float(density / variances[i]) / sum(raised))
        for i, density in _ends(fields)
    )
    rounding = [float(arb(10) ** (-arb(accuracy)) / v) for v in variances]
    noise = max(
        sum(v * r for v, r in zip(s, rounding, strict=True)) / sum(s)
        for s in (plain, raised)
    )
    return tail, noise


def first_step(digits: float, analyticity: float = 0.45) -> float:
    """Step at which a trapezoidal rule in kappa has `digits` digits."""
    return 2 * pi * analyticity / (digits * log(10))


@lru_cache(maxsize=16)
def float_fields(
    source: FieldSource, digits: float, step: float, halvings: int = 0
) -> Fields:
    """Fields for float64 use, `step` halved so often; remembered, for sweeps."""
    if not halvings:
        return source.evaluate(digits, step)
    coarser = float_fields(source, digits, step, halvings - 1)
    return source.refine(coarser, step / 2**halvings)
