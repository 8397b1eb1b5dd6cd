r"""A two-layer network after one gradient step, as spiked features with latents.

Network ``f(x) = (1/p) sum_j A_j sigma(<w_j, x>)``, one step of rate ``eta p`` on half
the mean squared error with the labels ``y = g(<w*, x>) + noise``:

.. math:: w_j^1 = w_j + \eta A_j E[(y - f(x)) \sigma'(\langle w_j, x\rangle) x].

A unit differs from the others of its group by a few latent numbers of size
``1/sqrt(d)``, its overlap with the target first of all. Seen through the projection
kappa they change its strength and its bulk scale, and so its mean feature c0: each
latent adds the functions ``h_q = du dc0/du + drho dc0/drho`` to those that ridge
regression may use, at the price of one component of the readout (penalty ``1/V_q``).

Hermite coefficients are those of distributions: ``mu_k(sigma) = E sigma^{(k)}``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import z
from detequiv.theory.gaussian import hermite_coefficient
from detequiv.theory.problem.tables.parts import Network, Target

__all__ = [
    "TrainedGroup",
    "population_step",
    "sampled_slope",
    "trained_group",
    "trained_groups",
]

Latent = tuple[sp.Expr, sp.Expr]


@dataclass(frozen=True, kw_only=True)
class TrainedGroup:
    """One group of units after the step.

    Attributes
    ----------
    strength, scale : Expr
        ``u_q`` and ``rho_q``; the sign of the latter is that of a w -> -w symmetry.
    latents : tuple of (Expr, Expr)
        What a unit standard deviation of ``sqrt(d)`` times each independent latent
        adds to the unit's strength and to its scale, ``sqrt(d) (du, drho)``.
    """

    strength: sp.Expr
    scale: sp.Expr
    latents: tuple[Latent, ...]


def population_step(
    rate: sp.Expr, sigma: Sequence[sp.Expr], target: Sequence[sp.Expr], rows: str
) -> TrainedGroup:
    r"""Group of units after a step on the population loss.

    With ``r w`` a row of norm r and ``omega`` the overlap of w with the target's
    direction, Stein's lemma gives the new row, to first order in omega and r - 1,

    .. math::

       [1 + \eta A(\mu_0(g)(\mu_2 + \mu_4 (r - 1)) + \mu_1(g)\mu_3\omega)]\, r w
       + \eta A[\mu_1(g)(\mu_1 + \mu_3 (r - 1)) + \mu_2(g)\mu_2\omega]\, w_*,

    and the derivatives by omega (variance 1/d) and, where rows are Gaussian, by r
    (variance 1/2d) are the latents.

    Parameters
    ----------
    rate : Expr
        ``eta A``.
    sigma : sequence of Expr
        ``mu_0 .. mu_4`` of the activation.
    target : sequence of Expr
        ``mu_0 .. mu_2`` of the target, less the network's mean output in ``mu_0``.
    rows : str
        "spherical" or "gaussian".

    Examples
    --------
    >>> sigma, g = sp.symbols("mu:5"), sp.symbols("g:3")
    >>> population_step(sp.Symbol("a"), sigma, g, "spherical").latents
    ((a*g0*mu2 + a*g2*mu2 + 1, a*g1*mu3),)
    """
    omega, stretch = sp.symbols("omega xi")
    _, mu1, mu2, mu3, mu4 = sigma
    g0, g1, g2 = target
    along_row = 1 + rate * (g0 * (mu2 + mu4 * stretch) + g1 * mu3 * omega)
    along_target = rate * (g1 * (mu1 + mu3 * stretch) + g2 * mu2 * omega)
    strength = along_target + along_row * omega
    scale = along_row * (1 + stretch)
    typical = {omega: 0, stretch: 0}

    def latent(by: sp.Symbol) -> Latent:
        return tuple(sp.diff(e, by).subs(typical) for e in (strength, scale))

    overlap, (du, drho) = latent(omega), latent(stretch)
    norm = (du / sp.sqrt(2), drho / sp.sqrt(2))
    return TrainedGroup(
        strength=strength.subs(typical),
        scale=scale.subs(typical),
        latents=(overlap, norm) if rows == "gaussian" else (overlap,),
    )


def trained_groups(network: Network, target: Target) -> tuple[TrainedGroup, ...]:
    """Every group of `network` after a step on the population, by exact numbers.

    Raises
    ------
    InputError
        The step cancels a group's rows (rho_q = 0).
    """
    mean = sp.Add(
        *[a * w for a, w in zip(network.vocabulary, network.weights, strict=True)]
    )
    groups = [
        trained_group(network, target, readout, mean) for readout in network.vocabulary
    ]
    for group, readout in zip(groups, network.vocabulary, strict=True):
        if abs(group.scale.evalf(30)) < sp.Float("1e-25"):
            raise InputError(
                "network.step",
                network.step,
                f"cancels the first layer of the group with readout {readout}: "
                "rho = 1 + eta A mu_2(sigma) mu_0(g) vanishes; change it a little",
            )
    return tuple(groups)


def trained_group(
    network: Network, target: Target, readout: sp.Expr, mean: sp.Expr
) -> TrainedGroup:
    """Take the step with one readout, a number or a symbol; `mean` is that of all."""
    sigma = [hermite_coefficient(network.activation, k) for k in range(5)]
    labels = [hermite_coefficient(target.mean, k) for k in range(3)]
    labels[0] -= mean * sigma[0]
    return population_step(network.step * readout, sigma, labels, network.rows)


def sampled_slope(activation: sp.Expr) -> sp.Expr:
    """Differentiate the activation, for gradients on samples.

    Raises
    ------
    InputError
        It jumps.
    """
    slope = sp.diff(activation, z)
    if slope.has(sp.DiracDelta, sp.Derivative):
        raise InputError(
            "network.activation",
            activation,
            "jumps, so that gradients on samples do not see it; leave out "
            "network.batch_per_dim for the gradient of the population loss",
        )
    return slope
