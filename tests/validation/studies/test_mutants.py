"""Wrong theories are wrong in the way they say, and are found out."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from detequiv.validation.studies import rejection
from detequiv.validation.studies.mutants import MUTANTS
from detequiv.validation.studies.rejection import PROBLEMS, reject
from detequiv.validation.studies.slips import Mutant
from detequiv.validation.trial.evidence import (
    gather,
)
from detequiv.validation.trial.measured import (
    PROJECTIONS,
    QUANTITIES,
    learned_at,
)
from detequiv.validation.trial.trial import predict, tried

FEW = {50: 30, 75: 20, 100: 16, 150: 10}
truth = cache(predict)
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


def test_there_are_many_and_each_has_its_name() -> None:
    assert len(BY_NAME) == len(MUTANTS) >= 20


def test_no_slip_is_the_right_theory() -> None:
    # to the digits of float64, by the mutants' own way of solving
    for problem, width in product(PROBLEMS.values(), (None, 90)):
        right = predict(problem, width)
        unchanged = Mutant(name="none").predict(problem, width)
        assert unchanged == pytest.approx(right, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_slip_shows_somewhere(mutant: Mutant) -> None:
    largest = 0.0
    for problem in PROBLEMS.values():
        right, wrong = truth(problem), mutant.predict(problem)
        largest = max(
            largest, *(abs(wrong[name] / right[name] - 1) for name in QUANTITIES)
        )
    assert largest > 0.005


def test_a_slip_in_one_quantity_leaves_the_others() -> None:
    problem = PROBLEMS["two groups"]
    right = predict(problem)
    wrong = BY_NAME["test error without the noise"].predict(problem)
    noise = float(problem.target.noise) ** 2
    assert wrong["generalization_error"] == pytest.approx(
        right["generalization_error"] - noise
    )
    del wrong["generalization_error"], right["generalization_error"]
    assert wrong == pytest.approx(right, rel=1e-8, abs=1e-8)


def test_few_draws_reject_coarse_slips_and_accept_the_truth() -> None:
    # Unlucky for the right theory with probability below 0.01.
    found = {"two groups": gather(PROBLEMS["two groups"], FEW, 2)}
    coarse = ("n and p swapped", "cs with the linear part", "noise forgotten")
    for name in coarse:
        assert reject(BY_NAME[name], found, list(FEW)).rejected, name
    judged = tried(found["two groups"], list(FEW), predict, 0.01)
    assert judged.verdict != "disagree"


def test_parts_share_the_draws_out() -> None:
    evidence = gather(PROBLEMS["one group"], {12: 6, 18: 4}, 3)
    theory = dict.fromkeys(QUANTITIES, 0.0) | dict.fromkeys(
        map(learned_at, PROJECTIONS), 1.0
    )
    sized = {12: theory, 18: theory}
    whole = evidence.compare(theory, sized)
    parts = [one.compare(theory, sized) for one in evidence.split(2)]
    for k, measurement in enumerate(whole):
        assert [part[k].repetitions for part in parts] == [(3, 2), (3, 2)]
        mean = np.mean([part[k].differences for part in parts], axis=0)
        assert mean == pytest.approx(measurement.differences)


@pytest.mark.slow
def test_all_are_rejected_and_the_truth_accepted_at_its_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert rejection.main() == 0
    assert f"{len(MUTANTS)} of {len(MUTANTS)} mutants" in capsys.readouterr().out
