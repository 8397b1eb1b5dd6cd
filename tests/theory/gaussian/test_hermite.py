"""Hermite coefficients: derivatives, formulas and quadrature, three routes to each."""

from functools import cache
from itertools import pairwise
from typing import Any

import flint
import mpmath as mp
import pytest
import sympy as sp
from catalogue import TWINS, gaussian_mean

from detequiv.numerics.averages.moments import gaussian_mean as ball
from detequiv.theory.functions.expressions import parse_function, z
from detequiv.theory.gaussian.hermite import He, hermite_coefficient, hermite_formula
from detequiv.theory.gaussian.smoothing import m, rho, smoothing
from detequiv.theory.gaussian.special import GaussianMean

k = sp.Symbol("k", integer=True, nonnegative=True)
DIGITS = 50
ORDERS = range(21)
# a step times an exponential has no formula here; the others are not elementary
WITHOUT = {"tanh", "sigmoid", "softplus", "silu", "sech", "sech2"}
STEPPED = "max(z - 1, -2) + step(z + 3)*exp(z/2)"
FORMULAS = [text for text in TWINS if text not in {*WITHOUT, STEPPED}]
LONG = {STEPPED, "abs(z**2 - 1)", "min(max(z, -1), 1)", "exp(-z**2)*cos(3*z)"}
LONG |= {"z*erf(z/2 - 1)", "z**2*exp(-2*z**2 + z)"}


def marked(texts: list[str]) -> list[Any]:
    slow = pytest.mark.slow
    return [pytest.param(t, marks=slow) if t in LONG else t for t in texts]


def function(text: str) -> sp.Expr:
    return parse_function(text, "f")


def number(value: sp.Expr, digits: int = DIGITS) -> Any:
    """Value to `digits` digits, averages without closed form by the ball rule."""
    known = {g: sp.Symbol(f"g{i}") for i, g in enumerate(value.atoms(GaussianMean))}
    numbers = {
        name: sp.Float(ball(g, digits + 5).mid().str(digits + 5, radius=False), digits)
        for g, name in known.items()
    }
    return mp.mpf(value.xreplace(known).xreplace(numbers).evalf(digits))


@cache
def rule(kinks: tuple[float, ...]) -> tuple[list[Any], list[list[Any]]]:
    """Nodes of a Gauss-Legendre rule on panels, and its weights for every order.

    Panels are at most 2 wide. Functions analytic in a strip of half-width pi/2 then
    converge like 3.4^(-2 n) on n nodes; what is cut off beyond 22 is below 10^-60.
    """
    count, digits = 72, DIGITS + 25
    with mp.workdps(digits):
        flint.ctx.dps = digits + 5
        pairs = [flint.arb.legendre_p_root(count, i, weight=True) for i in range(count)]
        unit = [
            [mp.mpf(v.mid().str(digits, radius=False)) for v in pair] for pair in pairs
        ]
        flint.ctx.dps = 15
        breaks = sorted({*map(mp.mpf, range(-22, 23, 2)), *map(mp.mpf, kinks)})
        nodes, weights = [], []
        for left, right in pairwise(breaks):
            half, middle = (right - left) / 2, (right + left) / 2
            for x, w in unit:
                nodes.append(middle + half * x)
                weights.append(half * w * mp.npdf(nodes[-1]))
        rows = [weights, [w * x for w, x in zip(weights, nodes, strict=True)]]
        for order in ORDERS[1:-1]:
            rows.append(
                [
                    x * a - order * b
                    for x, a, b in zip(nodes, rows[-1], rows[-2], strict=True)
                ]
            )
        return nodes, rows


@pytest.mark.parametrize("text", marked([*TWINS]))
def test_coefficients_and_formulas_against_quadrature(text: str) -> None:
    twin, kinks = TWINS[text]
    formula = hermite_formula(function(text), k)
    assert (formula is not None) == (text in FORMULAS)
    nodes, rows = rule(kinks)
    with mp.workdps(DIGITS + 25):
        values = [twin(x) for x in nodes]
        size = mp.sqrt(mp.fsum(w * v * v for w, v in zip(rows[0], values, strict=True)))
        for order, row in zip(ORDERS, rows, strict=True):
            expected = mp.fdot(row, values)
            # abs(mu_k) <= sqrt(k! E f^2): fifty digits of that
            close = mp.mpf(10) ** (2 - DIGITS) * size * mp.sqrt(mp.factorial(order))
            exact = hermite_coefficient(function(text), order)
            assert abs(number(exact) - expected) < close
            if formula is not None:
                assert abs(number(formula.subs(k, order)) - expected) < close


