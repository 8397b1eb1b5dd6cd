"""Closed forms of the conditional moments, proved symbolically and by quadrature.

A smoothing S(m, rho) is *the* solution of the heat equation in (m, rho^2), of
moderate growth, that begins as f: both are checked symbolically, so that S is proved
without any integration. Then the numbers are compared with quadrature.
"""

from typing import Any

import mpmath as mp
import pytest
import sympy as sp
from catalogue import TWINS, gaussian_mean

from detequiv.theory.functions.expressions import parse_function, z
from detequiv.theory.functions.grammar import hermite_polynomial
from detequiv.theory.functions.pieces import Pieces, pieces
from detequiv.theory.gaussian.hermite import hermite_coefficient
from detequiv.theory.gaussian.proofs import (
    begins_as,
    obeys_stein,
    proofs,
    solves_heat_equation,
    vanishes,
)
from detequiv.theory.gaussian.smoothing import (
    Moments,
    conditional_moments,
    m,
    rho,
    smoothing,
)
from detequiv.theory.gaussian.special import GaussianMean, OwenT, density

OPEN = {"tanh", "sigmoid", "softplus", "silu", "sech", "sech2"}  # no closed form
CLOSED = [text for text in TWINS if text not in OPEN]
DIGITS = 40


def moments(text: str) -> Moments:
    return conditional_moments(parse_function(text, "f"))


def smoothings(text: str) -> list[tuple[Pieces, sp.Expr]]:
    """The function and its square, each with its smoothing."""
    parts, known = pieces(parse_function(text, "f")), moments(text)
    assert known.c0 is not None
    assert known.second is not None
    return [(parts, known.c0), (parts.squared(), known.second)]


@pytest.mark.parametrize("text", CLOSED)
def test_the_heat_equation_holds(text: str) -> None:
    for _, smooth in smoothings(text):
        assert solves_heat_equation(smooth)


@pytest.mark.parametrize("text", CLOSED)
def test_the_smoothing_begins_as_the_function(text: str) -> None:
    for parts, smooth in smoothings(text):
        assert begins_as(parts, smooth)


def test_planted_wrong_forms_fail_the_proofs() -> None:
    gelu = parse_function("gelu", "f")
    right = moments("gelu").c0
    assert right is not None
    wrong = right + m * rho**2  # solves neither
    assert not solves_heat_equation(wrong)
    late = right.subs(rho, sp.sqrt(rho**2 + 1))  # solves the heat equation only
    assert solves_heat_equation(late)
    assert not begins_as(pieces(gelu), late)


