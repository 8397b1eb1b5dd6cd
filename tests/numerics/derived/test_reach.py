"""Best approximations: against closed forms and against the solver's limits."""

import numpy as np
import pytest

import detequiv as de
from detequiv.numerics.derived.reach import reach

RIDGE = de.Ridge(samples_per_dim=1, width_per_dim=1, penalty=1)


def spiked(target: str, **features: object) -> de.Problem:
    alignment = features.pop("alignment", 1)
    return de.Problem(
        features=de.SpikedFeatures(**features),  # type: ignore[arg-type]
        target=de.Target(
            function=target,
            alignment=alignment,  # type: ignore[arg-type]
            noise="1/2",
        ),
        ridge=RIDGE,
    )


def test_one_even_polynomial_by_hand() -> None:
    """sigma = z^2: c0 = rho^2 + u^2 k^2, h = 2 rho u k^2, c1 = 2 rho u k."""
    found = reach(spiked("z + He(2, z)", activation="z**2", spike=1))
    # 1 + k^2 is 2 + He_2, with E[g c0] = 2 and E c0^2 = 6; with h both are free
    exact = (3, 2, 3 - 4 / 6, 1)
    values = found.constant, found.linear, found.means, found.features
    np.testing.assert_allclose(values, exact, atol=1e-11)


def test_misaligned_targets_keep_what_depends_on_the_other_direction() -> None:
    """zeta = 3/5: tau0 = 3/5 k, tau1 = 4/5, and He_1 of s is linear in x."""
    found = reach(spiked("z", activation="relu", spike=0, alignment="3/5"))
    values = found.constant, found.linear, found.means, found.features
    np.testing.assert_allclose(values, (1, 0, 1, 0), atol=1e-11)


def test_it_is_the_limit_of_many_samples_and_then_of_width() -> None:
    problem = de.Problem(
        network=de.Network(activation="relu", readout=[1, -1], step=2),
        target=de.Target(function="z + He(2, z)/2 + He(3, z)/6", noise="3/10"),
        ridge=RIDGE,
    ).with_values({"ridge.samples_per_dim": 10**8})
    gaps = []
    for width in (10, 100):
        point = de.solve(problem.with_values({"ridge.width_per_dim": width}))
        gaps.append(float(point.excess_error) - reach(problem).features)
    assert 0 < gaps[1] < gaps[0] / 8
    assert gaps[1] < 0.004


def test_more_groups_reach_further() -> None:
    vocabulary = [1, 2, 3, "1/2"]
    found = [
        reach(
            de.Problem(
                network=de.Network(
                    activation="tanh", readout=vocabulary[:groups], step=1
                ),
                target=de.Target(function="z + He(3, z)/3"),
                ridge=RIDGE,
            )
        )
        for groups in (1, 2, 3, 4)
    ]
    means = [one.means for one in found]
    assert means == sorted(means, reverse=True)
    assert means[0] > 1.1 * found[0].features
    assert found[3].means < found[3].linear


def test_equal_groups_reach_no_further() -> None:
    one = reach(spiked("z**2", activation="tanh", spike=[1]))
    two = reach(spiked("z**2", activation="tanh", spike=[1, -1]))
    assert one.means == pytest.approx(two.means, abs=1e-10)
