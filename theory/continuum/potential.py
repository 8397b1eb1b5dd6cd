r"""Many groups, by what they do at the nodes in kappa: the potential without A.

With K groups the matrix A has K (K + 1) / 2 entries. But chi is linear in it, and Psi
stationary: with ``w`` the conjugate of chi at each node of a rule in kappa of weights
``p_k``, A is ``(V^{-1} + B)^{-1}`` and leaves

.. math::

   \Psi = \sum_q \psi_q(g_q)
     + \tfrac1\beta \log\det(I + P\, C) + \sum_k p_k w_k D_k + \sum_k p_k\, \psi^*(w_k),

   C = \sum_q V_q\, c_{1,q} c_{1,q}^T, \qquad P = \mathrm{diag}(p_k w_k), \qquad
   D = \sum_q \pi_q g_q c^*_q,

K numbers g and one w a node as unknowns, whatever K is. The Energy is a form in
the values of the target at the nodes,

.. math::

   \mathrm{Energy} = \tau_0^T (P^{-1} + C_0)^{-1} \tau_0
     + \tau_1^T (P^{-1} + C)^{-1} \tau_1 + \sum_k p_k w_k \tau_2,

with ``C_0`` the sum of all functions of kappa, each over its price. The scalars are
those of :func:`detequiv.theory.models.spiked_model` for one group.
"""

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from detequiv.theory.models import Model, spiked_model

__all__ = ["Reduced", "reduced_potential"]


@dataclass(frozen=True, kw_only=True)
class Reduced:
    """The scalars of the reduced potential, and their derivatives.

    Attributes
    ----------
    model : Model
        Of one group: parameters, unknown, source and quantities.
    weight : Symbol
        w, the conjugate of chi.
    own : Expr
        ``psi_q(g)``: a group's part of Psi.
    leverage : Expr
        chi, as a function of w.
    from_leverage : Expr
        w, as a function of the model's chi.
    conjugate : Expr
        ``psi*(w)``.
    linear, mean, variance : Expr
        One over the prices of a component of the readout along the rows' linear part
        (V) and of a group's mean readout, at a finite width; and ``pi g``.
    """

    model: Model
    weight: sp.Symbol
    own: sp.Expr
    leverage: sp.Expr
    from_leverage: sp.Expr
    conjugate: sp.Expr
    linear: sp.Expr
    mean: sp.Expr
    variance: sp.Expr


@lru_cache(maxsize=1)
def reduced_potential() -> Reduced:
    """Take A out of the potential of one group, and chi for its conjugate.

    Examples
    --------
    >>> reduced = reduced_potential()
    >>> sp.simplify(sp.diff(reduced.conjugate, reduced.weight) + reduced.leverage)
    0
    """
    model = spiked_model(1)
    (coupling,) = model.unknowns.definite
    m, _, r = model.coefficients
    weight = sp.Symbol("w", positive=True)
    from_leverage = sp.diff(model.psi_average, model.chi)
    (leverage,) = sp.solve(from_leverage - weight, model.chi)
    linear = 1 / model.energy_local.coeff(r, 2)
    variance = sp.diff(model.linear_form, model.fields[model.families["cs"]][0])
    return Reduced(
        model=model,
        weight=weight,
        own=sp.simplify(model.psi_local.subs(coupling, linear).doit()),
        leverage=leverage,
        from_leverage=from_leverage,
        conjugate=(model.psi_average - weight * model.chi).subs(model.chi, leverage),
        linear=linear,
        mean=1 / model.energy_width.coeff(m, 2),
        variance=variance,
    )
