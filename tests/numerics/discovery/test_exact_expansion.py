"""Exact coefficients of expansions, against the numbers of solves."""

from typing import Any

import mpmath
import pytest
import sympy as sp

import detequiv as de
from detequiv.theory.series import SmallSeries, small_features


def problem(
    activation: str, spike: Any, alignment: Any = 1, **ridge: Any
) -> de.Problem:
    numbers = {"samples_per_dim": 2, "width_per_dim": "3/2", "penalty": "1/20"}
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike),
        target=de.Target(
            function="z + (z**2 - 1)/2", noise="3/10", alignment=alignment
        ),
        ridge=de.Ridge(**{**numbers, **ridge}),
    )


def network(activation: str, readout: Any) -> de.Problem:
    return de.Problem(
        network=de.Network(activation=activation, readout=readout, step=1),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )


SMALL = {
    "one group": (problem("z**3 + z**2 + z", 1), "features.spike"),
    "two groups": (problem("z**2 + z", [1, -1], "3/5"), "features.spike"),
    "odd": (problem("z**3 + z", 1), "features.spike"),
    "a step": (network("z**2 + z/2", [1, -2]), "network.step"),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    "quantity", ["excess_error", "training_error", "readout_norm", "resolvent_trace"]
)
def test_small_spikes_agree_with_solves(name: str, quantity: str) -> None:
    """The error after the terms falls as the next power, by solves at two scales."""
    given, parameter = SMALL[name]
    features = small_features(given, parameter)
    assert features is not None
    start = given.with_values(
        {parameter: 0 if "step" in parameter else [0] * given.groups}
    )
    root = sp.Float(mpmath.nstr(de.solve(start, digits=60).g[0], 60), 60)
    order = 2
    series = SmallSeries(features, quantity, order, root)
    at = {series.polynomial.gen: root}
    terms = [c.subs(at) for c in series.coefficients]
    factors = [1] if given.groups == 1 else [1, -1]
    missed = []
    for exponent in (4, 5):
        x = sp.Rational(1, 10**exponent)
        value = x if "step" in parameter else [x * u for u in factors]
        found = de.solve(given.with_values({parameter: value}), digits=45)
        there = sp.Float(mpmath.nstr(getattr(found, quantity), 45), 60)
        missed.append(abs(there - sum(c * x**k for k, c in enumerate(terms))))
    powers = float(sp.log(missed[0] / missed[1], 10))
    # even functions skip a power
    assert min(abs(powers - 3), abs(powers - 4)) < 1e-2


def test_expand_writes_them() -> None:
    found = de.expand(
        problem("z**2 + z", [1, -1]), "features.spike", order=2, digits=20
    )
    assert found.exact
    (_, limit), (_, gain) = found.terms
    assert not limit.free_symbols
    for exact, (_, number) in zip((limit, gain), found.numbers, strict=True):
        assert abs(sp.N(exact, 25) - sp.Float(mpmath.nstr(number, 25), 25)) < 1e-19
    assert "root of" in found.text()
    assert "infinite width" in found.note


def test_the_constant_of_double_descent() -> None:
    peak = problem("abs(z)", 0, samples_per_dim="3/2")
    found = de.expand(peak, "ridge.penalty", order=2, digits=12)
    (half, first), (_, second) = found.terms
    assert half == -sp.Rational(1, 2)
    # of features without a linear part: all variance of labels, over 2 sqrt(cs / beta)
    variance = sp.Rational(3, 2) + sp.Rational(9, 100)
    constant = variance / 2 * sp.sqrt(1 - 2 / sp.pi)
    assert sp.simplify(first - constant) == 0
    assert sp.simplify(second - variance / 2) == 0


def test_the_floor_and_the_rate_of_many_samples() -> None:
    # 8 digits suffice to tell the branch, the coefficients are rational
    found = de.expand(
        problem("abs(z)", 0), "ridge.samples_per_dim", at="oo", order=2, digits=8
    )
    variance = sp.Rational(3, 2) + sp.Rational(9, 100)
    assert found.terms == [(0, variance), (-1, variance * sp.Rational(3, 2))]


def test_a_taylor_series_in_a_root_of_degree_four() -> None:
    found = de.expand(
        problem("z**2 + z", 0),
        "ridge.penalty",
        at="1/20",
        order=2,
        quantity="resolvent_trace",
        digits=20,
    )
    assert found.closed.polynomial.degree() == 4
    slope = found.terms[1][1]
    assert abs(sp.N(slope, 25) - sp.Float(mpmath.nstr(found.numbers[1][1], 25), 25)) < (
        1e-18
    )


def test_numbers_that_make_no_field_stay_numbers() -> None:
    found = de.expand(problem("tanh", 1), "features.spike", order=2, digits=8)
    assert not found.exact
    assert found.terms == found.numbers
