"""The gradient step: Hermite formulas against the definition."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
from numpy.typing import NDArray
from scipy import special

from detequiv.numerics.solving.solve import solve
from detequiv.theory.errors import InputError
from detequiv.theory.functions.grammar import z
from detequiv.theory.problem import (
    Network,
    Problem,
    Ridge,
    SpikedFeatures,
    Target,
)
from detequiv.theory.problem.batches import batch_law
from detequiv.theory.problem.conditionals import c1, c2, feature_law, kappa
from detequiv.theory.problem.remarks import remark
from detequiv.theory.problem.step import population_step

Array = NDArray[Any]
Function = Callable[[Array], Array]
RIDGE = Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20")


def problem(function: str, **network: object) -> Problem:
    return Problem(
        network=Network(**network),  # type: ignore[arg-type]
        target=Target(function=function, noise="3/10"),
        ridge=RIDGE,
    )


def gaussian_mean(polynomial: sp.Expr, *variables: sp.Symbol) -> sp.Expr:
    """Average of a polynomial over independent standard normal variables."""
    for variable in variables:
        poly = sp.Poly(sp.expand(polynomial), variable)
        polynomial = sum(
            c * (sp.factorial2(k - 1) if k % 2 == 0 else 0) for (k,), c in poly.terms()
        )
    return sp.expand(polynomial)


@pytest.mark.parametrize("rows", ["spherical", "gaussian"])
def test_population_step_is_the_gradient_of_the_loss(rows: str) -> None:
    """Differentiate the population loss itself, for polynomials with all terms."""
    s, t, omega, r, rate, output = sp.symbols("s t omega r eta f")
    sigma = 2 * z**4 - z**3 + 3 * z**2 + 5 * z - 1
    g = z**3 - 2 * z**2 + z / 3 + 4
    # x = s w + t e with w, e orthonormal; the target's direction is
    # omega w + sqrt(1 - omega^2) e, and to first order in omega the root is 1
    pull = (g.subs(z, omega * s + t) - output) * sp.diff(sigma, z).subs(z, r * s)
    along_w = gaussian_mean(pull * s, s, t)
    along_e = gaussian_mean(pull * t, s, t)
    # the row r w + rate (along_w w + along_e e), e = w* - omega w
    strength = rate * along_e + (r + rate * (along_w - omega * along_e)) * omega
    scale = r + rate * (along_w - omega * along_e)

    def coefficient(f: sp.Expr, k: int) -> sp.Expr:
        he = sp.expand(2 ** (-sp.Integer(k) / 2) * sp.hermite(k, z / sp.sqrt(2)))
        return gaussian_mean(f * he, z)

    labels = [coefficient(g, k) for k in range(3)]
    step = population_step(
        rate,
        [coefficient(sigma, k) for k in range(5)],
        [labels[0] - output, *labels[1:]],
        rows,
    )
    typical = {omega: 0, r: 1}
    assert sp.expand(step.strength - strength.subs(typical)) == 0
    assert sp.expand(step.scale - scale.subs(typical)) == 0
    found = [(omega, 1)] + [(r, sp.sqrt(2))] * (rows == "gaussian")
    assert len(step.latents) == len(found)
    for latent, (by, width) in zip(step.latents, found, strict=True):
        for value, whole in zip(latent, (strength, scale), strict=True):
            assert sp.expand(value * width - sp.diff(whole, by).subs(typical)) == 0


def mean(function: Function, kink: float = 0) -> float:
    """Gaussian average of a function that is smooth on both sides of one point."""
    total = 0.0
    nodes, weights = np.polynomial.legendre.leggauss(60)
    for left, right in [(-9.0, kink), (kink, 9.0)]:
        s = (left + right + (right - left) * nodes) / 2
        density = np.exp(-s * s / 2) / np.sqrt(2 * np.pi)
        total += (right - left) / 2 * float(weights @ (function(s) * density))
    return total


def moved_unit(rate: float, slope: Function, omega: float) -> tuple[float, float]:
    """Strength and scale of the unit with overlap omega, by its gradient."""
    root = np.sqrt(1 - omega**2)
    t, weight = np.polynomial.hermite_e.hermegauss(8)
    weight = weight / np.sqrt(2 * np.pi)

    def pull(s: Array) -> Array:
        v = omega * s[:, None] + root * t
        return v + v**2 / 2 + v**3 / 5  # the network's mean output is 0

    along_w = mean(lambda s: slope(s) * s * (pull(s) @ weight))
    along_e = mean(lambda s: slope(s) * (pull(s) @ (weight * t)))
    on_row = 1 + rate * (along_w - along_e * omega / root)
    return rate * along_e / root + on_row * omega, on_row * root


@pytest.mark.parametrize(
    ("activation", "twin", "slope"),
    [
        ("relu", lambda x: np.maximum(x, 0), lambda x: np.heaviside(x, 0.5)),
        ("abs", np.abs, np.sign),
        ("tanh", np.tanh, lambda x: 1 / np.cosh(x) ** 2),
        ("erf", special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x)),
    ],
)
def test_tangents_are_differences_between_units(
    activation: str, twin: Function, slope: Function
) -> None:
    """Move a unit's overlap by a little and look at its mean feature."""
    law = feature_law(
        problem(
            "z + z**2/2 + z**3/5",
            activation=activation,
            readout=[1, "-1/3"],
            step="3/2",
            weights=["1/4", "3/4"],
        )
    )
    (latent,) = law.tangents
    for q, rate in enumerate((1.5, -0.5)):
        u, scale = moved_unit(rate, slope, 0)
        assert u == pytest.approx(float(law.spikes[q]), abs=1e-9)
        assert abs(scale) == pytest.approx(float(law.bulks[q]), abs=1e-9)
        for x in (0.7, -1.3):

            def average(
                weight: Function, u: float, scale: float, x: float = x
            ) -> float:
                return mean(
                    lambda s: weight(s) * twin(scale * s + u * x), -u * x / scale
                )

            h = 1e-4
            up, down = (
                average(np.ones_like, *moved_unit(rate, slope, w)) for w in (h, -h)
            )
            first = average(lambda s: s, u, abs(scale))
            second = average(lambda s: s * s - 1, u, abs(scale))
            exact = latent[q].subs({kappa: x, c1: first, c2: second})
            numeric = np.sign(scale) * (up - down) / (2 * h)
            assert numeric == pytest.approx(float(exact), abs=1e-6)


