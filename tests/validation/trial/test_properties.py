"""Laws that hold for every problem.

`pytest --hypothesis-profile=thorough` tests each on many more problems.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from detequiv.numerics.arithmetic.compiled import precision
from detequiv.numerics.averages.moments import MomentValues, conditional_values
from detequiv.numerics.solving.sweep import sweep
from detequiv.theory.functions.expressions import parse_function, z
from detequiv.theory.gaussian.smoothing import conditional_moments
from detequiv.theory.problem import Problem
from detequiv.validation.strategies import (
    ACTIVATIONS,
    problems,
    rationals,
    spiked_features,
    targets,
)
from detequiv.validation.trial.evidence import gather
from detequiv.validation.trial.trial import predict, tried

# A problem takes a tenth of a second: four where others test a hundred examples.
on_problems = settings(max_examples=max(1, settings.default.max_examples // 25))
CLOSE = 1e-7  # of float64 solutions, which vouch for ten digits

ODD = ("erf", "sign", "sin", "z + z**3/6", "z*exp(-z**2/2)")
Values = dict[str, float]


def solved(*given_problems: Problem) -> list[Values]:
    """Quantities of some problems, in float64."""
    points = sweep(given_problems)
    for point in points:
        assert point.failure is None, (point.problem, point.failure)
    return [{k: float(v) for k, v in point.values.items()} for point in points]


def agree(one: Values, other: Values, **factors: float) -> bool:
    """Whether quantities are equal, after some of the first are multiplied."""
    # the excess error may be zero to rounding beside the others
    size = one["generalization_error"]
    return all(
        abs(factors.get(name, 1) * value - other[name])
        <= CLOSE * (abs(other[name]) + (size if name == "excess_error" else 0))
        for name, value in one.items()
    )


@on_problems
@given(problems(spiked_features(groups=st.just(3))), st.permutations(range(3)))
def test_groups_have_no_order(problem: Problem, order: list[int]) -> None:
    layer = problem.features
    assert layer is not None
    relabelled = {
        f"features.{name}": [getattr(layer, name)[i] for i in order]
        for name in ("spike", "bulk", "weights")
    }
    assert agree(*solved(problem, problem.with_values(relabelled)))


@on_problems
@given(problems(spiked_features(groups=st.just(1))), rationals("1/10", "9/10", 8))
def test_splitting_a_group_changes_nothing(problem: Problem, part: sp.Rational) -> None:
    layer = problem.features
    assert layer is not None
    split = {
        "features.spike": layer.spike * 2,
        "features.bulk": layer.bulk * 2,
        "features.weights": [part, 1 - part],
    }
    assert agree(*solved(problem, problem.with_values(split)))


@on_problems
@given(problems())
def test_the_spike_has_no_direction(problem: Problem) -> None:
    # v -> -v
    layer = problem.features
    assert layer is not None
    mirrored = {
        "features.spike": [-u for u in layer.spike],
        "target.alignment": -problem.target.alignment,
    }
    assert agree(*solved(problem, problem.with_values(mirrored)))


@on_problems
@given(problems())
def test_the_teacher_has_no_direction(problem: Problem) -> None:
    # w* -> -w*
    target = problem.target
    mirrored = {
        "target.function": target.function.subs(z, -z),
        "target.alignment": -target.alignment,
    }
    assert agree(*solved(problem, problem.with_values(mirrored)))


@on_problems
@given(problems(spiked_features(ODD, st.just(2))))
def test_units_of_an_odd_activation_have_no_sign(problem: Problem) -> None:
    layer = problem.features
    assert layer is not None
    flipped = {"features.spike": [layer.spike[0], -layer.spike[1]]}
    assert agree(*solved(problem, problem.with_values(flipped)))


@on_problems
@given(problems(), rationals("1/4", "4", 9))
def test_features_have_no_unit(problem: Problem, c: sp.Rational) -> None:
    # sigma -> c sigma with lambda -> c^2 lambda
    layer = problem.features
    assert layer is not None
    scaled = {
        "features.activation": c * layer.activation,
        "ridge.penalty": c**2 * problem.ridge.penalty,
    }
    factor = float(1 / c**2)
    assert agree(
        *solved(problem, problem.with_values(scaled)),
        readout_norm=factor,
        resolvent_trace=factor,
    )


@on_problems
@given(problems(), rationals("1/4", "4", 9))
def test_labels_have_no_unit(problem: Problem, c: sp.Rational) -> None:
    target = problem.target
    scaled = {"target.function": c * target.function, "target.noise": c * target.noise}
    square = float(c**2)
    quadratic = dict.fromkeys(
        (
            *("generalization_error", "excess_error", "training_error"),
            *("readout_norm", "ridge_objective"),
        ),
        square,
    )
    assert agree(*solved(problem, problem.with_values(scaled)), **quadratic)


@on_problems
@given(problems())
def test_errors_are_affine_in_the_noise_variance(problem: Problem) -> None:
    none, one, two = solved(
        *(problem.with_values({"target.noise": noise}) for noise in (0, 1, "sqrt(2)"))
    )
    for name in ("generalization_error", "training_error", "readout_norm"):
        assert two[name] - one[name] == pytest.approx(one[name] - none[name], rel=1e-6)
    # noise on the test label, and what the fit makes of that on the training labels
    assert one["generalization_error"] - none["generalization_error"] > 1
    assert 0 < one["training_error"] - none["training_error"] < 1


@on_problems
@given(problems(), rationals("11/10", "5", 10))
def test_the_penalty_trades_norm_for_fit(problem: Problem, factor: sp.Rational) -> None:
    smaller = float(problem.ridge.penalty)
    larger = smaller * float(factor)
    one, other = solved(
        problem,
        problem.with_values({"ridge.penalty": factor * problem.ridge.penalty}),
    )
    assert one["training_error"] <= other["training_error"]
    assert one["readout_norm"] >= other["readout_norm"]
    assert one["resolvent_trace"] > other["resolvent_trace"]
    assert smaller * one["resolvent_trace"] < larger * other["resolvent_trace"]
    # The objective is a minimum of functions affine in lambda: concave, with the
    # squared norm as its derivative.
    rise = (other["ridge_objective"] - one["ridge_objective"]) / (larger - smaller)
    slack = CLOSE * one["ridge_objective"] / (larger - smaller)
    assert other["readout_norm"] - slack <= rise <= one["readout_norm"] + slack


@on_problems
@given(problems(), rationals("11/10", "4", 10))
def test_more_samples_constrain_more(problem: Problem, factor: sp.Rational) -> None:
    more = {"ridge.samples_per_dim": factor * problem.ridge.samples_per_dim}
    few, many = solved(problem, problem.with_values(more))
    assert few["resolvent_trace"] > many["resolvent_trace"]
    # over p, which is the same: a sum over more samples
    assert few["ridge_objective"] < many["ridge_objective"]


@on_problems
@given(problems())
def test_errors_are_ordered_and_bounded(problem: Problem) -> None:
    (found,) = solved(problem)
    noise = float(problem.target.noise) ** 2
    ratio = float(problem.ridge.samples_per_dim / problem.ridge.width_per_dim)
    penalty, labels = float(problem.ridge.penalty), label_variance(problem)
    assert 0 < found["training_error"] < found["generalization_error"]
    assert found["generalization_error"] >= noise
    assert found["excess_error"] == pytest.approx(
        found["generalization_error"] - noise, rel=1e-9, abs=1e-9
    )
    assert found["readout_norm"] > 0
    # a = 0 is one of the predictors
    assert found["ridge_objective"] <= ratio * labels * (1 + CLOSE)
    parts = ratio * found["training_error"] + penalty * found["readout_norm"]
    assert found["ridge_objective"] == pytest.approx(parts, rel=CLOSE)
    # rank at most n, and Jensen's inequality for the eigenvalues
    trace = found["resolvent_trace"] * penalty
    assert max(0, 1 - ratio) < trace < 1
    mean = ratio * feature_variance(problem)
    assert trace >= penalty / (penalty + mean) * (1 - CLOSE)


@on_problems
@given(problems())
def test_a_huge_penalty_leaves_the_means_of_the_features(problem: Problem) -> None:
    # Along the all-ones direction of a group the penalty costs nothing: the functions
    # c0 of the projection are still fitted, and fitted without error.
    (found,) = solved(problem.with_values({"ridge.penalty": "1e9"}))
    error = found["generalization_error"]
    assert error == pytest.approx(found["training_error"], rel=1e-5)
    assert error <= label_variance(problem) * (1 + 1e-5)
    assert found["resolvent_trace"] * 1e9 == pytest.approx(1, rel=1e-5)


@on_problems
@given(problems())
def test_many_samples_leave_no_gap(problem: Problem) -> None:
    (found,) = solved(problem.with_values({"ridge.samples_per_dim": "1e6"}))
    errors = found["training_error"], found["generalization_error"]
    assert errors[0] == pytest.approx(errors[1], rel=1e-3)


def gaussian_mean(function: Callable[[float], Any], kinks: tuple[float, ...]) -> float:
    """``E function(g)`` by adaptive quadrature."""

    def weighted(x: float) -> float:
        return float(function(x)) * float(stats.norm.pdf(x))

    value, _ = integrate.quad(weighted, -9, 9, points=[0, *kinks], limit=400)
    return float(value)


def kinks_of(expression: sp.Expr) -> tuple[float, ...]:
    return tuple(map(float, conditional_moments(expression).kinks))


def square_mean(expression: sp.Expr, mean: float, width: float) -> float:
    """``E f(width g + mean)^2``."""
    function = sp.lambdify(z, expression, ["numpy", "scipy"])
    places = tuple((k - mean) / width for k in kinks_of(expression))
    return gaussian_mean(lambda g: function(width * g + mean) ** 2, places)


def label_variance(problem: Problem) -> float:
    """``E y^2``."""
    return square_mean(problem.target.function, 0, 1) + float(problem.target.noise) ** 2


def feature_variance(problem: Problem) -> float:
    """``E sigma^2`` over units and inputs."""
    layer = problem.features
    assert layer is not None
    widths = [
        float(sp.sqrt(u**2 + r**2))
        for u, r in zip(layer.spike, layer.bulk, strict=True)
    ]
    return sum(
        float(weight) * square_mean(layer.activation, 0, width)
        for weight, width in zip(layer.weights, widths, strict=True)
    )


def moments(text: str, mean: Fraction, width: Fraction) -> MomentValues:
    """c0, c1, c2 and cs at one mean, as the equations use them."""
    law = conditional_moments(parse_function(text, "activation"))
    with precision(30):
        place = flint.arb(mean.numerator) / mean.denominator
        return conditional_values(law, [place.mid()], sp.Rational(width), 18)


functions = st.sampled_from(ACTIVATIONS)
means = st.integers(-24, 24).map(lambda k: Fraction(k, 8))
widths = st.integers(4, 16).map(lambda k: Fraction(k, 8))


@settings(max_examples=max(1, settings.default.max_examples // 5))
@given(functions, means, widths)
def test_hermite_parts_add_up(text: str, mean: Fraction, width: Fraction) -> None:
    # Parseval: E f^2 = c0^2 + c1^2 + cs
    found = moments(text, mean, width)
    parts = float(found.c0[0]) ** 2 + float(found.c1[0]) ** 2 + float(found.cs[0])
    whole = square_mean(parse_function(text, "activation"), float(mean), float(width))
    assert parts == pytest.approx(whole, rel=1e-6, abs=1e-9)
    assert float(found.cs[0]) > -1e-15


@settings(max_examples=max(1, settings.default.max_examples // 5))
@given(functions, means, widths)
def test_means_obey_the_heat_equation(
    text: str, mean: Fraction, width: Fraction
) -> None:
    # c1/rho and c2/rho are the derivatives of c0 by the mean and by rho: the heat
    # equation dc0/d(rho^2) = (1/2) d^2 c0/dm^2 with c2 = rho^2 d^2 c0/dm^2.
    step = Fraction(1, 2**12)

    def slope(change: Callable[[Fraction], tuple[Fraction, Fraction]]) -> float:
        high, low = (moments(text, *change(s)).c0[0] for s in (step, -step))
        return float(high - low) / float(2 * step)

    found = moments(text, mean, width)
    by_mean = slope(lambda s: (mean + s, width))
    by_width = slope(lambda s: (mean, width + s))
    size = 1 + abs(by_mean) + abs(by_width)
    assert by_mean == pytest.approx(float(found.c1[0] / float(width)), abs=1e-5 * size)
    assert by_width == pytest.approx(float(found.c2[0] / float(width)), abs=1e-5 * size)


@pytest.mark.slow
@settings(max_examples=max(1, settings.default.max_examples // 10))
@given(problems(target=targets(("z", "sin(2*z)", "relu", "sign"))), st.integers(0, 999))
def test_simulation_does_not_refute_theory(problem: Problem, seed: int) -> None:
    # Unlucky with probability 1e-4 for each problem.
    assume(float(problem.ridge.penalty) >= 1e-2)
    counts = {50: 40, 75: 30, 100: 25, 150: 20}
    verdict = tried(gather(problem, counts, seed), list(counts), predict, 1e-4)
    assert verdict.verdict != "disagree", verdict
