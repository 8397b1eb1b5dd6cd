"""Expansions of reported quantities: against exact laws, and against solves."""

from itertools import pairwise
from typing import Any

import mpmath
import pytest
import sympy as sp
from mpmath import mpf

import detequiv as de
from detequiv.theory.errors import ConvergenceError, InputError


def even(**changes: Any) -> de.Problem:
    """Least squares on features without linear part: Marchenko and Pastur's law."""
    return de.Problem(
        features=de.SpikedFeatures(activation="abs", spike=0),
        target=de.Target(function="z", noise="1/2"),
        ridge=de.Ridge(samples_per_dim=3, width_per_dim=2, penalty=0),
    ).with_values(changes)


def relu(**changes: Any) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation="relu", spike=0),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(samples_per_dim="3/2", width_per_dim="3/2", penalty="1/20"),
    ).with_values(changes)


def falls(
    problem: de.Problem, expansion: de.Expansion, values: list[sp.Rational]
) -> list[float]:
    """Slopes, on a logarithmic scale, of the error of an expansion in a number."""
    errors = []
    for value in values:
        point = de.solve(problem.with_values({expansion.parameter: value}), digits=60)
        errors.append(abs(getattr(point, expansion.quantity) - expansion(value)))
    pairs = zip(pairwise(errors), pairwise(values), strict=True)
    return [
        float(mpmath.log(b / a) / mpmath.log(mpf(y / x))) for (a, b), (x, y) in pairs
    ]


def test_many_samples_give_the_geometric_series() -> None:
    # all of the target and the noise is noise: 5/4 / (1 - beta/alpha)
    found = de.expand(even(), "ridge.samples_per_dim", at="oo", order=3, digits=12)
    assert [e for e, _ in found.terms] == [0, -1, -2]
    for k, (_, c) in enumerate(found.terms):
        assert abs(c / (mpf(5) / 4 * 2**k) - 1) < 1e-12
    assert found.next_exponent == -3
    assert not found.exact


def test_the_pole_at_as_many_samples_as_units() -> None:
    # 5/4 alpha / (alpha - 2) above, 5/4 (2 + ...) below
    found = de.expand(even(), "ridge.samples_per_dim", at="2+", order=4, digits=12)
    assert [(e, mpmath.nstr(c, 12)) for e, c in found.terms] == [
        (-1, "2.5"),
        (0, "1.25"),
    ]
    assert found.next_exponent is sp.oo
    with pytest.raises(InputError, match="not on the side alpha -> 2"):
        found(1)
    assert abs(found(3) - de.solve(even()).generalization_error) < 1e-11


@pytest.mark.slow
def test_the_pole_is_another_one_from_below() -> None:
    below = de.expand(even(), "ridge.samples_per_dim", at="2-", order=2)
    point = de.solve(even(**{"ridge.samples_per_dim": "1.999999"}), digits=20)
    assert abs(below("1.999999") / point.generalization_error - 1) < 1e-10
    with pytest.raises(ConvergenceError, match=r"smooth at ridge.samples_per_dim = 2"):
        de.expand(even(), "ridge.samples_per_dim", at=2, order=2)


@pytest.mark.slow
def test_half_integer_powers_at_as_many_samples_as_units() -> None:
    problem = relu()
    scales = [sp.Rational(1, 10**k) for k in (9, 10, 11, 12, 13)]
    for order in (1, 2, 3):
        found = de.expand(problem, "ridge.penalty", order=order)
        assert [e for e, _ in found.terms] == [
            sp.Rational(k - 1, 2) for k in range(order)
        ]
        for slope in falls(problem, found, scales):
            assert abs(slope - found.next_exponent) < 1e-3


@pytest.mark.parametrize(
    ("name", "at", "scale"),
    [
        ("ridge.samples_per_dim", "oo", [10**k for k in (6, 7, 8)]),
        ("ridge.width_per_dim", "oo", [10**k for k in (6, 7, 8)]),
        ("ridge.penalty", "oo", [10**k for k in (6, 7, 8)]),
        ("ridge.samples_per_dim", 0, [sp.Rational(1, 10**k) for k in (6, 7, 8)]),
        ("ridge.width_per_dim", 0, [sp.Rational(1, 10**k) for k in (6, 7, 8)]),
    ],
)
@pytest.mark.parametrize("quantity", ["generalization_error", "readout_norm"])
@pytest.mark.slow
def test_limits(name: str, at: Any, scale: list[Any], quantity: str) -> None:
    found = de.expand(relu(), name, at=at, order=2, quantity=quantity)
    for slope in falls(relu(), found, [sp.sympify(x) for x in scale]):
        assert abs(slope - found.next_exponent) < 1e-3


