r"""Ridge regression on Gaussian data whose covariance has finitely many eigenvalues.

As :mod:`detequiv.theory.models.ridge`, but a fraction ``pi_q`` of the d directions has
the variance ``s_q``, and the part of theta in them the norm ``theta_q``. With ``g_q``
the average diagonal entry of the resolvent ``(X^T X / d + lambda)^{-1}`` in these
directions and ``b_q`` the length of the fit along that part of theta,

.. math::

   \Psi = \sum_q \pi_q (\lambda g_q - \log g_q) + \alpha \log(1 + \chi) + \epsilon \chi,
   \qquad \chi = \sum_q \pi_q s_q g_q,

   \mathrm{Energy} = w\,\Bigl[\sum_q s_q (\theta_q - b_q)^2 + \Delta\Bigr]
   + \lambda \sum_q b_q^2, \qquad w = \tfrac{\alpha}{1 + \chi} + \epsilon .

The test error is that of Dobriban and Wager, arXiv:1507.03003, and of Hastie,
Montanari, Rosset and Tibshirani, arXiv:1903.08560.
"""

from functools import lru_cache

import sympy as sp

from detequiv.theory.models.potential import Model, Unknowns, regression_quantities

__all__ = ["anisotropic_model"]


@lru_cache(maxsize=16)
def anisotropic_model(levels: int) -> Model:
    """Write down the potentials for so many eigenvalues of the covariance.

    Returns
    -------
    Model
        Parameters in the order alpha, lambda, epsilon, Delta, pi_1.., s_1.., theta_1...
    """
    alpha, ridge, chi = sp.symbols("alpha lambda chi", positive=True)
    source = sp.Symbol("epsilon", real=True)
    noise = sp.Symbol("Delta", nonnegative=True)
    pi, s, g = (
        sp.symbols(f"{name}_1:{levels + 1}", positive=True) for name in ("pi", "s", "g")
    )
    theta = sp.symbols(f"theta_1:{levels + 1}", nonnegative=True)
    b = sp.symbols(f"b_1:{levels + 1}", real=True)
    groups = list(zip(pi, s, g, theta, b, strict=True))
    return Model(
        unknowns=Unknowns(positive=g),
        coefficients=b,
        parameters=(alpha, ridge, source, noise, *pi, *s, *theta),
        fields=(),
        chi=chi,
        linear_form=sp.Add(*[p * s * g for p, s, g, _, _ in groups]),
        psi_local=sp.Add(*[p * (ridge * g - sp.log(g)) for p, _, g, _, _ in groups]),
        psi_average=alpha * sp.log(1 + chi) + source * chi,
        energy_local=ridge * sp.Add(*[c**2 for c in b]),
        energy_weight=alpha / (1 + chi) + source,
        energy_residuals=tuple(sp.sqrt(s) * (t - b) for _, s, _, t, b in groups),
        energy_rest=noise,
        ridge=ridge,
        source=source,
        start=(1 / ridge,) * levels,
        quantities=regression_quantities(
            alpha, ridge, noise, sp.Add(*[p * g for p, _, g, _, _ in groups])
        ),
    )
