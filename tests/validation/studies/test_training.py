"""What training changes: the tables, at sizes that take seconds."""

import pytest
import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.problem.conditionals import feature_law
from detequiv.theory.problem.remarks import spiked_problem
from detequiv.validation.statistics.extrapolation import p_value
from detequiv.validation.studies import training
from detequiv.validation.studies.training import CASES, compare_together

RELU = CASES["relu, A = (1, -1/2), eta = 2, target of mean 1/2"]


def test_the_difference_is_that_of_theory_and_not_zero() -> None:
    # Unlucky with probability 1e-4; the seed is fixed.
    (one,) = compare_together(spiked_problem(RELU), [RELU], {40: 200, 80: 100}, rng=4)
    assert p_value(one.trend.z, 99) > 1e-4
    assert abs(one.measured) > 5 * one.trend.standard_error
    assert one.measured < 0


def test_the_spiked_problem_has_the_networks_law_but_for_tangents() -> None:
    network, spiked = feature_law(RELU), feature_law(spiked_problem(RELU))
    # written the same way or not
    for name in ("spikes", "bulks"):
        pairs = zip(getattr(spiked, name), getattr(network, name), strict=True)
        assert {sp.simplify(a - b) for a, b in pairs} == {0}
    assert (spiked.equations, network.equations) == ("spiked", "network")
    with pytest.raises(InputError, match=r"features = .* a spiked model already"):
        spiked_problem(spiked_problem(RELU))


@pytest.mark.usefixtures("in_one_process")
def test_the_tables_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Few draws: the verdict is loose, the layout is what is tested.
    monkeypatch.setattr(training, "CASES", {"planted": RELU})
    monkeypatch.setattr(training, "BATCHES", {"sampled": RELU})
    monkeypatch.setattr(training, "REPETITIONS", {20: 20, 40: 10})
    monkeypatch.setattr(training, "BATCH_REPETITIONS", {20: 3, 30: 3})
    monkeypatch.setattr(training, "PER_DIM", (80,))
    monkeypatch.setattr(training, "LEVEL", 1e-4)
    assert training.main() == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "planted" in printed
    assert "n0 = 80 d" in printed
    assert f"seed {training.SEED}" in printed
