"""Numbers of every type are read exactly; those that are none are refused by name."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
import xarray

import detequiv as de
from detequiv.theory.functions import exact

RIDGE = de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (sp.Float("0.99698", 5), "0.99698"),
        (sp.Float("0.1428179", 7), "0.1428179"),
        (sp.Float("0.1", 40), "0.1"),
        (sp.Float(0.1) * sp.sqrt(2), "sqrt(2)/10"),
        (np.float32(0.7), "0.7"),
        (np.float64(0.1) + 0.2, "0.30000000000000004"),
        (np.array(0.25), "0.25"),
        (np.int8(-3), "-3"),
        (np.longdouble("0.1"), "0.1"),
        (np.float16(0.1), "0.1"),
        (np.str_("1/3"), "1/3"),
        (xarray.DataArray(np.float32(0.7)), "0.7"),
        (Decimal("1e-30"), "1e-30"),
        (Fraction(1, 3), "1/3"),
        (mpmath.mpf("0.5"), "0.5"),
    ],
)
def test_numbers_are_read_exactly(value: Any, expected: str) -> None:
    assert exact(value, "x") == exact(expected, "x")


@pytest.mark.parametrize(
    "value",
    [
        *(mpmath.inf, -mpmath.inf, mpmath.nan, np.nan, np.float32("inf"), "nan"),
        *("-inf", sp.oo, sp.zoo, sp.nan, Decimal("Infinity"), float("inf")),
    ],
    ids=range(12),
)
def test_what_is_not_finite_is_said_to_be_that(value: Any) -> None:
    with pytest.raises(de.InputError, match="is not finite"):
        de.Ridge(samples_per_dim=2, width_per_dim=1, penalty=value)


@pytest.mark.parametrize(
    "value",
    [
        *(10**1010, -(10**5000), Fraction(1, 10**1010), Decimal("1e-2000"), "1e9999"),
        *(mpmath.mpf("1e-1000000000"), sp.Float((0, 1, 10**9, 1)), "9" * 5000),
        *(f"1/{'9' * 5000}", sp.Integer(10) ** 2000, np.longdouble("1e4000")),
    ],
    ids=range(11),
)
def test_what_is_out_of_range_is_refused_at_once(value: Any) -> None:
    with pytest.raises(de.InputError, match=r"^x = .*(out of range|too long)"):
        exact(value, "x")


@pytest.mark.parametrize(
    "value", [None, True, np.True_, 1j, np.ones(2), object(), b"1", np.array(None)]
)
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(de.InputError, match=r"target\.noise"):
        de.Target(function="z", noise=value)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_rounded_fractions_are_made_to_sum_to_one(seed: int, kind: Any) -> None:
    drawn = np.random.default_rng(seed).dirichlet(np.ones(4)).astype(kind)
    weights = de.SpikedFeatures(activation="tanh", spike=[1, 2, 3, 4], weights=drawn)
    assert sum(weights.weights) == 1
    for weight, value in zip(weights.weights, drawn, strict=True):
        assert abs(float(weight) - value) <= 4 * np.finfo(kind).eps


@pytest.mark.parametrize(
    "weights",
    [
        [0.3, 0.3, 0.3],
        ["0.3333333333333333"] * 3,
        [sp.Rational(1, 3)] * 2 + [sp.Rational(1, 3) + sp.Rational(1, 10**20)],
        [1 / 3, 1 / 3, 1 / 3 + 1e-14],
    ],
)
def test_fractions_that_do_not_sum_to_one_are_refused(weights: list[Any]) -> None:
    with pytest.raises(de.InputError, match="must sum to 1"):
        de.SpikedFeatures(activation="tanh", spike=[1, 2, 3], weights=weights)


@pytest.mark.parametrize(
    ("constant", "error"), [("0", "0.378701217717262"), ("1", "1.89350608858631")]
)
def test_a_constant_is_a_target(constant: str, error: str) -> None:
    problem = de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
        target=de.Target(function=constant, noise="1/2"),
        ridge=RIDGE,
    )
    assert de.solve(problem).text("generalization_error") == error
    ball = de.certify(problem, digits=10).balls["generalization_error"]
    assert abs(ball.midpoint - mpmath.mpf(error)) < 1e-10
    curve = de.curve(problem, {"ridge.penalty": ["1/20"]})
    assert float(curve.values("generalization_error")[0]) == pytest.approx(float(error))


def test_entries_are_set_and_lists_keep_their_length() -> None:
    problem = de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
        target=de.Target(function="z"),
        ridge=RIDGE,
    )
    moved = problem.with_values({"features.spike[1]": 2, "features.bulk[0]": "1/2"})
    assert moved.features is not None
    assert moved.features.spike == (sp.Rational(3, 2), 2)
    assert moved.features.bulk == (sp.Rational(1, 2), 1)
    for name, value, problem_ in (
        ("features.spike[2]", 0, "entries are 0 to 1"),
        ("features.spike[x]", 0, "place of an entry"),
        ("features.spike[0", 0, "place of an entry"),
        ("features.spike[0][0]", 0, "place of an entry"),
        ("ridge.penalty[0]", 1, "is no list"),
    ):
        with pytest.raises(de.InputError, match=problem_):
            problem.with_values({name: value})
    longer = problem.with_values({"features.spike": [1, 2, 3]})
    assert longer.groups == 3


def test_entries_of_one_list_are_set_together() -> None:
    problem = de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
        target=de.Target(function="z"),
        ridge=RIDGE,
    )
    both = problem.with_values({"features.spike[0]": 1, "features.spike[1]": 2})
    assert both.features is not None
    assert both.features.spike == (1, 2)
    for names in (
        ("features.spike", "features.spike[0]"),
        ("features.spike[0]", "features.spike"),
    ):
        values = {name: [1, 2] if name[-1] == "e" else 1 for name in names}
        with pytest.raises(de.InputError, match="already given"):
            problem.with_values(values)
