"""Fields on nested rules: what is known at a node is not evaluated again."""

import math
from dataclasses import replace
from time import process_time

import pytest
import sympy as sp
from flint import arb

import detequiv as de
from detequiv.numerics.averages.law_fields import LawFields
from detequiv.numerics.averages.moments import central_values, conditional_values
from detequiv.numerics.averages.quadrature import Rule
from detequiv.theory.functions import parse_function
from detequiv.theory.functions.expressions import z
from detequiv.theory.gaussian.smoothing import conditional_moments
from detequiv.theory.problem.conditionals import law_of


@pytest.mark.parametrize(
    ("activation", "target"), [("tanh", "z"), ("cos", "z"), ("erf", "relu")]
)
def test_refining_is_evaluating_anew(activation: str, target: str) -> None:
    law = law_of(
        de.Problem(
            features=de.SpikedFeatures(activation=activation, spike=[3, 0, 3]),
            target=de.Target(function=target),
            ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
        )
    )
    step, digits = 0.25, 20
    source = LawFields(law)
    coarse = source.evaluate(digits, step)
    fine = source.refine(coarse, step / 2)
    nothing = replace(coarse, columns=[[]] * len(coarse.columns), rule=Rule([], [], []))
    anew = source.refine(nothing, step / 2)
    assert len(fine.weights) > 1.5 * len(coarse.weights)
    for one, two in ((fine, anew), (source.refine(fine, step), coarse)):
        assert [float(x) for x in one.rule.nodes] == [float(x) for x in two.rule.nodes]
        for kept, new in zip(one.columns, two.columns, strict=True):
            gap = max(float(abs(p - q)) for p, q in zip(kept, new, strict=True))
            assert gap <= 10.0**-digits * (1 + max(float(abs(q)) for q in new))


@pytest.mark.parametrize(
    "activation",
    ["tanh", "erf", "sin", "min(max(z,-1),1)", "sign", "tanh(z*abs(z))", "z*abs(z)"],
)
def test_odd_features_do_not_learn_an_even_target(activation: str) -> None:
    """Their error is ``E y^2 + E f^2 >= E y^2``, here 3.

    The scale of a mean is free: what rounding leaves of the mean of a group without
    spike would do as a constant feature, and lower the error.
    """
    problem = de.Problem(
        features=de.SpikedFeatures(
            activation=activation, spike=[0, 3], bulk="2/3", weights=["1/3", "2/3"]
        ),
        target=de.Target(function="z**2", alignment="1/2"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    )
    assert de.solve(problem).generalization_error >= 3


@pytest.mark.parametrize(
    ("activation", "digits"),
    [
        ("min(max(z, -1), 1)", 50),
        ("max(z, -1) + min(z, 1)", 15),
        ("tanh(z) + z**2 - 1", 15),
        ("abs(z)*tanh(z) + z**2 - 1", 30),
    ],
)
def test_a_mean_that_vanishes_is_zero(activation: str, digits: float) -> None:
    function = conditional_moments(parse_function(activation, "features.activation"))
    assert central_values(function, sp.S.One, digits).c0 == [0]


@pytest.mark.parametrize("activation", ["min(max(z, -1), 1)", "tanh(z)"])
def test_a_mean_that_is_small_is_not_zero(activation: str) -> None:
    function = parse_function(activation, "features.activation") + sp.Rational("1e-30")
    value = central_values(conditional_moments(function), sp.S.One, 15).c0[0]
    assert float(value) == pytest.approx(1e-30, rel=1e-3)


@pytest.mark.parametrize(
    "activation", ["gelu", "tanh", "abs(z)*tanh(z)", "relu", "exp(z)*tanh(z)"]
)
def test_moments_lie_within_their_radii(activation: str) -> None:
    """Seen from twice the digits; the ends of the Gaussian count.

    Where gelu is nearly linear or nearly 0, its variance is far below its error.
    """
    function = conditional_moments(parse_function(activation, "features.activation"))
    means = [arb(20 * k / 7) for k in range(-7, 8)]
    rough, fine = (conditional_values(function, means, sp.S.One, d) for d in (20, 45))
    for name in ("c0", "c1", "c2", "cs"):
        for p, q in zip(getattr(rough, name), getattr(fine, name), strict=True):
            assert float(abs(p.mid() - q.mid())) <= float(p.rad() + 2 * q.rad())
            assert float(p.rad()) <= 1e-17 * (1 + float(abs(q))) ** 2


def test_a_growing_target_with_a_kink_is_followed_into_its_tail() -> None:
    """``E kappa^2 exp(6 kappa)`` is ``37 exp(18)``."""
    law = law_of(
        de.Problem(
            features=de.SpikedFeatures(activation="tanh", spike=1),
            target=de.Target(function="abs(z)*exp(3*z)"),
            ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
        )
    )
    fields = LawFields(law).evaluate(14, 0.05)
    (tau0,) = fields["tau0"]
    power = sum(w * v * v for w, v in zip(fields.weights, tau0, strict=True))
    assert float(power) == pytest.approx(37 * math.exp(18), rel=1e-13)


def test_averages_reach_to_where_a_growing_function_has_its_weight() -> None:
    """``E f^2 + E exp(4g) / cosh^2 g = E exp(4g)`` for ``f = exp(2g) tanh g``."""
    function = conditional_moments(sp.exp(2 * z) * sp.tanh(z))
    damped = conditional_moments(sp.exp(2 * z) / sp.cosh(z))
    parts = [conditional_values(f, [arb(0)], sp.S.One, 15) for f in (function, damped)]
    squares = sum(float(v.c0[0] ** 2 + v.c1[0] ** 2 + v.cs[0]) for v in parts)
    assert squares == pytest.approx(math.exp(8), rel=1e-13)


def test_narrow_gaussians_about_means_far_apart_need_few_nodes() -> None:
    """At a width of 1/1000 a lattice over all means would have 1e5 nodes and more."""
    function = conditional_moments(sp.tanh(z))
    means, width = [arb(k) for k in range(-15, 16)], sp.Rational(1, 1000)
    start = process_time()
    values = conditional_values(function, means, width, 25)
    assert process_time() - start < 1
    for mean, c0 in zip(means, values.c0, strict=True):
        slope = 1 - mean.tanh() ** 2
        second_order = -mean.tanh() * slope * arb("1e-6")
        assert abs(float(c0 - mean.tanh() - second_order)) < 1e-11
