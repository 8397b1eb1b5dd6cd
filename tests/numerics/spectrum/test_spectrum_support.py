"""The support: ends of known laws to 30 digits, kinds of ends, gaps, tails."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from spectra import law

import detequiv as de
from detequiv.numerics.resolvent import RealBranch, Resolvent
from detequiv.theory.problem.conditionals import exact_parameters, law_of

PROPORTIONS = [("2", "3/2"), ("1/2", "2")]


def kinds(law: de.Law) -> list[tuple[str, str]]:
    return [(i.lower.kind, i.upper.kind) for i in law.support]


def check_ends(law: de.Law, expected: list[mp.mpf]) -> None:
    """Ends to the digits of the law."""
    ends = [e.value for i in law.support for e in (i.lower, i.upper)]
    assert len(ends) == len(expected)
    for end, value in zip(ends, expected, strict=True):
        with mp.workdps(law.digits + 20):
            gap = abs(end / value - 1)
        assert gap < mp.mpf(10) ** -law.digits


@pytest.mark.parametrize(("alpha", "beta"), PROPORTIONS)
def test_marchenko_pastur_to_thirty_digits(alpha: str, beta: str) -> None:
    with mp.workdps(45):
        root = mp.sqrt(mp.mpf(sp.Rational(beta).p) / sp.Rational(beta).q)
        root /= mp.sqrt(mp.mpf(sp.Rational(alpha).p) / sp.Rational(alpha).q)
        expected = [6 * (1 + s * root) ** 2 for s in (-1, 1)]
        check_ends(law("he3", alpha=alpha, beta=beta, digits=30), expected)


def discriminant_roots(polynomial: sp.Expr, unknown: sp.Symbol, z: sp.Symbol) -> list:
    """Positive z at which two roots of the polynomial meet."""
    numerator = sp.numer(sp.together(polynomial))
    discriminant = sp.Poly(sp.discriminant(numerator, unknown), z)
    with mp.workdps(60):
        coefficients = [mp.mpmathify(sp.N(c, 60)) for c in discriminant.all_coeffs()]
        roots = mp.polyroots(coefficients, maxsteps=2000, extraprec=2000)
        return sorted(
            mp.re(r) for r in roots if abs(mp.im(r)) < 1e-30 and mp.re(r) > 1e-20
        )


@pytest.mark.parametrize(("alpha", "beta"), [*PROPORTIONS, ("2", "1/2")])
def test_linear_features_to_thirty_digits(alpha: str, beta: str) -> None:
    """The product of two Wishart matrices: z psi = beta (1+psi) (1+psi/a) (1+psi/b)."""
    psi, z = sp.symbols("psi z")
    a, b = sp.Rational(alpha), sp.Rational(beta)
    cubic = b * (1 + psi) * (1 + psi / a) * (1 + psi / b) - z * psi
    roots = discriminant_roots(cubic, psi, z)
    check_ends(law("linear", alpha=alpha, beta=beta, digits=30), [roots[0], roots[-1]])


@pytest.mark.parametrize(("alpha", "beta"), PROPORTIONS)
def test_unspiked_cubic_to_thirty_digits(alpha: str, beta: str) -> None:
    """The quartic of Pennington and Worah (2017), where two of its roots meet."""
    e, z = sp.symbols("e z")
    phi, psi = 1 / sp.Rational(alpha), 1 / sp.Rational(beta)
    # of x^3: c1 = 3, cs = 6
    linear, rest = sp.Integer(9), sp.Integer(6)
    tq = (1 + e * phi) * (1 + e * psi) / (psi * z)
    quartic = (e - rest * tq) * (1 - linear * tq) - linear * tq
    roots = discriminant_roots(quartic, e, z)
    found = law("z**3", alpha=alpha, beta=beta, digits=30)
    ends = [v.value for i in found.support for v in (i.lower, i.upper)]
    check_ends(found, [min(roots, key=lambda r, v=v: abs(r - v)) for v in ends])


@pytest.mark.parametrize(
    ("activation", "alpha", "beta", "spike", "expected"),
    [
        ("tanh", "2", "3/2", ["3/2", "-4/5"], [("regular", "regular")]),
        ("tanh", "1", "3/2", ["3/2", "-4/5"], [("soft", "regular")]),
        ("tanh", "1", "3/2", ["3/2", 0], [("regular", "regular")]),
        ("tanh", "1", "1", 0, [("hard", "regular")]),
        ("relu", "1/10", "3/2", "1/2", [("soft", "soft")]),
        ("softplus", "1", "3/2", ["1/2", "1"], [("soft", "soft")]),
        ("he2", "2", "3/2", "1/2", [("regular", "soft")]),
        ("sin", "2", "3/2", "1/2", [("regular", "regular")]),
        ("linear", "1", "3/2", "1/2", [("hard", "regular")]),
    ],
)
def test_kinds_of_ends(
    activation: str,
    alpha: str,
    beta: str,
    spike: object,
    expected: list[tuple[str, str]],
) -> None:
    found = law(activation, spike, alpha=alpha, beta=beta)
    assert kinds(found) == expected
    if activation == "he2":
        assert found.support[0].upper.value == mp.inf


def test_two_groups_of_different_size_leave_a_gap() -> None:
    found = law("he3", [0, 0], bulk=[1, "1/5"])
    assert kinds(found) == [("regular", "regular")] * 2
    first, second = found.support
    gap = [float(first.upper.value), float(second.lower.value)]
    inside = np.linspace(*gap, 5)[1:-1]
    assert (found.density(inside) < 1e-12).all()
    beyond = [gap[0] * (1 - 1e-3), gap[1] * (1 + 1e-3)]
    assert (found.density(beyond) > 1e-3).all()


def test_a_regular_end_is_where_the_square_root_begins() -> None:
    found = law("tanh", ["3/2", "-4/5"])
    for end, side in zip(
        (found.support[0].lower, found.support[0].upper), (1, -1), strict=True
    ):
        x = float(end.value) * (1 + side * np.array([1e-4, 4e-4]))
        near, far = found.density(x)
        assert far / near == pytest.approx(2, rel=0.03)
        assert found.density(float(end.value) * (1 - side * 1e-4)) < 1e-12


def test_the_other_scale_has_the_ends_in_proportion() -> None:
    by_n, by_p = (law("tanh", 1, scale=s) for s in "np")
    ratio = by_n.support[0].upper.value / by_p.support[0].upper.value
    assert ratio == pytest.approx(0.75, rel=1e-14)


def test_a_quadratic_activation_has_an_exponential_tail() -> None:
    """He_2 with rho = 1 on the scale of Phi^T Phi / p: log density' -> -1/(8 u^2)."""
    found = law("he2", 1, scale="p")
    z = np.array([180.0, 220.0])
    slope = np.diff(np.log(found.density(z)))[0] / 40
    # the Gaussian density at kappa ~ sqrt(z)/2u, times dkappa/dz ~ z^(-1/2)
    assert slope == pytest.approx(-1 / 8 - np.log(220 / 180) / 80, rel=0.02)


