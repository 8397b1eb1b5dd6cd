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

from detequiv.theory.expressions import parse_function, z
from detequiv.theory.gaussian import Moments, conditional_moments, m, rho, smoothing
from detequiv.theory.pieces import Pieces, pieces
from detequiv.theory.special import GaussianMean, NormalCdf, OwenT

OPEN = {"tanh", "sigmoid", "softplus", "silu", "sech", "sech2"}  # no closed form
CLOSED = [text for text in TWINS if text not in OPEN]
DIGITS = 40


def moments(text: str) -> Moments:
    return conditional_moments(parse_function(text, "f"))


def vanishes(expr: sp.Expr) -> bool:
    """Whether an expression is identically zero, by algebra in its functions.

    Terms with the same exponential and the same other functions are collected;
    their factors are algebraic in m and rho.
    """
    plain = expr.replace(sp.erf, lambda x: 2 * NormalCdf(sp.sqrt(2) * x) - 1)
    plain = plain.replace(NormalCdf, one_sided).replace(OwenT, even)
    plain = plain.rewrite([sp.sin, sp.cos, sp.sinh, sp.cosh], sp.exp)
    names: dict[sp.Expr, sp.Symbol] = {}

    def name(function: sp.Expr) -> sp.Symbol:
        return names.setdefault(function, sp.Dummy())

    opaque = plain.replace(
        lambda e: isinstance(e, sp.Function | sp.exp), name, simultaneous=True
    )
    functions = {dummy: f for f, dummy in names.items()}
    sums: dict[tuple[sp.Expr, sp.Expr], sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(opaque)):
        factor, dependent = term.as_independent(*functions)
        exponent, rest = sp.S.Zero, sp.S.One
        for one in sp.Mul.make_args(dependent):
            base, power = one.as_base_exp()
            function = functions.get(base, base)
            if isinstance(function, sp.exp):
                exponent += power * function.args[0]
            else:
                rest *= one
        key = (sp.factor(exponent), rest)
        sums[key] = sums.get(key, sp.S.Zero) + factor
    return all(map(is_algebraic_zero, sums.values()))


def is_algebraic_zero(value: sp.Expr) -> bool:
    """Whether a sum of roots of polynomials that are positive at SAMPLE vanishes."""
    squares: dict[sp.Symbol, sp.Expr] = {}

    def split(root: sp.Expr) -> sp.Expr:
        """Write the root of a product as a product of roots of its factors."""
        content, product = sp.S.One, sp.S.One
        for factor in sp.Mul.make_args(sp.factor(sp.together(root.base))):
            base, power = factor.as_base_exp()
            sign = sp.S.One if base.is_number else sp.sign(base.subs(SAMPLE))
            content *= (base if base.is_number else sign) ** power
            if not base.is_number:
                name = sp.Symbol(f"root({sign * base})", positive=True)
                squares[name] = sign * base
                product *= name ** (2 * power * root.exp)
        return content**root.exp * product

    roots = value.replace(
        lambda e: (
            e.is_Pow
            and e.exp.is_Rational
            and not e.exp.is_Integer
            and not e.base.is_number
        ),
        split,
    )
    numerator = sp.expand(sp.numer(sp.together(roots)))
    for name, square in squares.items():
        numerator = numerator.replace(
            lambda e, name=name: e.is_Pow and e.base == name and e.exp.is_Integer,
            lambda e, name=name, square=square: (
                name ** (e.exp % 2) * square ** (e.exp // 2)
            ),
        )
    return bool(sp.expand(numerator) == 0)


SAMPLE = {m: sp.Rational(37, 10), rho: sp.S.One}


def label(x: sp.Expr) -> sp.Symbol:
    """Name an algebraic argument up to its sign."""
    return sp.Symbol(str(sp.factor(sp.simplify(x**2))))


def one_sided(x: sp.Expr) -> sp.Expr:
    """Write Phi(-x) as 1 - Phi(x), one of the two."""
    cdf = NormalCdf(label(x))
    return cdf if x.subs(SAMPLE) > 0 else 1 - cdf


def even(h: sp.Expr, a: sp.Expr) -> sp.Expr:
    """T is even in h; the second argument is positive."""
    return OwenT(label(h), label(a))


def smoothings(text: str) -> list[tuple[Pieces, sp.Expr]]:
    """The function and its square, each with its smoothing."""
    parts, known = pieces(parse_function(text, "f")), moments(text)
    assert known.c0 is not None
    assert known.second is not None
    return [(parts, known.c0), (parts.squared(), known.second)]


@pytest.mark.parametrize("text", CLOSED)
def test_the_heat_equation_holds(text: str) -> None:
    for _, smooth in smoothings(text):
        # d/d(rho^2) = (1 / 2 rho) d/drho
        assert vanishes(sp.diff(smooth, rho) / rho - sp.diff(smooth, m, 2))


@pytest.mark.parametrize("text", CLOSED)
def test_the_smoothing_begins_as_the_function(text: str) -> None:
    for parts, smooth in smoothings(text):
        for place, branch in enumerate(parts.branches):
            assert vanishes(limit(smooth, parts, place) - branch.subs(z, m))


def limit(smooth: sp.Expr, parts: Pieces, place: int) -> sp.Expr:
    """Limit rho -> 0 for m inside the interval with index `place`."""
    for k, kink in enumerate(parts.breaks):

        def cdf(
            x: sp.Expr, kink: sp.Expr = kink, side: int = int(k < place)
        ) -> sp.Expr:
            lead = sp.simplify((x * rho).subs(rho, 0))  # a multiple of m - kink
            at_kink = lead != 0 and sp.simplify(lead / (m - kink)).is_number
            return sp.Integer(side) if at_kink else NormalCdf(x)

        smooth = smooth.replace(NormalCdf, cdf)

    def exponential(x: sp.Expr) -> sp.Expr:
        singular = sp.simplify((x * rho**2).subs(rho, 0)) != 0
        return sp.S.Zero if singular else sp.exp(x)

    return smooth.replace(sp.exp, exponential).subs(rho, 0)


def test_a_planted_wrong_form_fails_both_proofs() -> None:
    right = moments("gelu").c0
    assert right is not None
    wrong = right + m * rho**2  # solves neither
    assert not vanishes(sp.diff(wrong, rho) / rho - sp.diff(wrong, m, 2))
    late = right.subs(rho, sp.sqrt(rho**2 + 1))  # solves the heat equation only
    assert vanishes(sp.diff(late, rho) / rho - sp.diff(late, m, 2))
    assert not vanishes(late.subs(rho, 0) - parse_function("gelu", "f").subs(z, m))


@pytest.mark.parametrize("text", CLOSED)
def test_steins_identities(text: str) -> None:
    """E[g f] from the smoothing of z f, and c2 from the rho-derivative."""
    known = moments(text)
    assert known.c0 is not None
    with_z = smoothing(z * parse_function(text, "f"))
    assert with_z is not None
    assert vanishes(with_z - m * known.c0 - rho * known.c1)
    assert vanishes(known.c2 - rho * sp.diff(known.c0, rho))


@pytest.mark.parametrize("text", sorted(OPEN))
def test_what_has_no_closed_form_says_so(text: str) -> None:
    known = moments(text)
    assert known.c0 is None
    assert known.c1 is None
    assert known.c2 is None
    assert known.second is None
    assert known.strip is not None


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
