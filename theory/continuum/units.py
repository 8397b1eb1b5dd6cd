"""Units whose readouts have a density, after a gradient step: groups in a continuum."""

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from detequiv.theory.problem import (
    FeatureLaw,
    Problem,
    ReadoutLaw,
    TrainedGroup,
    at_overlap,
    law_of_groups,
    trained_group,
)

__all__ = ["Continuum", "continuum", "overlap", "readout"]

readout, overlap = sp.symbols("A omega", real=True)


@dataclass(frozen=True)
class Continuum:
    """A network's units, as functions of a unit's readout.

    Attributes
    ----------
    problem : Problem
        Of a network.
    law : ReadoutLaw
        Of the readouts.
    group : TrainedGroup
        Strength, scale and latents in the symbol `readout`.
    """

    problem: Problem
    law: ReadoutLaw
    group: TrainedGroup

    @property
    def numbers(self) -> tuple[sp.Expr, ...]:
        """Strength and scale, then what each latent adds to them."""
        latents = [part for latent in self.group.latents for part in latent]
        return (self.group.strength, self.group.scale, *latents)

    @property
    def with_overlap(self) -> tuple[sp.Expr, sp.Expr]:
        """Strength and scale of a unit with an `overlap` with the spike."""
        group = self.group
        return at_overlap(group.strength, group.scale, group.latents[0], overlap)

    def on_nodes(
        self, numbers: Sequence[Sequence[sp.Expr]], shares: Sequence[sp.Expr]
    ) -> FeatureLaw:
        """Make a group of each node in the readout.

        The latent of the overlap is left to `with_overlap`.

        Parameters
        ----------
        numbers : sequence of sequences
            Values of :attr:`numbers` on each node.
        shares : sequence
            Weights of the nodes.
        """
        groups = [
            TrainedGroup(
                strength=u,
                scale=rho,
                latents=tuple(zip(rest[2::2], rest[3::2], strict=True)),
            )
            for u, rho, *rest in numbers
        ]
        return law_of_groups(self.problem, groups, shares)


def continuum(problem: Problem) -> Continuum:
    """Describe a network whose readouts have a density."""
    network, law = problem.network, problem.readout_law
    assert network is not None
    assert law is not None
    return Continuum(
        problem, law, trained_group(network, problem.target, readout, law.mean)
    )
