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

from detequiv.theory.models.covariance import CovarianceModel
from detequiv.theory.models.matrices import InverseEntry, LogDet
from detequiv.theory.models.potential import (
    Model,
    Unknowns,
    level_quantities,
    regression_quantities,
)
from detequiv.theory.models.spiked import spiked_model

__all__ = ["anisotropic_model", "level_model"]


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


@lru_cache(maxsize=1)
def level_model() -> CovarianceModel:
    r"""Write the same potentials as a saddle in two unknowns, for any number of levels.

    The scalars ``g_q = 1 / (\lambda + s_q B)`` of all levels are eliminated by the
    multiplier B of ``A = chi``,

    .. math::

       \Psi = \sum_s \omega_s \log(\lambda + s B) - A B + \alpha \log(1 + A)
         + \epsilon A,

    whose derivative by lambda is the average of g. Of the fit only
    ``T = sum s w* r_i``, its covariance with ``<w*, x>``, enters the predictor. Labels
    are functions of that projection; what is nonlinear in them is noise.

    Returns
    -------
    CovarianceModel
        Parameters and fields are those of spiked features in one group without a
        spike, levels those of `detequiv.theory.models.covariance.covariance_model`.
        Beta is 1: the units are the inputs.
    """
    base = spiked_model(1)
    alpha, beta, ridge, source, noise, _ = base.parameters
    coupling, field, entry = sp.symbols("A_1_1 B_1_1 M_1_1", real=True)
    fit, multiplier = sp.symbols("T_1 yT_1", real=True)
    s, omega = sp.Symbol("s", positive=True), sp.Symbol("omega", nonnegative=True)
    r = sp.Symbol("r_1", real=True)
    vv, vp, pp = sp.symbols("vv vp pp", real=True)
    (m, *_), (c0, c1, *_, tau0, tau1, tau2) = base.coefficients, base.fields
    return CovarianceModel(
        g=(),
        coupling=(coupling,),
        field=(field,),
        coefficients=(m, fit, multiplier),
        means=1,
        parameters=base.parameters,
        fields=base.fields,
        levels=(s, omega, r, vv, vp, pp),
        chi=base.chi,
        linear_form=c1**2 * coupling,
        psi_local=-coupling * field,
        psi_average=base.psi_average,
        psi_level=omega * LogDet(entry),
        matrix=(entry,),
        precision=(ridge + s * field,),
        energy_local=2 * fit * multiplier,
        energy_level=-s * pp * multiplier**2 * InverseEntry(0, 0, entry),
        energy_weight=base.energy_weight,
        energy_residuals=(tau0 - m * c0, tau1 - c1 * fit),
        energy_counted=(sp.S.Zero, c1 * fit),
        energy_rest=tau2,
        samples=alpha / beta,
        ridge=ridge,
        source=source,
        quantities=level_quantities(alpha / beta, ridge, noise),
    )
