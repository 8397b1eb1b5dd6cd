"""What features of several spikes and their target look like, given kappa."""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import sympy as sp

from detequiv.theory.directions import directions_model
from detequiv.theory.functions import projections, z
from detequiv.theory.gaussian import Moments, conditional_moments
from detequiv.theory.models import Model
from detequiv.theory.problem.conditionals import c1
from detequiv.theory.problem.problem import Problem
from detequiv.theory.problem.tables.parts import SpikedFeatures
from detequiv.theory.problem.tables.vectors import (
    MOST_DIRECTIONS,
    is_nested,
    spread,
)

__all__ = ["DirectionsLaw", "kappas", "spikes_law"]

kappas = sp.symbols(f"kappa_1:{MOST_DIRECTIONS + 1}", real=True)
Rows = tuple[tuple[sp.Expr, ...], ...]


@dataclass(frozen=True, kw_only=True)
class DirectionsLaw:
    """Exact data of features of several spikes, and of their target.

    Attributes
    ----------
    activation : Moments
        Conditional moments of sigma, at the means ``U_q . kappa``.
    weights, bulks : tuple of Expr
        ``pi_q`` and ``rho_q``, length K.
    spikes : tuple of tuple of Expr
        ``U_q``, K vectors of length r.
    tangents : tuple of tuple of Expr
        ``h_q`` in the symbols `kappas`, c1 and c2 (of group q), length K, one tuple a
        latent of the units.
    target : Expr
        g, in z1..zk.
    alignment, rest : tuple of tuple of Expr
        Z (k, r) and S (k, P): the projections are ``Z kappa + S s``, with P more
        independent normal numbers s.
    noise_variance : Expr
        Delta.
    equations : str
        "spiked" or "network".
    """

    activation: Moments
    weights: tuple[sp.Expr, ...]
    bulks: tuple[sp.Expr, ...]
    spikes: Rows
    tangents: Rows
    target: sp.Expr
    alignment: Rows
    rest: Rows
    noise_variance: sp.Expr
    equations: str

    @property
    def model(self) -> Model:
        """The potentials with as many groups, latents and directions."""
        return directions_model(len(self.spikes), len(self.tangents), len(self.rest[0]))


@lru_cache(maxsize=64)
def spikes_law(problem: Problem) -> DirectionsLaw:
    """Describe features of several spikes, or a target of several projections."""
    features, target = cast(SpikedFeatures, problem.features), problem.target
    spikes = features.spike if features.several else tuple((u,) for u in features.spike)
    directions = len(spikes[0])
    alignment = target.alignment
    if not is_nested(alignment):
        rows = sp.eye(max(target.projections, directions))
        alignment = rows[: target.projections, :directions]
    overlaps = sp.Matrix(alignment)
    rest = spread(_rows(overlaps))
    assert rest is not None
    return DirectionsLaw(
        activation=conditional_moments(features.activation),
        weights=features.weights,
        bulks=features.bulk,
        spikes=spikes,
        tangents=tuple(
            (kappa * c1,) * features.groups for kappa in kappas[:directions]
        ),
        target=target.function.subs(z, projections[0]),
        alignment=_rows(overlaps),
        rest=_rows(rest),
        noise_variance=target.noise**2,
        equations="spiked",
    )


def _rows(matrix: sp.Matrix) -> Rows:
    return tuple(tuple(matrix[i, :]) for i in range(matrix.rows))
