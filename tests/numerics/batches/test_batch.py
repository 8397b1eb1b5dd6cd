"""Steps on a batch: its cost, the population's limit, another way to solve."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.finite_batch import FiniteBatch

import detequiv as de
from detequiv.numerics.batches import solve_batch
from detequiv.numerics.batches.points import solve_in_floats
from detequiv.theory.problem import batch_law

RELU = {"activation": "relu", "readout": [1, "-1/2"], "step": 2}
SHIFT = {"activation": "tanh(z + 1)", "readout": [1, -1], "step": 3}
PLAIN, MEAN = "z + (z**2 - 1)/2", "1/2 + z + (z**2 - 1)/2"


def problem(target: str, penalty: object = "1/20", **network: object) -> de.Problem:
    return de.Problem(
        network=de.Network(**network),
        target=de.Target(function=target, noise="3/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=penalty),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "network", "excess"),
    [
        # what a batch of alpha0 = 2, 5, 20 costs, four digits of a prototype that
        # shared no code, and that 100s of simulated networks bear out within 2 percent
        (PLAIN, RELU, (0.5860, 0.2935, 0.0872)),
        (PLAIN, {**RELU, "readout": [1]}, (0.3606, 0.1492, 0.0402)),
        (MEAN, SHIFT, (0.3843, 0.1754, 0.0426)),
        (PLAIN, {**SHIFT, "activation": "tanh", "step": 2}, (0.2904, 0.1399, 0.0401)),
    ],
)
def test_a_batch_costs_what_it_should(
    target: str, network: dict[str, object], excess: tuple[float, ...]
) -> None:
    whole = float(de.solve(problem(target, **network), digits=10).excess_error)
    for size, expected in zip((2, 5, 20), excess, strict=True):
        found = solve_batch(problem(target, **network, batch_per_dim=size))
        assert found.digits >= 11
        assert abs(float(found.quantities["excess_error"]) - whole - expected) < 6e-5


@pytest.mark.slow
@pytest.mark.parametrize("rows", ["spherical", "gaussian"])
@pytest.mark.parametrize("network", [RELU, SHIFT])
def test_a_large_batch_is_the_population(network: dict[str, object], rows: str) -> None:
    """What is left falls like 1/alpha0, to the digits of float64."""
    whole = de.solve(problem(MEAN, **network, rows=rows), digits=12)
    first, second = (
        solve_batch(problem(MEAN, **network, rows=rows, batch_per_dim=10**k))
        for k in (5, 6)
    )
    for name in ("excess_error", "training_error", "readout_norm", "resolvent_trace"):
        limit = float(getattr(whole, name))
        far, near = (float(f.quantities[name]) - limit for f in (first, second))
        assert abs(near) < 2e-5 * limit
        # extrapolated, the next order and 12 digits are left
        assert abs(10 * near - far) / 9 < 1e-9 * limit


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize(
    ("noise", "readout", "penalty"), [(0.3, (1, -1), 0.05), (0.0, (1, 0.5, -2), 0.3)]
)
def test_a_damped_iteration_of_other_equations_agrees(
    size: float, noise: float, readout: tuple[float, ...], penalty: float
) -> None:
    """Gauss-Hermite rules and differences leave it seven digits."""

    def slope(x: np.ndarray) -> np.ndarray:
        return 1 / np.cosh(x + 1) ** 2

    other = FiniteBatch(
        sigma=lambda x: np.tanh(x + 1),
        slope=slope,
        target=lambda z: 0.5 + z + (z**2 - 1) / 2,
        readout=readout,
        step=1.0,
        size=size,
        noise=noise,
        alpha=2,
        beta=1.5,
        penalty=penalty,
    )
    network = {**SHIFT, "readout": list(readout), "step": 1, "batch_per_dim": size}
    given = problem(MEAN, penalty=str(penalty), **network)
    given = given.with_values({"target.noise": str(noise)})
    found = solve_batch(given).quantities
    assert np.allclose(
        other.solve(),
        [float(found[name]) for name in ("excess_error", "training_error")],
        rtol=2e-6,
    )


def test_a_batch_of_relu_costs_what_it_should() -> None:
    found = solve_batch(problem(PLAIN, **RELU, batch_per_dim=5))
    assert found.digits >= 11
    # the population step has 0.41547886711009363
    assert abs(float(found.quantities["excess_error"]) - 0.4154789 - 0.2935) < 6e-5


def test_derivatives_are_those_of_the_gradient() -> None:
    given = problem(MEAN, **SHIFT, batch_per_dim=2)
    point = solve_in_floats(given, batch_law(given)).energy
    rng = np.random.default_rng(0)
    change = 1e-5 * rng.standard_normal(len(point.x)) * point.system.sizes(point.x)
    ahead, _ = point.system.derivatives(point.x + change)
    behind, _ = point.system.derivatives(point.x - change)
    _, hessian = point.system.derivatives(point.x)
    assert np.allclose((ahead - behind) / 2, hessian @ change, atol=1e-11)


def test_splitting_a_group_changes_nothing() -> None:
    whole = solve_batch(problem(PLAIN, **RELU, batch_per_dim=3))
    parts = {**RELU, "readout": [1, 1, "-1/2"], "weights": ["1/8", "3/8", "1/2"]}
    split = solve_batch(problem(PLAIN, **parts, batch_per_dim=3))
    for name, value in whole.quantities.items():
        assert abs(float(split.quantities[name] / value) - 1) < 1e-10


def test_what_a_batch_is_not_known_to_is_refused() -> None:
    given = problem(PLAIN, **RELU, batch_per_dim=5)
    labels = given.with_values({"target.labels": "sign"})
    loss = given.with_values({"ridge.loss": "huber", "ridge.delta": 1})
    inputs = replace(given, inputs=de.Inputs(eigenvalues=[1, 2]))
    for refused, says in (
        (lambda: de.spectrum(given).stieltjes(1 + 1j), "network.batch_per_dim = 5"),
        (lambda: de.derive(given), "network.batch_per_dim = 5"),
        (
            lambda: solve_batch(given.with_values({"ridge.penalty": 0})),
            "ridge.penalty = 0",
        ),
        (lambda: de.solve(labels), "target.labels = sign"),
        (lambda: de.solve(loss), "ridge.loss = huber"),
        (lambda: de.solve(inputs), "batch"),
    ):
        with pytest.raises(de.InputError, match=says):
            refused()
