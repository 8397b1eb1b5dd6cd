"""The resolvent and the density against laws known in other forms."""

from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from known_laws import marchenko_pastur, random_features, wishart_product
from spectra import law

import detequiv as de

PROPORTIONS = [("2", "3/2"), ("1", "1"), ("1/2", "2")]


def check(law: de.Law, known: Callable[[mp.mpc], mp.mpc], points: list[float]) -> None:
    """Density on the axis, and the transform off it, to 1e-12."""
    with mp.workdps(40):
        exact = [float(mp.im(known(mp.mpc(x))) / mp.pi) for x in points]
        off = [complex(x, 0.3) for x in points]
        transform = [complex(known(mp.mpc(z))) for z in off]
    np.testing.assert_allclose(law.density(points), exact, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(law.stieltjes(off), transform, rtol=1e-12)
    np.testing.assert_allclose(
        law.stieltjes(np.conj(off)), np.conj(transform), rtol=1e-12
    )


@pytest.mark.parametrize(("alpha", "beta"), PROPORTIONS)
@pytest.mark.parametrize(("activation", "variance"), [("he2", 2), ("he3", 6)])
def test_without_linear_part_the_law_is_marchenko_pastur(
    alpha: str, beta: str, activation: str, variance: int
) -> None:
    a, b = (float(sp.Rational(v)) for v in (alpha, beta))
    lower, upper = (variance * (1 + s * np.sqrt(b / a)) ** 2 for s in (-1, 1))
    points = lower + (upper - lower) * np.array([0.02, 0.1, 0.3, 0.5, 0.8, 0.95])
    known = marchenko_pastur(mp.mpf(a), mp.mpf(b), mp.mpf(variance))
    check(law(activation, alpha=alpha, beta=beta), known, list(points))


@pytest.mark.parametrize(("alpha", "beta"), PROPORTIONS)
@pytest.mark.parametrize("spike", [0, ["3/2", "-1"]])
def test_linear_features_are_a_product_of_wisharts(
    alpha: str, beta: str, spike: object
) -> None:
    a, b = (float(sp.Rational(v)) for v in (alpha, beta))
    check(
        law("linear", spike, alpha=alpha, beta=beta),
        wishart_product(mp.mpf(a), mp.mpf(b)),
        [0.1, 0.3, 0.7, 1.5, 2.5],
    )


@pytest.mark.parametrize(("alpha", "beta"), PROPORTIONS)
def test_unspiked_relu_obeys_the_quartic(alpha: str, beta: str) -> None:
    a, b = (mp.mpf(float(sp.Rational(v))) for v in (alpha, beta))
    with mp.workdps(40):
        rest = mp.mpf(1) / 2 - 1 / (2 * mp.pi) - mp.mpf(1) / 4
        known = random_features(a, b, mp.mpf(1) / 4, rest)
        check(law("relu", alpha=alpha, beta=beta), known, [0.03, 0.1, 0.3, 0.6])


def test_the_two_scales_are_one_law() -> None:
    problem = law("tanh", [1.5, -0.8]).problem
    by_n, by_p = de.spectrum(problem), de.spectrum(problem, scale="p")
    assert (by_n.scale, by_p.scale) == ("Phi^T Phi / n", "Phi^T Phi / p")
    x = np.array([0.1, 0.5, 1.0])
    np.testing.assert_allclose(
        by_n.density(x), by_p.density(x / 0.75) / 0.75, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("activation", "alpha", "beta", "atom"),
    [
        ("tanh", "2", "3/2", 0),
        ("tanh", "1", "1", 0),
        ("tanh", "1/2", "2", 3 / 4),
        ("linear", "2", "3/2", 1 / 3),
        ("2*z + 1", "1/2", "2", 3 / 4),
        ("linear", "2", "4", 3 / 4),
        ("linear", "2", "1/2", 0),
        ("max(z, 0) - max(-z, 0)", "2", "3/2", 1 / 3),
        ("max(z, 0) + max(-z, 0)", "2", "3/2", 0),
    ],
)
def test_atom_at_zero(activation: str, alpha: str, beta: str, atom: float) -> None:
    spectrum = law(activation, ["3/2", "-4/5"], alpha=alpha, beta=beta)
    assert spectrum.atom_at_zero == pytest.approx(atom, abs=1e-15)
    # the transform knows: -z s(z) -> atom, like sqrt(z) at worst here
    z = 1e-6j
    assert complex(-z * spectrum.stieltjes(z)) == pytest.approx(atom, abs=5e-3)


def test_the_transform_is_herglotz_and_falls_like_its_mass() -> None:
    spectrum = law("relu", [2, "1/2", -1], weights=["2/5", "2/5", "1/5"])
    rng = np.random.default_rng(5)
    z = rng.uniform(-3, 6, 200) + 1j * 10 ** rng.uniform(-6, 2, 200)
    assert (spectrum.stieltjes(z).imag > 0).all()
    far = np.array([1e6j, -1e6, 1e6])
    np.testing.assert_allclose(-far * spectrum.stieltjes(far), 1, atol=1e-5)


def test_splitting_a_group_changes_nothing() -> None:
    whole = law("tanh", [1.5, -0.8], alpha=1, weights=["1/2", "1/2"])
    split = law("tanh", [1.5, -0.8, 1.5], alpha=1, weights=["3/10", "1/2", "1/5"])
    x = np.array([0.001, 0.01, 0.2, 0.8, 1.5])
    np.testing.assert_allclose(split.density(x), whole.density(x), rtol=1e-10)


@pytest.mark.parametrize("constant", ["1", "max(z, 0) - max(-z, 0) - z + 1"])
def test_a_constant_has_no_bulk(constant: str) -> None:
    with pytest.raises(de.InputError, match=r"^features.activation = .* is constant"):
        law(constant)


def test_an_affine_function_in_pieces_has_the_law_of_one_in_one_piece() -> None:
    plain, pieces = (
        law(f, ["3/2", "-1"]) for f in ("linear", "max(z, 0) - max(-z, 0)")
    )
    for a, b in zip(
        vars(plain.support[0]).values(), vars(pieces.support[0]).values(), strict=True
    ):
        assert b.kind == a.kind
        assert float(b.value / a.value) == pytest.approx(1, rel=1e-14)
    x = np.array([0.1, 0.7, 1.5])
    np.testing.assert_allclose(pieces.density(x), plain.density(x), rtol=1e-10)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_points_without_a_value_are_refused(bad: float) -> None:
    spectrum = law("tanh")
    with pytest.raises(de.InputError, match="x = "):
        spectrum.density([1.0, bad])
    with pytest.raises(de.InputError, match=r"^z = "):
        spectrum.stieltjes([1.0, bad])
    with pytest.raises(de.InputError, match="scale = q"):
        de.spectrum(spectrum.problem, scale="q")


def test_what_is_no_number_is_refused_by_name() -> None:
    spectrum = law("he3")
    for digits in (None, 15):
        with pytest.raises(de.InputError, match=r"^x = \(1\+1j\): must be real"):
            spectrum.density(1 + 1j, digits=digits)
        with pytest.raises(de.InputError, match=r"^z = abc: "):
            spectrum.stieltjes("abc", digits=digits)
    for name, value in (("width", "a"), ("width", 1.5), ("digits", "a")):
        with pytest.raises(de.InputError, match=f"^{name} = .*: give a whole number"):
            de.spectrum(spectrum.problem, **{name: value})
