"""No gap is missed: narrow bands, wide gaps, all proportions."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from populations import support_of_population
from spectra import law

import detequiv as de


def ends(law: de.Law) -> list[mp.mpf]:
    return [e.value for i in law.support for e in (i.lower, i.upper)]


def check_population(
    bulks: list[sp.Expr], weights: list[sp.Expr], alpha: object, beta: object
) -> int:
    """Without a spike He_2 has independent features, of variance ``2 rho^4``."""
    found = law(
        "he2", [0] * len(bulks), bulk=bulks, weights=weights, alpha=alpha, beta=beta
    )
    with mp.workdps(50):
        ratio, *rest = (
            mp.mpmathify(sp.N(v, 50))
            for v in (
                sp.sympify(beta) / sp.sympify(alpha),
                *(2 * sp.sympify(rho) ** 4 for rho in bulks),
                *weights,
            )
        )
        levels, shares = rest[: len(bulks)], rest[len(bulks) :]
        expected = support_of_population(ratio, levels, shares)
        assert len(ends(found)) == len(expected)
        for end, value in zip(ends(found), expected, strict=True):
            assert abs(end / value - 1) < mp.mpf(10) ** -15
    return len(expected) // 2


@pytest.mark.parametrize("ratio", ["1/1000", "1/30", "9/10", "30", "100", "10000"])
@pytest.mark.parametrize("beta", ["1/10", "3"])
def test_one_level_at_any_proportion(ratio: str, beta: str) -> None:
    alpha = sp.Rational(beta) / sp.Rational(ratio)
    assert check_population([sp.S.One], [sp.S.One], alpha, beta) == 1


def test_marchenko_pastur_with_thirty_units_a_sample() -> None:
    (interval,) = law("he2", alpha="1/10", beta=3).support
    value = [2 * (1 + s * np.sqrt(30)) ** 2 for s in (-1, 1)]
    assert [float(interval.lower.value), float(interval.upper.value)] == pytest.approx(
        value, rel=1e-14
    )


@pytest.mark.parametrize(
    ("levels", "weights", "ratio", "bands"),
    [
        (["1", "5"], ["1/2", "1/2"], "1/2", 2),
        (["1", "1e-8"], ["1/2", "1/2"], "1/1000", 2),
        (["1", "1e-8"], ["999/1000", "1/1000"], "1/1000", 2),
        (["1", "1e-4"], ["1/2", "1/2"], "20", 1),
        (["1", "1.01"], ["1/2", "1/2"], "1e-6", 2),
        pytest.param(
            *(["1", "7", "30"], ["1/3"] * 3, "1/12", 3), marks=pytest.mark.slow
        ),
        pytest.param(
            *(["1", "1e-4", "1e-8"], ["1/3"] * 3, "1/1000", 3),
            marks=pytest.mark.slow,
        ),
        # one of the three gaps has closed
        pytest.param(
            *(["1", "3/2", "30"], ["1/3"] * 3, "1/12", 2), marks=pytest.mark.slow
        ),
    ],
)
def test_levels(levels: list[str], weights: list[str], ratio: str, bands: int) -> None:
    bulks = [(sp.Rational(level) / 2) ** sp.Rational(1, 4) for level in levels]
    shares = [sp.Rational(w) for w in weights]
    assert check_population(bulks, shares, 1, sp.Rational(ratio)) == bands


def test_two_levels_as_printed() -> None:
    found = law("he2", [0, 0], bulk=["(1/2)**(1/4)", "(5/2)**(1/4)"], alpha=2, beta=1)
    assert list(map(float, ends(found))) == pytest.approx(
        [0.124658778375, 1.65937419574, 1.67752738532, 11.5384396406], rel=1e-11
    )


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("alpha", "beta"), [("1/10", "3"), ("1/100", "1")])
def test_many_units_a_sample(activation: str, alpha: str, beta: str) -> None:
    """The share of the samples is in one interval that is narrow, far from 0."""
    found = law(activation, alpha=alpha, beta=beta)
    (interval,) = found.support
    low, high = float(interval.lower.value), float(interval.upper.value)
    angle = (np.arange(400) + 0.5) * np.pi / 400
    x = (low + high - (high - low) * np.cos(angle)) / 2
    mass = found.density(x) @ np.sin(angle) * (high - low) * np.pi / 800
    assert mass == pytest.approx(1 - found.atom_at_zero, abs=1e-10)
