"""What a problem's features and target look like, given the projection kappa.

A group of units is seen through its spike strength, its bulk scale and its
tangent functions ``h_q``; the target through its alignment with the spike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import sign, symmetric_part
from detequiv.theory.gaussian import Moments, conditional_moments, hermite_coefficient
from detequiv.theory.models import Model, mixture_model, spiked_model, uncoupled_model
from detequiv.theory.problem.problem import Problem
from detequiv.theory.problem.step import TrainedGroup, trained_groups
from detequiv.theory.problem.tables.regression import Ridge

__all__ = [
    "FeatureLaw",
    "c1",
    "c2",
    "exact_parameters",
    "feature_law",
    "kappa",
    "law_of",
    "law_of_groups",
    "ridge_parameters",
]

kappa, c1, c2 = sp.symbols("kappa c1 c2", real=True)
_NO_BATCH = (
    "is known to solve, curve and validate; here leave it out, for the gradient of the "
    "population loss"
)


@dataclass(frozen=True, kw_only=True)
class FeatureLaw:
    """Exact data of the features and the target of one problem.

    Attributes
    ----------
    activation, target : Moments
        Conditional moments of sigma and of the target f*, or of the mean S of labels of
        -1 and 1.
    weights, spikes, bulks : tuple of Expr
        ``pi_q``, ``u_q`` and ``rho_q``, length K.
    tangents : tuple of tuple of Expr
        ``h_q`` in the symbols kappa, c1 and c2 (of group q), length K, one tuple a
        latent of the units.
    alignment : Expr
        zeta; ``<w*, x> = zeta kappa + sqrt(1 - zeta^2) s``.
    noise_variance : Expr
        Delta: the variance of labels given ``<w*, x>``, on average.
    equations : str
        "spiked" or "network".
    mixture : tuple of (Expr, Expr)
        Strengths and scales of the groups' units on nodes of their overlap with the
        spike, group after group, at a finite width; empty in the limit.
    binary : bool
        Whether labels are -1 and 1.
    """

    activation: Moments
    target: Moments
    weights: tuple[sp.Expr, ...]
    spikes: tuple[sp.Expr, ...]
    bulks: tuple[sp.Expr, ...]
    tangents: tuple[tuple[sp.Expr, ...], ...]
    alignment: sp.Expr
    noise_variance: sp.Expr
    equations: str
    mixture: tuple[tuple[sp.Expr, sp.Expr], ...] = ()
    binary: bool = False

    @property
    def model(self) -> Model:
        """The potentials with as many groups and latents."""
        if self.mixture:
            groups = len(self.spikes)
            nodes = len(self.mixture) // groups
            return mixture_model(groups, 1 + len(self.tangents), nodes)
        return spiked_model(len(self.spikes), len(self.tangents))

    @cached_property
    def merged(self) -> "FeatureLaw":
        """The same with groups alike in spike, bulk and tangents as one."""
        alike = self.alike
        first = [places[0] for places in alike]

        def of_first(values: tuple[sp.Expr, ...]) -> tuple[sp.Expr, ...]:
            return tuple(values[q] for q in first)

        return replace(
            self,
            weights=tuple(sp.Add(*[self.weights[q] for q in own]) for own in alike),
            spikes=of_first(self.spikes),
            bulks=of_first(self.bulks),
            tangents=tuple(map(of_first, self.tangents)),
        )

    @property
    def alike(self) -> list[list[int]]:
        """Places of the groups that are alike."""
        places: dict[Any, list[int]] = {}
        for q, pair in enumerate(zip(self.spikes, self.bulks, strict=True)):
            key = (*pair, *(latent[q] for latent in self.tangents))
            places.setdefault(key, []).append(q)
        return list(places.values())

    @property
    def families(self) -> dict[str, slice]:
        """Places of each name among the model's fields, which need not be written."""
        groups = len(self.spikes)
        counts = {
            "c0": len(self.mixture) or groups,
            **{"c1": groups, "cs": groups, "h": groups * len(self.tangents)},
            **dict.fromkeys(("tau0", "tau1", "tau2"), 1),
        }
        ends = accumulate(counts.values())
        return {
            name: slice(end - count, end)
            for (name, count), end in zip(counts.items(), ends, strict=True)
            if count
        }

    @property
    def resolvent_model(self) -> Model:
        """The same, for the resolvent: without unknowns that nothing couples.

        Even activations have no linear part where there is no spike.
        """
        if any(self.spikes) or self.mixture:
            return self.model
        odd = symmetric_part(self.activation.function, -1)
        if set(odd.branches) != {sp.S.Zero}:
            return self.model
        return uncoupled_model(len(self.spikes), len(self.tangents))


