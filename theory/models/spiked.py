r"""Spiked random features: the two potentials of Dandi et al., arXiv:2410.18938.

Unit j of group q has the weight vector ``rho_q w_j + u_q v``. Conditionally on
the projection ``kappa = <v, x>`` the features are equivalent, for ridge
regression, to ``c0_q + c1_q <w_j, x> + sqrt(cs_q) xi_j``. The matrix A couples
the groups through their common linear part; g_q is the average diagonal entry
of the resolvent ``(Phi^T Phi / p + lambda)^{-1}`` in group q.
"""

from dataclasses import replace
from functools import lru_cache

import sympy as sp

from detequiv.theory.models.matrices import LogDet, symmetric, upper_triangle
from detequiv.theory.models.potential import (
    Model,
    Unknowns,
    regression_quantities,
    units,
)

__all__ = ["spiked_model", "uncoupled_model"]


@lru_cache(maxsize=16)
def spiked_model(groups: int, latents: int = 1) -> Model:
    r"""Write down Psi and Energy of spiked random features with `groups` groups.

    Each latent of the units, an independent number of size 1/sqrt(d) that changes a
    unit's mean feature by ``h_q`` times it, has its own h and t; summed over here.

    .. math::

       \Psi = \sum_q \pi_q (\lambda g_q - \log g_q)
         + \tfrac1\beta [\log\det V - \log\det A + \mathrm{tr}\, V^{-1}A - K]
         + \tfrac\alpha\beta E_\kappa \log(1+\chi) + \epsilon E_\kappa \chi,

       \chi = \sum_q \pi_q g_q c^*_q + \tfrac1\beta c_1^T A c_1,
       \qquad V = \mathrm{diag}(\beta \pi_q g_q),

       \mathrm{Energy} = E_\kappa\, w\, [(\tau_0 - m\cdot c_0 - t\cdot h)^2
         + (\tau_1 - r\cdot c_1)^2 + \tau_2] + t^T V^{-1} t + r^T V^{-1} r,
       \qquad w = \tfrac{\alpha/\beta}{1+\chi} + \epsilon.

    The mean of the readout of group q costs ``m_q^2 / (p pi_q g_q)`` more at finite
    width, which makes the outliers of the spectrum finite.

    Parameters
    ----------
    groups : int
        K, the number of groups of units (values of the readout's vocabulary).
    latents : int
        L, the number of latents of a unit: 1 in the pure spiked model.

    Returns
    -------
    Model
        Parameters in the order alpha, beta, lambda, epsilon, Delta (the noise
        variance), pi_1..pi_K; fields in the order c0_q, c1_q, cs_q, h_q (latent
        after latent), tau0, tau1, tau2.
    """
    alpha, beta, ridge = sp.symbols("alpha beta lambda", positive=True)
    source = sp.Symbol("epsilon", real=True)
    noise = sp.Symbol("Delta", nonnegative=True)
    chi = sp.Symbol("chi", positive=True)

    def vector(name: str, **domain: bool) -> tuple[sp.Symbol, ...]:
        return tuple(sp.Symbol(f"{name}_{q + 1}", **domain) for q in range(groups))

    weights, g = vector("pi", positive=True), vector("g", positive=True)
    upper = tuple(
        sp.Symbol(f"A_{i + 1}_{j + 1}", real=True)
        for i in range(groups)
        for j in range(i, groups)
    )
    coupling = symmetric(upper)
    c0, c1, m, r = (vector(name, real=True) for name in ("c0", "c1", "m", "r"))

    def tangent(name: str) -> tuple[sp.Symbol, ...]:
        labels = [name] if latents == 1 else [f"{name}^{k + 1}" for k in range(latents)]
        return tuple(s for label in labels for s in vector(label, real=True))

    h, t = tangent("h"), tangent("t")
    cs = vector("cs", nonnegative=True)
    tau0, tau1 = sp.symbols("tau0 tau1", real=True)
    tau2 = sp.Symbol("tau2", nonnegative=True)

    scale = [beta * pi * gq for pi, gq in zip(weights, g, strict=True)]

    def dot(a: tuple[sp.Symbol, ...], b: tuple[sp.Symbol, ...]) -> sp.Expr:
        return sp.Add(*[p * q for p, q in zip(a, b, strict=True)])

    quadratic = sp.Add(
        *[c1[i] * c1[j] * coupling[i, j] for i in range(groups) for j in range(groups)]
    )
    bulk = sp.Add(
        *[pi * (ridge * gq - sp.log(gq)) for pi, gq in zip(weights, g, strict=True)]
    )
    entropy = sp.Add(
        *[sp.log(v) + coupling[q, q] / v for q, v in enumerate(scale)],
        -LogDet(*upper),
        -groups,
    )
    shrinkage = sp.Add(
        *[s**2 / v for s, v in zip(t + r, scale * (latents + 1), strict=True)]
    )
    start = {gq: 1 / ridge for gq in g}
    return Model(
        unknowns=Unknowns(positive=g, definite=upper),
        coefficients=m + t + r,
        parameters=(alpha, beta, ridge, source, noise, *weights),
        fields=(*c0, *c1, *cs, *h, tau0, tau1, tau2),
        chi=chi,
        linear_form=sp.Add(
            *[pi * gq * c for pi, gq, c in zip(weights, g, cs, strict=True)],
            sp.expand(quadratic) / beta,
        ),
        psi_local=bulk + entropy / beta,
        psi_average=alpha / beta * sp.log(1 + chi) + source * chi,
        energy_local=shrinkage,
        energy_weight=alpha / beta / (1 + chi) + source,
        energy_residuals=(tau0 - dot(m, c0) - dot(t, h), tau1 - dot(r, c1)),
        energy_rest=tau2,
        energy_width=sp.Add(
            *[
                mq**2 / (units * pi * gq)
                for mq, pi, gq in zip(m, weights, g, strict=True)
            ]
        ),
        ridge=ridge,
        source=source,
        start=tuple(start.values())
        + tuple(
            (scale[i].subs(start) if i == j else sp.Integer(0))
            for i in range(groups)
            for j in range(i, groups)
        ),
        quantities=regression_quantities(alpha / beta, ridge, noise, dot(weights, g)),
    )


@lru_cache(maxsize=16)
def uncoupled_model(groups: int, latents: int = 1) -> Model:
    """Write down the potentials of features without a linear part, ``c1 = 0``.

    Nothing couples the groups there, ``A = V`` solves its equations, and the g_q are
    all unknowns that are left.

    Parameters
    ----------
    groups, latents : int
        As for `spiked_model`, whose parameters, fields and coefficients are kept.
    """
    base = spiked_model(groups, latents)
    beta, weights, g = base.parameters[1], base.parameters[-groups:], base.unknowns
    known = {
        entry: beta * weights[i] * g.positive[i] if i == j else sp.S.Zero
        for entry, (i, j) in zip(g.definite, upper_triangle(groups), strict=True)
    }
    flat = dict.fromkeys(base.fields[base.families["c1"]], sp.S.Zero)
    (entropy,) = base.psi_local.atoms(LogDet)
    local = base.psi_local.subs(entropy, sp.expand_log(entropy.subs(known).doit()))
    return replace(
        base,
        unknowns=Unknowns(positive=g.positive),
        linear_form=base.linear_form.subs(flat),
        psi_local=sp.expand(local.subs(known)),
        start=base.start[:groups],
    )