def test_kinks_count_in_the_sense_of_distributions() -> None:
    """mu_3 of relu and abs is 0, of step it is not: seen in the tangents."""
    for activation, vanishes in [("relu", True), ("abs", True), ("step", False)]:
        law = feature_law(problem("z", activation=activation, readout=1, step=1))
        assert law.tangents[0][0].has(c2) is not vanishes
    # E[step(g) He_3(g)] = -1/sqrt(2 pi), and strength mu_1 = 1/sqrt(2 pi)
    law = feature_law(problem("z", activation="step", readout=1, step=1))
    assert float(law.tangents[0][0].coeff(c2)) == pytest.approx(-1 / np.sqrt(2 * np.pi))


def test_without_curvature_the_network_is_the_spiked_model() -> None:
    trained = solve(problem("z", activation="relu", readout=[1, -1], step=3), digits=20)
    spiked = solve(
        Problem(
            features=SpikedFeatures(activation="relu", spike=["3/2", "-3/2"]),
            target=Target(function="z", noise="3/10"),
            ridge=RIDGE,
        ),
        digits=20,
    )
    assert trained.equations == "network"
    assert trained.text("generalization_error") == spiked.text("generalization_error")


def test_networks_solve_at_any_precision() -> None:
    """tanh has no closed coefficient; two precisions are two rules in g and kappa."""
    network = problem("z + z**2 - 1", activation="tanh", readout=[1, -1], step=2)
    low, high = solve(network, digits=30), solve(network, digits=45)
    assert abs(low.generalization_error - high.generalization_error) < 1e-29
    assert len(high.t) == 2


def test_gaussian_rows_change_relu_and_cost_more_functions() -> None:
    spherical, gaussian = (
        solve(
            problem("z + z**2", activation="relu", readout=[1, -1], step=1, rows=rows)
        )
        for rows in ("spherical", "gaussian")
    )
    assert len(gaussian.t) == 2 * len(spherical.t)
    assert gaussian.generalization_error < spherical.generalization_error


def test_no_linear_part_leaves_no_spike() -> None:
    """mu_1(g) = 0: what is left is a linear function of kappa, of no use here."""
    network = problem("z**2 - 1", activation="tanh", readout=[1, -1], step=2)
    law = feature_law(network)
    assert law.spikes == (0, 0)
    untrained = network.with_values({"network.step": 0})
    assert solve(network).text("generalization_error") == solve(untrained).text(
        "generalization_error"
    )


@pytest.mark.parametrize(
    ("function", "network", "says"),
    [
        ("z**2", {}, r"no spike, for target.function .*untrained network"),
        ("z", {"activation": "cos"}, r"network.activation has no linear part"),
        ("z**2", {"batch_per_dim": 9}, r"the spike is noise of the batch"),
        ("z + z**2", {}, "^$"),
        ("z + z**2", {"batch_per_dim": 9}, "^$"),
        ("z**2", {"step": 0}, "^$"),
    ],
)
def test_a_step_without_spike_is_remarked(
    function: str, network: dict[str, object], says: str
) -> None:
    fields = {"activation": "tanh", "readout": [1, -1], "step": 2, **network}
    assert re.search(says, remark(problem(function, **fields)))


def test_a_step_that_cancels_the_rows_is_refused() -> None:
    """rho = 1 + eta A mu_2 (mu_0(g) - mean output) = 1 - 2/2."""
    with pytest.raises(InputError, match=r"network.step = 1: cancels"):
        feature_law(problem("z - 1/2", activation="he2", readout=1, step=1))


def test_a_negative_scale_is_a_reflected_row() -> None:
    """Of rho and -rho the sign only reflects w: h keeps its square."""
    law = feature_law(problem("z - 2", activation="he2", readout=1, step=1))
    assert law.bulks == (3,)


def test_a_batch_does_not_see_jumps() -> None:
    with pytest.raises(InputError, match="jumps"):
        batch_law(problem("z", activation="sign", readout=1, step=1, batch_per_dim=10))


@pytest.mark.parametrize(
    ("field", "value"), [("rows", "uniform"), ("batch_per_dim", 0)]
)
def test_fields_are_checked(field: str, value: object) -> None:
    with pytest.raises(InputError, match=f"network.{field} = {value}"):
        problem("z", activation="tanh", readout=1, step=1, **{field: value})
