"""What features of several spikes and their target look like, given kappa."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import sympy as sp

from detequiv.theory.directions import directions_model
from detequiv.theory.functions import projections, sign, z
from detequiv.theory.gaussian import Moments, conditional_moments
from detequiv.theory.models import Model
from detequiv.theory.problem.conditionals import c1, c2
from detequiv.theory.problem.problem import Problem
from detequiv.theory.problem.tables.parts import Network, SpikedFeatures
from detequiv.theory.problem.tables.vectors import (
    MOST_DIRECTIONS,
    is_nested,
    spread,
)

__all__ = ["DirectionsLaw", "kappas", "spikes_law", "steps_law"]

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


def steps_law(problem: Problem, states: Sequence[Sequence[sp.Expr]]) -> DirectionsLaw:
    """Describe a network after its steps.

    Parameters
    ----------
    problem : Problem
        With a network.
    states : sequence of sequence of Expr
        Of the groups, in the order of `detequiv.theory.directions.StepMap`.
    """
    network, target = cast(Network, problem.network), problem.target
    count = target.projections
    groups = [_group(state, count) for state in states]
    return DirectionsLaw(
        activation=conditional_moments(network.activation),
        weights=network.weights,
        bulks=tuple(sp.Abs(state[0]) for state in states),
        spikes=tuple(tuple(state[1 + count : 1 + 2 * count]) for state in states),
        tangents=tuple(zip(*groups, strict=True)),
        target=target.function.subs(z, projections[0]),
        alignment=_rows(sp.eye(count)),
        rest=((),) * count,
        noise_variance=target.noise**2,
        equations="network",
    )


def _group(state: Sequence[sp.Expr], count: int) -> tuple[sp.Expr, ...]:
    """Tangents of one group: what each overlap of a row adds to its mean feature.

    At the mean ``(s omega + b) . kappa``: ``dc0/dm = c1/|s|``, ``dc0/d|s| = c2/|s|``.
    """
    scale, bends = state[0], state[1 : 1 + count]
    turns = sp.Matrix(count, count, state[1 + 2 * count :])
    side = sign(scale)
    return tuple(
        (
            (scale * kappas[i] + sp.Matrix(kappas[:count]).dot(turns[:, i])) * c1
            + side * bends[i] * c2
        )
        / (side * scale)
        for i in range(count)
    )


def _rows(matrix: sp.Matrix) -> Rows:
    return tuple(tuple(matrix[i, :]) for i in range(matrix.rows))
