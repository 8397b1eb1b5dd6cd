"""Draws of a classification accept its theory and reject slips in it."""

import pytest
from numpy.random import SeedSequence

import detequiv as de
from detequiv.validation.studies.mutants import LOSS_MUTANTS
from detequiv.validation.trial import LEVEL, gather, predict, tried

DRAWS = {100: 80, 150: 60, 200: 40}
PROBLEM = de.Problem(
    features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    target=de.Target(function="z", labels="logit", slope=3),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty="1/10", loss="logistic"),
)


@pytest.mark.slow
def test_slips_are_rejected_and_the_theory_is_not() -> None:
    """A right theory is rejected with a probability of 0.01 at most."""
    evidence = gather(PROBLEM, DRAWS, SeedSequence(7))
    right = tried(evidence, list(DRAWS), predict, LEVEL)
    assert right.verdict != "disagree"
    names = {finding.name for finding in right.findings}
    assert {"test_loss", "training_classification_error"} < names
    for mutant in LOSS_MUTANTS:
        judged = tried(evidence, list(DRAWS), mutant.predict, LEVEL)
        assert judged.verdict == "disagree", mutant.name
