"""The theory of a width: against tables, its limits, and what it contains."""

import numpy as np
import pytest
import sympy as sp

import detequiv as de
from detequiv.numerics.averages import gauss_rule
from detequiv.numerics.solving.solution import QUANTITIES
from detequiv.numerics.solving.solve import solve_at_width

SPIKED = de.Problem(
    features=de.SpikedFeatures(
        activation="tanh", spike=["3/2", "-4/5"], weights=["1/3", "2/3"]
    ),
    target=de.Target(function="z + (z**2 - 1)/2", alignment="4/5", noise="3/10"),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)


def network(target: str, step: object, **more: object) -> de.Problem:
    ridge = {"samples_per_dim": 2, "width_per_dim": 2, "penalty": "1/10", **more}
    return de.Problem(
        network=de.Network(activation="relu", readout=[1, -1, "1/2"], step=step),
        target=de.Target(function=target, noise="1/5"),
        ridge=de.Ridge(**ridge),
    )


def test_the_rule_has_the_moments_of_an_overlap() -> None:
    nodes, weights = gauss_rule(4, sp.Integer(10), 30)
    assert sum(weights) == 1
    for power, moment in ((2, "1/10"), (4, "3/120"), (6, "15/1680"), (3, "0")):
        found = sum(w * x**power for x, w in zip(nodes, weights, strict=True))
        assert abs(found - sp.Rational(moment)) < sp.Rational(1, 10**30)


@pytest.mark.parametrize("case", [SPIKED, network("z + (z**2 - 1)/2", "1/2")])
def test_it_goes_to_the_limit(case: de.Problem) -> None:
    limit = de.solve(case, digits=12)
    gaps = []
    for width in (10**7, 10**8):
        found = de.solve(case, width=width, digits=12)
        gaps.append(float(found.ridge_objective / limit.ridge_objective - 1))
        assert found.resolvent_trace == pytest.approx(float(limit.resolvent_trace))
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.3)


def test_a_small_tangent_leaves_the_cost_of_the_mean() -> None:
    # at strong spikes the higher orders are small: the mean's cost is most of it
    found, mean = de.solve(SPIKED, width=900), solve_at_width(SPIKED, 900)
    limit = de.solve(SPIKED)
    rest = abs(float(found.excess_error - mean.excess_error))
    assert 0 < rest < 0.1 * abs(float(mean.excess_error - limit.excess_error))


@pytest.mark.parametrize(
    ("target", "step", "d", "test", "train"),
    [
        # simulated: 2.401(28), .606(24); 1.097(11), .273(7); .709(6);
        # .1824(36), .0397(18)
        ("z/20 + z**2 - 1", 3, 400, 2.3903, 0.6006),
        ("z + (z**2 - 1)/2", "1/10", 100, 1.1137, 0.2743),
        ("z + (z**2 - 1)/2", "1/2", 200, 0.7132, None),
        ("z + (z**2 - 1)/2", 3, 400, 0.1831, 0.0397),
    ],
)
def test_known_values_come_out(
    target: str, step: object, d: int, test: float, train: float | None
) -> None:
    """Values of normal overlaps; those of a unit vector differ by 1/d of the effect."""
    found = de.solve(network(target, step), width=2 * d, digits=5)
    assert float(found.generalization_error) == pytest.approx(test, rel=1 / d)
    if train is not None:
        assert float(found.training_error) == pytest.approx(train, rel=2 / d)


def test_quantities_belong_together() -> None:
    def objective(penalty: str) -> float:
        moved = SPIKED.with_values({"ridge.penalty": penalty})
        return float(de.solve(moved, width=150).ridge_objective)

    found = de.solve(SPIKED, width=150)
    slope = (objective("0.050001") - objective("0.049999")) / 2e-6
    assert float(found.readout_norm) == pytest.approx(slope, rel=1e-7)
    # objective = (n/p) training error + penalty norm
    parts = 4 / 3 * found.training_error + found.readout_norm / 20
    assert float(found.ridge_objective) == pytest.approx(float(parts), rel=1e-13)
    curve = de.curve(SPIKED, {"ridge.penalty": ["1/20", "1/10"]}, width=150)
    for name in QUANTITIES:
        assert curve.values(name)[0] == pytest.approx(float(getattr(found, name)))
    # and says of which width it is
    header, first, *_ = (curve.to_csv() or "").splitlines()
    assert dict(zip(header.split(","), first.split(","), strict=True))["width"] == "150"
    assert curve.to_xarray().attrs["width"] == "150"
    with pytest.raises(de.InputError, match="beside the theory of 150"):
        curve.simulate(dimension=20, repetitions=2)


def test_the_learned_function_is_that_of_the_width() -> None:
    kappa = np.linspace(-2, 2, 9)
    problem = network("z + (z**2 - 1)/2", "1/10")
    limit, small = (
        de.learned_function(de.solve(problem, width=width, digits=8), kappa)
        for width in (None, 200)
    )
    far = de.learned_function(de.solve(problem, width=10**9, digits=8), kappa)
    assert np.abs(far - limit).max() < 0.2 * np.abs(small - limit).max()
    assert np.abs(small - limit).max() > 0.1


@pytest.mark.parametrize("width", [0, -3, 2.5, True, 2])
def test_a_width_that_is_none_is_refused(width: object) -> None:
    with pytest.raises(de.InputError, match="width"):
        de.solve(SPIKED, width=width)
