"""Inputs with a covariance against isotropic ones, and against the slow way."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from covariance_iteration import Leveled
from iteration import GRID, by_sums, relu

import detequiv as de
from detequiv.numerics.averages import LawFields
from detequiv.numerics.covariance.floats import float_system, follow, newton
from detequiv.theory.problem import covariance_law, covariance_parameters

NAMES = ("generalization_error", "training_error", "readout_norm", "ridge_objective")
RIDGE = de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20")
TARGET = de.Target(function="z + (z**2 - 1)/2", noise="3/10")
TWO: dict[str, Any] = {"eigenvalues": ["2.8", "0.4"], "weights": ["1/4", "3/4"]}
S, OMEGA = np.array([2.8, 0.4]), np.array([0.25, 0.75])
POWER = np.array([0.4, 0.6])


def spiked(**changes: Any) -> de.Problem:
    parts: dict[str, Any] = {
        "features": de.SpikedFeatures(
            activation="tanh", spike=["3/2", "-4/5"], bulk=[1, "1/2"]
        ),
        "target": de.Target(
            function="z + (z**2 - 1)/2", alignment="7/10", noise="3/10"
        ),
        "ridge": RIDGE,
    }
    return de.Problem(**(parts | changes))


def network(rows: str, **changes: Any) -> de.Problem:
    trained = de.Network(activation="relu", readout=[1, "-1/2"], step=2, rows=rows)
    return de.Problem(network=trained, target=TARGET, ridge=RIDGE, **changes)


@pytest.mark.parametrize(
    "problem", [spiked(), network("spherical"), network("gaussian")]
)
def test_one_level_is_the_isotropic_problem(problem: de.Problem) -> None:
    one = replace(problem, inputs=de.Inputs(eigenvalues=[3]))
    plain, found = (de.solve(p, digits=25) for p in (problem, one))
    for name in (*NAMES, "resolvent_trace"):
        assert found.text(name) == plain.text(name)
    assert float(found.A[0][1]) == pytest.approx(float(plain.A[0][1]), rel=1e-14)


def test_a_level_split_in_two_changes_nothing() -> None:
    whole = de.Inputs(**TWO, target_power=["0.4", "0.6"])
    split = de.Inputs(
        eigenvalues=["28", "4", "28", "4"],
        weights=["1/20", "1/4", "1/5", "1/2"],
        target_power=["0.1", "0.6", "0.3", 0],
    )
    for make in (spiked, lambda **c: network("spherical", **c)):
        a, b = (de.solve(make(inputs=i), digits=20) for i in (whole, split))
        assert [a.text(name) for name in NAMES] == [b.text(name) for name in NAMES]


def test_the_unit_of_the_eigenvalues_does_not_matter() -> None:
    one = de.Inputs(**TWO).levels
    other = de.Inputs(eigenvalues=[7, 1], weights=["1/4", "3/4"]).levels
    assert [float(v) for v in other.s] == pytest.approx([2.8, 0.4])
    assert float(
        sum(a * b for a, b in zip(one.s, one.weights, strict=True))
    ) == pytest.approx(1)


def target(zeta: float) -> tuple[Any, Any, Any]:
    moments = by_sums(lambda z: z + (z**2 - 1) / 2)
    if zeta == 1:
        return GRID + (GRID**2 - 1) / 2, 0 * GRID, 0.09 + 0 * GRID
    tau0, tau1, tau2 = moments(zeta * GRID, float(np.sqrt(1 - zeta**2)))
    return tau0, tau1, tau2 + 0.09


def test_the_slow_way_agrees_on_spiked_features() -> None:
    zeta, bulk, spike = 0.7, (1.0, 0.5), (1.5, -0.8)
    tanh = by_sums(np.tanh)
    c0, c1, cs = (
        np.array(m)
        for m in zip(
            *(tanh(u * GRID, r) for u, r in zip(spike, bulk, strict=True)), strict=True
        )
    )
    # dc0/drho rho / 2, by differences of the averages themselves
    norm = np.array(
        [
            (tanh(u * GRID, r * 1.001)[0] - tanh(u * GRID, r * 0.999)[0]) / 0.004
            for u, r in zip(spike, bulk, strict=True)
        ]
    )
    size = np.sqrt(POWER / S)
    first = np.stack([size, 0 * size], 1).ravel()  # along w* on each level, and beside
    w = first
    v = zeta * first + np.sqrt(1 - zeta**2) * np.stack([0 * size, size], 1).ravel()
    oracle = Leveled(
        **{"c0": c0, "c1": c1, "cs": cs, "s": S, "omega": OMEGA},
        scales=np.ones((2, 2)),
        **{"at": (0, 0, 1, 1), "v": v, "w": w, "zeta": zeta, "k": 0 * c0},
        norms=[(norm, 2 * (OMEGA @ S**2 - 1) * np.ones(2))],
        **dict(zip(("tau0", "tau1", "tau2"), target(zeta), strict=True)),
        **{"pi": np.ones(2) / 2, "alpha": 2, "beta": 1.5, "ridge": 0.05},
    )
    inputs = de.Inputs(**TWO, target_power=["0.4", "0.6"])
    found = de.solve(spiked(inputs=inputs))
    for name, value in oracle.quantities().items():
        assert float(getattr(found, name)) == pytest.approx(value, rel=2e-7), name


def test_the_slow_way_agrees_on_a_trained_network() -> None:
    # relu: mu = 1/sqrt(2 pi), 1/2, 1/sqrt(2 pi), 0, -1/sqrt(2 pi); g: 0, 1, 1
    eta, readout = 2.0, np.array([1.0, -0.5])
    mu = np.array([1, 0, 1, 0, -1]) / np.sqrt(2 * np.pi)
    mu[1] = 0.5
    m0, m1, m2 = -readout.mean() * mu[0], 1.0, 1.0
    length = np.sqrt(POWER @ S**2)
    zeta = POWER @ S / length
    rate = eta * readout
    b = rate * mu[2] * m0
    rows = 1 + b[:, None] * S
    rho = np.sqrt((OMEGA * S * rows**2).sum(1))
    u = rate * mu[1] * m1 * length
    c0, c1, cs = (
        np.array(m)
        for m in zip(
            *(relu(x * GRID, r) for x, r in zip(u, rho, strict=True)), strict=True
        )
    )

    def slope(bend: np.ndarray, q: int) -> np.ndarray:
        """Mean feature's derivative by b_q, along its definition."""

        def mean(at: float) -> np.ndarray:
            return relu(u[q] * GRID, np.sqrt(OMEGA @ (S * (1 + at * S) ** 2)))[0]

        return (mean(bend[q] + 1e-4) - mean(bend[q] - 1e-4)) / 2e-4

    by_u = GRID * c1 / rho[:, None]
    by_b = np.array([slope(b, q) for q in range(2)])
    k = rate[:, None] * (mu[2] * m2 * length * by_u + mu[3] * m1 * by_b)
    first = rate[:, None] / 2 * (m1 * mu[3] * length * by_u + m0 * mu[4] * by_b)
    by_rho = np.array(
        [
            (relu(x * GRID, r + 1e-4)[0] - relu(x * GRID, r - 1e-4)[0]) / 2e-4
            for x, r in zip(u, rho, strict=True)
        ]
    )
    second = by_rho / (2 * rho[:, None])
    covariance = []
    for q in range(2):
        d = np.array([S, S * rows[q] ** 2])
        centre = d @ OMEGA
        covariance.append(2 * ((d * OMEGA) @ d.T - np.outer(centre, centre)))
    values, axes = np.linalg.eigh(np.array(covariance))
    # on two levels the two norms have one degree of freedom
    assert np.max(np.abs(values[:, 0])) < 1e-12
    norm = axes[:, 0, 1, None] * first + axes[:, 1, 1, None] * second
    w = np.sqrt(POWER / S)
    oracle = Leveled(
        **{"c0": c0, "c1": c1, "cs": cs, "s": S, "omega": OMEGA},
        scales=rows / rho[:, None],
        **{"at": (0, 1), "v": S * w / length, "w": w, "zeta": float(zeta), "k": k},
        norms=[(norm, values[:, 1])],
        **dict(zip(("tau0", "tau1", "tau2"), target(float(zeta)), strict=True)),
        **{"pi": np.ones(2) / 2, "alpha": 2, "beta": 1.5, "ridge": 0.05},
    )
    inputs = de.Inputs(**TWO, target_power=["0.4", "0.6"])
    found = de.solve(network("spherical", inputs=inputs))
    for name, value in oracle.quantities().items():
        assert float(getattr(found, name)) == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize("penalty", ["1e-5", "1/20"])
