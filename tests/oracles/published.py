"""Closed forms as the papers print them: the oracles of the eliminated ones."""

from typing import Any

import mpmath as mp
import sympy as sp

__all__ = ["hastie_et_al", "mei_montanari", "pennington_worah"]


def pennington_worah(g: Any, numbers: dict[str, Any]) -> Any:
    """What vanishes at the trace g of ``(Phi^T Phi / p + lambda)^{-1} / p``.

    Pennington and Worah (2017), theorem 1: with M = Y Y^T / m, Y of n1 x m entries of
    f(W X) and inputs in n0 dimensions, phi = n0/m and psi = n0/n1, the trace G(z) of
    (z - M)^{-1} is ``G = (psi / z) P(1 / (z psi)) + (1 - psi) / z``, where
    ``P = 1 + (eta - zeta) t Q + t Q zeta / (1 - t Q zeta)``, ``Q = P_phi P_psi``,
    ``P_phi = 1 + (P - 1) phi`` and ``P_psi = 1 + (P - 1) psi``; eta = E f^2 and
    zeta = (E f')^2.
    """
    alpha, beta, ridge = (numbers[name] for name in ("alpha", "beta", "lambda"))
    zeta, rest = numbers["c1"] ** 2, numbers["cs"]
    phi, psi = 1 / alpha, 1 / beta
    z = -ridge * beta / alpha  # M = Phi^T Phi / n
    trace = -g * alpha / beta
    p, t = (z * trace - 1 + psi) / psi, 1 / (z * psi)
    both = (1 + (p - 1) * phi) * (1 + (p - 1) * psi) * t
    value = 1 + rest * both + both * zeta / (1 - both * zeta) - p
    return sp.numer(sp.together(value)) if isinstance(value, sp.Expr) else value


def mei_montanari(numbers: dict[str, Any]) -> Any:
    """Test error, noise included; Mei and Montanari (2019), theorem 2.

    Their penalty is ``(N lambda / d) |a|^2`` beside a mean over the n samples, their
    predictor a plain sum over the N units: theirs is ours over alpha.
    """
    n = {name: mp.mpf(mp.mpmathify(value)) for name, value in numbers.items()}
    psi1, psi2, star = n["beta"], n["alpha"], n["cs"]
    zeta = n["c1"] / mp.sqrt(star)
    bar = n["lambda"] / n["alpha"] / star
    xi = mp.sqrt(psi1 * psi2 * bar)  # nu is i times a positive number at i xi

    def step(x: Any, y: Any) -> tuple[Any, Any]:
        inner = 1 + zeta**2 * x * y
        return (
            psi1 / (xi + y + zeta**2 * y / inner),
            psi2 / (xi + x + zeta**2 * x / inner),
        )

    x, y = mp.mpf(0), mp.mpf(0)
    for _ in range(100_000):
        new = step(x, y)
        new = (x + new[0]) / 2, (y + new[1]) / 2
        done = abs(new[0] - x) + abs(new[1] - y) < mp.eps * 100
        x, y = new
        if done:
            break
    chi = -x * y
    z2, z4, z6 = zeta**2, zeta**4, zeta**6
    e0 = (
        -(chi**5) * z6
        + 3 * chi**4 * z4
        + (psi1 * psi2 - psi2 - psi1 + 1) * chi**3 * z6
        - 2 * chi**3 * z4
        - 3 * chi**3 * z2
        + (psi1 + psi2 - 3 * psi1 * psi2 + 1) * chi**2 * z4
        + 2 * chi**2 * z2
        + chi**2
        + 3 * psi1 * psi2 * chi * z2
        - psi1 * psi2
    )
    e1 = psi2 * chi**3 * z4 - psi2 * chi**2 * z2 + psi1 * psi2 * chi * z2 - psi1 * psi2
    e2 = (
        chi**5 * z6
        - 3 * chi**4 * z4
        + (psi1 - 1) * chi**3 * z6
        + 2 * chi**3 * z4
        + 3 * chi**3 * z2
        + (-psi1 - 1) * chi**2 * z4
        - 2 * chi**2 * z2
        - chi**2
    )
    noise, rest = n["Delta"], n["mu_rest"] ** 2
    return n["mu_1"] ** 2 * e1 / e0 + (noise + rest) * e2 / e0 + rest + noise


def hastie_et_al(alpha: Any, ridge: Any, noise: Any, signal: Any) -> Any:
    """Test error of ridge regression, noise included; Hastie et al. (2019), theorem 5.

    ``r^2 lambda^2 m'(-lambda) + sigma^2 gamma (m(-lambda) - lambda m'(-lambda))`` with
    m the transform of the Marchenko-Pastur law of ratio gamma = d/n; lambda is beside a
    mean over the samples, ours over alpha.
    """
    gamma, x = 1 / alpha, -ridge / alpha
    root = mp.sqrt((1 - gamma - x) ** 2 - 4 * gamma * x)
    m = (1 - gamma - x - root) / (2 * gamma * x)
    # by differentiation of gamma x m^2 - (1 - gamma - x) m + 1 = 0
    slope = -(gamma * m**2 + m) / (2 * gamma * x * m - (1 - gamma - x))
    return noise + signal**2 * x**2 * slope + noise * gamma * (m + x * slope)
