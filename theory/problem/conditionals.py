"""What a problem's features and target look like, given the projection kappa.

A group of units is seen through its spike strength, its bulk scale and its
tangent functions ``h_q``; the target through its alignment with the spike.
"""

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import sign
from detequiv.theory.gaussian import Moments, conditional_moments, hermite_coefficient
from detequiv.theory.models import Model, mixture_model, spiked_model
from detequiv.theory.problem.parts import Ridge, SpikedFeatures, Target
from detequiv.theory.problem.problem import Problem
from detequiv.theory.problem.step import TrainedGroup, trained_groups

__all__ = [
    "FeatureLaw",
    "c1",
    "c2",
    "exact_parameters",
    "feature_law",
    "kappa",
    "law_of",
    "remark",
    "ridge_parameters",
    "spiked_problem",
]

kappa, c1, c2 = sp.symbols("kappa c1 c2", real=True)


@dataclass(frozen=True, kw_only=True)
class FeatureLaw:
    """Exact data of the features and the target of one problem.

    Attributes
    ----------
    activation, target : Moments
        Conditional moments of sigma and of the target g.
    weights, spikes, bulks : tuple of Expr
        ``pi_q``, ``u_q`` and ``rho_q``, length K.
    tangents : tuple of tuple of Expr
        ``h_q`` in the symbols kappa, c1 and c2 (of group q), length K, one tuple a
        latent of the units.
    alignment : Expr
        zeta; ``<w*, x> = zeta kappa + sqrt(1 - zeta^2) s``.
    noise_variance : Expr
        Delta.
    equations : str
        "spiked" or "network".
    mixture : tuple of (Expr, Expr)
        Strengths and scales of the groups' units on nodes of their overlap with the
        spike, group after group, at a finite width; empty in the limit.
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

    @property
    def model(self) -> Model:
        """The potentials with as many groups and latents."""
        if self.mixture:
            groups = len(self.spikes)
            nodes = len(self.mixture) // groups
            return mixture_model(groups, 1 + len(self.tangents), nodes)
        return spiked_model(len(self.spikes), len(self.tangents))


def feature_law(problem: Problem) -> FeatureLaw:
    """Describe the features and the target of `problem`.

    In the pure spiked model the one latent of a unit is the component of w_j along
    the spike, one more random coordinate, and its tangent functions are
    ``h_q = kappa c1_q(kappa)``. A trained network has more of them, or other ones; see
    :mod:`detequiv.theory.problem.step`.

    Raises
    ------
    InputError
        The step of a [network] leaves a group without bulk.
    """
    features, network = problem.features, problem.network
    described = features if network is None else network
    assert described is not None
    if isinstance(described, SpikedFeatures):
        spikes, bulks = described.spike, described.bulk
        tangents: tuple[tuple[sp.Expr, ...], ...] = ((kappa * c1,) * described.groups,)
        alignment = problem.target.alignment
    else:
        groups = trained_groups(described, problem.target)
        spikes = tuple(group.strength for group in groups)
        bulks = tuple(sign(group.scale) * group.scale for group in groups)
        tangents = tuple(zip(*map(_tangents, groups), strict=True))
        alignment = groups[0].alignment
    return FeatureLaw(
        activation=conditional_moments(described.activation),
        target=conditional_moments(problem.target.function),
        weights=described.weights,
        spikes=spikes,
        bulks=bulks,
        tangents=tangents,
        alignment=alignment,
        noise_variance=problem.target.noise**2,
        equations="spiked" if network is None else "network",
    )


@lru_cache(maxsize=64)
def law_of(problem: Problem) -> FeatureLaw:
    """Features and target of a problem; remembered, for sweeps."""
    return feature_law(problem)


def exact_parameters(problem: Problem, law: FeatureLaw) -> list[sp.Expr]:
    """Exact parameters of the spiked model, in its order."""
    return [
        *ridge_parameters(problem.ridge),
        sp.S.Zero,
        law.noise_variance,
        *law.weights,
    ]


def ridge_parameters(ridge: Ridge) -> list[sp.Expr]:
    """Those of them, the first, that points with the same features may differ in."""
    return [ridge.samples_per_dim, ridge.width_per_dim, ridge.penalty]


def spiked_problem(problem: Problem) -> Problem:
    """Replace a network by the pure spiked model with its strengths and bulk scales.

    This is what remains of training when the differences between the units of a group
    are left out, as in arXiv:2410.18938; the network itself has other tangents.

    Raises
    ------
    InputError
        The problem has no [network], or its step leaves a group without bulk.

    Examples
    --------
    >>> from detequiv.theory.problem import Network, Ridge, Target
    >>> spiked_problem(
    ...     Problem(
    ...         network=Network(activation="relu", readout=[1, -1], step=3),
    ...         target=Target(function="z + z**2"),
    ...         ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    ...     )
    ... ).features.spike
    (3/2, -3/2)
    """
    network = problem.network
    if network is None:
        raise InputError(
            "features", "[features]", "is a spiked model already; give a [network]"
        )
    law = feature_law(problem)
    target = problem.target
    return Problem(
        features=SpikedFeatures(
            activation=network.activation,
            spike=law.spikes,
            bulk=law.bulks,
            weights=law.weights,
        ),
        target=Target(
            function=target.function, alignment=law.alignment, noise=target.noise
        ),
        ridge=problem.ridge,
    )


def remark(problem: Problem) -> str:
    """Say what training does not do for a problem, in one line; "" if nothing is amiss.

    A step of this size makes a spike of strength ``eta A_q mu_1(sigma) mu_1(g)``.

    Raises
    ------
    InputError
        The step of a [network] leaves a group without bulk.

    Examples
    --------
    >>> from detequiv.theory.problem import Network, Ridge, Target
    >>> problem = Problem(
    ...     network=Network(activation="tanh", readout=1, step=3),
    ...     target=Target(function="z**2"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    ... )
    >>> print(remark(problem).partition(":")[0])
    the step makes no spike, for target.function has no linear part (mu_1(g) = 0)
    """
    network = problem.network
    if network is None or network.step.is_zero:
        return ""
    law = feature_law(problem)
    if all(u.is_zero for u in law.spikes):
        lacking = [
            f"{field} has no linear part ({coefficient} = 0)"
            for field, function, coefficient in (
                ("target.function", law.target.function, "mu_1(g)"),
                ("network.activation", law.activation.function, "mu_1(sigma)"),
            )
            if hermite_coefficient(function, 1).is_zero
        ]
        return (
            f"the step makes no spike, for {' and '.join(lacking)}: the error is that "
            "of the untrained network with other bulk scales"
        )
    if law.alignment.is_zero:
        return (
            "the spike is noise of the batch, for target.function has no linear part "
            "(mu_1(g) = 0): training does not help"
        )
    if network.batch_per_dim is not None:
        return (
            "the step on a batch is taken to first order in 1/batch_per_dim: what the "
            "batch costs comes out short, and the digits are those of this order"
        )
    return ""


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
