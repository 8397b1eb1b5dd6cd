"""What a derivation says of a problem in which something simplifies."""

import re
from typing import Any

import mpmath
import pytest
import sympy as sp

import detequiv as de
from detequiv.theory.closed import coupled, weight
from detequiv.theory.derivation.sections_level import reduced


def problem(activation: str, spike: Any, bulk: Any = 1, **target: Any) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike, bulk=bulk),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10", **target),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )


LEVEL = {
    "relu": problem("relu", 0),
    "even": problem("abs", [0, 0], [1, 2]),
    "odd": problem("sin", 0, alignment="3/5"),
    "affine": problem("2*z + 1", [1, "-1/2"], alignment="3/5"),
    "two scales": problem("tanh", [0, 0], [1, 2]),
    "step without spike": de.Problem(
        network=de.Network(activation="relu", readout=[1, "-1/2"], step=1),
        target=de.Target(function="(z**2 - 1)/2", noise="1/2"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    ),
}


def printed(text: str) -> dict[str, sp.Expr]:
    """Equations of a text, by their left sides."""
    names = {s: sp.Symbol(s) for s in ("beta", "lambda_", "g_1", "g_2", "chi", "J")}
    found = {}
    for line in text.splitlines():
        left, equals, right = line.strip().partition(" = ")
        if equals and "  " not in left and not left.startswith("sigma"):
            code = re.sub(r"\blambda\b", "lambda_", right)
            found[left] = sp.sympify(code, locals=names)
    return found


def exactly(value: mpmath.mpf) -> sp.Float:
    return sp.Float(mpmath.nstr(value, 40), 40)


@pytest.mark.parametrize("name", LEVEL)
def test_printed_equations_hold_at_the_solution(name: str) -> None:
    given = LEVEL[name]
    solution = de.solve(given, digits=30)
    text = de.derive(given).text()
    assert "no average over kappa is left" in text
    assert "E[" not in text[text.index("Numbers\n") :]
    lines = printed(text[text.index("Numbers\n") :])
    values = {
        "alpha": sp.Integer(2),
        "beta": sp.Rational(3, 2),
        "lambda_": sp.Rational(1, 20),
        "Delta": given.target.noise**2,
        **{f"g_{q}": exactly(g) for q, g in enumerate(solution.g, start=1)},
        **{s.name: v.evalf(40) for s, v in reduced(given).untrained.values.items()},
    }
    # the trace gives chi: w chi = sum pi (1 - lambda g)
    w = values["alpha"] / values["beta"] - 1
    w += values["lambda_"] * exactly(solution.resolvent_trace)
    values |= {"w": w, "chi": values["alpha"] / values["beta"] / w - 1}
    numbers = {sp.Symbol(name): value for name, value in values.items()}
    if "1/W" in lines:
        numbers[sp.Symbol("W")] = 1 / lines["1/W"].subs(numbers)
    for left in ("chi", *(f"1/g_{q + 1}" for q in range(len(solution.g)))):
        here = sp.sympify(left).subs(numbers)
        assert abs(lines[left].subs(numbers) - here) < sp.Float("1e-24")
    for step in ("J", "w_epsilon", "W_epsilon", "w_lambda", "W_lambda"):
        if step in lines:
            numbers[sp.Symbol(step)] = lines[step].subs(numbers)
    for quantity in ("generalization_error", "training_error", "readout_norm"):
        there = exactly(getattr(solution, quantity))
        assert abs(lines[quantity].subs(numbers) - there) < sp.Float("1e-22")


def test_constants_are_exact() -> None:
    text = de.derive(LEVEL["relu"]).text()
    assert "c0 = sqrt(2)/(2*sqrt(pi))" in text
    assert "1/g_1 = W/4 + lambda + w*(1/4 - 1/(2*pi))" in text
    assert "kappa*u" not in text
    reduction = reduced(LEVEL["relu"])
    assert reduction.unknowns == (weight, coupled)
    assert "1/W" not in de.derive(LEVEL["even"]).text()


def test_groups_that_are_alike_are_one() -> None:
    given = problem("relu", [1, -1, 1])
    derivation = de.derive(given)
    assert derivation.groups == 2
    assert derivation.law.weights == (sp.Rational(2, 3), sp.Rational(1, 3))
    assert "Groups 1 and 3 of the problem are alike" in derivation.text()
    assert len(derivation.unknowns) == 3


def test_an_aligned_target_needs_no_r() -> None:
    aligned = de.derive(problem("tanh", 1)).text()
    assert "S(kappa) = (tau0 - m.c0 - t.h)^2 + tau2" in aligned
    assert "tau1 - r.c1" not in aligned
    across = de.derive(problem("tanh", 1, alignment="1/2")).text()
    assert "What simplifies" not in across
    assert "r = A E[w tau1 c1]" in across


def test_an_odd_mean_of_any_scale_is_zero() -> None:
    # without a closed form it is an average that only parity knows to vanish
    assert "c0_2 = 0" in de.derive(LEVEL["two scales"]).text()
