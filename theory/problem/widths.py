"""What a problem's features look like at a finite width."""

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from detequiv.theory.problem.conditionals import FeatureLaw, law_of
from detequiv.theory.problem.problem import Problem
from detequiv.theory.problem.step import trained_groups

__all__ = ["at_overlap", "law_at_width"]


def law_at_width(problem: Problem, nodes: Sequence[sp.Rational]) -> FeatureLaw:
    """Put the units' overlaps with the spike on nodes.

    Parameters
    ----------
    problem : Problem
        Of any width.
    nodes : sequence of Rational
        Overlaps omega of a unit's row with the spike's direction, in (-1, 1).

    Returns
    -------
    FeatureLaw
        That of the limit, with strengths and scales at each node.
    """
    law = law_of(problem)
    mixture = []
    for strength, scale, latent in _overlaps(problem, law):
        mixture += [at_overlap(strength, scale, latent, omega) for omega in nodes]
    return replace(law, mixture=tuple(mixture), tangents=law.tangents[1:])


def at_overlap(
    strength: sp.Expr, scale: sp.Expr, latent: tuple[sp.Expr, sp.Expr], omega: sp.Expr
) -> tuple[sp.Expr, sp.Expr]:
    """Strength and scale of a unit of a group, whose overlap with the spike is omega.

    `latent` is what an overlap of 1 adds to them.
    """
    du, drho = latent
    bent = scale * sp.sqrt(1 - omega**2) + drho * omega
    return strength + du * omega, sp.Abs(bent)


def _overlaps(
    problem: Problem, law: FeatureLaw
) -> list[tuple[sp.Expr, sp.Expr, tuple[sp.Expr, sp.Expr]]]:
    """Strength and scale of each group, and what an overlap of 1 adds to them."""
    if problem.network is None:
        return [
            (u, rho, (rho, sp.S.Zero))
            for u, rho in zip(law.spikes, law.bulks, strict=True)
        ]
    return [
        (group.strength, group.scale, group.latents[0])
        for group in trained_groups(problem.network, problem.target)
    ]