@pytest.mark.parametrize("text", [t for t in TWINS if t not in LONG])
def test_coefficients_of_the_other_parity_vanish_exactly(text: str) -> None:
    f = function(text)
    for order in range(8):
        if sp.simplify(f + (-1) ** order * f.subs(z, -z)) == 0:
            assert hermite_coefficient(f, order) == 0


@pytest.mark.parametrize("text", marked(FORMULAS))
def test_mehlers_sum(text: str) -> None:
    """``sum_k mu_k^2 r^k / k! = E f(x) f(y)`` for x, y of correlation r."""
    twin, kinks = TWINS[text]
    formula = hermite_formula(function(text), k)
    smooth = smoothing(function(text))
    assert formula is not None
    assert smooth is not None
    with mp.workdps(30):
        r = mp.mpf("0.3")
        total = mp.fsum(
            number(formula.subs(k, order), 20) ** 2 * r**order / mp.factorial(order)
            for order in range(36)
        )
        inner = sp.lambdify(
            m,
            smooth.subs(rho, sp.sqrt(1 - sp.Rational(9, 100))),
            ["mpmath", {"NormalCdf": mp.ncdf}],
        )
        mean = gaussian_mean(lambda x: twin(x) * inner(r * x), kinks, 0, mp.mpf(1))
        assert abs(total - mean) < mp.mpf(10) ** -15 * (1 + mean)


@pytest.mark.parametrize(
    ("text", "mean_square"),
    [("sign", 1), ("relu", sp.S.Half), ("abs", 1), ("step", sp.S.Half)],
)
def test_parseval_of_the_kinked(text: str, mean_square: sp.Expr) -> None:
    """Slow series: the rest after 2 n terms behaves like n^(-1/2) or n^(-3/2)."""
    formula = hermite_formula(function(text), k)
    assert formula is not None
    rests = []
    total = sp.S.Zero
    for order in range(65):
        total += formula.subs(k, order) ** 2 / sp.factorial(order)
        if order in (32, 64):
            rests.append(float(mean_square - total))
    assert 0 < rests[1] < rests[0] < 0.1
    decay = mp.log(rests[0] / rests[1], 2)
    assert abs(decay - (0.5 if text in ("sign", "step") else 1.5)) < 0.02


def test_a_symbolic_slope_and_place() -> None:
    slope, b = sp.symbols("s b", positive=True)
    leaky = hermite_formula(sp.Max(0, z) + slope * sp.Min(0, z), k)
    relu = hermite_formula(sp.Max(0, z), k)
    assert leaky is not None
    assert relu is not None
    for order in range(8):
        line = 1 if order == 1 else 0
        expected = (1 - slope) * relu.subs(k, order) + slope * line
        assert sp.expand(leaky.subs(k, order) - expected) == 0
    wave = hermite_formula(sp.sin(b * z), k)
    assert wave == b**k * sp.exp(-(b**2) / 2) * sp.sin(sp.pi * k / 2)


def test_published_formulas() -> None:
    """relu and erf as double factorials."""
    relu, erf = (hermite_formula(function(t), k) for t in ("relu", "erf"))
    assert relu is not None
    assert erf is not None
    for n in range(1, 8):
        sign = sp.Integer(-1) ** (n - 1)
        assert (
            sp.expand(
                relu.subs(k, 2 * n)
                - sign * sp.factorial2(2 * n - 3) / sp.sqrt(2 * sp.pi)
            )
            == 0
        )
        odd = sign * sp.factorial2(2 * n - 3) * 2 / sp.sqrt(sp.pi)
        scale = sp.Rational(2, 3) ** (n - 1) / sp.sqrt(3)
        assert sp.simplify(erf.subs(k, 2 * n - 1) - odd * scale) == 0


def test_a_formula_is_legible() -> None:
    gelu = hermite_formula(function("gelu"), k)
    assert gelu is not None
    last = gelu.args[-1].expr
    assert last.atoms(He) == {He(k - 2, 0)}
    assert sp.latex(He(k - 2, z)) == r"He_{k - 2}\left(z\right)"