def test_taylor_agrees_with_implicit_differentiation() -> None:
    found = de.expand(relu(), "ridge.penalty", at="1/20", order=2, digits=12)
    slope = de.derivatives(relu(), "ridge.penalty", digits=12)["generalization_error"]
    value = de.solve(relu()).generalization_error
    assert [e for e, _ in found.terms] == [0, 1]
    assert abs(found.terms[0][1] / value - 1) < 1e-12
    assert abs(found.terms[1][1] / slope - 1) < 2e-12
    assert found.side == "both"
    assert abs(found("0.049999999") - found("0.05") + slope / 10**9) < 1e-15


def test_a_vanishing_penalty_tends_to_the_ridgeless_limit() -> None:
    problem = relu(**{"ridge.samples_per_dim": 2})
    found = de.expand(problem, "ridge.penalty", order=1, digits=12)
    limit = de.solve(problem.with_values({"ridge.penalty": 0}))
    assert abs(found.terms[0][1] / limit.generalization_error - 1) < 1e-12
    assert found.note == ""


def test_the_error_is_quadratic_in_the_noise() -> None:
    found = de.expand(relu(), "target.noise", order=4, digits=12)
    assert [e for e, _ in found.terms] == [0, 2]
    assert found.next_exponent is sp.oo
    point = de.solve(relu(**{"target.noise": 2}))
    assert abs(found(2) / point.generalization_error - 1) < 2e-12


def test_what_vanishes_has_no_terms() -> None:
    interpolating = even(**{"ridge.width_per_dim": 4})
    found = de.expand(
        interpolating, "target.noise", quantity="training_error", digits=5
    )
    assert (found.terms, found.next_exponent) == ([], sp.oo)
    assert found.text() == "training_error = 0, sigma -> 0+"


@pytest.mark.slow
def test_a_small_spike_of_an_odd_activation_is_no_small_change() -> None:
    problem = relu(**{"features.activation": "tanh", "ridge.samples_per_dim": 2})
    found = de.expand(problem, "features.spike", order=2, digits=15)
    assert [e for e, _ in found.terms] == [0, 2]
    untrained = de.solve(problem, digits=15).generalization_error
    assert found.terms[0][1] < untrained - 0.1
    assert mpmath.nstr(untrained, 8) in found.note
    for k in (3, 4, 5):
        u = sp.Rational(1, 10**k)
        point = de.solve(problem.with_values({"features.spike": u}), digits=30)
        gain = point.generalization_error - found.terms[0][1]
        assert abs(gain / (found.terms[1][1] * mpf(10) ** (-2 * k)) - 1) < 10 ** (
            2 - 2 * k
        )


@pytest.mark.slow
def test_a_list_moves_by_a_common_factor() -> None:
    two = relu(**{"features.spike": ["1/2", -1]})
    found = de.expand(two, "features.spike", at=1, order=1, digits=10)
    value = de.solve(two, digits=12).generalization_error
    assert abs(found.terms[0][1] / value - 1) < 1e-10
    entry = de.expand(two, "features.spike[1]", at=-1, order=1, digits=10)
    assert abs(entry.terms[0][1] / value - 1) < 1e-10


@pytest.mark.slow
def test_logarithms_are_refused() -> None:
    # far out, relu units of one sign see nothing
    problem = relu(**{"features.spike": 1, "ridge.samples_per_dim": 1})
    with pytest.raises(ConvergenceError, match="powers found: none"):
        de.expand(problem, "ridge.penalty", order=2)


def test_texts() -> None:
    found = de.expand(even(), "ridge.samples_per_dim", at="oo", order=2, digits=3)
    assert found.text() == (
        "generalization_error = 1.25 + 2.50*alpha**(-1) + O(alpha**(-2)), alpha -> oo"
    )
    assert found.latex() == (
        r"\mathrm{generalization\_error} = 1.25 + \frac{2.5}{\alpha} "
        r"+ O\left(\frac{1}{\alpha^{2}}\right)"
    )
    alpha = sp.Symbol("alpha", positive=True)
    assert abs(found.expression.subs(alpha, 10) - 1.5) < 1e-12


@pytest.mark.parametrize(
    ("parameter", "given"),
    [
        ("ridge.penalti", {}),
        ("ridge", {}),
        ("features.activation", {}),
        ("features.spike[3]", {}),
        ("ridge.penalty", {"at": -1}),
        ("ridge.penalty", {"at": "0-"}),
        ("ridge.penalty", {"at": "nowhere"}),
        ("target.alignment", {"at": "oo"}),
        ("ridge.penalty", {"order": 0}),
        ("ridge.penalty", {"order": 13}),
        ("ridge.penalty", {"digits": 0}),
        ("ridge.penalty", {"quantity": "loss"}),
    ],
    ids=str,
)
def test_bad_input_is_refused(parameter: str, given: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        de.expand(even(), parameter, **given)