@pytest.mark.slow
def test_tails_at_zero_of_relu_and_tanh() -> None:
    """A power law rho^2/u^2 - 1 (with logarithms), and a log-normal one."""
    relu = law("relu", 1, alpha=1, scale="p")
    t = np.array([-14.0, -18.0, -22.0])
    slopes = np.diff(np.log(relu.density(np.exp(t))) + t) / np.diff(t)
    assert 0.85 < slopes[0] > slopes[1] - 0.2
    assert slopes[-1] == pytest.approx(1, abs=0.1)
    tanh = law("tanh", 1, alpha=1, scale="p", bulk="1/2")
    t = np.arange(-20.0, -9.0, 2.0)
    bends = np.diff(np.log(tanh.density(np.exp(t))) + t, 2) / 4
    np.testing.assert_allclose(bends[:2], -1 / 16, rtol=0.1)


def test_a_strength_without_a_formula_has_a_sign() -> None:
    """mu_1(tanh) is a number that is known as an average only."""
    problem = de.Problem(
        network=de.Network(activation="tanh", readout=[1, -1], step=2),
        target=de.Target(function="z"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=1),
    )
    law = law_of(problem)
    exact = exact_parameters(problem, law)
    resolvent = Resolvent(law.model, law, tuple(map(float, exact)))
    branch = RealBranch(resolvent, exact)
    assert (branch.unbounded, branch.vanishes) == (False, True)


@pytest.mark.parametrize(
    ("spike", "expected"),
    [
        (4, "5.0389e-7"),
        pytest.param(6, "6.3613e-11", marks=pytest.mark.slow),
        pytest.param(12, "3.5811e-23", marks=pytest.mark.slow),
    ],
)
def test_small_ends_of_large_spikes(spike: int, expected: str) -> None:
    """Samples far out have next to no bulk features; the end is where they run out.

    Just below it nothing lies, just above it the density rises like a square root.
    """
    found = law("tanh", spike)
    (interval,) = found.support
    assert (interval.lower.kind, interval.upper.kind) == ("regular", "regular")
    assert mp.nstr(interval.lower.value, 5) == expected
    x = float(interval.lower.value) * (1 + np.array([-1e-3, 1e-4, 4e-4]))
    below, near, far = found.density(x)
    assert below < 1e-9 * near
    assert far / near == pytest.approx(2, rel=0.05)
