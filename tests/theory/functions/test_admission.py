"""Which functions are refused, with what reason, and which are not."""

from functools import cache
from typing import Any

import mpmath as mp
import pytest
import sympy as sp
from catalogue import TWINS
from hypothesis import given
from hypothesis import strategies as st

from detequiv.theory.errors import InputError
from detequiv.theory.functions.admission import read_function
from detequiv.theory.functions.analyticity import require_finite, steep_places, strip
from detequiv.theory.functions.boxes import Box, enclose
from detequiv.theory.functions.expressions import parse_function, z
from detequiv.theory.functions.growth import orders
from detequiv.theory.functions.pieces import pieces
from detequiv.theory.problem import Network, SpikedFeatures, Target


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("exp(z**2)", r"square integrable.*variance 1: .*exp\(z\*\*2\).*variance 1/4"),
        ("exp(z**2/4)", "below variance 1"),
        ("exp(exp(z))", "faster than any Gaussian"),
        ("exp(z**3)", "z -> oo it grows faster"),
        ("exp(-z**3)", "z -> -oo it grows faster"),
        ("exp(max(z, 0)**2)", "z -> oo"),
        ("exp(z**2*tanh(z))", "z -> oo"),
        ("exp(z**2)*tanh(z)", "square integrable"),
        ("exp(z**2/4 + sin(z))", "square integrable"),
        ("cosh(z)**2*exp(z**2/2)", "square integrable"),
        ("1/z", "1/z has a pole at z = 0$"),
        ("sin(z)/z", "1/z has a pole at z = 0: removable and integrable singularities"),
        ("exp(-1/z**2)", "at z = 0: removable and integrable singularities"),
        ("z*log(abs(z))", "at z = 0: removable and integrable singularities"),
        ("log(abs(z))", "at z = 0: removable and integrable singularities"),
        ("abs(sin(z))", "must be roots of polynomials"),
        ("1/(z**2 - 2)", r"pole at z = -1\.41421"),
        ("z/sinh(z)", "pole near z = 0"),
        ("1/(exp(z) - 2)", r"pole near z = 0\.69"),
        ("1/(z - 1)*step(z)", "pole at z = 1"),
        ("tan(z)", r"tan\(z\) has a pole near z = .?1\.57"),
        ("tan(z/100)", r"has a pole near z = "),
        ("log(z)", "not finite at z = 0$"),
        ("log(abs(z))", "not finite at z = 0"),
        ("log(1 + z)", "not finite at z = -1"),
        ("sqrt(z)", r"not real at z = -1"),
        ("sqrt(1 - z**2)", "not real"),
        ("abs(z)**(-1/4)", "not finite at z = 0"),
        ("1/(1 - tanh(z))", "pole"),
        ("abs(tanh(z) - 1/2)", "must be roots of polynomials"),
        ("abs(z**5 - z - 1)", "give them as numbers"),
        ("tanh(1000*z*sin(z**3))", "within 0.0156 of the real axis"),
    ],
)
def test_what_cannot_serve_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=rf"^target\.function = .*{reason}"):
        Target(function=text)
    with pytest.raises(InputError, match=rf"^features\.activation = .*{reason}"):
        SpikedFeatures(activation=text, spike=0)
    with pytest.raises(InputError, match=rf"^network\.activation = .*{reason}"):
        Network(activation=text, readout=1, step=1)


@pytest.mark.parametrize(
    "text",
    [
        *TWINS,
        "exp(z**2/8)",
        "exp(z**2/5)",
        "exp(z**2/4)/(1 + z**2)",  # borderline: E f^2 = c E (1 + z^2)^-2 e^0 < oo
        "exp(z**2/4 - abs(z))",
        "exp(-z**4)",
        "exp(-exp(z))",
        "exp(z)*sin(exp(z))",
        "1/(1 + z**2)",
        "log(1 + z**2)",
        "log(1 + exp(z**2))",
        "sqrt(1 + z**2)",
        "sqrt(abs(z))",
        "max(z, 0)**(3/2)",
        "1/max(z, 1)",
        "1/(2 + sin(z))",
        "tan(tanh(z))",
        "tanh(z + sin(z)/2)",
        "relu(tanh(z))",
        "2**z",
        "exp(z*tanh(z))",
        "He(20, z)",
    ],
)
def test_what_can_serve_is_read(text: str) -> None:
    assert read_function(text, "f") == parse_function(text, "f")


