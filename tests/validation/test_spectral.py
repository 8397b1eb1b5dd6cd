"""The spectrum as a trial compares it: by quadrature, and as `Spectrum` has it."""

import numpy as np
import pytest

from detequiv.numerics.spectrum import Spectrum
from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.spectral import clear_outliers, mass_below

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
