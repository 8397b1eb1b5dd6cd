"""Certified balls against digits from elsewhere, and what must not be certified."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import flint
import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import detequiv as de
from detequiv.numerics.arithmetic.compiled import exact_ball, precision, to_mpf
from detequiv.numerics.certificates.certificate import _attempt as prove
from detequiv.numerics.certificates.certificate import certify, compare
from detequiv.numerics.certificates.enclosed import EnclosedSystem
from detequiv.numerics.certificates.majorants import Majorant
from detequiv.numerics.certificates.smoothed import Smoothed
from detequiv.numerics.certificates.strips import contour
from detequiv.theory.functions.expressions import parse_function
from detequiv.theory.gaussian.smoothing import conditional_moments
from detequiv.theory.problem.conditionals import feature_law
from detequiv.theory.problem.independence import spanning_groups

arb, acb = flint.arb, flint.acb


def spiked(
    activation: str,
    spike: Any,
    target: str = "z + (z**2 - 1)/2",
    alignment: Any = 1,
    penalty: Any = "1/20",
    **features: Any,
) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike, **features),
        target=de.Target(function=target, alignment=alignment, noise="3/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=penalty),
    )


def assert_contains(problem: de.Problem, digits: int = 21) -> None:
    certificate = certify(problem, digits=digits)
    known = de.solve(problem, digits=digits + 25)
    for name, ball in certificate.balls.items():
        value = getattr(known, name)
        assert ball.contains(value), name
        assert ball.radius <= mp.mpf(10) ** -digits * abs(value)
    for ball, value in zip(certificate.g, known.g, strict=True):
        assert ball.contains(value)


@pytest.mark.parametrize(
    "problem",
    [
        spiked("relu", ["3/2", "-4/5"]),
        spiked("erf", "3/2", "sin(z)", bulk="1/2"),
        spiked("z**2", [1, 2, 3], alignment="-7/10"),
        spiked("sin", ["1/2", 0], "relu", alignment="7/10"),
        spiked("silu", "3/2", "softplus(2*z + 1)"),
    ],
    ids=["relu", "erf", "polynomial", "sin", "silu"],
)
def test_balls_contain_the_digits_of_the_solver(problem: de.Problem) -> None:
    assert_contains(problem)


def test_a_number_becomes_a_ball_with_all_its_bits() -> None:
    with precision(60):
        third = (arb(1) / 3).mid()
        assert exact_ball(to_mpf(third)) == third


@pytest.mark.slow
@pytest.mark.parametrize("number", range(50))
def test_balls_contain_the_digits_of_random_problems(number: int) -> None:
    rng = np.random.default_rng(number)
    groups = int(rng.integers(1, 4))
    activation = ["relu", "erf", "he2", "sin", "tanh", "abs", "z + cos(2*z)"][
        number % 7
    ]
    problem = de.Problem(
        features=de.SpikedFeatures(
            activation=activation,
            spike=[round(u, 2) for u in rng.normal(0, 1.5, groups)],
            bulk=[round(r, 2) for r in rng.uniform(0.6, 1.5, groups)],
        ),
        target=de.Target(
            function=str(rng.choice(["z", "sin(2*z)", "He(3, z)", "tanh(z)"])),
            alignment=str(rng.choice(["1", "3/5", "-9/10"])),
            noise=round(rng.uniform(0, 1), 2),
        ),
        ridge=de.Ridge(
            samples_per_dim=round(rng.uniform(0.2, 4), 2),
            width_per_dim=round(rng.uniform(0.2, 4), 2),
            penalty=f"{10 ** rng.uniform(-4, 1):.3e}",
        ),
    )
    certificate = certify(problem, digits=20)
    known = de.solve(problem, digits=100)
    for name, ball in certificate.balls.items():
        assert ball.contains(getattr(known, name))
        assert ball.radius < 1e-20 * abs(ball.midpoint)


TWINS: dict[str, tuple[Callable[[Any], Any], list[int]]] = {
    "relu": (lambda x: max(x, mp.mpf(0)), [0]),
    "erf": (mp.erf, []),
    "tanh": (mp.tanh, []),
    "z*sin(2*z)": (lambda x: x * mp.sin(2 * x), []),
}


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("sigmoid(2*z - 1)", lambda w: 1 / (1 + mp.exp(1 - 2 * w))),
        ("softplus(2*z - 1)", lambda w: mp.log(1 + mp.exp(2 * w - 1))),
        ("silu", lambda w: w / (1 + mp.exp(-w))),
        ("tanh", mp.tanh),
    ],
    ids=["sigmoid", "softplus", "silu", "tanh"],
)
def test_polynomials_bound_functions_on_strips(
    name: str, twin: Callable[[Any], Any]
) -> None:
    majorant = Majorant(conditional_moments(parse_function(name, "f")), "f")
    for share in (0.0, 0.3, 0.7, 1.0):
        height = share * majorant.height
        poly = majorant.on_strip(arb(height))
        for x in np.linspace(-9, 9, 73):
            for y in np.linspace(-height, height, 21):
                assert abs(twin(mp.mpc(x, y))) <= float(poly(arb(abs(x))).upper())


@pytest.mark.parametrize("name", TWINS)
def test_moments_off_the_axis_are_enclosed(name: str) -> None:
    function, kinks = TWINS[name]
    moments = conditional_moments(parse_function(name, "f"))
    mean, scale, ends = mp.mpc(-0.75, 0.5), mp.mpf("0.75"), [*range(-12, 13)]
    with mp.workdps(30):

        def average(f: Callable[[Any], Any]) -> Any:
            def integrand(x: Any) -> Any:
                return f(x) * mp.npdf((x - mean) / scale) / scale

            panels = pairwise(sorted({*ends, *kinks}))
            return sum(mp.quad(integrand, [*panel]) for panel in panels)

        c0 = average(function)
        c1 = average(lambda x: function(x) * (x - mean) / scale)
        cs = average(lambda x: function(x) ** 2) - c0**2 - c1**2
    with precision(40):
        smoothed = Smoothed(moments, sp.Rational(3, 4), "f", 30)
        values = smoothed.at(acb(-0.75, 0.5), 1)
        for (value,), expected in zip(
            (values[0], values[1], values[3]), (c0, c1, cs), strict=True
        ):
            parts = expected.real, expected.imag
            gap = value - acb(*(arb(mp.nstr(x, 30)) for x in parts))
            assert float(abs(gap).upper()) < 1e-24
        # a disc holds the values at its points
        disc = smoothed.on_disc(acb(-0.75, 0.5), arb(0.2))
        assert disc is not None
        inside = smoothed.at(acb(-0.65, 0.6), 1)
        for ball, (value,) in zip(disc, inside, strict=True):
            assert ball.contains(value)


def test_poles_in_the_rectangle_are_seen() -> None:
    """``1 + kappa^2`` vanishes at i: a rectangle of height 2 is refused."""

    class Fields:
        def on_disc(self, centre: complex, radius: float) -> list[Any]:
            around = arb(0, radius)
            return [acb(centre.real, centre.imag) + acb(around, around)]

    def find(height: float) -> Any:
        fields: Any = Fields()
        return contour(fields, lambda f: 1 + f[0] * f[0], height, 5.0, 0.1)

    assert find(0.5) is not None
    assert find(2.0) is None


def test_what_is_not_a_solution_is_not_certified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = spiked("relu", "3/2")
    law, close = feature_law(problem), de.solve(problem, digits=20)
    moved = replace(close, g=(close.g[0] * (1 + mp.mpf("1e-6")),))
    with pytest.raises(de.ConvergenceError, match="too far from the exact one"):
        prove(law, moved, 16, 12)
    # equations that are wrong by one part in 10^8
    right = EnclosedSystem.gradient
    monkeypatch.setattr(
        EnclosedSystem,
        "gradient",
        lambda self, x: [v + arb("1e-8") for v in right(self, x)],
    )
    with pytest.raises(de.ConvergenceError):
        prove(law, close, 16, 12)


def test_dependent_groups_are_found() -> None:
    def groups(activation: str, spike: Any, **more: Any) -> tuple[int, ...]:
        return spanning_groups(feature_law(spiked(activation, spike, **more)))

    assert groups("relu", [1, 1, 2]) == (0, 2)
    assert groups("relu", [1, -1, 2, -2]) == (0, 1, 2)  # c0(u) - c0(-u) = u kappa
    assert groups("tanh", [0, 1, -1]) == (1,)
    assert groups("tanh", [1, 1], bulk=[1, 2]) == (0, 1)
    assert groups("z**2", ["sqrt(2)", 1, 0]) == (0, 1)
    assert groups("he2", ["sqrt(2)", 1, 0]) == (0,)
    assert groups("erf", 0) == ()


def test_comparisons_are_decided_only_where_they_differ() -> None:
    one = spiked("relu", "3/2")
    other = one.with_values({"ridge.penalty": "1/19"})
    assert compare(one, other, quantity="training_error", digits=12) == "less"
    assert compare(other, one, quantity="training_error", digits=12) == "greater"
    assert compare(one, one, digits=10) == "undecided"
    with pytest.raises(de.InputError, match="quantity"):
        compare(one, other, quantity="loss")


@pytest.mark.parametrize(
    ("problem", "field"),
    [
        (spiked("exp(z/4)", 1), "features.activation"),
        (spiked("tanh(z**2)", 1), "features.activation"),
        (spiked("relu", 1, "abs"), "target.function"),
        (spiked("relu", 1, penalty=0), "ridge.penalty"),
    ],
)
def test_unsupported_functions_are_named(problem: de.Problem, field: str) -> None:
    with pytest.raises(de.InputError, match=field):
        certify(problem)


def test_the_solution_of_a_width_is_not_certified() -> None:
    problem = de.Problem(
        features=de.SpikedFeatures(activation="relu", spike="3/2"),
        target=de.Target(function="z"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    )
    found = de.solve(problem, width=100, digits=5)
    with pytest.raises(de.InputError, match="certificates are of the limit"):
        de.certify(problem, solution=found)