@pytest.mark.parametrize("text", ["relu", "sign", "gelu", "min(max(z, -1), 1)"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_planted_delta_function_is_seen(text: str, place: int) -> None:
    """A heat kernel solves the equation and vanishes at the start, but for a point."""
    parts, right = pieces(parse_function(text, "f")), moments(text).c0
    assert right is not None
    kernel = density((m - place) / rho) / rho
    for delta in (kernel, sp.diff(kernel, m)):
        assert solves_heat_equation(right + delta)
        assert not begins_as(parts, right + delta)


@pytest.mark.parametrize("text", CLOSED)
def test_steins_identities(text: str) -> None:
    assert obeys_stein(parse_function(text, "f"))


@pytest.mark.parametrize("text", sorted(OPEN))
def test_what_has_no_closed_form_says_so(text: str) -> None:
    known = moments(text)
    assert known.c0 is None
    assert known.c1 is None
    assert known.c2 is None
    assert known.second is None
    assert known.strip is not None
    assert proofs(known.function) == ()


@pytest.mark.parametrize("text", CLOSED)
def test_closed_forms_against_quadrature(text: str) -> None:
    twin, kinks = TWINS[text]
    known = moments(text)
    with mp.workdps(DIGITS):
        for mean, width in [("0.7", "1.3"), ("-2.2", "0.4")]:
            centre, spread = mp.mpf(mean), mp.mpf(width)
            at = {m: sp.Rational(mean), rho: sp.Rational(width)}

            def average(weight: Any, c: Any = centre, s: Any = spread) -> Any:
                return gaussian_mean(
                    lambda x: weight((x - c) / s) * twin(x), kinks, c, s
                )

            expected = [
                average(lambda g: 1),
                average(lambda g: g),
                average(lambda g: g * g - 1),
                gaussian_mean(lambda x: twin(x) ** 2, kinks, centre, spread),
            ]
            for form, value in zip(
                (known.c0, known.c1, known.c2, known.second), expected, strict=True
            ):
                assert form is not None
                exact = mp.mpf(form.subs(at).evalf(DIGITS))
                close = mp.mpf(10) ** (5 - DIGITS) * (1 + abs(value))
                assert abs(exact - value) < close


def test_a_symbolic_slope_is_carried_through() -> None:
    slope = sp.Symbol("s", positive=True)
    leaky = sp.Max(0, z) + slope * sp.Min(0, z)
    known = conditional_moments(leaky)
    relu, line = moments("relu"), moments("linear")
    assert known.kinks == (0,)
    assert vanishes(known.c0 - (1 - slope) * relu.c0 - slope * line.c0)
    assert vanishes(
        known.second - (1 - slope**2) * relu.second - slope**2 * line.second
    )


def test_bump_of_any_width() -> None:
    a = sp.Symbol("a", positive=True)
    c0 = smoothing(sp.exp(-a * z**2))
    assert c0 is not None
    spread = 1 + 2 * a * rho**2
    assert vanishes(c0 - sp.exp(-a * m**2 / spread) / sp.sqrt(spread))


def test_kinks_and_jumps() -> None:
    parts = pieces(parse_function("max(z, 0) + 2*step(z - 1) + abs(z + 1/2)", "f"))
    assert parts.breaks == (sp.Rational(-1, 2), 0, 1)
    assert parts.jumps() == (0, 0, 2)
    assert pieces(parse_function("abs(tanh(z))", "f")).breaks == (0,)
    assert pieces(parse_function("max(relu(z) - 1, 0)", "f")).breaks == (1,)
    assert pieces(parse_function("abs(z**2 + 1)", "f")).breaks == ()
    assert pieces(parse_function("max(z, 0) + min(z, 0)", "f")).breaks == ()
    piecewise = sp.Piecewise((-1, z < -1), (z, z < 1), (1, True))
    assert pieces(parse_function(piecewise, "f")) == pieces(
        parse_function("min(max(z, -1), 1)", "f")
    )


def test_identities_of_the_functions_without_closed_form() -> None:
    """tanh' = 1 - tanh^2 and so on tie their moments together, at any scale."""
    dps = 25
    with mp.workdps(dps + 5):
        at = (sp.Rational(3, 10), sp.Rational(7, 5))

        def average(text: str) -> Any:
            function = sp.Lambda(z, parse_function(text, "f"))
            return GaussianMean(function, *at, 0).evalf(dps)

        def c1_over_rho(text: str) -> Any:
            mean = GaussianMean(sp.Lambda(z, parse_function(text, "f")), m, rho, 0)
            return sp.diff(mean, m).subs({m: at[0], rho: at[1]}).evalf(dps)

        close = sp.Float(10) ** (3 - dps)
        assert abs(average("tanh(z)**2") - 1 + c1_over_rho("tanh")) < close
        assert abs(average("sech2") - c1_over_rho("tanh")) < close
        assert (
            abs(average("sigmoid(z)**2") - average("sigmoid") + c1_over_rho("sigmoid"))
            < close
        )
        assert abs(c1_over_rho("softplus") - average("sigmoid")) < close


def test_owens_t_and_its_derivatives() -> None:
    h, a = sp.symbols("h a", positive=True)
    assert OwenT(0, a) == sp.atan(a) / (2 * sp.pi)
    assert OwenT(h, 0) == 0
    at = {h: sp.Rational(4, 5), a: sp.Rational(3, 5)}
    value = OwenT(h, a)
    with mp.workdps(40):
        for by in (h, a):
            step = sp.Rational(1, 10**12)
            ahead, behind = (
                value.subs(at | {by: at[by] + s}).evalf(40) for s in (step, -step)
            )
            exact = sp.diff(value, by).subs(at).evalf(40)
            assert abs((ahead - behind) / (2 * step) - exact) < 1e-22
        # T(h, 1) = Phi(h) (1 - Phi(h)) / 2
        half = OwenT(sp.Rational(4, 5), 1).evalf(40)
        phi = mp.ncdf(mp.mpf("0.8"))
        assert abs(half - phi * (1 - phi) / 2) < mp.mpf(10) ** -38


def test_derivatives_of_an_unevaluated_average_are_averages() -> None:
    mean = GaussianMean(sp.Lambda(z, sp.sin(z)), m, rho, 0)
    exact = moments("sin").c0
    at = {m: sp.Rational(1, 3), rho: sp.Rational(3, 2)}
    for by in [(m,), (rho,), (m, m), (m, rho), (rho, rho)]:
        values = [sp.diff(f, *by).subs(at).evalf(25) for f in (mean, exact)]
        assert abs(values[0] - values[1]) < 1e-22
    assert sp.diff(mean, z) == 0


def test_powers_beside_erf_stay_short() -> None:
    """Grouping by products of functions keeps the recursion in the power linear."""
    second = moments("erf(z)*z**2").second
    assert second is not None
    assert len(str(second)) < 2000
    with mp.workdps(20):
        exact = mp.mpf(second.subs({m: sp.S.Half, rho: sp.S(2) / 3}).evalf(20))
        value = gaussian_mean(
            lambda x: (mp.erf(x) * x * x) ** 2, (), mp.mpf("0.5"), mp.mpf(2) / 3
        )
        assert abs(exact - value) < 1e-17


@pytest.mark.parametrize("text", ["he3", "sin", "exp", "relu", "sign", "erf"])
def test_a_targets_moments_are_those_of_its_hermite_series(text: str) -> None:
    """``E tau0 He_k = zeta^k mu_k`` and ``E tau1 He_k = zeta^k rho mu_{k+1}``."""
    g, known = parse_function(text, "g"), moments(text)
    assert known.c0 is not None
    assert known.c1 is not None
    zeta = sp.Rational(3, 5)
    seen = {m: zeta * z, rho: sp.sqrt(1 - zeta**2)}
    with mp.workdps(20):
        for form, shift in ((known.c0, 0), (known.c1, 1)):
            tau = sp.lambdify(z, form.subs(seen), ["mpmath", {"NormalCdf": mp.ncdf}])
            for k in range(4):
                he = sp.lambdify(z, hermite_polynomial(k, z), "mpmath")
                mean = gaussian_mean(
                    lambda x, he=he, tau=tau: he(x) * tau(x), (), 0, mp.mpf(1)
                )
                spread = sp.sqrt(1 - zeta**2) ** shift
                series = zeta**k * spread * hermite_coefficient(g, k + shift)
                assert abs(mean - mp.mpf(series.evalf(20))) < 1e-15
