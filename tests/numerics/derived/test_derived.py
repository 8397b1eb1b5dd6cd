"""Derivatives, the best penalty and the parts of an error, each by a second route."""

from itertools import product

import mpmath
import numpy as np
import pytest
import sympy as sp
from iteration import GRID, Iterated, by_sums, relu

import detequiv as de
from detequiv.numerics.solving.solution import QUANTITIES


def problem(**ridge: object) -> de.Problem:
    values = {"samples_per_dim": 2, "width_per_dim": 1, "penalty": "1/2"} | ridge
    return de.Problem(
        features=de.SpikedFeatures(activation="relu", spike=[1, "-1/2"]),
        target=de.Target(function="z + z**2/2", alignment="4/5", noise="1/2"),
        ridge=de.Ridge(**values),
    )


def iterated(penalty: float) -> Iterated:
    return Iterated(
        activation=relu,
        target=by_sums(lambda z: z + z**2 / 2),
        spike=[1, -0.5],
        bulk=[1, 1],
        weights=[0.5, 0.5],
        alignment=0.8,
        noise=0.5,
        alpha=2,
        beta=1,
        ridge=penalty,
    )


def test_the_objective_falls_with_the_norm_of_the_readout() -> None:
    slope = de.derivatives(problem(), "ridge.penalty", digits=12)
    norm = de.solve(problem()).readout_norm
    assert slope["ridge_objective"] == pytest.approx(norm, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "penalty"),
    [
        *product(
            [
                "features.bulk[1]",
                "features.spike[0]",
                "ridge.samples_per_dim",
                "ridge.width_per_dim",
                "target.alignment",
                "target.noise",
            ],
            ["1/2", "0"],
        ),
        ("ridge.penalty", "1/2"),
    ],
)
def test_implicit_derivatives_are_differences_of_solutions(
    name: str, penalty: str
) -> None:
    where = problem(penalty=penalty, samples_per_dim="1/2").with_values(
        {"features.bulk": [1, "9/10"]}
    )
    slopes = de.derivatives(where, name, digits=12)
    # of an error of order h^2, h being 1e-8 in numbers of order one
    table, key = name.split("[")[0].split(".")
    value = where.tables()[table][key]
    ends = []
    for h in (1, -1):
        moved = value
        if "[" in name:
            moved, place = list(value), int(name[-2])
            moved[place] += h * sp.Rational(1, 10**8)
        else:
            moved += h * sp.Rational(1, 10**8)
        there = where.with_values({f"{table}.{key}": moved})
        ends.append(de.solve(there, digits=40))
    with mpmath.workdps(40):
        for quantity in QUANTITIES:
            up, down = (getattr(end, quantity) for end in ends)
            if mpmath.isinf(up):
                # the share p - n of the units that no sample sees, over the penalty
                moves = name in ("ridge.samples_per_dim", "ridge.width_per_dim")
                assert abs(slopes[quantity]) == (mpmath.inf if moves else 0)
            else:
                expected = (up - down) * 10**8 / 2
                close = pytest.approx(float(expected), rel=1e-11, abs=1e-13)
                assert float(slopes[quantity]) == close


def test_derivatives_agree_with_differences_of_the_damped_iteration() -> None:
    slope = de.derivatives(problem(), "ridge.penalty", digits=10)
    h = 1e-4
    up, down = (iterated(0.5 + s).generalization_error() for s in (h, -h))
    expected = (up - down) / (2 * h)
    assert float(slope["generalization_error"]) == pytest.approx(expected, rel=1e-6)


def test_a_derivative_that_vanishes_by_symmetry_is_found_to_vanish() -> None:
    # tanh(-z) = -tanh(z): a group with spike -u is the group with u, readouts reversed
    even = problem().with_values({"features.activation": "tanh", "features.spike": [0]})
    slopes = de.derivatives(even, "features.spike[0]", digits=20)
    solution = de.solve(even)
    for name in QUANTITIES:
        assert abs(slopes[name]) < mpmath.mpf(10) ** -20 * getattr(solution, name)