def test_the_branch_is_that_of_large_penalties(penalty: str) -> None:
    inputs = de.Inputs(**TWO, target_power=["0.4", "0.6"])
    problem = network("spherical", inputs=inputs).with_values(
        {"ridge.penalty": penalty}
    )
    law = covariance_law(problem)
    exact = np.array(list(map(float, covariance_parameters(problem, law))))
    fields = LawFields(law.features).evaluate(25.0, 0.1)
    place = law.model.parameters.index(law.model.ridge)
    system = float_system(law, fields, exact)
    at_once = follow(system)
    x = None
    for power in np.arange(5, -0.01, -0.25):
        parameters = exact.copy()
        parameters[place] *= 10**power
        near = replace(system, parameters=parameters)
        x = follow(near) if x is None else newton(near, x)
        assert x is not None
    assert np.max(np.abs(x / at_once - 1)) < 1e-9


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "inputs"),
        ({"eigenvalues": [1, -1]}, "must not be negative"),
        ({"eigenvalues": [0, 0]}, "above 0"),
        ({"eigenvalues": [1, 2], "weights": ["1/2", "1/3"]}, "sum to 1"),
        ({"eigenvalues": [1, 2], "weights": [1]}, "2 numbers"),
        ({"eigenvalues": [0, 2], "target_power": ["1/2", "1/2"]}, "eigenvalue is 0"),
        ({"power_law": {"exponent": 1}}, "power_law"),
        ({"power_law": {"exponent": -1, "levels": 3}}, "power_law.exponent"),
        ({"power_law": {"exponent": 1, "levels": 0}}, "power_law.levels"),
        ({"power_law": {"exponent": 1, "level": 3, "levels": 3}}, "no such field"),
        ({"eigenvalues": [1], "file": "x.csv"}, "give one of"),
        ({"file": "there is none.csv"}, "cannot be read"),
        ({"eigenvalues": [0, 2], "weights": [1, 0]}, "variance above 0"),
        ({"eigenvalues": [1, 2], "weights": np.array(3.0)}, "2 numbers"),
        ({"power_law": {"exponent": 1, "levels": 10**9}}, "at most 100000"),
    ],
)
def test_unusable_inputs_are_named(given: dict[str, Any], says: str) -> None:
    with pytest.raises(de.InputError, match=says):
        de.Inputs(**given)


