"""The reduced equations of many groups, in float64: matrices over the nodes in kappa.

K groups, n nodes in kappa. With ``M = I + sqrt(P) C sqrt(P)``, never worse conditioned
than the regression itself, every derivative of ``log det M`` is a product of matrices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import FLOATS, compile_expressions
from detequiv.theory.continuum import reduced_potential
from detequiv.theory.models import energy, energy_ridge, energy_source

__all__ = ["Outputs", "State", "System"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outputs:
    """Quantities; coefficients of c0 (K, overlaps) and of other functions (L, K)."""

    quantities: Array
    means: Array
    tangents: Array


@dataclass(frozen=True)
class System:
    """A problem's numbers on nodes.

    Attributes
    ----------
    weights : (n,) array
        Of the rule in kappa.
    c1, cs : (K, n) arrays
    c0 : (K, W, n) array
        Mean features by the nodes in the overlap.
    tangents : (L, K, n) array
    target : (3, n) array
        tau0, tau1 and tau2.
    shares, overlaps : (K,) and (W,) arrays
        Probabilities of the nodes.
    parameters : tuple of float
        alpha, beta, lambda, the source, the noise's variance.
    width : float
        p.
    """

    weights: Array
    c1: Array
    cs: Array
    c0: Array
    tangents: Array
    target: Array
    shares: Array
    overlaps: Array
    parameters: tuple[float, ...]
    width: float

    def evaluate(self, name: str, at: Array) -> list[Array]:
        """Scalars of the potential, over g, w or chi; see `_compiled`."""
        values = _compiled()[name](*self.parameters, self.shares, self.width, at)
        return [np.broadcast_to(v, at.shape) for v in values]


@lru_cache(maxsize=1)
def _compiled() -> dict[str, Callable[..., list[Any]]]:
    """Scalars by what they depend on: g of the groups, w or chi of the nodes."""
    reduced = reduced_potential()
    model, w = reduced.model, reduced.weight
    (g,) = model.unknowns.positive
    conjugate = reduced.conjugate
    expressions = {
        model.chi: [reduced.from_leverage],
        g: [
            sp.diff(reduced.own, g),
            sp.diff(reduced.own, g, 2),
            sp.diff(reduced.linear, g),
            sp.diff(reduced.mean, g),
            sp.diff(reduced.variance, g),
            sp.diff(reduced.own, g, model.ridge),
        ],
        w: [
            reduced.leverage,
            sp.diff(conjugate, w, 2),
            sp.diff(conjugate, w, model.source),
        ],
    }
    return {
        name: compile_expressions([*model.parameters, model.width, by], e, FLOATS)
        for name, (by, e) in zip(("chi", "g", "w"), expressions.items(), strict=True)
    }


@dataclass(frozen=True)
class State:
    """The equations at one place: g over the groups, w over the nodes.

    Unknowns are the logarithms of both. The equation of a node is that of its chi; that
    of a group its part of the gradient by ``log g``.
    """

    system: System
    g: Array
    w: Array

    @cached_property
    def _groups(self) -> list[Array]:
        return self.system.evaluate("g", self.g)

    @cached_property
    def _nodes(self) -> list[Array]:
        return self.system.evaluate("w", self.w)

    @cached_property
    def _root(self) -> Array:
        root: Array = np.sqrt(self.system.weights * self.w)
        return root

    def _inverse(self, functions: Array, over_price: Array) -> tuple[Array, Array]:
        """``sum f f^T / price`` and ``(P^-1 + that)^-1``, by functions (F, n)."""
        covariance = (functions.T * over_price) @ functions
        root = self._root
        matrix = root[:, None] * covariance * root + np.eye(len(root))
        if not np.isfinite(matrix).all():
            raise np.linalg.LinAlgError("not finite")
        # SciPy takes longer to import than most problems to solve
        from scipy.linalg import cho_factor, cho_solve

        inverse = cho_solve(cho_factor(matrix), np.eye(len(root)))
        return covariance, root[:, None] * inverse * root

    @cached_property
    def _linear(self) -> tuple[Array, Array]:
        return self._inverse(self.system.c1, self._groups[2] * self.g)

    @cached_property
    def _seen(self) -> tuple[Array, Array]:
        """``c1 R c1^T`` (K, K), and ``(I - C R) c1`` (K, n)."""
        covariance, inverse = self._linear
        c1 = self.system.c1
        projected = c1 @ inverse
        return projected @ c1.T, c1 - projected @ covariance

    @cached_property
    def leverage(self) -> Array:
        """Chi at the nodes, as g and w together give it."""
        covariance, inverse = self._linear
        kept = covariance - covariance @ inverse @ covariance
        found: Array = np.diag(kept) / self._beta + self._variance @ self.system.cs
        return found

    @property
    def _beta(self) -> float:
        return float(self.system.parameters[1])

    @property
    def _variance(self) -> Array:
        return self._groups[4] * self.g

    @cached_property
    def slope(self) -> Array:
        """Derivative of Psi by each g."""
        own, _, linear, _, variance, _ = self._groups
        weights = self.system.weights * self.w
        found: Array = (
            own
            + linear * np.diag(self._seen[0]) / self._beta
            + variance * (self.system.cs @ weights)
        )
        return found

    @property
    def residual(self) -> Array:
        """All equations, in units of the share of a group and of chi."""
        return np.concatenate(
            [self.slope * self.g / self.system.shares, self.leverage - self._nodes[0]]
        )

    @cached_property
    def jacobian(self) -> Array:
        """Derivatives of the equations by the logarithms, groups first."""
        system, g, w, beta = self.system, self.g, self.w, self._beta
        _, bend, linear, _, variance, _ = self._groups
        coupling, left = self._seen
        covariance, inverse = self._linear
        kept = covariance - covariance @ inverse @ covariance
        pulled = linear[:, None] * left**2 / beta + variance[:, None] * system.cs
        groups = -np.outer(linear, linear) * coupling**2 / beta
        groups[np.diag_indices(len(g))] += bend
        nodes = -(system.weights * kept**2) / beta
        nodes[np.diag_indices(len(w))] += self._nodes[1]
        by_groups = groups * g
        by_groups[np.diag_indices(len(g))] += self.slope
        unit = (g / system.shares)[:, None]
        return np.block(
            [
                [unit * by_groups, unit * pulled * system.weights * w],
                [pulled.T * g, nodes * w],
            ]
        )

    def moved(self, step: NDArray[Any]) -> "State":
        """Go a step in the logarithms."""
        count = len(self.g)
        g, w = self.g * np.exp(step[:count]), self.w * np.exp(step[count:])
        return State(self.system, g, w)

    def outputs(self) -> Outputs:
        """Report quantities, by one adjoint solve."""
        system, g, w = self.system, self.g, self.w
        _, _, linear, mean, _, ridge = self._groups
        tau0, tau1, tau2 = system.target
        size = len(tau0)
        functions = np.concatenate(
            [system.c0.reshape(-1, size), system.tangents.reshape(-1, size)]
        )
        latents = len(system.tangents)
        over_price = np.concatenate(
            [np.outer(mean, system.overlaps).ravel(), np.tile(linear, latents)]
        )
        owner = np.concatenate(
            [
                np.repeat(np.arange(len(g)), len(system.overlaps)),
                np.tile(np.arange(len(g)), latents),
            ]
        )
        _, inverse = self._inverse(functions, over_price * g[owner])
        first, second = inverse @ tau0, self._linear[1] @ tau1
        weights = system.weights * w
        value = tau0 @ first + tau1 @ second + weights @ tau2
        seen = functions @ first
        by_g = -np.bincount(owner, over_price * seen**2, len(g))
        by_g -= linear * (system.c1 @ second) ** 2
        by_w = (first**2 + second**2) / weights**2 + tau2
        slopes = np.concatenate([by_g * g, by_w * system.weights * w])
        adjoint = np.linalg.solve(self.jacobian.T, slopes)
        by_ridge = np.concatenate([ridge * g / system.shares, np.zeros(size)])
        by_source = np.concatenate([np.zeros(len(g)), self._nodes[2]])
        totals = value, -(adjoint @ by_source), -(adjoint @ by_ridge)
        coefficients = over_price * g[owner] * seen
        means = len(g) * len(system.overlaps)
        return Outputs(
            self._quantities(*totals),
            coefficients[:means].reshape(len(g), -1),
            coefficients[means:].reshape(latents, len(g)),
        )

    def _quantities(self, value: float, by_source: float, by_ridge: float) -> Array:
        trace = float(self._variance.sum())
        found = _reported()(*self.system.parameters, value, by_source, by_ridge, trace)
        return np.array(found, float)


@lru_cache(maxsize=1)
def _reported() -> Callable[..., list[Any]]:
    """Quantities, by the energies and the resolvent's trace."""
    model = reduced_potential().model
    trace = sp.Symbol("trace")
    one = model.quantities["resolvent_trace"]
    return compile_expressions(
        [*model.parameters[:5], energy, energy_source, energy_ridge, trace],
        [trace if e == one else e for e in model.quantities.values()],
        FLOATS,
    )
