"""The portrait of a function: parity, growth, singularities."""

import pytest
import sympy as sp
from catalogue import TWINS

from detequiv.theory.functions.expressions import parse_function, z
from detequiv.theory.gaussian.portrait import Portrait


def portrait(text: str) -> Portrait:
    return Portrait(parse_function(text, "f"))


@pytest.mark.parametrize("text", TWINS)
def test_parity_is_that_of_the_twin(text: str) -> None:
    twin, _ = TWINS[text]
    points = [0.3, 0.9, 1.7, 3.2]
    gaps = {
        "even": max(abs(twin(x) - twin(-x)) for x in points),
        "odd": max(abs(twin(x) + twin(-x)) for x in points),
        "neither": 0,
    }
    parity = portrait(text).parity
    assert gaps.pop(parity) < 1e-12
    gaps.pop("neither", None)
    assert all(gap > 1e-3 for gap in gaps.values())


@pytest.mark.parametrize("text", ["tanh", "1/(1 + z**2)", "1/(4 + (z - 1)**2)"])
@pytest.mark.parametrize(("u", "rho"), [("3/2", "1/2"), ("-1/3", 1), (0, 2), (2, 0)])
def test_distance_of_the_nearest_singularity(text: str, u: str, rho: str) -> None:
    """At that distance along the normal f is infinite, nearer it is not.

    The singular points of f lie on one vertical line of the plane.
    """
    known, u, rho = portrait(text), sp.sympify(u), sp.sympify(rho)
    real = sp.Integer(1 if "z - 1" in text else 0)
    distance = known.distance(u, rho)
    normal = sp.Matrix([rho, u]) / sp.sqrt(rho**2 + u**2)
    for share, singular in [(1, True), (sp.Rational(9, 10), False)]:
        g, kappa = sp.I * share * distance * normal
        at = sp.expand(real + rho * g + u * kappa)
        inverse = sp.simplify(1 / known.function).subs(z, at)
        assert (abs(inverse.n(20)) < 1e-15) == singular


def test_distance_of_kinked_and_of_entire_functions() -> None:
    assert portrait("relu").distance(sp.S.One, sp.S.One) == 0
    assert portrait("gelu").distance(sp.S.One, sp.S.One) == sp.oo


def test_closed_forms_are_named_and_proved() -> None:
    gelu, tanh = portrait("gelu"), portrait("tanh")
    assert gelu.closed_forms == ("c0", "c1", "E f^2")
    assert gelu.proofs == ("heat equation", "initial value", "Stein's lemma")
    assert tanh.closed_forms == tanh.proofs == ()
    assert tanh.formula(sp.Symbol("k")) is None
