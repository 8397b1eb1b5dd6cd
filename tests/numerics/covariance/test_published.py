"""Published formulas for ridge regression and random features, any covariance."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

import detequiv as de

NOISE = 0.3
POWERS = [(0.3, 0.3), (0.45, 0.9), (1.0, 1.0), (1.5, 1.2), (2.5, 2.0)]


def problem(
    activation: str, exponents: tuple[float, float], alpha: float, beta: float, lam: str
) -> de.Problem:
    capacity, source = exponents
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=0),
        inputs=de.Inputs(
            power_law={"exponent": capacity, "levels": 60, "target_exponent": source}
        ),
        target=de.Target(function="z", noise=NOISE),
        ridge=de.Ridge(samples_per_dim=alpha, width_per_dim=beta, penalty=lam),
    )


def levels(exponents: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    i = np.arange(1, 61.0)
    s, power = i ** -exponents[0], i ** -exponents[1]
    return s / s.mean(), power / power.sum()


def root(
    function: Callable[[float], float], low: float = 1e-14, high: float = 1e14
) -> float:
    """Zero of a rising function of a positive number; `low` if it rose before."""
    if function(low) > 0:
        return low
    found = brentq(lambda t: function(np.exp(t)), np.log(low), np.log(high), xtol=1e-15)
    return float(np.exp(found))


def hastie(
    s: np.ndarray, power: np.ndarray, alpha: float, penalty: float
) -> tuple[float, float]:
    r"""Hastie, Montanari, Rosset and Tibshirani, arXiv:1903.08560, theorem 5.

    Test error and mean degrees of freedom of ridge regression on x itself: with
    ``kappa`` the solution of ``alpha - penalty/kappa = <s/(s + kappa)>``,

        error = (kappa^2 <power s / s (s + kappa)^-2> + Delta) / (1 - df2/alpha).
    """
    kappa = root(lambda k: alpha - penalty / k - np.mean(s / (s + k)))
    df2 = np.mean((s / (s + kappa)) ** 2)
    bias = kappa**2 * np.sum(power / (s + kappa) ** 2)
    return float((bias + NOISE**2) / (1 - df2 / alpha)), kappa


@pytest.mark.parametrize("exponents", POWERS)
@pytest.mark.parametrize(("alpha", "penalty"), [(0.6, "0.05"), (2.2, "0.3")])
def test_many_linear_features_are_ridge_regression_on_the_inputs(
    exponents: tuple[float, float], alpha: float, penalty: str
) -> None:
    # the kernel of p linear features is W^T W / p -> 1/d, up to 1/beta
    linear = problem("z", exponents, alpha, 1e14, penalty)
    square = linear.with_values({"ridge.width_per_dim": 1})
    itself = replace(square, features=None)
    error, _ = hastie(*levels(exponents), alpha, float(penalty))
    for found in (de.solve(linear, digits=12), de.solve(itself, digits=12)):
        assert float(found.generalization_error) == pytest.approx(error, rel=1e-10)


def coefficients(activation: str) -> tuple[float, float]:
    """Find the linear and the remaining power: mu_1^2, mu_*^2."""
    x, w = np.polynomial.hermite_e.hermegauss(200)
    w = w / w.sum()
    f = {
        "z": x,
        "tanh": np.tanh(x),
        "erf(z)": erf(x),
        "sin": np.sin(x),
    }[activation]
    mu0, mu1 = w @ f, w @ (f * x)
    tail = float(w @ f**2 - mu0**2 - mu1**2)
    return float(mu1**2), 0.0 if activation == "z" else tail


def defilippis(
    eigenvalues: np.ndarray,
    target: np.ndarray,
    tail: float,
    n: float,
    p: float,
    penalty: float,
) -> float:
    r"""Defilippis, Loureiro and Misiakiewicz, arXiv:2405.15699, definitions 1 and 2.

    Eigenvalues ``xi_i^2`` of the features' operator and coefficients ``beta_i`` of the
    target; `tail` is the sum of the eigenvalues that are infinitely many and small.
    """

    def traces(nu2: float) -> tuple[float, float, float]:
        shrunk = eigenvalues / (eigenvalues + nu2)
        return (
            float(shrunk.sum() + tail / nu2),
            float((shrunk**2).sum()),
            float((eigenvalues / (eigenvalues + nu2) ** 2).sum() + tail / nu2**2),
        )

    def nu1(nu2: float) -> float:
        # p - p nu1 / nu2 = Tr F (F + nu2)^-1
        return nu2 * (1 - traces(nu2)[0] / p)

    lowest = root(lambda nu2: p - traces(nu2)[0])
    nu2 = root(
        lambda nu2: n - penalty / nu1(nu2) - traces(nu2)[0], lowest * (1 + 1e-13)
    )
    _, second, first = traces(nu2)
    share = nu1(nu2) / nu2
    upsilon = p / n * ((1 - share) ** 2 + share**2 * second / (p - second))
    chi = first / (p - second)
    plain = np.sum(target**2 / (eigenvalues + nu2) ** 2)
    weighted = np.sum(target**2 * eigenvalues / (eigenvalues + nu2) ** 2)
    bias = nu2**2 / (1 - upsilon) * (plain + chi * weighted)
    return float(bias + NOISE**2 / (1 - upsilon))


def simon(
    eigenvalues: np.ndarray,
    target: np.ndarray,
    tail: float,
    n: float,
    k: float,
    penalty: float,
) -> float:
    """Simon, Karkada, Ghosh and Belkin, arXiv:2311.14646: the RF eigenframework.

    Ridge regression with the kernel ``Phi Phi^T / k`` of k features.
    """

    def sums(gamma: float) -> tuple[float, float]:
        shrunk = eigenvalues / (eigenvalues + gamma)
        return float(shrunk.sum() + tail / gamma), float((shrunk**2).sum())

    # n = z + penalty/kappa and k = z + k kappa/gamma, without kappa
    low = root(lambda x: min(n, k) - sums(x)[0])
    gamma = root(
        lambda x: (n - sums(x)[0]) * (k - sums(x)[0]) * x - k * penalty,
        low * (1 + 1e-13),
    )
    z, q = sums(gamma)
    kappa = gamma * (k - z) / k
    factor = 1 / (1 - (q * (k - 2 * z) + z**2) / (n * (k - q)))
    left = gamma / (eigenvalues + gamma)
    left -= kappa * eigenvalues / (eigenvalues + gamma) ** 2 * k / (k - q)
    return float(factor * (left @ target**2 + NOISE**2))


RANDOM_FEATURES = [
    ("tanh", (0.3, 0.3), 1.4, 2.5, "0.02"),
    ("tanh", (0.45, 0.9), 0.7, 0.4, "0.3"),
    ("tanh", (0.2, 1.5), 3.0, 1.5, "1"),
    ("sin", (0.4, 0.1), 0.5, 3.0, "0.1"),
    ("sin", (0.45, 2.0), 2.0, 8.0, "0.003"),
    ("erf(z)", (0.1, 0.7), 1.0, 1.0, "0.05"),
    ("erf(z)", (0.45, 0.45), 5.0, 0.8, "0.2"),
    ("z", (1.0, 1.0), 0.8, 0.9, "0.01"),
    ("z", (1.5, 2.2), 2.0, 0.5, "0.1"),
    ("z", (2.0, 0.5), 0.5, 4.0, "0.5"),
]


@pytest.mark.parametrize(
    ("activation", "exponents", "alpha", "beta", "penalty"), RANDOM_FEATURES
)
def test_untrained_random_features_with_power_laws(
    activation: str,
    exponents: tuple[float, float],
    alpha: float,
    beta: float,
    penalty: str,
) -> None:
    s, power = levels(exponents)
    mu1, tail = coefficients(activation)
    # 60 directions stand for d: n = alpha d and p = beta d, eigenvalues mu_1^2 s_i / d
    d = len(s)
    found = de.solve(problem(activation, exponents, alpha, beta, penalty), digits=12)
    arguments = (
        mu1 * s / d,
        np.sqrt(power),
        tail,
        alpha * d,
        beta * d,
        float(penalty),
    )
    error = float(found.generalization_error)
    assert error == pytest.approx(defilippis(*arguments), rel=1e-10)
    assert error == pytest.approx(simon(*arguments), rel=1e-10)
