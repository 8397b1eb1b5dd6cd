"""The fields of the spiked model, by their names, from conditional moments.

The one place that knows which moment is which field: c0, c1 and cs of every group, the
tangent functions h of every latent and group, and tau0, tau1, tau2 of the target.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import BALLS, compile_expressions, to_ball
from detequiv.numerics.averages.moments import MomentValues, conditional_values
from detequiv.theory.gaussian import Moments
from detequiv.theory.problem import FeatureLaw, c1, c2, kappa

__all__ = ["Columns", "arrange", "evaluate_columns"]

arb = flint.arb
Columns = dict[str, list[list[Any]]]  # of each name: one column a group, or one


def evaluate_columns(
    law: FeatureLaw, nodes: Sequence[Any], digits: float, *, target: bool = True
) -> Columns:
    """Evaluate the fields at values of kappa, as exact midpoints.

    Parameters
    ----------
    law : FeatureLaw
        Exact data of features and target.
    nodes : sequence of arb or acb
        Values of kappa, on the real axis or on a contour.
    digits : float
        Accuracy of the conditional moments.
    target : bool
        Whether the target's fields are wanted; they are zero if not.

    Raises
    ------
    ConvergenceError
        A conditional moment has not the digits asked for.
    """
    pairs = list(zip(law.spikes, law.bulks, strict=True))
    known = {pair: _moments(law.activation, nodes, *pair, digits) for pair in pairs}
    labels = None
    if target:
        spread = sp.sqrt(1 - law.alignment**2)
        labels = _moments(law.target, nodes, law.alignment, spread, digits)
    found = arrange(law, nodes, [known[pair] for pair in pairs], labels)
    return {
        name: [[v.mid() for v in column] for column in columns]
        for name, columns in found.items()
    }


def arrange(
    law: FeatureLaw,
    nodes: Sequence[Any],
    groups: Sequence[MomentValues],
    target: MomentValues | None,
) -> Columns:
    """Give moments at nodes in kappa the names of the model's fields.

    Parameters
    ----------
    law : FeatureLaw
        Exact data of features and target.
    nodes : sequence of arb or acb
        Values of kappa, or enclosures of many.
    groups : sequence of MomentValues
        Those of the activation in every group, at the nodes.
    target : MomentValues, optional
        Those of the target; without it, its fields are zero.
    """
    if target is None:
        nothing = [arb(0)] * len(nodes)
        target = MomentValues(nothing, nothing, nothing, nothing)
        noise = arb(0)
    else:
        noise = to_ball(law.noise_variance)
    return {
        "c0": [v.c0 for v in groups],
        "c1": [v.c1 for v in groups],
        "cs": [v.cs for v in groups],
        "h": [
            _tangent_column(h, nodes, v)
            for latent in law.tangents
            for h, v in zip(latent, groups, strict=True)
        ],
        "tau0": [target.c0],
        "tau1": [target.c1],
        "tau2": [[v + noise for v in target.cs]],
    }


def _tangent_column(
    tangent: sp.Expr, nodes: Sequence[Any], values: MomentValues
) -> list[Any]:
    """Values of one tangent function ``h(kappa, c1, c2)``."""
    h = _compiled(tangent)
    points = zip(nodes, values.c1, values.c2, strict=True)
    return [type(x)(h(x, a, b)[0]) for x, a, b in points]


@lru_cache(maxsize=64)
def _compiled(tangent: sp.Expr) -> Any:
    return compile_expressions((kappa, c1, c2), [tangent], BALLS)


def _moments(
    function: Moments,
    nodes: Sequence[Any],
    slope: sp.Expr,
    scale: sp.Expr,
    digits: float,
) -> MomentValues:
    """Moments at the means ``slope kappa``; at one mean only if they are all equal."""
    if slope.is_zero:
        once = conditional_values(function, [arb(0)], scale, digits)
        count = len(nodes)
        return MomentValues(
            once.c0 * count, once.c1 * count, once.c2 * count, once.cs * count
        )
    factor = to_ball(slope)
    means = [(factor * x).mid() for x in nodes]
    return conditional_values(function, means, scale, digits)
