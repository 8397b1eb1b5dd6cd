"""`identify`: planted relations are found, chance and near misses are not."""

import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
from mpmath import mpf

import detequiv as de
from detequiv.theory.closed import natural_constants
from detequiv.theory.errors import InputError
from detequiv.theory.problem import law_of

SIX = ["pi", "sqrt(3)", "e", "log(2)", "log(3)", "sqrt(5)"]


def untrained(**changes: Any) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation="abs", spike=0),
        target=de.Target(function="z", noise="1/2"),
        ridge=de.Ridge(samples_per_dim=3, width_per_dim=2, penalty=0),
    ).with_values(changes)


def planted(rng: random.Random, kind: str) -> tuple[Callable[[int], mpf], list[str]]:
    """Draw a relation between constants; the number it makes, as a function."""
    names = rng.sample(SIX, 3)
    p = [rng.randint(-20, 20) for _ in range(4)]
    q = rng.randint(1, 20)

    def number(digits: int) -> mpf:
        values = [sp.sympify(n, locals={"e": sp.E})._eval_evalf(900) for n in names]
        x, y, v = (mpf(value._mpf_) for value in values)
        if kind == "linear":
            return (p[0] + p[1] * x + p[2] * y + 21 * v) / q
        if kind == "product":
            return mpf(5) ** mpf(1 / mpf(q)) * x**3 * abs(y) ** (mpf(p[1]) / 7)
        return (1 + p[0] * x) / (21 + p[1] * y + v)

    return number, names


@pytest.mark.parametrize("kind", ["linear", "product", "quotient"])
@pytest.mark.parametrize("seed", range(4))
def test_planted_relations_are_found(kind: str, seed: int) -> None:
    number, names = planted(random.Random(f"{kind} {seed}"), kind)
    found = de.identify(number, constants=names)
    assert found is not None
    assert found.digits_checked == 100
    assert found.chance < 1e-60
    # at many more digits than were looked at
    with mpmath.workdps(250):
        value = mpf(sp.N(found.expression, 250)._mpf_)
        assert abs(value / number(250) - 1) < mpf(10) ** -240


@pytest.mark.parametrize("seed", range(4))
def test_minimal_polynomials_are_found(seed: int) -> None:
    rng = random.Random(f"algebraic {seed}")
    x = sp.Symbol("x")
    while True:
        integers = [rng.randint(-30, 30) for _ in range(rng.randint(4, 8))]
        factors = sp.Poly(integers, x).factor_list()[1]
        roots = [(f, r) for f, _ in factors for r in f.real_roots() if r != 0]
        if roots and max(f.degree() for f, _ in roots) > 2:
            break
    polynomial, root = max(roots, key=lambda pair: pair[0].degree())
    found = de.identify(lambda digits: sp.N(root, digits + 5))
    assert found is not None
    assert found.kind == "algebraic"
    assert sp.minimal_polynomial(
        found.expression, x
    ) == polynomial.monic().as_expr() or (
        sp.Poly(sp.minimal_polynomial(found.expression, x), x).monic()
        == polynomial.monic()
    )


@pytest.mark.parametrize("kind", ["linear", "product", "quotient"])
def test_near_misses_are_refused(kind: str) -> None:
    number, names = planted(random.Random(f"near {kind}"), kind)

    def near(digits: int) -> mpf:
        return number(digits) * (1 + mpf(10) ** -25)

    # the digits that agree are enough to find it, the others to refuse it
    assert de.identify(number, constants=names, digits=24) is not None
    assert de.identify(near, constants=names, digits=24) is None
    with mpmath.workdps(80):
        assert de.identify(mpmath.nstr(near(60), 48), constants=names) is None


def test_random_numbers_are_not_identified() -> None:
    rng = random.Random(7)
    for _ in range(200):
        digits = "".join(rng.choice("0123456789") for _ in range(49))
        assert de.identify(f"0.{rng.randint(1, 9)}{digits}") is None


