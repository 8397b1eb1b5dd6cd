"""Fields on nested rules: what is known at a node is not evaluated again."""

from dataclasses import replace

import pytest

import detequiv as de
from detequiv.numerics.fields import evaluate_fields, refine_fields
from detequiv.numerics.quadrature import Rule
from detequiv.numerics.solve import law_of


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
    coarse = evaluate_fields(law, digits, step)
    fine = refine_fields(law, coarse, step / 2)
    nothing = replace(coarse, columns=[[]] * len(coarse.columns), rule=Rule([], [], []))
    anew = refine_fields(law, nothing, step / 2)
    assert len(fine.weights) > 1.5 * len(coarse.weights)
    for one, two in ((fine, anew), (refine_fields(law, fine, step), coarse)):
        assert [float(x) for x in one.rule.nodes] == [float(x) for x in two.rule.nodes]
        for kept, new in zip(one.columns, two.columns, strict=True):
            gap = max(float(abs(p - q)) for p, q in zip(kept, new, strict=True))
            assert gap <= 10.0**-digits * (1 + max(float(abs(q)) for q in new))


@pytest.mark.parametrize("activation", ["tanh", "erf", "sin"])
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
