"""Local exponents of learning curves against the published ones."""

import numpy as np
import pytest

import detequiv as de

DIRECTIONS, SINGLE, BINS = 1e9, 100, 300
COUNTS = (3e3, 6e3)


def power_law(capacity: float, source: float) -> de.Inputs:
    """Levels one by one, and those of the tail together by the percent."""
    ends = np.geomspace(SINGLE + 0.5, DIRECTIONS, BINS + 1)
    sizes = np.diff(ends)

    def levels(x: float) -> np.ndarray:
        tail = np.diff(ends ** (1 - x)) / (1 - x) / sizes
        return np.concatenate([np.arange(1, SINGLE + 1.0) ** -x, tail])

    weights = np.concatenate([np.ones(SINGLE), sizes])
    power = weights * levels(source)
    return de.Inputs(
        eigenvalues=levels(capacity),
        weights=weights / weights.sum(),
        target_power=power / power.sum(),
    )


def exponent(problem: de.Problem, name: str) -> float:
    curve = de.curve(problem, {name: [c / DIRECTIONS for c in COUNTS]})
    low, high = np.log(curve.values("generalization_error").astype(float))
    return float((low - high) / np.log(COUNTS[1] / COUNTS[0]))


# sums differ from integrals by 1/n, end at (n/d)^(capacity - 1), and the penalty is as
# small; sources so far from 1/2 that the other term is smaller by 1/n at least
@pytest.mark.parametrize(("capacity", "source"), [(2, 2), (2, 6), (2.5, 4.5), (3, 3)])
def test_exponents_are_the_published_ones(capacity: float, source: float) -> None:
    r = (source - 1) / (2 * capacity)
    inputs, target = power_law(capacity, source), de.Target(function="z")
    itself = de.Problem(
        inputs=inputs,
        target=target,
        ridge=de.Ridge(samples_per_dim=1, width_per_dim=1, penalty=1e-11),
    )
    found = exponent(itself, "ridge.samples_per_dim")
    assert found == pytest.approx(2 * capacity * min(r, 1), abs=2e-3)
    features = de.Problem(
        features=de.SpikedFeatures(activation="z", spike=0),
        inputs=inputs,
        target=target,
        ridge=de.Ridge(samples_per_dim=0.5, width_per_dim=0.5, penalty=1e-11),
    )
    found = exponent(features, "ridge.width_per_dim")
    assert found == pytest.approx(2 * capacity * min(r, 0.5), abs=2e-3)
