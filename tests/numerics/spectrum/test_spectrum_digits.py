"""The density and the transform to many digits, and float64 against them."""

from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from known_laws import marchenko_pastur, random_features, wishart_product
from spectra import law

import detequiv as de

POINTS = ["1/10", "1/2", "7/10", "3/2"]


def known_relu(alpha: mp.mpf, beta: mp.mpf) -> Callable[[mp.mpc], mp.mpc]:
    rest = mp.mpf(1) / 2 - 1 / (2 * mp.pi) - mp.mpf(1) / 4
    return random_features(alpha, beta, mp.mpf(1) / 4, rest)


@pytest.mark.parametrize(
    ("activation", "known", "points"),
    [
        ("he3", lambda a, b: marchenko_pastur(a, b, mp.mpf(6)), ["1/5", 1, 6, 20]),
        ("linear", wishart_product, POINTS),
        ("relu", known_relu, ["1/20", "1/10", "3/10", "3/5"]),
    ],
)
def test_known_laws_to_thirty_digits(
    activation: str, known: Callable[..., Callable[[mp.mpc], mp.mpc]], points: list
) -> None:
    found = law(activation)
    with mp.workdps(50):
        transform = known(mp.mpf(2), mp.mpf(3) / 2)
        places = [mp.mpf(sp.Rational(v).p) / sp.Rational(v).q for v in points]
        density = [mp.im(transform(mp.mpc(x))) / mp.pi for x in places]
        for value, exact in zip(found.density(points, digits=30), density, strict=True):
            assert abs(value / exact - 1) < mp.mpf(10) ** -30
        off = mp.mpc(places[1], "0.25")
        value, exact = found.stieltjes(off, digits=30), transform(off)
        assert abs(value / exact - 1) < mp.mpf(10) ** -30
        assert found.stieltjes(mp.conj(off), digits=30) == mp.conj(value)


def test_float64_against_thirty_digits() -> None:
    """Spread over the bulk, up to 2e-6 of its width from its ends."""
    found = law("tanh", ["3/2", "-4/5"])
    lower, upper = (float(e.value) for e in vars(found.support[0]).values())
    arc = (1 - np.cos(np.linspace(0, np.pi, 2000)[1:-1:105])) / 2
    x = lower + (upper - lower) * arc
    assert len(x) == 20
    exact = found.density([mp.mpf(float(v)) for v in x], digits=30)
    # rounding moves the ends by some units in their last place, the density by more
    moved = 4 * np.finfo(float).eps * upper / np.minimum(x - lower, upper - x)
    error = np.abs(found.density(x) / exact.astype(float) - 1)
    assert (error < 1e-11 + moved).all()


def test_more_digits_confirm_fewer() -> None:
    found = law("relu", [2, "1/2"], bulk=[1, "1/2"])
    points = ["1/100", "1/2", 1]
    fewer, more = (found.density(points, digits=d) for d in (20, 35))
    with mp.workdps(40):
        for a, b in zip(fewer, more, strict=True):
            assert 0 < abs(a / b - 1) < mp.mpf(10) ** -20


def test_few_digits_are_worked_out_as_ten() -> None:
    """Rules that have one digit do not tell how many more they lack."""
    found = law("relu", 2, alpha="1/10")
    more = found.density("1/100000", digits=12)
    for digits in (1, 7):
        fewer = found.density("1/100000", digits=digits)
        assert float(fewer / more) == pytest.approx(1, abs=10.0**-digits)
    problem = law("tanh", 0).problem
    (few,), (many,) = (de.spectrum(problem, digits=d).support for d in (1, 12))
    for a, b in ((few.lower, many.lower), (few.upper, many.upper)):
        assert float(a.value / b.value) == pytest.approx(1, abs=0.1)


def test_digits_in_a_tail_are_those_of_the_density() -> None:
    """The density is 1e-9 times the real part of the transform, and less."""
    found = law("relu", "1/2", alpha="1/10")
    fewer, more = (found.density(["1/1000", "167/10"], digits=d) for d in (12, 25))
    assert (more < 1e-7).all()
    with mp.workdps(30):
        for a, b in zip(fewer, more, strict=True):
            assert abs(a / b - 1) < mp.mpf(10) ** -12


