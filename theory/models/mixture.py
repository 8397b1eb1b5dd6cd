r"""Spiked features of finite width: every group a continuous mixture in omega.

The overlap omega of a row with the spike differs from unit to unit, with variance 1/d.
At finite width the units of a group are a mixture of groups in omega. The part of the
predictor that is a function of kappa is
``sum_q E_omega[m_q(omega) c0_q(kappa; omega)]``, and costs
``sum_q E_omega[m_q(omega)^2] / (p pi_q g_q)``. With a Gauss rule in omega, nodes
``omega_i`` of weights ``w_i``,

.. math::

   \mathrm{Energy} = E_\kappa\, w\, [(\tau_0 - \sum_{q,i} m_{qi}\, c_{0,q}(\kappa;
     \omega_i))^2 + (\tau_1 - r\cdot c_1)^2 + \tau_2]
     + \sum_{q,i} \frac{m_{qi}^2}{p\, \pi_q w_i g_q} + r^T V^{-1} r .

Of the expansion of m in polynomials of omega the term of order 0 is the mean readout of
a group, the term of order 1 the tangent of the limit. Latents other than omega stay
tangents.
"""

from dataclasses import replace
from functools import lru_cache

import sympy as sp

from detequiv.theory.models.potential import Model, units
from detequiv.theory.models.spiked import spiked_model

__all__ = ["mixture_model"]


@lru_cache(maxsize=16)
def mixture_model(groups: int, latents: int, nodes: int) -> Model:
    """Write down the potentials for a Gauss rule of so many nodes in omega.

    Parameters
    ----------
    groups : int
        K.
    latents : int
        Of a unit, omega among them; see `spiked_model`.
    nodes : int
        Of the rule.

    Returns
    -------
    Model
        Parameters as those of `spiked_model`, then p and ``w_1..``; fields ``c0_qi``
        group after group, then those of `spiked_model` after its c0.
    """
    base = spiked_model(groups, latents - 1)
    shares = sp.symbols(f"w_1:{nodes + 1}", positive=True)
    places = [(q, i) for q in range(groups) for i in range(nodes)]

    def symbols(name: str) -> tuple[sp.Symbol, ...]:
        return tuple(sp.Symbol(f"{name}_{q + 1}^{i + 1}", real=True) for q, i in places)

    m, c0 = symbols("m"), symbols("c0")
    weights = base.parameters[-groups:]
    g = base.unknowns.positive
    one = dict(zip(base.coefficients[:groups], [sp.S.Zero] * groups, strict=True))
    first, *others = base.energy_residuals
    fit = sp.Add(*[a * b for a, b in zip(m, c0, strict=True)])
    cost = [
        a**2 / (units * weights[q] * shares[i] * g[q])
        for a, (q, i) in zip(m, places, strict=True)
    ]
    return replace(
        base,
        coefficients=m + base.coefficients[groups:],
        parameters=(*base.parameters, units, *shares),
        fields=c0 + base.fields[groups:],
        energy_local=base.energy_local + sp.Add(*cost),
        energy_residuals=(first.subs(one) - fit, *others),
        energy_width=sp.S.Zero,
    )
