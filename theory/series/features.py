r"""Small spikes and small steps, symbolically.

As the spikes or the step, a multiple of ``epsilon``, vanish, a unit sees a Gaussian
number of small mean ``u kappa`` and of a variance near that of the untrained network.
With ``a_k = E sigma^{(k)}`` there, Taylor's formula and the heat equation give

.. math:: c_0(\kappa) = \sum_{i,j} a_{i+2j} \frac{(u\kappa)^i}{i!}
          \frac{((\rho^2 - \rho_0^2)/2)^j}{j!},

and its derivatives by the mean the others: polynomials in kappa, order by order.
Averages over kappa are Gaussian moments
(:mod:`detequiv.theory.series.small`).
"""

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from detequiv.theory.functions import z
from detequiv.theory.gaussian import hermite_coefficient
from detequiv.theory.problem import Problem, TrainedGroup, trained_group

__all__ = ["SmallFeatures", "epsilon", "small_features"]

epsilon = sp.Symbol("epsilon")  # what is small


@dataclass(frozen=True)
class SmallFeatures:
    """Groups of units that begin, at epsilon = 0, without a spike.

    Attributes
    ----------
    problem : Problem
    weights : tuple of Expr
    bulk : Expr
        Scale of all groups at epsilon = 0.
    groups : tuple of TrainedGroup
        In the symbol ``epsilon``.
    alignment : Expr
    """

    problem: Problem
    weights: tuple[sp.Expr, ...]
    bulk: sp.Expr
    groups: tuple[TrainedGroup, ...]
    alignment: sp.Expr

    @cached_property
    def activation(self) -> sp.Expr:
        """The activation, an expression in z."""
        layer = self.problem.features or self.problem.network
        assert layer is not None
        return layer.activation

    def derivative(self, k: int, square: bool = False) -> sp.Expr:
        """``E f^{(k)}`` of the untrained activation, or of its square."""
        f = self.activation**2 if square else self.activation
        return hermite_coefficient(f.subs(z, self.bulk * z), k) / self.bulk**k

    def target(self, k: int, what: str = "mean") -> sp.Expr:
        """Component of the labels along ``He_k(kappa)``, times k!.

        Of the labels' mean, of their "square", or "across": of what is linear in s.
        """
        labels, zeta = self.problem.target, self.alignment
        if what == "square":
            return (
                hermite_coefficient(sp.expand(labels.mean**2 + labels.variance), k)
                * zeta**k
            )
        rise = int(what == "across")
        spread = sp.sqrt(1 - zeta**2) if rise else sp.S.One
        return hermite_coefficient(labels.mean, k + rise) * zeta**k * spread


def small_features(problem: Problem, parameter: str) -> SmallFeatures | None:
    """Describe a problem as one number of it vanishes; None if a spike stays.

    Parameters
    ----------
    problem : Problem
        Isotropic inputs, the gradient of the population.
    parameter : str
        "features.spike", or with a place if the others vanish; or "network.step".
    """
    name, bracket, place = parameter.partition("[")
    if problem.inputs is not None or problem.on_batch or problem.target.binary:
        return None
    network, target = problem.network, problem.target
    if name == "network.step" and network is not None:
        if network.rows != "spherical":
            return None
        pairs = list(zip(network.vocabulary, network.weights, strict=True))
        mean = sp.Add(*[a * w for a, w in pairs])
        return SmallFeatures(
            problem,
            network.weights,
            sp.S.One,
            tuple(trained_group(network, target, epsilon * a, mean) for a, _ in pairs),
            sp.S.One,
        )
    features = problem.features
    if name != "features.spike" or features is None or len(set(features.bulk)) > 1:
        return None
    spikes = [epsilon * u for u in features.spike]
    if len(spikes) == 1:
        spikes = [epsilon]
    if bracket:
        own = int(place.removesuffix("]"))
        if any(u != 0 for q, u in enumerate(features.spike) if q != own):
            return None
        spikes = [epsilon if q == own else sp.S.Zero for q in range(len(spikes))]
    groups = tuple(
        # the component along the spike, one more random coordinate
        TrainedGroup(strength=u, scale=rho, latents=((rho, sp.S.Zero),))
        for u, rho in zip(spikes, features.bulk, strict=True)
    )
    return SmallFeatures(
        problem,
        features.weights,
        features.bulk[0],
        groups,
        problem.target.alignment,
    )
