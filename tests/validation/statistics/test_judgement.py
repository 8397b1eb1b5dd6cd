"""The verdicts keep their level, have their power, and admit what they cannot say."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import Generator
from scipy import stats

from detequiv.validation.statistics.judgement import (
    POWER,
    Judgement,
    Measurement,
    detectable_shift,
    holm,
    judge,
    spend,
)
from detequiv.validation.witness.model import FloatArray

DIMENSIONS = (40, 60, 80, 120)
SPREAD = np.array([0.5, 0.35, 0.25, 0.15])  # of one draw at each dimension
TREND = 4.0 / np.array(DIMENSIONS)
# Every bound on a count below is unlucky with probability 1e-6.
LUCK = 1e-6


def known(noise: FloatArray, *, shift: float = 0.0) -> Measurement:
    """A quantity whose standard errors are known to be right."""
    error = SPREAD / 10
    return Measurement(
        name="x",
        theory=2.0,
        scale=2.0,
        dimensions=DIMENSIONS,
        differences=tuple(shift + TREND + error * noise),
        standard_errors=tuple(error),
        repetitions=(10**6,) * len(DIMENSIONS),
    )


def estimated(rng: Generator, quantities: int, draws: int) -> list[Measurement]:
    """Quantities of a true theory, correlated, their errors estimated from draws."""
    common = rng.standard_normal((1, draws, len(DIMENSIONS)))
    own = rng.standard_normal((quantities, draws, len(DIMENSIONS)))
    sample = TREND + SPREAD * (0.6 * common + 0.8 * own)
    means = sample.mean(1)
    errors = sample.std(1, ddof=1) / np.sqrt(draws)
    return [
        Measurement(
            name=f"x{i}",
            theory=2.0,
            scale=2.0,
            dimensions=DIMENSIONS,
            differences=tuple(means[i]),
            standard_errors=tuple(errors[i]),
            repetitions=(draws,) * len(DIMENSIONS),
        )
        for i in range(quantities)
    ]


def rule(measurements: list[Measurement], level: float = 0.05) -> Judgement:
    return judge(measurements, level=level, resolution=1.0, degrees=[2])


@pytest.mark.parametrize("degrees", [[1], [2], [1, 2]])
def test_a_true_theory_is_rejected_no_more_often_than_the_level(
    degrees: list[int],
) -> None:
    rng, trials = np.random.default_rng(1), 400
    wrong = sum(
        judge(
            estimated(rng, 5, 40), level=0.05, resolution=1.0, degrees=degrees
        ).verdict
        == "disagree"
        for _ in range(trials)
    )
    assert wrong <= stats.binom.isf(LUCK, trials, 0.05)


def test_the_fit_is_the_one_with_the_smaller_error() -> None:
    def corrections(curvature: float) -> int:
        bend = curvature / np.array(DIMENSIONS) ** 2
        one = known(np.zeros(4))
        bent = replace(one, differences=tuple(np.array(one.differences) + bend))
        found = judge([bent], level=0.05, resolution=1.0)
        return len(found.findings[0].trend.corrections)

    assert (corrections(0.0), corrections(3000.0)) == (1, 2)


def test_independent_tests_use_up_the_level() -> None:
    # Holm's bound is nearly reached by independent quantities.
    rng, trials = np.random.default_rng(2), 20000
    wrong = sum(min(holm(list(row))) <= 0.05 for row in rng.random((trials, 4)))
    low, high = stats.binom.interval(1 - LUCK, trials, 1 - (1 - 0.05 / 4) ** 4)
    assert low <= wrong <= high


def test_an_error_of_the_detectable_size_is_detected_with_the_power_stated() -> None:
    rng, trials = np.random.default_rng(3), 1000
    detectable = rule([known(np.zeros(4))]).findings[0].detectable
    found = sum(
        rule([known(rng.standard_normal(4), shift=2.0 * detectable)]).verdict
        == "disagree"
        for _ in range(trials)
    )
    # at least: it allows for a finite-size term that is not there in this sample
    assert found >= stats.binom.ppf(LUCK, trials, POWER)
    assert found <= stats.binom.isf(LUCK, trials, POWER + 0.02)


def test_looking_again_does_not_inflate_the_level() -> None:
    rng, trials, level = np.random.default_rng(4), 20000, 0.05
    fractions = [0.1, 0.25, 0.5, 1.0]
    steps = np.sqrt(np.diff([0.0, *fractions]))
    walks = np.cumsum(steps * rng.standard_normal((trials, 4)), axis=1)
    p_values = 2 * stats.norm.sf(abs(walks / np.sqrt(fractions)))
    bound = stats.binom.isf(LUCK, trials, level)
    assert np.any(p_values <= spend(level, fractions), axis=1).sum() <= bound
    # Four looks at the full level would exceed it: the test can fail.
    assert np.any(p_values <= level, axis=1).sum() > bound


def test_what_would_go_unseen_is_undecided() -> None:
    one = known(np.zeros(4))
    detectable = rule([one]).findings[0].detectable
    for factor, verdict in ((1.01, "agree"), (0.99, "undecided")):
        found = judge([one], level=0.05, resolution=factor * detectable, degrees=[2])
        assert found.verdict == verdict


def test_a_refuted_trend_is_not_agreement_but_a_gross_error_is_still_seen() -> None:
    bent = known(np.array([8.0, -8.0, 8.0, -8.0]))
    found = rule([bent])
    assert found.verdict == "undecided"
    assert not found.findings[0].fits
    assert found.findings[0].standard_error > found.findings[0].trend.standard_error
    shifted = replace(bent, differences=tuple(x + 50 for x in bent.differences))
    assert rule([shifted]).verdict == "disagree"


def test_one_quantity_that_disagrees_decides() -> None:
    right, wrong = known(np.zeros(4)), known(np.zeros(4), shift=5.0)
    found = rule([right, wrong])
    assert [one.verdict for one in found.findings] == ["agree", "disagree"]
    assert found.verdict == "disagree"
    assert found.findings[1].simulation == pytest.approx(7.0)


def test_holm_by_its_definition() -> None:
    # Step down: reject the smallest while p_(k) <= level / (m - k + 1).
    rng = np.random.default_rng(5)
    for _ in range(200):
        p_values = list(rng.beta(0.3, 1, size=6))
        level = float(rng.uniform(0.01, 0.3))
        rejected = set()
        for k, i in enumerate(np.argsort(p_values)):
            if p_values[i] > level / (6 - k):
                break
            rejected.add(i)
        assert {i for i, p in enumerate(holm(p_values)) if p <= level} == rejected


def test_the_shift_detects_with_the_power_stated() -> None:
    # Many degrees of freedom: the sum of two normal quantiles. Few: a larger one.
    normal = stats.norm.isf(0.005) + stats.norm.isf(1 - POWER)
    assert detectable_shift(0.01, 10**6) == pytest.approx(normal, rel=1e-4)
    assert detectable_shift(0.01, 20) > normal + 0.2


@pytest.mark.parametrize(
    ("fractions", "says"),
    [([], "must increase"), ([0.5, 0.5, 1], "must increase"), ([0.5], "up to 1")],
)
def test_a_level_is_spent_in_full_and_once(fractions: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        spend(0.01, fractions)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"level": 0}, "level = 0"),
        ({"resolution": 0}, "resolution = 0"),
        ({"measurements": []}, "one quantity at least"),
        ({"degrees": [4]}, "5 different ones needed"),
    ],
)
def test_what_cannot_be_judged_is_refused(change: dict[str, object], says: str) -> None:
    arguments: dict[str, object] = {
        "measurements": [known(np.zeros(4))],
        "level": 0.05,
        "resolution": 0.1,
        "degrees": [2],
    }
    arguments |= change
    with pytest.raises(ValueError, match=says):
        judge(**arguments)  # type: ignore[arg-type]


def test_one_draw_leaves_no_error() -> None:
    single = replace(known(np.zeros(4)), repetitions=(1,) * 4)
    with pytest.raises(ValueError, match="two draws at least"):
        rule([single])
