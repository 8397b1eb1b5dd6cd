"""The slow, obvious twin of the solver: damped iteration of the written-out equations.

Float64, trapezoidal sums on a fixed grid, no SymPy: the equations of the deterministic
equivalent as one would copy them from the paper. It is the oracle of the tests, and
the baseline of the speed measurements.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[Any]
Moments = Callable[[Array, float], tuple[Array, Array, Array]]
GRID = np.arange(-9.5, 9.5, 0.04)
DENSITY = np.exp(-(GRID**2) / 2) / np.sqrt(2 * np.pi) * 0.04
STEP = 1e-9  # of complex differences, which do not cancel


def by_sums(function: Callable[[Array], Array]) -> Moments:
    """Conditional moments c0, c1, cs of a smooth function, by sums over the grid."""

    def moments(means: Array, scale: float) -> tuple[Array, Array, Array]:
        values = function(scale * GRID + means[:, None])
        c0, c1 = values @ DENSITY, values @ (DENSITY * GRID)
        return c0, c1, values**2 @ DENSITY - c0**2 - c1**2

    return moments


def relu(means: Array, scale: float) -> tuple[Array, Array, Array]:
    """Conditional moments of max(z, 0)."""
    share = ndtr(means / scale)
    bell = np.exp(-((means / scale) ** 2) / 2) / np.sqrt(2 * np.pi)
    c0, c1 = means * share + scale * bell, scale * share
    second = (means**2 + scale**2) * share + means * scale * bell
    return c0, c1, second - c0**2 - c1**2


@dataclass(frozen=True, kw_only=True)
class Iterated:
    """Spiked random features in float64.

    `activation` and `target` are functions of (means, scale): conditional moments.
    """

    activation: Moments
    target: Moments
    spike: Sequence[float]
    bulk: Sequence[float]
    weights: Sequence[float]
    alignment: float
    noise: float
    alpha: float
    beta: float
    ridge: float

    def moments(self) -> tuple[Array, Array, Array]:
        """c0, c1 and cs, each of shape (K, n)."""
        groups = zip(self.spike, self.bulk, strict=True)
        each = [self.activation(u * GRID, rho) for u, rho in groups]
        c0, c1, cs = map(np.array, zip(*each, strict=True))
        return c0, c1, cs

    def labels(self) -> tuple[Array, Array, Array]:
        """tau0, tau1 and tau2, each of shape (n,)."""
        spread = np.sqrt(1 - self.alignment**2)
        tau0, tau1, rest = self.target(self.alignment * GRID, spread)
        return tau0, tau1, rest + self.noise**2

    def resolvent(
        self, moments: tuple[Array, Array, Array], source: complex, ridge: complex
    ) -> tuple[Array, Array]:
        """Iterate g and A to the fixed point; return g and the weight w(kappa)."""
        _, c1, cs = moments
        pi, groups = np.array(self.weights), len(self.spike)
        g = np.full(groups, 1 / ridge)
        a = np.diag(self.beta * pi * g)
        for _ in range(100_000):
            chi = (pi * g) @ cs + np.einsum("qk,qr,rk->k", c1, a, c1) / self.beta
            w = self.alpha / self.beta / (1 + chi) + source
            b = (c1 * (w * DENSITY)) @ c1.T
            v = np.diag(self.beta * pi * g)
            d = ridge + cs @ (w * DENSITY)
            identity = np.eye(groups)
            new_g = 1 / (d + np.diag(b @ np.linalg.inv(identity + v @ b)))
            new_a = np.linalg.inv(np.linalg.inv(v) + b)
            change = np.abs(new_g / g - 1).max()
            g, a = (g + new_g) / 2, (a + new_a) / 2
            if change < 1e-14:
                return g, w
        raise AssertionError("the damped iteration did not converge")

    def energy(self, source: complex = 0.0, ridge: complex | None = None) -> complex:
        """Minimal Energy at a source and a penalty, analytic in both."""
        ridge = self.ridge if ridge is None else ridge
        moments = self.moments()
        c0, c1, _ = moments
        g, w = self.resolvent(moments, source, ridge)
        w = w * DENSITY
        shrinkage = 1 / (self.beta * np.array(self.weights) * g)
        tau0, tau1, tau2 = self.labels()

        def fit(functions: Array, penalty: Array, values: Array) -> complex:
            right = functions @ (w * values)
            normal = (functions * w) @ functions.T + np.diag(penalty)
            return complex(w @ values**2 - right @ np.linalg.solve(normal, right))

        free = np.concatenate([np.zeros(len(c0)), shrinkage])
        in_kappa = fit(np.vstack([c0, GRID * c1]), free, tau0)
        return in_kappa + fit(c1, shrinkage, tau1) + complex(w @ tau2)

    def generalization_error(self) -> float:
        """Total derivative of the Energy by the source, by a complex step."""
        return self.energy(source=STEP * 1j).imag / STEP

    def readout_norm(self) -> float:
        """Total derivative of the Energy by the penalty, by a complex step."""
        return self.energy(ridge=self.ridge + STEP * 1j).imag / STEP
