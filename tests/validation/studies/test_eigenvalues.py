"""Simulated eigenvalues beside their law: one case in seconds, all in minutes."""

import numpy as np
import pytest

from detequiv.numerics.spectrum.spectrum import Spectrum
from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.studies import eigenvalues
from detequiv.validation.studies.distribution import Distribution

# No spike and no linear part: Marchenko and Pastur's law, of variance 6.
NOISE = Problem(
    features=SpikedFeatures(activation="z**3 - 3*z", spike=0),
    target=Target(function="z"),
    ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
)


def test_the_distribution_function_of_marchenko_and_pastur() -> None:
    found = Distribution(Spectrum(NOISE))
    ends = 6 * (1 - np.sqrt(0.5)) ** 2, 6 * (1 + np.sqrt(0.5)) ** 2
    np.testing.assert_allclose([found.low, found.high], ends, rtol=1e-12)
    assert found.total == pytest.approx(1, abs=1e-12)
    x = np.linspace(*ends, 200001)
    density = np.sqrt((ends[1] - x) * (x - ends[0])) / (2 * np.pi * 6 * 0.5 * x)
    below = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    middle = slice(1000, -1, 20000)
    expected = (below * (x[1] - x[0]))[middle]
    np.testing.assert_allclose(found(x[middle]), expected, atol=1e-6)


def test_distances_of_quantiles_and_of_a_shifted_matrix() -> None:
    found = Distribution(Spectrum(NOISE))
    x = np.linspace(found.low, found.high, 100001)
    quantiles = np.interp((np.arange(50) + 0.5) / 50, found(x), x)
    mean, largest = found.distances(quantiles)
    # the steps are at most half a step off, and a quarter of one in the mean of masses
    assert largest == pytest.approx(0.5 / 50, rel=1e-3)
    assert 0 < mean < largest
    # nothing is below the end of the bulk, everything above it, and conversely
    assert found.distances(np.full(50, 2 * found.high))[1] == pytest.approx(1, abs=1e-9)
    assert found.distances(np.full(50, 0.0))[1] == pytest.approx(1, abs=1e-3)


def test_gaps_and_soft_ends_are_refused() -> None:
    law = Spectrum(NOISE.with_values({"features.activation": "z**2 - 1 + z/2"}))
    with pytest.raises(ValueError, match="one interval with regular ends"):
        Distribution(Spectrum(law.problem.with_values({"features.spike": 1})))


@pytest.mark.usefixtures("in_one_process")
def test_the_tables_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Few draws: the verdict is loose, the layout is what is tested.
    monkeypatch.setattr(eigenvalues, "CASES", {"planted": NOISE})
    monkeypatch.setattr(eigenvalues, "REPETITIONS", {20: 20, 40: 10, 60: 10})
    monkeypatch.setattr(eigenvalues, "LEVEL", 1e-4)
    assert eigenvalues.main() == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "planted" in printed
    assert "mean distance" in printed
    assert f"seed {eigenvalues.SEED}" in printed


@pytest.mark.slow
def test_all_cases_agree() -> None:
    """Family-wise error probability 1 percent, stated in the module."""
    assert eigenvalues.main() == 0