def test_what_one_weight_gains_the_others_lose() -> None:
    slope = de.derivatives(problem(), "features.weights[0]", digits=8)
    up, down = (
        problem().with_values({"features.weights": [w, 1 - w]})
        for w in (0.5 + 2**-12, 0.5 - 2**-12)
    )
    for name in QUANTITIES:
        values = [float(getattr(de.solve(p), name)) for p in (up, down)]
        expected = (values[0] - values[1]) * 2**11
        assert float(slope[name]) == pytest.approx(expected, rel=1e-5, abs=1e-7), name


@pytest.mark.parametrize("digits", [0, -2, 12.5, "12", 251])
def test_digits_are_checked(digits: object) -> None:
    for asked in (
        lambda: de.solve(problem(), digits=digits),  # type: ignore[arg-type]
        lambda: de.diagnose(problem(), digits=digits),  # type: ignore[arg-type]
        lambda: de.derivatives(problem(), "ridge.penalty", digits=digits),  # type: ignore[arg-type]
    ):
        with pytest.raises(de.InputError, match="digits = "):
            asked()


def test_more_digits_of_a_derivative_agree_with_fewer() -> None:
    few, many = (
        de.derivatives(problem(), "features.spike[1]", digits=n) for n in (8, 20)
    )
    for name in QUANTITIES:
        assert few[name] == pytest.approx(many[name], rel=1e-8)


@pytest.mark.parametrize(
    "name", ["ridge.width", "features.spike", "features.spike[2]", "spike", ""]
)
def test_an_unknown_number_is_refused(name: str) -> None:
    with pytest.raises(de.InputError, match="name = "):
        de.derivatives(problem(), name)


def test_the_border_of_a_domain_is_refused() -> None:
    aligned = problem().with_values({"target.alignment": 1})
    with pytest.raises(de.InputError, match=r"target\.alignment"):
        de.derivatives(aligned, "target.alignment")


def test_the_optimal_penalty_is_a_minimum() -> None:
    best = de.optimal_penalty(problem(), digits=12)
    errors = [
        de.solve(problem(penalty=str(best.penalty * f)), digits=30).generalization_error
        for f in (mpmath.mpf("0.99"), 1, mpmath.mpf("1.01"))
    ]
    assert errors[1] == pytest.approx(best.generalization_error, rel=1e-12)
    assert errors[1] < min(errors[0], errors[2])
    # near the minimum the parabola through three points has it at its vertex
    bend = errors[0] + errors[2] - 2 * errors[1]
    assert abs(errors[0] - errors[2]) / bend < 0.05


def test_a_flat_minimum_has_the_same_digits_when_more_are_asked_for() -> None:
    # the logarithms of error and penalty: a second derivative of 7e-5 at the minimum
    flat = problem().with_values(
        {
            "features.activation": "tanh",
            "features.spike": ["3/2"],
            "target.function": "z + (z**2 - 1)/2",
            "target.alignment": 1,
        }
    )
    few, many = (de.optimal_penalty(flat, digits=n) for n in (6, 16))
    assert few.penalty == pytest.approx(many.penalty, rel=1e-6)
    with mpmath.workdps(30):
        slope = de.derivatives(many.problem, "ridge.penalty", digits=5)
        relative = slope["generalization_error"] / many.generalization_error
        assert abs(relative * many.penalty) < mpmath.mpf(10) ** -16


def test_an_error_that_only_falls_has_no_optimal_penalty() -> None:
    no_signal = problem().with_values(
        {"target.function": "He(3, z)", "target.alignment": 0}
    )
    with pytest.raises(de.ConvergenceError, match="no minimum"):
        de.optimal_penalty(no_signal)


@pytest.mark.parametrize("penalty", ["1e-12", "1/2", "1e6"])
def test_degrees_of_freedom_are_the_average_leverage(penalty: str) -> None:
    found = de.diagnose(problem(penalty=penalty), digits=12)
    if penalty == "1/2":
        one = iterated(0.5)
        _, weight = one.resolvent(one.moments(), 0, one.ridge)
        leverage = 1 - weight * one.beta / one.alpha
        density = np.exp(-(GRID**2) / 2) / np.sqrt(2 * np.pi) * (GRID[1] - GRID[0])
        assert float(found.degrees_of_freedom) == pytest.approx(
            leverage @ density, rel=1e-8
        )
    # more digits agree: nothing was lost to cancellation
    more = de.diagnose(problem(penalty=penalty), digits=20)
    for name in ("degrees_of_freedom", "generalized_cross_validation"):
        assert getattr(found, name) == pytest.approx(getattr(more, name), rel=1e-12)


