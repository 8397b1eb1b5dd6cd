"""What must not depend on how a problem is written, or on how it is solved."""

import mpmath
import numpy as np
import pytest
from iteration import Iterated, by_sums, relu

import detequiv as de
from detequiv.numerics.solving.solution import QUANTITIES

SMOOTH = {
    "tanh": np.tanh,
    "sin": np.sin,
    "z + z**2/4": lambda z: z + z**2 / 4,
    "1/(1 + exp(-z))": lambda z: 1 / (1 + np.exp(-z)),
}
TARGETS = {
    "z + (z**2 - 1)/2": lambda z: z + (z**2 - 1) / 2,
    "sin(2*z)": lambda z: np.sin(2 * z),
    "He(3, z)": lambda z: z**3 - 3 * z,
}


def spiked(
    activation: str, spike: list[object], weights: list[object] | None = None
) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike, weights=weights),
        target=de.Target(function="z + (z**2 - 1)/2", alignment="4/5", noise="3/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )


def assert_same(one: de.Problem, other: de.Problem) -> None:
    first, second = de.solve(one), de.solve(other)
    for name in QUANTITIES:
        expected = float(getattr(first, name))
        assert float(getattr(second, name)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_no_spike_in_three_groups_is_no_spike(activation: str) -> None:
    assert_same(spiked(activation, [0]), spiked(activation, [0, 0, 0]))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_splitting_a_group_changes_nothing(activation: str) -> None:
    whole = spiked(activation, ["3/2", "-4/5"], ["2/3", "1/3"])
    split = spiked(activation, ["3/2", "-4/5", "3/2"], ["1/2", "1/3", "1/6"])
    assert_same(whole, split)


def test_the_order_of_groups_changes_nothing() -> None:
    one = spiked("relu", [2, "1/2", -1], ["2/5", "2/5", "1/5"])
    assert_same(one, spiked("relu", [-1, 2, "1/2"], ["1/5", "2/5", "2/5"]))


def test_an_odd_activation_does_not_see_the_sign_of_the_spike() -> None:
    one = spiked("tanh", ["3/2", "-4/5"])
    other = spiked("tanh", ["-3/2", "4/5"]).with_values({"target.alignment": "-4/5"})
    assert_same(one, other)


@pytest.mark.parametrize("case", range(20))
def test_newton_agrees_with_damped_iteration(case: int) -> None:
    rng = np.random.default_rng([20241018, case])
    groups = int(rng.integers(1, 5))
    name = str(rng.choice([*SMOOTH, "relu"]))
    target = str(rng.choice(list(TARGETS)))
    spike = rng.uniform(-2.5, 2.5, groups).round(3)
    bulk = rng.uniform(0.6, 1.4, groups).round(3)
    shares = rng.integers(1, 6, groups)
    alignment, noise = round(rng.uniform(-0.95, 0.95), 3), round(rng.uniform(0, 1), 3)
    alpha, beta = rng.uniform(0.3, 4, 2).round(3)
    ridge = round(10 ** rng.uniform(-1.5, 1), 4)
    solution = de.solve(
        de.Problem(
            features=de.SpikedFeatures(
                activation=name,
                spike=list(spike),
                bulk=list(bulk),
                weights=[f"{share}/{shares.sum()}" for share in shares],
            ),
            target=de.Target(function=target, alignment=alignment, noise=noise),
            ridge=de.Ridge(samples_per_dim=alpha, width_per_dim=beta, penalty=ridge),
        )
    )
    twin = Iterated(
        activation=relu if name == "relu" else by_sums(SMOOTH[name]),
        target=by_sums(TARGETS[target]),
        spike=spike,
        bulk=bulk,
        weights=shares / shares.sum(),
        alignment=alignment,
        noise=noise,
        alpha=alpha,
        beta=beta,
        ridge=ridge,
    )
    g, _ = twin.resolvent(twin.moments(), 0.0, ridge)
    assert list(map(float, solution.g)) == pytest.approx(list(g), rel=1e-9)
    objective = twin.energy().real
    assert float(solution.ridge_objective) == pytest.approx(objective, rel=1e-9)
    # total derivatives by moving the whole fixed point, without any chain rule
    test, norm = twin.generalization_error(), twin.readout_norm()
    assert float(solution.generalization_error) == pytest.approx(test, rel=1e-9)
    assert float(solution.readout_norm) == pytest.approx(norm, rel=1e-9)


def test_forty_digits_are_forty_digits() -> None:
    problem = spiked("tanh", ["3/2", "-4/5"])
    forty, sixty = de.solve(problem, digits=40), de.solve(problem, digits=60)
    assert forty.residual < 1e-40
    for name in QUANTITIES:
        difference = abs(getattr(forty, name) - getattr(sixty, name))
        assert difference <= 1e-40 * abs(getattr(sixty, name))


def test_the_error_is_linear_in_the_noise_variance_to_every_digit() -> None:
    """1/10 is no binary number: rounded anywhere, it would bend the line."""
    problem = spiked("tanh", ["3/2", "-4/5"])
    none, tenth, one = (
        de.solve(problem.with_values({"target.noise": noise}), digits=40)
        for noise in (0, "1/10", 1)
    )
    for name in QUANTITIES:
        start, middle, end = (getattr(s, name) for s in (none, tenth, one))
        with mpmath.workdps(60):
            expected = start + (end - start) / 100
            assert abs(middle - expected) <= 1e-38 * abs(expected)