def test_the_variance_that_the_units_see_decides() -> None:
    """exp(z^2/8) has E f^2 < oo exactly for rho^2 + u^2 < 2."""
    features = SpikedFeatures(activation="exp(z**2/8)", spike=["1/2", "-0.999"])
    assert features.groups == 2
    for spike, bulk in [(1, 1), (0, "sqrt(2)"), (["0", "1.5"], 1), ("-1", 1)]:
        with pytest.raises(InputError, match="below variance 2"):
            SpikedFeatures(activation="exp(z**2/8)", spike=spike, bulk=bulk)
    wide = SpikedFeatures(activation="exp(z**2/8)", spike=0, bulk="1.4142")
    assert wide.groups == 1


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("z**2*exp(-z)", (0, 1, 2), (0, -1, 2)),
        ("sinh(z)**3/cosh(z)", (0, 2, 0), (0, 2, 0)),
        ("log(1 + exp(z**2))", (0, 0, 2), (0, 0, 2)),
        ("relu(z) + 1", (0, 0, 0), (0, 0, 1)),
        ("exp(z**2/3 - z)*z", (sp.Rational(1, 3), 1, 1), (sp.Rational(1, 3), -1, 1)),
        ("exp(softplus(z))", (0, 0, 0), (0, 1, 0)),
        ("silu(z)", (0, -1, 1), (0, 0, 1)),
    ],
)
def test_orders_at_infinity(text: str, left: Any, right: Any) -> None:
    function = parse_function(text, "f")
    for order, exponents, side in zip(
        orders(pieces(function)), (left, right), (-1, 1), strict=True
    ):
        assert order.exponents == exponents
        assert order.exact
        # the claimed asymptotic equality, far out
        x = mp.mpf(40)
        a, b, c = exponents
        claimed = x ** int(c) * mp.exp(int(b) * x + mp.mpf(sp.N(a, 30)) * x * x)
        actual = sp.lambdify(z, function, "mpmath")(side * x)
        assert abs(actual / (claimed * mp.mpf(sp.N(order.factor, 30))) - 1) < 0.05


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("tanh", sp.pi / 2),
        ("tanh(3*z)", sp.pi / 6),
        ("sigmoid", sp.pi),
        ("softplus(2*z)", sp.pi / 2),
        ("silu(z/3)", 3 * sp.pi),
        ("sech2", sp.pi / 2),
        ("tanh(z)*sigmoid(z)", sp.pi / 2),
        ("1/(1 + z**2)", 1),
        ("sqrt(z**2 - 2*z + 5)", 2),
        ("erf", None),
        ("gelu", None),
        ("He(7, z)", None),
        ("sin(z)*exp(-z**2)", None),
    ],
)
def test_the_strip_of_analyticity_is_exact(text: str, width: sp.Expr | None) -> None:
    assert strip(parse_function(text, "f")) == width


@pytest.mark.parametrize(
    ("text", "width"),
    [  # distance of the nearest singularity, found by hand
        ("1/(2 + sin(z))", float(mp.acosh(2))),
        ("tanh(z**2)", float(mp.sqrt(mp.pi) / 2)),
        ("1/(1 + z**4)", 2**-0.5),
        ("tanh(tanh(z))", float(mp.atan(mp.pi / 2))),
        ("tan(tanh(z))", 1.57),
        ("1/(1 + exp(z) + exp(-z))", float(2 * mp.pi / 3)),
        ("sigmoid(sigmoid(z))", float(2 * mp.atan(2 * mp.pi))),
    ],
)
def test_the_strip_is_a_lower_bound_where_it_is_not_exact(
    text: str, width: float
) -> None:
    bound = strip(parse_function(text, "f"))
    assert bound is not None
    assert 0.3 * width < bound <= width


BOXED = ["tanh", "sigmoid", "sech2", "gelu", "sin(z)*exp(-z**2/4)", "1/(2 + sin(z))"]
BOXED += ["log(3 + cos(z))", "sqrt(z**2 + 4)", "tan(tanh(z)/2)", "sinh(z)*cosh(z)"]


@cache
def compiled(text: str) -> Any:
    return sp.lambdify(z, parse_function(text, "f"), "mpmath")


@given(
    st.sampled_from(BOXED),
    st.floats(-6, 6),
    st.floats(0, 2),
    st.floats(0, 1.5),
    st.floats(0, 1),
    st.floats(-1, 1),
)
def test_boxes_enclose(
    text: str, low: float, width: float, side: float, s: float, t: float
) -> None:
    function = parse_function(text, "f")
    try:
        box = enclose(function, Box(low, low + width, side))
    except ArithmeticError:
        return
    value = complex(compiled(text)(mp.mpc(low + s * width, t * side)))
    slack = 1e-9 * (1 + abs(value))
    assert box.low - slack <= value.real <= box.high + slack
    assert abs(value.imag) <= box.side + slack


def test_boxes_do_not_enclose_everything() -> None:
    assert enclose(sp.tanh(z), Box(1.0, 1.0)) == Box(*[float(mp.tanh(1))] * 2)
    with pytest.raises(ArithmeticError):
        enclose(1 / z, Box(-1.0, 1.0))
    with pytest.raises(ArithmeticError):
        enclose(sp.tanh(z), Box(-1.0, 1.0, 1.6))


def test_finiteness_is_asked_on_each_branch_only() -> None:
    require_finite(pieces(parse_function("1/(z + 2)*step(z) + step(-z)", "f")))
    with pytest.raises(ValueError, match="pole at z = -2"):
        require_finite(pieces(parse_function("1/(z + 2)*step(-z) + step(z)", "f")))


def test_steep_places() -> None:
    function = parse_function(
        "tanh(z) + sigmoid(200*z + 100) + 1/(1 + 900*(z - 2/5)**2)", "f"
    )
    assert steep_places(function) == (sp.Rational(-1, 2), sp.Rational(2, 5))