def test_next_to_an_end() -> None:
    """A square root inside, 0 outside, and an error where the two meet."""
    found = law("tanh", ["3/2", "-4/5"])
    end = found.support[0].upper.value
    with mp.workdps(40):
        near, nearer = (end * (1 - mp.mpf(10) ** -k) for k in (9, 11))
        ratio = found.density(near, digits=15) / found.density(nearer, digits=15)
        assert ratio == pytest.approx(10, rel=1e-4)
        assert found.density(end * (1 + mp.mpf(10) ** -9), digits=15) == 0
    with pytest.raises(de.ConvergenceError):
        found.density(end, digits=15)


def test_the_density_left_and_right_of_the_bulk_is_exactly_zero() -> None:
    found = law("he2", "1/2")
    assert list(found.density([-1, "1/100"], digits=20)) == [0, 0]
    # its tail has no end: what is not told from 0 is not called 0
    with pytest.raises(de.ConvergenceError, match="far out in a tail"):
        found.density(400, digits=20)


def test_shapes_and_what_is_refused() -> None:
    found = law("he3")
    assert isinstance(found.density("1/2", digits=20), mp.mpf)
    assert isinstance(found.stieltjes(1j, digits=20), mp.mpc)
    assert found.density([[1, 2]], digits=20).shape == (1, 2)
    assert found.density(np.zeros(0), digits=20).shape == (0,)
    with pytest.raises(de.InputError, match="digits = 0"):
        found.density(1, digits=0)
    for bad in (0, mp.inf, "one"):
        with pytest.raises(de.InputError, match="x = "):
            found.density(bad, digits=20)


def test_digits_at_a_hard_end() -> None:
    """A pole of small residue, which a rule's own coarser ones do not see."""
    found = law("tanh", "1/2", alpha="3/2")
    few, many = (found.density("4.09561e-6", digits=d) for d in (20, 40))
    assert abs(few / many - 1) < mp.mpf(10) ** -20
    assert str(many).replace(".", "").startswith("563533457855879")


def test_digits_near_the_small_end_of_a_large_spike() -> None:
    found = law("tanh", 6)
    x = ["1e-7", "1e-9"]
    expected = found.density(np.array(x, float))
    np.testing.assert_allclose(
        found.density(x, digits=8).astype(float), expected, rtol=1e-7
    )


@pytest.mark.parametrize(
    ("activation", "alpha", "beta"),
    [("z", 2, 1), ("z", 1, 1), ("tanh", "3/2", "3/2"), ("tanh", 2, "3/2")],
)
def test_the_error_vouched_for_holds_next_to_ends(
    activation: str, alpha: object, beta: object
) -> None:
    """Hard ends and regular ones, where rounding is amplified."""
    found = law(activation, ["3/2", "-4/5"], alpha=alpha, beta=beta)
    lower, upper = (float(e.value) for e in vars(found.support[0]).values())
    near = np.geomspace(1e-12, 0.3, 8)
    x = np.concatenate([lower + (upper - lower) * near, upper - upper * near[1:]])
    density, error = found.density_with_error(x)
    exact = found.density([mp.mpf(float(v)) for v in x], digits=12).astype(float)
    assert (np.abs(density - exact) < error + 1e-12 * exact).all()
    assert (error[2:8] < 1e-6 * density[2:8]).all()


def test_a_hard_end_of_affine_features_to_all_digits() -> None:
    """The two groups are one in the bulk, whose density diverges like a root."""
    found = law("linear", ["3/2", "-4/5"], beta=1)
    x = [f"1e-{k}" for k in (10, 14, 20)]
    density = found.density(np.array(x, float))
    exact = found.density(x, digits=15).astype(float)
    assert exact[0] == pytest.approx(45015.8157943506, rel=1e-14)
    np.testing.assert_allclose(density, exact, rtol=1e-12)
    with mp.workdps(40):
        known = mp.im(wishart_product(mp.mpf(2), mp.mpf(1))(mp.mpc("1e-10")))
    assert exact[0] == pytest.approx(float(known / mp.pi), rel=1e-12)
