"""Inputs with a covariance, the slow and obvious way.

The plain iteration of the written-out equations, and the Energy as one least squares
in all components of all levels, of which nothing is eliminated. The test error is a
difference of Energies. Float64, sums on a fixed grid, no SymPy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from iteration import DENSITY, GRID
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Leveled:
    """One problem: functions of kappa on the grid, and levels.

    `c0`, `c1`, `cs` (K, n) are conditional moments, c1 in units of rho_q; `s`, `omega`
    (S,), `scales` (K, S) the levels, scales in units of rho_q; `v`, `w` (D, 2) the
    components of spike and target along D directions, `at` (D,) their levels; `k`
    (K, n) what the component along w* adds; `norms` a list of (function (K, n),
    variance (K,)); tau0, tau1, tau2 (n,) the target.
    """

    c0: Array
    c1: Array
    cs: Array
    s: Array
    omega: Array
    scales: Array
    at: Sequence[int]
    v: Array
    w: Array
    zeta: float
    k: Array
    norms: Sequence[tuple[Array, Array]]
    tau0: Array
    tau1: Array
    tau2: Array
    pi: Array
    alpha: float
    beta: float
    ridge: float

    def stationary(self, ridge: float, source: float) -> tuple[Array, Array, Array]:
        """Solve for g and B, and w on the grid, by iteration from chi = 0."""
        groups, chi = len(self.pi), np.zeros_like(GRID)
        g = np.full(groups, 1 / ridge)
        for _ in range(5000):
            w = self.alpha / self.beta / (1 + chi) + source
            b = (self.c1 * w * DENSITY) @ self.c1.T
            a, slope = np.zeros((groups, groups)), np.zeros(groups)
            v = np.diag(self.beta * self.pi * g)
            for s, omega, r in zip(self.s, self.omega, self.scales.T, strict=True):
                field = s * np.diag(r) @ b @ np.diag(r)
                inverse = np.linalg.inv(np.eye(groups) + v @ field)
                a += omega * s * np.diag(r) @ inverse @ v @ np.diag(r)
                slope += omega * np.diag(field @ inverse)
            new = 1 / (ridge + self.cs @ (w * DENSITY) + slope)
            chi = (self.pi * new) @ self.cs + np.einsum(
                "in,ij,jn->n", self.c1, a, self.c1
            ) / self.beta
            done = np.max(np.abs(new / g - 1)) < 1e-15
            g = new
            if done:
                break
        return g, b, w

    def energy(self, ridge: float, source: float) -> float:
        """Minimise over m, over every r_i, and over what the norms add."""
        g, _, w = self.stationary(ridge, source)
        groups, mass = len(self.pi), w * DENSITY
        v = self.beta * self.pi * g
        spike = np.sqrt(self.s[list(self.at)]) * self.v
        target = np.sqrt(self.s[list(self.at)]) * self.w
        # components of z orthogonal to the spike's direction
        frame = np.eye(len(spike)) - np.outer(spike, spike)
        beside = np.zeros_like(spike)
        if self.zeta**2 < 1:
            beside = (target - self.zeta * spike) / np.sqrt(1 - self.zeta**2)
        rows = [self.c0]  # functions of kappa, (coefficients, n)
        linear: list[Array] = [np.zeros((groups, len(spike), len(GRID)))]
        price = [np.zeros(groups)]
        for i, level in enumerate(self.at):
            size = np.sqrt(self.s[level]) * self.scales[:, level, None] * self.c1
            rows.append(
                size * spike[i] * GRID + np.sqrt(self.s[level]) * target[i] * self.k
            )
            linear.append(frame[i][None, :, None] * size[:, None, :])
            price.append(1 / v)
        for function, variance in self.norms:
            rows.append(function)
            linear.append(np.zeros((groups, len(spike), len(GRID))))
            price.append(1 / (v * variance))
        means, slopes = np.concatenate(rows), np.concatenate(linear)
        matrix = (means * mass) @ means.T + np.diag(np.concatenate(price))
        matrix += np.einsum("aln,bln,n->ab", slopes, slopes, mass)
        right = means @ (mass * self.tau0)
        right += np.einsum("aln,l,n->a", slopes, beside, mass * self.tau1)
        y = np.linalg.lstsq(matrix, right, rcond=1e-13)[0]
        squares = self.tau0**2 + self.tau1**2 + self.tau2
        return float(mass @ squares - y @ right)

    def quantities(self) -> dict[str, float]:
        """Test error, training error and |a|^2/p, by differences of Energies."""
        _, _, w = self.stationary(self.ridge, 0)
        step = 1e-3 * w.min()
        by_source = _slope(lambda e: self.energy(self.ridge, e), 0, step)
        by_ridge = _slope(lambda x: self.energy(x, 0), self.ridge, 1e-3 * self.ridge)
        energy = self.energy(self.ridge, 0)
        return {
            "generalization_error": by_source,
            "training_error": self.beta / self.alpha * (energy - self.ridge * by_ridge),
            "readout_norm": by_ridge,
            "ridge_objective": energy,
        }


def _slope(function: Any, at: float, step: float) -> float:
    """Differentiate, to order 4."""
    near, far = (
        (function(at + k * step) - function(at - k * step)) / (2 * k * step)
        for k in (1, 2)
    )
    return float((4 * near - far) / 3)
