"""Mass and moments of the law against sums over diagrams, which solve no equation."""

import numpy as np
import pytest
from iteration import Moments, by_sums, relu
from planar_moments import planar_moment

import detequiv as de

TANH, HE2, HE3 = map(by_sums, (np.tanh, lambda x: x**2 - 1, lambda x: x**3 - 3 * x))


def test_diagrams_give_the_moments_of_marchenko_and_pastur() -> None:
    """Narayana numbers: entries of variance 6, on the scale of Phi^T Phi / p."""
    one = {"spike": [0.0], "bulk": [1.0], "weights": [1.0], "alpha": 2, "beta": 1.5}
    y = 3 / 4
    narayana = [1, 1 + y, 1 + 3 * y + y**2, 1 + 6 * y + 6 * y**2 + y**3]
    for k, value in enumerate(narayana, start=1):
        assert planar_moment(k, HE3, **one) == pytest.approx(
            (6 / y) ** k * value, rel=1e-12
        )


@pytest.mark.parametrize(
    ("activation", "moments", "spike", "bulk", "weights", "alpha"),
    [
        ("tanh", TANH, [1.5, -0.8], [1, 1], [0.5, 0.5], 2.0),
        ("tanh", TANH, [1.5, 0], [1, 0.7], [0.3, 0.7], 1.0),  # an atom of 1/3
        ("relu", relu, [0.5, -0.25, 0.6], [1, 1, 0.5], [0.4, 0.4, 0.2], 2.0),
        ("he2", HE2, [1], [1], [1], 2.0),  # its tail has no end
    ],
)
def test_mass_and_four_moments(
    activation: str,
    moments: Moments,
    spike: list[float],
    bulk: list[float],
    weights: list[float],
    alpha: float,
) -> None:
    law = de.spectrum(
        de.Problem(
            features=de.SpikedFeatures(
                activation=activation, spike=spike, bulk=bulk, weights=weights
            ),
            target=de.Target(function="z"),
            ridge=de.Ridge(samples_per_dim=alpha, width_per_dim=1.5, penalty=1),
        ),
        scale="p",
    )
    (interval,) = law.support
    low = float(interval.lower.value)
    # at 400 the tail of He_2 has fallen by exp(-50)
    high = min(float(interval.upper.value), 400.0)
    # a square root at the ends is smooth in the angle, and the trapezoid exact
    angle = np.linspace(0, np.pi / 2, 301)[1:-1]
    stretch = np.log(high / low)
    x = low * np.exp(stretch * np.sin(angle) ** 2)
    mass = law.density(x) * x * stretch * np.sin(2 * angle) * np.pi / 600
    assert mass.sum() + law.atom_at_zero == pytest.approx(1, abs=1e-12)
    for k in range(1, 5):
        exact = planar_moment(
            k,
            moments,
            spike=spike,
            bulk=bulk,
            weights=weights,
            alpha=alpha,
            beta=1.5,
        )
        assert mass @ x**k == pytest.approx(exact, rel=1e-10)
