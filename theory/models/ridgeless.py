r"""The limit of a vanishing ridge penalty, as two scalar potentials again.

With more samples than units (n > p) nothing is singular: the limit is the model itself
at ``lambda = 0``. With fewer (n < p) the labels are interpolated and the unknowns grow
like ``1/lambda``. In units of that, ``x = x'/lambda``, ``epsilon = lambda epsilon'``
and ``chi = chi'/lambda``,

.. math::

   \Psi = \Psi'_{local}\big|_{\lambda = 1}
     + \tfrac\alpha\beta E \log(\lambda + \chi') + \epsilon' E \chi' + const,
   \qquad
   \mathrm{Energy} = \lambda \, \mathrm{Energy}',
   \quad w' = \tfrac{\alpha/\beta}{\lambda + \chi'} + \epsilon',

so that ``lambda -> 0`` leaves a model of the same kind in which 1 + chi is replaced by
chi. By homogeneity the test error is ``dEnergy'/depsilon'``, the squared norm of the
minimum-norm readout is ``Energy'``, and training error and objective vanish. At n = p
the norm of the readout and the test error diverge like ``lambda^{-1/2}``.
"""

from dataclasses import replace
from functools import lru_cache

import sympy as sp

from detequiv.theory.models.potential import Model, energy

__all__ = ["ridgeless_model"]


@lru_cache(maxsize=16)
def ridgeless_model(model: Model, interpolating: bool) -> Model:
    """Take the limit of a model at vanishing ridge penalty.

    Parameters
    ----------
    model : Model
        At positive penalties.
    interpolating : bool
        Whether n < p. If so, the unknowns are multiplied by the penalty, and the
        limit's own `ridge` parameter is to be set to 1; if not, to 0.
    """
    start = tuple(sp.sympify(s).subs(model.ridge, 1) for s in model.start)
    if not interpolating:
        return replace(model, start=start)
    chi, source, small = model.chi, model.source, sp.Symbol("s", positive=True)
    scaled = {chi: chi / small, source: small * source}
    weight = model.energy_weight.subs(scaled, simultaneous=True) / small
    slope = sp.diff(model.psi_average, chi).subs(scaled, simultaneous=True) / small
    rates = sp.limit(sp.together(slope), small, 0)
    return replace(
        model,
        start=start,
        psi_average=sp.integrate(sp.expand(rates), chi),
        energy_weight=sp.limit(sp.together(weight), small, 0),
        # what vanishes, and the squared norm, which is Energy' itself
        quantities={
            **model.quantities,
            "training_error": sp.Integer(0),
            "readout_norm": energy,
            "ridge_objective": sp.Integer(0),
        },
    )
