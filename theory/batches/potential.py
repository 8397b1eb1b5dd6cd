r"""Spiked features after a step on a batch: rows of several covariances.

After a step on ``n0 = alpha0 d`` samples of residual r the rows of group q have, given
the batch, the covariance ``Sigma_q / d`` with

.. math:: \Sigma_q = H_q^2 + \frac{a_q^2 v_3}{\alpha_0} \frac1{n_0} \sum_\mu r_\mu^2
   x_\mu x_\mu^T, \qquad H_q = 1 + a_q \mu_2 \frac1{n_0} \sum_\mu r_\mu x_\mu x_\mu^T,

``a_q`` the rate of the group, ``mu_2`` and ``v_3`` what the second and the higher
Hermite parts of sigma' are. The groups' matrices differ, and do not commute. Written
with white alpha_q and a multiplier eta for the readout's projection theta on each
direction, the posterior of (alpha, eta, theta) is a sample covariance with weights

.. math:: K_r = -\begin{pmatrix} 0 & r \mu_2 a \\ r \mu_2 a & r^2 v_3 a^2 V/\alpha_0
   \end{pmatrix}, \qquad a, V \text{ diagonal},

whose deterministic equivalent joins two symmetric matrices Q and Qhat to (g, A).
Logarithms of determinants of matrices that are affine in the unknowns are all that the
potential has, beside what it has without a batch; a matrix B stands for ``A^{-1}`` less
the prior's, and needs no inverse.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import sympy as sp

from detequiv.theory.models import Model, spiked_model, symmetric, upper_triangle

__all__ = ["BatchModel", "batch_model"]


@dataclass(frozen=True, kw_only=True, eq=False)
class BatchModel:
    r"""The potential of features after a step on a batch.

    .. math:: \Psi(x) = \mathrm{local} + \tfrac1\beta \log|\det \mathrm{joint}|
       + \tfrac{\alpha_0}\beta E_r \log|\det \mathrm{sample}|
       + E_\kappa\, \mathrm{average}(\chi).

    Attributes
    ----------
    model : Model
        Energy, chi and average over kappa, those of `spiked_model` with ``c1/rho`` in
        the place of c1.
    unknowns : tuple of Symbol
        g, then the upper triangles of A, B (K x K), Q and Qhat (2K x 2K).
    parameters : tuple of Symbol
        Those of the spiked model, the scales ``rho_q``, then ``alpha0``, ``mu_2``,
        ``v_3`` and the rates ``a_q``.
    residual : Symbol
        r, a random number.
    local : Expr
        What has no average and no determinant.
    joint : Matrix
        Of (V, alpha, eta, theta), 4K x 4K. Its inverse holds the posterior covariance
        of one direction: Q of (alpha, eta), A of theta.
    sample : Matrix
        Of one sample, ``(Q/alpha0, 1; 1, -K_r)``, 4K x 4K; the first block of its
        inverse is ``K_r (1 + Q K_r/alpha0)^{-1}``.
    """

    model: Model
    unknowns: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]
    residual: sp.Symbol
    local: sp.Expr
    joint: sp.Matrix
    sample: sp.Matrix


@lru_cache(maxsize=8)
def batch_model(groups: int, latents: int = 2) -> BatchModel:
    r"""Write down the potential for `groups` groups of units.

    .. math::

       \Psi = \sum_q \pi_q (\lambda g_q - \log g_q) + \tfrac1\beta [\log|\det J|
         + \alpha_0 E_r \log\det(1 + Q K_r/\alpha_0) - \mathrm{tr}\, Q \hat Q
         - \mathrm{tr}\, A B] + \tfrac\alpha\beta E_\kappa \log(1 + \chi)
         + \epsilon E_\kappa \chi,

    .. math:: J = \begin{pmatrix} -V & 1 & & \\ 1 & \hat q_{11} & \hat q_{12} - 1 & \\
       & \hat q_{12}^T - 1 & \hat q_{22} & 1 \\ & & 1 & B \end{pmatrix}.

    Without a batch, ``K_r = 0``, the potential of `spiked_model` is what is left when
    B, Q and Qhat are eliminated.

    Parameters
    ----------
    groups : int
        K.
    latents : int
        Of a unit: its component along the spike, its norm after the step and, for
        Gaussian rows, its norm before.
    """
    model = _scaled(groups, latents)
    beta, ridge = model.parameters[1], model.ridge
    weights, g = model.parameters[-2 * groups : -groups], model.unknowns.positive
    size = sp.Symbol("alpha0", positive=True)
    bend, rest = sp.Symbol("mu_2", real=True), sp.Symbol("v_3", nonnegative=True)
    rates = sp.symbols(f"a_1:{groups + 1}", real=True)
    residual = sp.Symbol("r", real=True)

    def upper(name: str, order: int) -> tuple[sp.Symbol, ...]:
        return tuple(
            sp.Symbol(f"{name}_{i + 1}_{j + 1}", real=True)
            for i, j in upper_triangle(order)
        )

    blocks = [
        model.unknowns.definite,
        upper("B", groups),
        upper("Q", 2 * groups),
        upper("Qhat", 2 * groups),
    ]
    coupling, precision, response, field = map(symmetric, blocks)
    variance = sp.diag(*[beta * pi * gq for pi, gq in zip(weights, g, strict=True)])
    one, none = sp.eye(groups), sp.zeros(groups)
    rate = sp.diag(*rates)
    mixed = residual * bend * rate
    weight = -sp.BlockMatrix(
        [[none, mixed], [mixed, residual**2 * rest / size * rate**2 * variance]]
    ).as_explicit()
    q11, q12 = field[:groups, :groups], field[:groups, groups:]
    q22 = field[groups:, groups:]
    joint = sp.BlockMatrix(
        [
            [-variance, one, none, none],
            [one, q11, q12 - one, none],
            [none, q12.T - one, q22, one],
            [none, none, one, precision],
        ]
    ).as_explicit()
    both = sp.eye(2 * groups)
    sample = sp.BlockMatrix([[response / size, both], [both, -weight]]).as_explicit()
    local = sp.Add(
        *[pi * (ridge * gq - sp.log(gq)) for pi, gq in zip(weights, g, strict=True)],
        -((coupling * precision).trace() + (response * field).trace()) / beta,
    )
    return BatchModel(
        model=model,
        unknowns=(*g, *(symbol for block in blocks for symbol in block)),
        parameters=(*model.parameters, size, bend, rest, *rates),
        residual=residual,
        local=local,
        joint=joint,
        sample=sample,
    )


def _scaled(groups: int, latents: int) -> Model:
    """Spiked model whose matrix is that of the readout's projections theta.

    Their prior depends on the batch, and is not that of rows of one scale: theta acts
    through ``ct = c1/rho = E sigma'``.
    """
    model = spiked_model(groups, latents)
    scales = sp.symbols(f"rho_1:{groups + 1}", positive=True)
    slopes = model.fields[groups : 2 * groups]
    unit = {c: c / scale for c, scale in zip(slopes, scales, strict=True)}
    return replace(
        model,
        parameters=(*model.parameters, *scales),
        linear_form=sp.expand(model.linear_form.subs(unit)),
        energy_residuals=tuple(e.subs(unit) for e in model.energy_residuals),
    )
