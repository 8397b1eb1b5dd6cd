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

from detequiv.theory.errors import InputError
from detequiv.theory.features import FeatureLaw
from detequiv.theory.grammar import z
from detequiv.theory.potential import Model, energy
from detequiv.theory.problem import Problem

__all__ = ["check_limit", "interpolates", "ridgeless_model"]


def interpolates(problem: Problem) -> bool:
    """Whether there are fewer samples than units, n < p."""
    ridge = problem.ridge
    return bool((ridge.width_per_dim - ridge.samples_per_dim).is_positive)


def check_limit(problem: Problem, law: FeatureLaw) -> None:
    """Refuse problems whose ridgeless limit diverges, or is of another kind.

    Raises
    ------
    InputError
        n = p, or features without randomness of their own: linear ones, or a group
        without bulk, whose matrix is singular whatever n and p are.
    """
    ridge = problem.ridge
    if (ridge.width_per_dim - ridge.samples_per_dim).equals(0):
        raise InputError(
            "ridge.penalty",
            ridge.penalty,
            "the test error diverges as the penalty vanishes at n = p "
            "(samples_per_dim = width_per_dim); give a number > 0",
        )
    function = law.activation.function
    linear = function.is_polynomial(z) and sp.degree(function, z) < 2
    if linear or any(bulk.is_zero for bulk in law.bulks):
        raise InputError(
            "ridge.penalty",
            ridge.penalty,
            "without a penalty, features that are linear or have no bulk make the "
            "matrix singular; give a number > 0",
        )


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