def test_the_stated_chance_counts_at_least_the_rivals() -> None:
    found = de.identify("0.142857142857142857142857142857")
    assert found is not None
    assert found.expression == sp.Rational(1, 7)
    # of p/q with p and q up to 7, each covers one unit of the last digit on each side
    assert 15 * 7 * 2e-30 / found.expression <= found.chance < 1e-20


@pytest.mark.parametrize(
    "value",
    [0.5, np.float64(0.25), np.float32(0.1), lambda digits: 1 / 3],
    ids=["float", "float64", "float32", "function"],
)
def test_floats_are_refused_with_advice(value: Any) -> None:
    with pytest.raises(InputError, match=r"16 digits.*give text of 30 digits"):
        de.identify(value)


@pytest.mark.parametrize(
    "value",
    [
        "0.3333333333333333",
        " ",
        "nonsense",
        "z",
        True,
        None,
        [1],
        mpf("0.1"),
        mpf("inf"),
        sp.Float("0.1", 30),
        0,
        "0." + 50 * "0",
    ],
)
def test_what_is_no_number_or_too_short_is_refused(value: Any) -> None:
    with pytest.raises(InputError):
        de.identify(value)
    with pytest.raises(InputError):
        de.identify(lambda digits: value)


@pytest.mark.parametrize(
    "given",
    [
        {"digits": 14},
        {"digits": 121},
        {"digits": 50.0},
        {"constants": "pi"},
        {"constants": ["tau"]},
        {"constants": [0]},
        {"constants": [1] * 13},
        {"quantity": "excess_error"},
    ],
    ids=str,
)
def test_bad_arguments_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        de.identify("sqrt(2)", **given)


@pytest.mark.parametrize(
    "value",
    ["2/3", Fraction(2, 3), sp.Rational(2, 3), Decimal("0." + 40 * "6" + "7")],
    ids=["text", "Fraction", "Rational", "Decimal"],
)
def test_exact_numbers_of_every_type_are_read(value: Any) -> None:
    found = de.identify(value)
    assert found is not None
    assert found.expression == sp.Rational(2, 3)


def test_dependent_constants_do_not_hide_a_relation() -> None:
    found = de.identify(
        "sqrt(2)/3 - 5*pi", constants=["sqrt(2)", "sqrt(8)", "pi", "2*pi + 1", 7]
    )
    assert found is not None
    assert sp.simplify(found.expression - (sp.sqrt(2) / 3 - 5 * sp.pi)) == 0


def test_inverse_sines_of_numbers_are_constants() -> None:
    found = de.identify("asin(1/4)/3 + 2*pi", constants=["asin(1/4)", "pi"])
    assert found is not None
    assert found.expression == sp.asin(sp.Rational(1, 4)) / 3 + 2 * sp.pi
    with pytest.raises(InputError, match="asin takes a number"):
        de.SpikedFeatures(activation="asin(z)", spike=1)


def test_a_quantity_of_a_problem() -> None:
    # c1 = 0: least squares on Wishart features of variance 1 - 2/pi, whose inverse has
    # the trace (p/n) / (1 - p/n) / cs; all of the target and the noise is noise
    found = de.identify(untrained(), quantity="readout_norm")
    assert found is not None
    assert sp.simplify(found.expression - sp.Rational(5, 2) / (1 - 2 / sp.pi)) == 0
    error = de.identify(untrained())
    assert error is not None
    assert error.expression == sp.Rational(5, 4) / (1 - sp.Rational(2, 3))


def test_a_quantity_that_vanishes_or_is_infinite_is_refused() -> None:
    interpolating = untrained(**{"ridge.width_per_dim": 4})
    for name in ("training_error", "resolvent_trace", "nothing"):
        with pytest.raises(InputError):
            de.identify(interpolating, quantity=name)


def test_constants_are_those_of_the_activation() -> None:
    assert natural_constants(law_of(untrained())) == (1 / sp.pi, sp.pi**-2)
    rational = untrained(**{"features.activation": "he2"})
    assert natural_constants(law_of(rational)) == ()
    erf = natural_constants(law_of(untrained(**{"features.activation": "erf"})))
    assert any(c.has(sp.atan) for c in erf)
