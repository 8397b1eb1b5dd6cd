"""Hypothesis strategies for problems: what a law of the theory should be tested on.

Everything drawn is exact, so that a counterexample can be written in a problem file.
Needs Hypothesis, which is not a dependency of the package.

Examples
--------
>>> from hypothesis import find
>>> problem = find(problems(), lambda problem: problem.groups == 2)
>>> problem.features.weights
(1/2, 1/2)
"""

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp
from hypothesis import strategies as st

from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target

__all__ = [
    "ACTIVATIONS",
    "TARGETS",
    "fractions_of_units",
    "problems",
    "rationals",
    "ridges",
    "spiked_features",
    "targets",
]

ACTIVATIONS = (
    *("relu", "erf", "abs", "sign", "sin", "cos", "z**2 - 1", "z + z**3/6"),
    *("leaky_relu(z, 1/10)", "z*exp(-z**2/2)", "max(z - 1, 0) - z/2"),
)
"""With closed forms, so that they are solved quickly; odd, even, and neither."""
TARGETS = ("z", "z + (z**2 - 1)/2", "sin(2*z)", "relu", "sign", "z**3 - 3*z", "1 + z")


def rationals(low: str, high: str, steps: int = 40) -> st.SearchStrategy[sp.Rational]:
    """Draw rationals on an even grid from `low` to `high`, both included.

    The grid keeps numbers short and apart from one another.
    """
    least, most = Fraction(low), Fraction(high)
    return st.integers(0, steps).map(
        lambda k: sp.Rational(least + (most - least) * Fraction(k, steps))
    )


def fractions_of_units(groups: int) -> st.SearchStrategy[tuple[sp.Rational, ...]]:
    """Draw weights of groups, each at least 1/(1 + 4 (groups - 1)), of sum 1."""
    counts = st.tuples(*[st.integers(1, 4)] * groups)
    return counts.map(lambda ks: tuple(sp.Rational(k, sum(ks)) for k in ks))


@st.composite
def spiked_features(
    draw: st.DrawFn,
    activations: Sequence[str] = ACTIVATIONS,
    groups: st.SearchStrategy[int] | None = None,
) -> SpikedFeatures:
    """Draw spiked random features.

    Parameters
    ----------
    draw : callable
        Given by Hypothesis.
    activations : sequence of str
        To choose from.
    groups : strategy of int, optional
        For K; 1 to 3 by default.
    """
    count = draw(st.integers(1, 3) if groups is None else groups)
    return SpikedFeatures(
        activation=draw(st.sampled_from(list(activations))),
        spike=[draw(rationals("-2", "2")) for _ in range(count)],
        bulk=[draw(rationals("1/2", "2", 12)) for _ in range(count)],
        weights=draw(fractions_of_units(count)),
    )


@st.composite
def targets(draw: st.DrawFn, functions: Sequence[str] = TARGETS) -> Target:
    """Draw a target, with noise or without."""
    return Target(
        function=draw(st.sampled_from(list(functions))),
        alignment=draw(rationals("-1", "1")),
        noise=draw(rationals("0", "1", 10)),
    )


@st.composite
def ridges(draw: st.DrawFn) -> Ridge:
    """Draw proportions from 1/5 to 5, equal ones too, and penalties from 1e-4 to 9."""
    proportion = st.integers(1, 25).map(lambda k: sp.Rational(k, 5))
    digit, power = draw(st.integers(1, 9)), draw(st.integers(-4, 0))
    return Ridge(
        samples_per_dim=draw(proportion),
        width_per_dim=draw(proportion),
        penalty=sp.Integer(digit) * sp.Integer(10) ** power,
    )


@st.composite
def problems(
    draw: st.DrawFn,
    features: st.SearchStrategy[SpikedFeatures] | None = None,
    target: st.SearchStrategy[Target] | None = None,
    ridge: st.SearchStrategy[Ridge] | None = None,
) -> Problem:
    """Draw a problem with spiked random features.

    Parameters
    ----------
    draw : callable
        Given by Hypothesis.
    features, target, ridge : strategy, optional
        For its parts; `spiked_features`, `targets` and `ridges` by default.
    """
    return Problem(
        features=draw(spiked_features() if features is None else features),
        target=draw(targets() if target is None else target),
        ridge=draw(ridges() if ridge is None else ridge),
    )
