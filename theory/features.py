"""What a problem's features and target look like, given the projection kappa.

A group of units is seen through its spike strength, its bulk scale and its
tangent function ``h_q``; the target through its alignment with the spike.
"""

from dataclasses import dataclass

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.gaussian import Moments, conditional_moments
from detequiv.theory.problem import Problem

__all__ = ["FeatureLaw", "c1", "c2", "feature_law", "kappa"]

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
    tangents : tuple of Expr
        ``h_q`` in the symbols kappa, c1 and c2 (of group q), length K.
    alignment : Expr
        zeta; ``<w*, x> = zeta kappa + sqrt(1 - zeta^2) s``.
    noise_variance : Expr
        Delta.
    equations : str
        "spiked" or "network".
    """

    activation: Moments
    target: Moments
    weights: tuple[sp.Expr, ...]
    spikes: tuple[sp.Expr, ...]
    bulks: tuple[sp.Expr, ...]
    tangents: tuple[sp.Expr, ...]
    alignment: sp.Expr
    noise_variance: sp.Expr
    equations: str


def feature_law(problem: Problem) -> FeatureLaw:
    """Describe the features and the target of `problem`.

    In the pure spiked model the tangent functions are ``h_q = kappa c1_q(kappa)``:
    the component of w_j along the spike is one more random coordinate.

    Raises
    ------
    InputError
        The problem has a [network] instead of [features].
    """
    features = problem.features
    if features is None:
        raise InputError(
            "network",
            "[network]",
            "a gradient step is not solved by this version; describe the trained "
            "features in [features], by their spike and bulk",
        )
    return FeatureLaw(
        activation=conditional_moments(features.activation),
        target=conditional_moments(problem.target.function),
        weights=features.weights,
        spikes=features.spike,
        bulks=features.bulk,
        tangents=(kappa * c1,) * features.groups,
        alignment=problem.target.alignment,
        noise_variance=problem.target.noise**2,
        equations="spiked",
    )
