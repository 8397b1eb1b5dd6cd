"""What a problem's features look like at a finite width."""

from collections.abc import Sequence
from dataclasses import replace
from math import isqrt

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
    bent = scale * _beside(omega) + drho * omega
    return strength + du * omega, sp.Abs(bent)


def _beside(omega: sp.Expr) -> sp.Expr:
    """``sqrt(1 - omega^2)``; of a number near a node, a fraction that is as near.

    SymPy would look for prime factors of numbers with a hundred digits.
    """
    square = 1 - omega**2
    if not square.is_Rational:
        return sp.sqrt(square)
    shift = int(square.q).bit_length()
    root = isqrt(int(square.p) * int(square.q) << 2 * shift)
    return sp.Rational(root, int(square.q) << shift)


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