def test_the_parts_add_up_and_the_unreachable_is_a_projection() -> None:
    parts = de.diagnose(problem(), digits=12)
    one = iterated(0.5)
    c0, c1, _ = one.moments()
    tau0, tau1, tau2 = one.labels()
    density = np.exp(-(GRID**2) / 2) / np.sqrt(2 * np.pi) * (GRID[1] - GRID[0])
    root = np.sqrt(density)

    def misfit(functions: np.ndarray, values: np.ndarray) -> float:
        design = (functions * root).T
        fit, *_ = np.linalg.lstsq(design, values * root, rcond=None)
        return float(((values * root - design @ fit) ** 2).sum())

    expected = misfit(np.vstack([c0, GRID * c1]), tau0) + misfit(c1, tau1)
    expected += density @ tau2 - one.noise**2
    assert float(parts.unreachable) == pytest.approx(expected, abs=1e-9)
    total = parts.noise + parts.unreachable + parts.estimation
    assert total == pytest.approx(parts.generalization_error, rel=1e-12)


def test_what_is_estimated_falls_with_the_width_to_nothing() -> None:
    narrow, wide = (
        de.diagnose(
            problem(samples_per_dim=10**12, width_per_dim=width, penalty="1e-6"),
            digits=10,
        ).estimation
        for width in (10_000, 100_000)
    )
    assert wide < 1e-3
    assert float(narrow / wide) == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize(
    ("spike", "expected"), [(["0"], [0.593252, 1.186504]), (["1", "0"], [1.135810])]
)
def test_a_group_without_spike_teaches_an_odd_function_nothing(
    spike: list[str], expected: list[float]
) -> None:
    clipped = de.Problem(
        features=de.SpikedFeatures(activation="min(max(z, -1), 1)", spike=spike),
        target=de.Target(function="z", noise="1/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty="1/10"),
    )
    for digits in (15, 50):
        solution = de.solve(clipped, digits=digits)
        assert solution.m[-1] == 0
        learned = de.learned_function(solution, [1.0, 2.0])
        assert learned[: len(expected)] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["ridge.penalty", "ridge.width_per_dim"])
def test_derivatives_at_a_width_are_differences(name: str) -> None:
    """Of networks with so many units: nodes in the overlap move with the dimension."""
    place = de.Problem(
        features=de.SpikedFeatures(activation="relu", spike=1),
        target=de.Target(function="z", noise="1/2"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty="1/10"),
    )
    slopes = de.derivatives(place, name, digits=8, width=200)
    limit = de.derivatives(place, name, digits=8)
    value, step = {"ridge.penalty": "1/10"}.get(name, "1"), sp.Rational(1, 10**10)
    ends = [
        de.solve(
            place.with_values({name: sp.Rational(value) + s}), digits=24, width=200
        )
        for s in (step, -step)
    ]
    for quantity in ("generalization_error", "training_error", "readout_norm"):
        above, below = (getattr(end, quantity) for end in ends)
        with mpmath.workdps(30):
            moved = (above - below) / (2 * mpmath.mpf(10) ** -10)
        assert abs(slopes[quantity] / moved - 1) < 1e-8
        assert abs(slopes[quantity] / limit[quantity] - 1) > 1e-5


@pytest.mark.slow
def test_the_optimal_penalty_of_a_width_is_its_minimum() -> None:
    place = problem()
    best = de.optimal_penalty(place, digits=4, width=150)
    errors = [
        de.solve(
            place.with_values({"ridge.penalty": str(best.penalty * f)}), width=150
        ).generalization_error
        for f in (mpmath.mpf("0.97"), 1, mpmath.mpf("1.03"))
    ]
    assert errors[1] < min(errors[0], errors[2])
    assert abs(errors[1] / best.generalization_error - 1) < 1e-4
