"""The closed grammar: what it reads, what it refuses, and that it never hangs."""

import time
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detequiv.theory.errors import InputError
from detequiv.theory.functions.expressions import (
    FUNCTIONS,
    exact,
    parse_function,
    sign,
    z,
)
from detequiv.theory.functions.grammar import CATALOGUE
from detequiv.theory.functions.text import value_text
from detequiv.theory.gaussian import GaussianMean

SECONDS = 5.0  # no text of the permitted length may take longer


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, sp.Integer(3)),
        (0.1, sp.Rational(1, 10)),
        ("0.1", sp.Rational(1, 10)),
        ("1e-3", sp.Rational(1, 1000)),
        ("1/3", sp.Rational(1, 3)),
        ("-sqrt(2)/3", -sp.sqrt(2) / 3),
        ("2*pi", 2 * sp.pi),
        (Fraction(2, 7), sp.Rational(2, 7)),
        (Decimal("0.30"), sp.Rational(3, 10)),
        (np.float64(0.1), sp.Rational(1, 10)),
        (np.int64(4), sp.Integer(4)),
        (mpmath.mpf("0.5"), sp.Rational(1, 2)),
        (sp.sqrt(3), sp.sqrt(3)),
        ("1_000", sp.Integer(1000)),
    ],
)
def test_numbers_are_exact(value: object, number: sp.Expr) -> None:
    assert exact(value, "x") == number


@pytest.mark.parametrize(
    "text", ["0", "-7", "12/30", "-0.50", "1e-3", "2.5e+2", "00.5", "1.5/2", "-3e9/7"]
)
def test_plain_numbers_mean_what_they_mean_in_an_expression(text: str) -> None:
    try:
        expected = exact(f"0 + {text}", "x")
    except InputError:
        with pytest.raises(InputError):
            exact(text, "x")
    else:
        assert exact(text, "x") == expected


@pytest.mark.parametrize(
    "value",
    ["z", "1/0", "nan", "inf", "sqrt(-1)", "", "1,2", "0x", None, True, [1], "1e9999"],
)
def test_what_is_no_finite_real_number_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^x = "):
        exact(value, "x")


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("tanh", sp.tanh(z)),
        ("relu", sp.Max(0, z)),
        ("0.5*(z**2 - 1)", z**2 / 2 - sp.Rational(1, 2)),
        ("He(3, z)", z**3 - 3 * z),
        ("leaky_relu(z, 1/10)", sp.Max(0, z) + sp.Min(0, z) / 10),
        ("2**z", sp.exp(z * sp.log(2))),
        ("e**z", sp.exp(z)),
        ("+z - -z", 2 * z),
        ("max(z, -z/2)", sp.Max(z, -z / 2)),
        ("max(z, max(1, 2*z))", sp.Max(1, z, 2 * z)),
        ("min(z, 1, 2*z)", sp.Min(1, z, 2 * z)),
        (sp.Symbol("z") ** 2, z**2),  # whatever its assumptions
        (0.5 * z, z / 2),
        (sp.sech(z), 1 / sp.cosh(z)),
        (sp.Piecewise((0, z < 0), (z, True)), z * (1 - sp.Heaviside(-z))),
        (sp.Piecewise((1, sp.Eq(z, 0)), (z, True)), z),
        (sp.Piecewise((z, sp.Ne(z, 0)), (1, True)), z),
        (
            sp.Piecewise((1, (z < -1) | (z > 1)), (0, True)),
            1 - (1 - sp.Heaviside(-z - 1)) * (1 - sp.Heaviside(z - 1)),
        ),
    ],
)
def test_functions_are_read(text: str | sp.Expr, function: sp.Expr) -> None:
    assert sp.expand(parse_function(text, "f") - function) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x", "unknown name 'x'"),
        ("tahnh(z)", "did you mean 'tanh'"),
        ("z^2", r"write powers with \*\*"),
        ("z**z", "number as exponent"),
        ("(-2)**z", "number as exponent"),
        ("max(z)", r"takes at least 2 arguments"),
        ("tanh(z, 1)", r"takes 1 argument$"),
        ("exp(z, 2)", r"takes 1 argument$"),
        ("asin(1/2, 1/3)", r"asin takes one number"),
        ("exp(x=z)", "numbers, z"),
        ("z.real", "numbers, z"),
        ("z[0]", "numbers, z"),
        ("'z'", "numbers, z"),
        ("z if z else 1", "numbers, z"),
        ("lambda: z", "numbers, z"),
        ("__import__('os').system('true')", "numbers, z"),
        ("(z := 3)", "numbers, z"),
        ("z == 2", "numbers, z"),
        ("1 +", "is not an expression"),
        ("1j*z", "numbers, z"),
        ("0x10*z", "write 0x10 in decimals: 16"),
        ("0b11", "write 0b11 in decimals: 3"),
        ("9**9**9", "powers above 64"),
        ("((((9**64)**64)**64)**64)*z", "out of range"),
        ("exp(exp(exp(9)))*z", "out of range"),
        ("exp(-exp(exp(9)))*z", "out of range"),
        ("1e99999*z", "out of range"),
        ("(z**64)**64", "degrees above 64"),
        ("He(64, He(64, z))", "degrees above 64|shorter argument"),
        ("He(64, He(64, He(64, sin(z))))", "too large|shorter"),
        ("He(65, z)", "order of He"),
        ("He(z, 2)", "order of He"),
        ("sqrt(-2)*z", "not real"),
        ("(-8)**(1/3)*z", "not real"),
        ("z/0", "division by zero"),
        ("z*0**(-1)", "division by zero"),
        ("(" * 240 + "z" + ")" * 240, "nested too deeply|is not an expression"),
        ("-" * 400 + "z" + "+", "is not an expression"),
        ("z + " * 700 + "z", "1200 and 100 are read"),
        ("abs(" * 101 + "z" + ")" * 101, "1200 and 100 are read"),
        ("z + 1" + "0" * 200_000, "is too long"),
        ("(sqrt(2) + sqrt(3) + sqrt(5) + sqrt(7) + z)**64", "too large"),
        ("(1e900*z + 1)**64", "out of range"),
        ("abs(exp(sqrt(z)))", "cannot be written in a file: unknown function"),
        (sp.gamma(z), "gamma is not among"),
        (sp.besselj(0, z), "besselj is not among"),
        (sp.Symbol("x") * 2, "only variable is z"),
        (sp.I * z, "is not among"),
        (sp.Piecewise((z, z > 0)), "leaves values of z without a piece"),
        (sp.Piecewise((z, sp.Symbol("c")), (0, True)), "condition c is not read"),
        (sp.Float((0, 1, -(10**9), 1)) * z, "out of range"),
        (True, "give a name"),
        (float("nan"), "not finite"),
        (None, "give a name"),
    ],
)
def test_what_is_outside_the_grammar_is_refused(
    text: str | sp.Expr, reason: str
) -> None:
    started = time.perf_counter()
    with pytest.raises(InputError, match=reason):
        parse_function(text, "f")
    assert time.perf_counter() - started < SECONDS


