"""Draws at several dimensions, their fit, and the verdict."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.random import SeedSequence
from rich.console import Console
from scipy import stats

from detequiv.validation.studies.tables import verdict
from detequiv.validation.studies.work import (
    Comparison,
    draw_from,
    mean_and_error,
    squares,
)


def one(seed: SeedSequence) -> float:
    return float(np.random.default_rng(seed).standard_normal())


def test_draws_depend_on_the_seed_and_the_dimension_alone() -> None:
    calls: list[int] = []
    with ThreadPoolExecutor(2) as executor:
        spread = draw_from(
            one,
            30,
            4,
            rng=5,
            executor=executor,
            advance=lambda d, draws=1: calls.append(d),
        )
    assert spread == draw_from(one, 30, 4, rng=5)
    assert calls == [30] * 4
    others = [*draw_from(one, 60, 4, rng=5), *draw_from(one, 30, 4, rng=6)]
    assert len({*spread, *others}) == 12


def test_mean_and_error_of_a_sample() -> None:
    mean, error = mean_and_error([1.0, 2.0, 4.0, 5.0])
    assert (mean, error) == (3.0, pytest.approx(np.sqrt(10 / 3 / 4)))


def test_the_work_is_that_of_all_draws() -> None:
    assert squares({10: 3, 20: 2}) == 1100


def test_a_comparison_extrapolates_relative_to_theory_or_not() -> None:
    dimensions, theory = (100, 200, 400), np.array([10.0, 20.0, 40.0])
    left = 0.03 + 5 / np.array(dimensions)
    plain = Comparison.fit("a", dimensions, theory, [(t, 0.1) for t in theory + left])
    assert plain.trend.intercept == pytest.approx(0.03)
    assert plain.z == plain.trend.intercept / plain.trend.error
    grown = zip(theory * (1 + left), 0.1 * theory, strict=True)
    relative = Comparison.fit("a", dimensions, theory, grown, relative=True)
    assert relative.z == pytest.approx(plain.z)
    assert relative.estimates == pytest.approx(theory * (1 + left))


@pytest.mark.parametrize(("factor", "status"), [(0.999, 0), (1.001, 1)])
def test_the_verdict_turns_at_the_threshold(
    factor: float, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = [0.0, -factor * float(stats.t.isf(0.01 / 4, 9))]
    assert verdict(Console(), scores, level=0.01, draws=10, seed=3) == status
    printed = capsys.readouterr().out
    assert printed.startswith("DISAGREEMENT" if status else "Agreement")
    assert "seed 3" in printed