def test_what_is_not_covered_is_refused() -> None:
    steep = de.Inputs(power_law={"exponent": 1, "levels": 400})
    with pytest.raises(
        de.InputError, match=r"largest eigenvalue 60\.8.*sqrt\(d\) = 20"
    ):
        de.solve(spiked(inputs=steep))
    linear = de.SpikedFeatures(activation="z", spike=0)
    assert de.solve(spiked(inputs=steep, features=linear), digits=8).digits == 8
    strong = de.Inputs(
        power_law={"exponent": "0.45", "levels": 400, "target_exponent": "3/2"}
    )
    untrained = de.SpikedFeatures(activation="relu", spike=0)
    problem = spiked(inputs=strong, features=untrained)
    with pytest.raises(de.InputError, match=r"mean eigenvalue .* quadratic part"):
        de.solve(problem)
    odd = spiked(inputs=strong, features=de.SpikedFeatures(activation="tanh", spike=0))
    assert de.solve(odd, digits=8).digits == 8
    inputs = de.Inputs(**TWO)
    free = spiked(inputs=inputs).with_values({"ridge.penalty": 0})
    robust = spiked(inputs=inputs).with_values(
        {"ridge.loss": "huber", "ridge.delta": 1}
    )
    signs = spiked(inputs=inputs).with_values({"target.labels": "sign"})
    batch = network("spherical", inputs=inputs)
    batch = batch.with_values({"network.batch_per_dim": 5})
    for refuse, says in (
        (lambda: de.solve(spiked(inputs=inputs), width=100), "width = 100"),
        (lambda: de.spectrum(spiked(inputs=inputs)).support, "inputs"),
        (lambda: de.certify(spiked(inputs=inputs)), "inputs"),
        (lambda: de.derive(spiked(inputs=inputs)), "inputs"),
        (lambda: de.solve(free), "ridge.penalty = 0"),
        (lambda: de.solve(robust), "ridge.loss = huber"),
        (lambda: de.solve(signs), "target.labels = sign"),
        (lambda: de.solve(batch), "network.batch_per_dim = 5"),
    ):
        with pytest.raises(de.InputError, match=says):
            refuse()


def test_a_sweep_has_the_digits_it_says() -> None:
    problem = spiked(inputs=de.Inputs(**TWO))
    values = ["1/2", "1.5", 3]
    curve = de.curve(problem, vary={"ridge.samples_per_dim": values})
    for value, point in zip(values, curve.points, strict=True):
        exact = de.solve(
            problem.with_values({"ridge.samples_per_dim": value}), digits=20
        )
        assert point.digits >= 10
        for name in NAMES:
            gap = abs(point.values[name] / getattr(exact, name) - 1)
            assert gap < 10.0**-point.digits


def test_many_levels_are_levels() -> None:
    law = {"exponent": "2/5", "levels": 4}
    named = de.Inputs(power_law=law)
    listed = de.Inputs(eigenvalues=[f"1/{i}**(2/5)" for i in range(1, 5)])
    target = de.Target(function="z", alignment="7/10", noise="3/10")
    a, b = (
        de.solve(spiked(inputs=i, target=target), digits=20) for i in (named, listed)
    )
    assert a.text("generalization_error") == b.text("generalization_error")