def feature_law(problem: Problem) -> FeatureLaw:
    """Describe the features and the target of `problem`.

    In the pure spiked model the one latent of a unit is the component of w_j along
    the spike, one more random coordinate, and its tangent functions are
    ``h_q = kappa c1_q(kappa)``. A trained network has more of them, or other ones; see
    :mod:`detequiv.theory.problem.step`.

    Raises
    ------
    InputError
        The step of a [network] leaves a group without bulk, or is taken on a batch:
        see :mod:`detequiv.theory.problem.batches`; or the inputs have a covariance,
        which asks for other equations.
    """
    problem.require_isotropic()
    features, network = problem.features, problem.network
    if problem.several:
        raise InputError(
            "problem",
            "several directions",
            "they are known to solve, curve, learned_function and simulate; here give "
            "one spike and one projection",
        )
    if network is not None and problem.on_batch:
        raise InputError("network.batch_per_dim", network.batch_per_dim, _NO_BATCH)
    if network is not None:
        groups = trained_groups(network, problem.target)
        return law_of_groups(problem, groups, network.weights)
    assert features is not None
    return FeatureLaw(
        activation=conditional_moments(features.activation),
        weights=features.weights,
        spikes=features.spike,
        bulks=features.bulk,
        tangents=((kappa * c1,) * features.groups,),
        equations="spiked",
        **_labels(problem, problem.target.alignment),
    )


def law_of_groups(
    problem: Problem, groups: Sequence[TrainedGroup], weights: Sequence[sp.Expr]
) -> FeatureLaw:
    """Describe a network by its groups after the step."""
    assert problem.network is not None
    return FeatureLaw(
        activation=conditional_moments(problem.network.activation),
        weights=tuple(weights),
        spikes=tuple(group.strength for group in groups),
        bulks=tuple(sign(group.scale) * group.scale for group in groups),
        tangents=tuple(zip(*map(_tangents, groups), strict=True)),
        equations="network",
        **_labels(problem, sp.S.One),
    )


def _labels(problem: Problem, alignment: sp.Expr) -> dict[str, Any]:
    """Entries of a law that tell of the target."""
    return {
        "target": conditional_moments(problem.target.mean),
        "alignment": alignment,
        "noise_variance": hermite_coefficient(problem.target.variance, 0),
        "binary": problem.target.binary,
    }


@lru_cache(maxsize=64)
def law_of(problem: Problem) -> FeatureLaw:
    """Features and target of a problem; remembered, for sweeps."""
    return feature_law(problem)


def exact_parameters(problem: Problem, law: Any) -> list[sp.Expr]:
    """Exact parameters of the spiked model, in its order; of several spikes too."""
    return [
        *ridge_parameters(problem.ridge),
        sp.S.Zero,
        law.noise_variance,
        *law.weights,
    ]


def ridge_parameters(ridge: Ridge) -> list[sp.Expr]:
    """Those of them, the first, that points with the same features may differ in."""
    return [ridge.samples_per_dim, ridge.width_per_dim, ridge.penalty]


def _tangents(group: TrainedGroup) -> tuple[sp.Expr, ...]:
    """``du dc0/du + drho dc0/drho`` for each latent of a group.

    ``dc0/du = kappa c1/rho`` and ``dc0/drho = c2/rho``; a row with a negative scale is
    one with a positive scale and -w.
    """
    side = sign(group.scale)
    return tuple(
        (du * kappa * c1 + side * drho * c2) / (side * group.scale)
        for du, drho in group.latents
    )
