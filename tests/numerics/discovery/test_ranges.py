"""Conjectures over ranges of a factor of ten: proved, refuted, undecided where equal.

Seconds are those of one thread of a 2.5 GHz processor.
"""

import pytest

import detequiv as de

PENALTY, SAMPLES = "ridge.penalty", "ridge.samples_per_dim"
WIDTH, NOISE = "ridge.width_per_dim", "target.noise"
TENTH = ("1/10", 1)


def problem(activation: str, spike: list[object]) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )


RELU, SPIKED = problem("relu", [0]), problem("relu", ["3/2"])
ERF, TANH = problem("erf", ["3/2"]), problem("tanh", ["3/2", "-4/5"])

# case, claim, range; in the comments boxes and seconds
TRUE = [
    (RELU, "training_error <= generalization_error", {PENALTY: ("1/100", 1)}),  # 8, 2
    (RELU, "D(training_error, ridge.penalty) > 0", {PENALTY: TENTH}),  # 6, 2
    (RELU, "training_error < generalization_error", {SAMPLES: ("1/2", 5)}),  # 5, 2
    (RELU, "D(excess_error, target.noise) > 0", {NOISE: TENTH}),  # 4, 2
    (SPIKED, "training_error <= generalization_error", {PENALTY: TENTH}),  # 8, 7
    (SPIKED, "D(generalization_error, ridge.penalty) < 0", {PENALTY: ("1/100", 1)}),
    (SPIKED, "D(training_error, ridge.samples_per_dim) > 0", {SAMPLES: ("1/2", 5)}),
    (
        SPIKED,
        "generalization_error[ridge.samples_per_dim=4] < generalization_error",
        {PENALTY: TENTH},
    ),
    (ERF, "training_error <= generalization_error", {PENALTY: TENTH}),
    (ERF, "D(readout_norm, ridge.penalty) < 0", {PENALTY: ("1/100", "1/10")}),
    (ERF, "training_error < generalization_error", {SAMPLES: ("1/2", 5)}),
    (TANH, "training_error <= generalization_error", {PENALTY: TENTH}),
    (TANH, "D(training_error, ridge.penalty) > 0", {PENALTY: TENTH}),
    (TANH, "training_error < generalization_error", {SAMPLES: ("1/2", 5)}),
]
TWO_PARAMETERS = [
    (RELU, "training_error <= generalization_error", {PENALTY: TENTH, SAMPLES: (1, 3)}),
    (RELU, "D(training_error, ridge.penalty) > 0", {PENALTY: TENTH, WIDTH: (1, 3)}),
    (SPIKED, "training_error <= generalization_error", {PENALTY: TENTH, NOISE: (0, 1)}),
    (ERF, "training_error <= generalization_error", {PENALTY: TENTH, SAMPLES: (1, 3)}),
    (
        TANH,
        "training_error <= generalization_error",
        {PENALTY: ("1/10", "1/2"), SAMPLES: (1, 2)},
    ),
]
FALSE = [
    (RELU, "D(generalization_error, ridge.samples_per_dim) < 0", {SAMPLES: ("1/2", 5)}),
    (RELU, "D(generalization_error, ridge.penalty) < 0", {PENALTY: ("1/100", 1)}),
    (RELU, "D(generalization_error, ridge.width_per_dim) < 0", {WIDTH: ("1/2", 5)}),
    (SPIKED, "D(generalization_error, ridge.width_per_dim) < 0", {WIDTH: ("1/2", 5)}),
    (SPIKED, "excess_error < 2*training_error", {PENALTY: ("1/100", 1)}),
    (ERF, "generalization_error < 2*training_error", {PENALTY: ("1/100", 1)}),
    (ERF, "readout_norm < 1/2", {PENALTY: ("1/100", 1)}),
    (
        ERF,
        "D(generalization_error, ridge.samples_per_dim) < 0",
        {SAMPLES: ("1/2", 5), PENALTY: ("1/1000", "1/10")},
    ),
    (TANH, "generalization_error - target.noise**2 < 1/2", {PENALTY: ("1/100", 1)}),
    (
        TANH,
        "D(generalization_error, ridge.samples_per_dim) < 0",
        {SAMPLES: ("1/2", 5), PENALTY: ("1/1000", "1/10")},
    ),
]
# true, and equal at one place
EQUAL = [
    (
        RELU,
        "(training_error - training_error[ridge.penalty=1/3])*(ridge.penalty - 1/3)"
        " >= 0",
        {PENALTY: TENTH},
        1 / 3,
    ),
    (
        RELU,
        "(ridge.samples_per_dim - 3)**2*generalization_error >= 0",
        {SAMPLES: ("1/2", 5)},
        3,
    ),
    (
        SPIKED,
        "training_error >= training_error[ridge.samples_per_dim=1/2]",
        {SAMPLES: ("1/2", 5)},
        0.5,
    ),
    (
        ERF,
        "generalization_error >= generalization_error[target.noise=0]",
        {NOISE: (0, 1)},
        0,
    ),
    (
        TANH,
        "training_error >= training_error[ridge.penalty=1/10]",
        {PENALTY: TENTH},
        0.1,
    ),
]


def quick_first(cases: list) -> list:
    """Mark all but the first as slow."""
    return [
        pytest.param(*case, marks=[pytest.mark.slow] if k else [], id=str(k))
        for k, case in enumerate(cases)
    ]


@pytest.mark.parametrize(("case", "claim", "over"), quick_first(TRUE))
def test_true_claims_are_proved_over_a_factor_of_ten(
    case: de.Problem, claim: str, over: dict
) -> None:
    verdict = de.check(case, claim, over=over, budget=600)
    assert verdict.verdict == "proved", verdict.remark


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "claim", "over"), TWO_PARAMETERS, ids=range(len(TWO_PARAMETERS))
)
def test_true_claims_are_proved_over_two_parameters(
    case: de.Problem, claim: str, over: dict
) -> None:
    verdict = de.check(case, claim, over=over, budget=1200)
    assert verdict.verdict == "proved", verdict.remark


@pytest.mark.parametrize(("case", "claim", "over"), quick_first(FALSE))
def test_false_claims_are_refuted_within_a_minute(
    case: de.Problem, claim: str, over: dict
) -> None:
    verdict = de.check(case, claim, over=over, budget=60)
    assert verdict.verdict == "counterexample"
    assert verdict.seconds < 60
    assert verdict.recheck()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "claim", "over", "place"), EQUAL, ids=range(len(EQUAL))
)
def test_true_claims_that_touch_equality_are_undecided_there(
    case: de.Problem, claim: str, over: dict, place: float
) -> None:
    verdict = de.check(case, claim, over=over, budget=45)
    assert verdict.verdict == "undecided"
    assert verdict.proved_fraction > 0.99
    assert "close to equality" in verdict.remark
    ((name, ends),) = verdict.over.items()
    for box in verdict.open:
        low, high = map(float, box[name])
        assert abs((low + high) / 2 - place) < 0.01 * float(ends[1])
