"""Evidence under a budget, and what is made of it; mostly with draws that are faked."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp
from numpy.random import SeedSequence

from detequiv.numerics.solving.solve import solve
from detequiv.theory.errors import InputError
from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.trial import evidence, simulate, trial
from detequiv.validation.trial.evidence import (
    Evidence,
    at_dimensions,
    at_sizes,
    choose_dimensions,
    gather,
)
from detequiv.validation.trial.measured import (
    PROJECTIONS,
    QUANTITIES,
    below_at,
    learned_at,
    outlier_at,
    resolvent_at,
)
from detequiv.validation.trial.trial import predict, resolvent_points, try_theory

PROBLEM = Problem(
    features=SpikedFeatures(
        activation="relu", spike=["3/2", "-4/5"], weights=["1/3", "2/3"]
    ),
    target=Target(function="z", noise="1/2"),
    ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/2"),
)
NAMES = (*QUANTITIES, *map(learned_at, PROJECTIONS))
TRUTH = dict.fromkeys(NAMES, 2.0)


class Laboratory:
    """A clock, and draws that take d/2000 seconds of it and scatter like 1/d."""

    def __init__(self, spread: float = 1.0) -> None:
        self.now, self.spread = 0.0, spread

    def clock(self) -> float:
        return self.now

    def simulate(
        self,
        problem: Problem,
        *,
        dimension: int,
        repetitions: int,
        rng: SeedSequence,
        **_: object,
    ) -> SimpleNamespace:
        self.now += repetitions * dimension / 2000
        noise = np.random.default_rng(rng.spawn(1)[0]).standard_normal(
            (repetitions, len(NAMES))
        )
        values = 2 + (3 + self.spread * noise) / dimension
        split = len(QUANTITIES)
        return SimpleNamespace(
            sample=lambda name: values[:, NAMES.index(name)],
            draws=[
                SimpleNamespace(learned=row[split:], eigenvalues=np.ones(4))
                for row in values
            ],
        )


@pytest.fixture
def laboratory(monkeypatch: pytest.MonkeyPatch) -> Laboratory:
    made = Laboratory()
    for module in (evidence, trial):
        monkeypatch.setattr(module, "monotonic", made.clock)
    monkeypatch.setattr(evidence, "simulate", made.simulate)
    return made


def test_the_budget_is_spent_and_not_exceeded(laboratory: Laboratory) -> None:
    told: list[float] = []
    found = try_theory(
        PROBLEM, budget=60, rng=0, theory=lambda *_: TRUTH, advance=told.append
    )
    assert 55 < found.seconds <= 60
    assert found.seconds == laboratory.now
    assert told == sorted(told)
    assert told[-1] <= 1
    # as long at each dimension as at the others
    shares = [count * d for d, count in found.draws.items()]
    assert max(shares) < 1.3 * min(shares)
    assert found.judgement.verdict == "agree"
    assert len(found.looks) == 3


def test_a_wrong_theory_is_found_out_early(laboratory: Laboratory) -> None:
    wrong = TRUTH | {"training_error": 2.2}
    found = try_theory(PROBLEM, budget=60, rng=0, theory=lambda *_: wrong)
    assert found.judgement.verdict == "disagree"
    assert [f.name for f in found.judgement.findings if f.verdict == "disagree"] == [
        "training_error"
    ]
    assert found.seconds < 20


def test_a_budget_too_small_leaves_it_undecided(laboratory: Laboratory) -> None:
    laboratory.spread = 30.0
    found = try_theory(PROBLEM, budget=2, rng=0, theory=lambda *_: TRUTH)
    assert found.judgement.verdict == "undecided"


def test_a_larger_budget_goes_to_larger_dimensions(laboratory: Laboratory) -> None:
    small, large = (choose_dimensions(Evidence(PROBLEM, 0), t) for t in (10, 10**4))
    assert small == (100, 150, 200, 300)
    assert large == (200, 300, 400, 600)


def test_what_is_exact_but_for_rounding_agrees(laboratory: Laboratory) -> None:
    # A quantity fixed by a symmetry: no spread, and a difference of a few ulps.
    laboratory.spread = 0.0
    off = TRUTH | {"training_error": 2.0 * (1 + 1e-12)}
    found = try_theory(PROBLEM, budget=10, rng=0, theory=lambda *_: off)
    assert found.judgement.verdict == "agree"


def test_the_levels_of_the_looks_add_up(laboratory: Laboratory) -> None:
    found = try_theory(PROBLEM, budget=20, rng=0, theory=lambda *_: TRUTH, level=0.04)
    assert sum(look.level for look in found.looks) == pytest.approx(0.04)


def test_draws_do_not_depend_on_how_they_are_gathered() -> None:
    once, twice = Evidence(PROBLEM, 3), Evidence(PROBLEM, 3)
    once.draw(12, 5)
    twice.draw(12, 2)
    twice.draw(18, 2)
    twice.draw(12, 3)
    assert once.count(12) == twice.count(12) == 5
    theory = dict.fromkeys(NAMES, 0.0)
    for one, other in zip(
        once.compare(theory, {12: theory}),
        twice.compare(theory, {12: theory}),
        strict=True,
    ):
        assert one == other
        assert one.repetitions == (5,)


def test_theory_is_taken_at_the_sizes_drawn() -> None:
    at = at_sizes(PROBLEM.with_values({"ridge.samples_per_dim": "1.3"}), 25)
    assert at.ridge.samples_per_dim == sp.Rational(32, 25)
    assert at.ridge.width_per_dim == sp.Rational(38, 25)
    assert at.features is not None
    assert at.features.weights == (sp.Rational(13, 38), sp.Rational(25, 38))
    assert at_sizes(PROBLEM, 60) == PROBLEM


def test_an_empty_group_cannot_be_drawn() -> None:
    rare = PROBLEM.with_values({"features.weights": ["1/1000", "999/1000"]})
    with pytest.raises(InputError, match=r"features.weights = .* leave a group"):
        at_sizes(rare, 50)


def test_theory_predicts_all_that_is_measured() -> None:
    values = predict(PROBLEM)
    assert tuple(values) == NAMES
    solution = solve(PROBLEM)
    assert values["training_error"] == pytest.approx(float(solution.training_error))
    # the function of kappa that is learned approaches the target's
    assert values["learned_function(2)"] == pytest.approx(2, rel=0.2)


def test_the_resolvent_is_judged_about_the_bulk() -> None:
    points = resolvent_points(PROBLEM)
    # E sigma^2 = E relu(r g)^2 = r^2 / 2 for rows of norm r
    mean = (1 / 3 * (1 + 1.5**2) + 2 / 3 * (1 + 0.8**2)) / 2
    assert points[1].real == 2.0 ** round(np.log2(mean))
    values = predict(PROBLEM, points=points)
    gathered = Evidence(PROBLEM, 8, points=points)
    gathered.draw(40, 12)
    gathered.draw(60, 8)
    sized = at_dimensions(partial(predict, points=points), PROBLEM, (40, 60))
    found = {m.name: m for m in gathered.compare(values, sized)}
    assert {below_at(z) for z in points} < set(found)
    outliers = [name for name in found if name.startswith("log")]
    assert outliers == [outlier_at(1), outlier_at(2)]
    for one in (found[name] for name in (*map(below_at, points), *outliers)):
        assert max(map(abs, one.differences)) < 0.15 * one.scale
    for z in points:
        parts = resolvent_at(z)
        size = np.hypot(*[values[name] for name in parts])
        for one in (found[name] for name in parts):
            assert one.scale == pytest.approx(size)
            # within the finite size, and far below the number itself
            assert max(map(abs, one.differences)) < 0.1 * one.scale


def test_a_learned_function_of_nothing_but_noise_is_measured_by_the_labels() -> None:
    even = PROBLEM.with_values({"features.activation": "z**2 - 1"})
    gathered = gather(even, {20: 8, 30: 8}, 1)
    sized = at_dimensions(predict, even, [20, 30])
    found = {m.name: m for m in gathered.compare(predict(even), sized)}
    nothing = found[learned_at(PROJECTIONS[0])]
    assert nothing.theory == pytest.approx(0, abs=1e-12)
    assert nothing.scale**2 == pytest.approx(predict(even)["generalization_error"])


def test_no_time_is_refused() -> None:
    with pytest.raises(InputError, match=r"budget = 0: give a positive number"):
        try_theory(PROBLEM, budget=0)


def test_it_agrees_with_real_draws() -> None:
    # Few draws: unlucky with probability 0.001.
    counts = {30: 30, 45: 20, 60: 20}
    gathered = gather(PROBLEM, counts, 5)
    sized = at_dimensions(predict, PROBLEM, counts)
    found = gathered.compare(predict(PROBLEM), sized)
    judged = trial.judge(found, level=0.001, resolution=10.0)
    assert judged.verdict == "agree"
    wrong = predict(PROBLEM.with_values({"ridge.penalty": 2}))
    again = gathered.compare(wrong, dict.fromkeys(sized, wrong))
    assert trial.judge(again, level=0.001, resolution=10.0).verdict == "disagree"


@pytest.mark.slow
def test_the_trace_of_a_finite_network_is_off_by_a_power_of_its_size() -> None:
    """What the directions move is no such power: groups that are nearly dependent.

    Five standard errors, two numbers: unlucky with probability 2e-6.
    """
    problem = Problem(
        features=SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
        target=Target(function="z", noise="3/10"),
        ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )
    left = []
    for d, draws in ((100, 1500), (200, 600), (400, 150)):
        theory = predict(problem, 3 * d // 2)["resolvent_trace"]
        drawn = simulate(problem, dimension=d, repetitions=draws, rng=d)
        gap = drawn.mean["resolvent_trace"] - theory
        left.append((d * gap, d * drawn.standard_error["resolvent_trace"]))
    (first, error), *others = left
    assert first > 20 * error  # seen well
    for later, its_error in others:
        assert abs(later - first) < 5 * np.hypot(error, its_error)