def test_every_catalogue_name_is_read() -> None:
    for name in CATALOGUE:
        assert parse_function(name, "f").free_symbols == {z}


ATOMS = ["z", "z", "1", "2", "0.5", "1/3", "9", "64", "1e300", "pi", "e", "0", "-1"]
expression_texts = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(
            lambda t: f"({t[0]}){t[1]}({t[2]})"
        ),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner, inner).map(
            lambda t: (
                f"{t[0]}({t[1]})"
                if FUNCTIONS[t[0]][0] == 1
                else f"{t[0]}({t[1]}, {t[2]})"
            )
        ),
    ),
    max_leaves=12,
)


def read_in_time(text: str) -> None:
    """Read a text: an expression whose own text is the same, or a refusal; soon."""
    started = time.perf_counter()
    with suppress(InputError):
        function = parse_function(text, "f")
        assert function.free_symbols <= {z}
        assert parse_function(value_text(function), "f") == function
    assert time.perf_counter() - started < SECONDS


@settings(max_examples=500)
@given(expression_texts)
def test_every_sentence_of_the_grammar_is_read_or_refused_in_time(text: str) -> None:
    read_in_time(text)


@given(st.text(max_size=80))
@example("\x00")
@example("f'{z}'")
@example("z\n+z")
@example("\uff19**2")
def test_any_text_is_read_or_refused(text: str) -> None:
    read_in_time(text)


@given(st.text(alphabet="z0123456789.+-*/()e_, ", max_size=60))
def test_arithmetic_noise_is_read_or_refused(text: str) -> None:
    read_in_time(text)


@pytest.mark.parametrize(
    "name", ["exp", "tanh", "leaky_relu", "softplus", "gelu", "max"]
)
def test_deep_nesting_is_read_or_refused(name: str) -> None:
    second = ", z)" if FUNCTIONS[name][0] == 2 else ")"
    depth = 480 // (len(name) + 1 + len(second))
    read_in_time(f"{name}(" * depth + "z" + second * depth)


def test_nothing_is_evaluated(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for text in [f"open({str(mark)!r}, 'w')", f"exp(open({str(mark)!r}, 'w'))"]:
        with pytest.raises(InputError):
            parse_function(text, "f")
    assert not mark.exists()


def test_floats_in_an_expression_keep_their_digits() -> None:
    digits = "0.123456789012345678901234567890"
    assert parse_function(sp.Float(digits, 30) * z, "f") == z * sp.Rational(digits)


def test_what_cannot_be_printed_can_be_refused() -> None:
    with pytest.raises(InputError, match=r"cannot be printed"):
        exact([10**5000], "x")


def test_the_sign_of_what_sympy_does_not_know_is_told_by_digits() -> None:
    mean = GaussianMean(sp.Lambda(z, sp.tanh(z) ** 2), 0, 1, 0)  # 0.3943
    assert (mean - sp.Rational(1, 3)).is_positive is None
    assert sign(mean - sp.Rational(1, 3)) == 1
    assert sign(mean - sp.Rational(2, 5)) == -1
    assert sign(sp.sqrt(2) * sp.sqrt(3) - sp.sqrt(6)) == 0
