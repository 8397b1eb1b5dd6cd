"""The spectrum as a trial compares it: by quadrature, and as `Spectrum` has it."""

import numpy as np
import pytest

from detequiv.numerics.spectrum import outliers
from detequiv.numerics.spectrum.spectrum import Spectrum
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.trial.predict import (
    clear_outliers,
    mass_below,
    width_corrections,
)
from detequiv.validation.trial.simulate import sampler
from detequiv.validation.witness.model import draw_first_layer, draw_inputs

# A constant and noise of variance 2: Marchenko and Pastur's law, and an outlier.
CONSTANT = Problem(
    features=SpikedFeatures(activation="z**2", spike=0),
    target=Target(function="z"),
    ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
)


def test_the_mass_below_is_an_average_over_the_law() -> None:
    points = np.array([0.3 + 0.1j, 2 + 0.5j, 5 + 2j])
    low, high = 2 * (1 - np.sqrt(0.5)) ** 2, 2 * (1 + np.sqrt(0.5)) ** 2
    angle = np.pi * (np.arange(2000) + 0.5) / 2000
    x = (low + high) / 2 - (high - low) / 2 * np.cos(angle)
    mass = ((high - low) / 2 * np.sin(angle)) ** 2 / (2 * np.pi * x) * np.pi / 2000
    turns = np.arctan((x - points.real[:, None]) / points.imag[:, None])
    expected = 0.5 - turns @ mass / np.pi
    np.testing.assert_allclose(
        mass_below(Spectrum(CONSTANT), points), expected, rtol=1e-8
    )


def test_a_clear_outlier_is_that_of_the_spectrum() -> None:
    law = Spectrum(CONSTANT, width=80)
    assert clear_outliers(CONSTANT, 80) == pytest.approx([law.outliers[0].value])


def test_no_outlier_is_clear_of_a_bulk_without_an_end() -> None:
    assert clear_outliers(CONSTANT.with_values({"features.spike": 1}), 80) == []


def test_an_outlier_near_the_bulk_is_left_out() -> None:
    changes = {"features.activation": "7/100 + z**2 - 1"}
    near = CONSTANT.with_values(changes)
    law = Spectrum(near, width=1000)
    assert law.support[0].upper.value < law.outliers[0].value
    assert clear_outliers(near, 1000) == []


def test_an_outlier_takes_its_mass_from_the_bulk() -> None:
    (place,) = clear_outliers(CONSTANT, 80)
    points = np.array([0.9 * place, 1.1 * place]) + 1e-3j
    _, mass = width_corrections(CONSTANT, 80, points)
    np.testing.assert_allclose(mass, [-1 / 80, 0], atol=1e-5)


def test_what_a_rule_does_not_resolve_is_refined_or_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Far out in the tail of He_2 samples with 1 + chi near zero are real ones."""
    changes = {"features.activation": "he2", "features.spike": 1}
    near, far = (
        width_corrections(CONSTANT.with_values(changes), 300, np.array([100 + y]))[0]
        for y in (1e-2j, 1e-1j)
    )
    np.testing.assert_allclose(near.real, far.real, rtol=1e-3)
    monkeypatch.setattr(outliers, "ACCURATE", 0.0)
    with pytest.raises(ConvergenceError, match=r"log det H .* move z off the real"):
        width_corrections(CONSTANT.with_values(changes), 300, np.array([100 + 1e-2j]))


def test_outliers_are_in_the_transform_of_a_finite_width() -> None:
    """One passes z = 4 + i as the width grows; next to it no power of 1/p serves.

    The mean of 40 draws has a fifteenth of the difference from the limit for its
    standard error, corrections of higher order are a tenth: 3/5 left has probability
    below 1e-10.
    """
    problem = Problem(
        features=SpikedFeatures(
            activation="relu", spike=[2, "1/2", -1], weights=["2/5", "2/5", "1/5"]
        ),
        target=Target(function="z"),
        ridge=Ridge(samples_per_dim=3, width_per_dim="3/2", penalty="1/2"),
    )
    d, n, p, z = 100, 300, 150, np.array([4 + 1j])
    model, rng, means = sampler(problem), np.random.default_rng(7), []
    for _ in range(40):
        layer = draw_first_layer(model, dimension=d, width=p, rng=rng)
        phi = model.features(layer, draw_inputs(rng, n, d))
        means.append(np.mean(1 / (np.linalg.eigvalsh(phi.T @ phi / n) - z)))
    difference = np.mean(means) - Spectrum(problem).stieltjes(z)[0]
    correction, _ = width_corrections(problem, p, z)
    assert abs(difference - correction[0]) < 0.6 * abs(difference)
