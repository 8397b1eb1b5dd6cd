r"""Ridge regression on isotropic Gaussian data: the Marchenko-Pastur law.

Labels ``y = <theta, x> + noise`` with ``x ~ N(0, I_d)`` and ``|theta| = r``; the fit
minimises ``sum_mu (y_mu - a.x_mu / sqrt(d))^2 + lambda |a|^2`` over n = alpha d
samples. With g the trace of the resolvent, ``(1/d) tr (X^T X / d + lambda)^{-1}``, and
b the length of the fit along theta,

.. math::

   \Psi = \lambda g - \log g + \alpha \log(1 + g) + \epsilon g, \qquad
   \mathrm{Energy} = w\,[(r - b)^2 + \Delta] + \lambda b^2, \qquad
   w = \tfrac{\alpha}{1 + g} + \epsilon .

The test error is that of Hastie, Montanari, Rosset and Tibshirani, arXiv:1903.08560.
"""

import sympy as sp

from detequiv.theory.models.potential import Model, Unknowns, regression_quantities

__all__ = ["ridge_model"]


def ridge_model() -> Model:
    """Write down the potentials, with parameters alpha, lambda, epsilon, Delta, r."""
    alpha, ridge, g, chi = sp.symbols("alpha lambda g chi", positive=True)
    source, b = sp.symbols("epsilon b", real=True)
    noise, signal = sp.symbols("Delta r", nonnegative=True)
    return Model(
        unknowns=Unknowns(positive=(g,)),
        coefficients=(b,),
        parameters=(alpha, ridge, source, noise, signal),
        fields=(),
        chi=chi,
        linear_form=g,
        psi_local=ridge * g - sp.log(g),
        psi_average=alpha * sp.log(1 + chi) + source * chi,
        energy_local=ridge * b**2,
        energy_weight=alpha / (1 + chi) + source,
        energy_residuals=(signal - b,),
        energy_rest=noise,
        ridge=ridge,
        source=source,
        start=(1 / ridge,),
        quantities=regression_quantities(alpha, ridge, noise, g),
    )
