"""Simulated outliers beside their theory: one case in seconds, all in minutes."""

import pytest

from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.statistics.extrapolation import p_value
from detequiv.validation.studies import outliers
from detequiv.validation.studies.outliers import compare_outliers

# A constant and noise: one outlier, of order p, along the mean of the units.
CONSTANT = Problem(
    features=SpikedFeatures(activation="z**2", spike=0),
    target=Target(function="z"),
    ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=1),
)


def test_the_outlier_of_a_constant() -> None:
    found = compare_outliers(CONSTANT, {40: 60, 80: 40}, rng=1)
    assert [one.quantity.strip() for one in found] == [
        "eigenvalue 1, of order p",
        "overlap with group 1",
        "overlap with latent 1",
    ]
    # Unlucky with probability 1e-4 over the three.
    assert p_value(max(abs(one.z) for one in found), 39) > 3e-5
    assert found[0].trend.error < 0.2  # relative
    assert found[1].trend.error < 0.1


def test_a_wrong_theory_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Theory at three times the width: eigenvalues of order p are off by that."""

    class Wider(outliers.Spectrum):
        def __init__(self, problem: Problem, *, width: int) -> None:
            super().__init__(problem, width=3 * width)

    monkeypatch.setattr(outliers, "Spectrum", Wider)
    found = compare_outliers(CONSTANT, {40: 60, 80: 40}, rng=1)
    assert p_value(found[0].z, 39) < 2e-5


@pytest.mark.usefixtures("in_one_process")
def test_the_tables_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Few draws: the verdict is loose, the layout is what is tested.
    monkeypatch.setattr(outliers, "CASES", {"planted": CONSTANT})
    monkeypatch.setattr(outliers, "REPETITIONS", {20: 20, 40: 10})
    monkeypatch.setattr(outliers, "LEVEL", 1e-4)
    assert outliers.main() == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "planted" in printed
    assert "eigenvalue 1, of order p" in printed
    assert f"seed {outliers.SEED}" in printed


@pytest.mark.slow
def test_all_cases_agree() -> None:
    """Family-wise error probability 1 percent, stated in the module."""
    assert outliers.main() == 0
