r"""Features of several spikes: rows ``f_j = rho_q w_j + sum_i U_qi v_i``.

With ``kappa_i = <v_i, x>``, r numbers, the functions of kappa of `spiked_model` become
functions of ``U_q . kappa``, and its average over kappa one over r independent normal
numbers. Two things are new. A unit has the r latents ``sqrt(d) <w_j, v_i>``, each with
its tangents ``h_q^i = kappa_i c1_q`` and its readouts ``t_q^i``. The target may depend
on P more directions beyond the spikes, each seen by the linear features,

.. math::

   \mathrm{Energy} = E_\kappa\, w\, \Bigl[(\tau_0 - m\cdot c_0 - \sum_i t^i\cdot h^i)^2
     + \sum_{j=1}^{P} (\tau_1^j - r^j\cdot c_1)^2 + \tau_2\Bigr]
     + \sum_i t^{i\,T} V^{-1} t^i + \sum_j r^{j\,T} V^{-1} r^j .

Psi is that of one spike.
"""

from dataclasses import replace
from functools import lru_cache

import sympy as sp

from detequiv.theory.models import Model, families, spiked_model

__all__ = ["directions_model"]


@lru_cache(maxsize=16)
def directions_model(groups: int, latents: int, beyond: int) -> Model:
    """Write down the potentials.

    Parameters
    ----------
    groups : int
        K.
    latents : int
        Of a unit: r in the pure spiked model.
    beyond : int
        P, the directions beyond the spikes that the target depends on.

    Returns
    -------
    Model
        Parameters as those of `spiked_model`; fields likewise, with P in the place of
        its one tau1.

    Examples
    --------
    >>> directions_model(1, 2, 2).energy_residuals[0]
    -c0_1*m_1 - h^1_1*t^1_1 - h^2_1*t^2_1 + tau0
    >>> directions_model(1, 2, 2).energy_residuals[1:]
    (-c1_1*r^1_1 + tau1^1, -c1_1*r^2_1 + tau1^2)
    """
    base = spiked_model(groups, latents)
    r = base.coefficients[families(base.coefficients)["r"]]
    place = base.families["tau1"].start
    tau1 = base.fields[place]
    mean, linear = base.energy_residuals
    copies = [
        {s: sp.Symbol(f"r^{j + 1}_{q + 1}", real=True) for q, s in enumerate(r)}
        | {tau1: sp.Symbol(f"tau1^{j + 1}", real=True)}
        for j in range(beyond)
    ]
    none = dict.fromkeys(r, 0)
    shared = base.energy_local.subs(none)
    own = base.energy_local - shared
    return replace(
        base,
        coefficients=(
            *base.coefficients[: -len(r)],
            *(copy[s] for copy in copies for s in r),
        ),
        fields=(
            *base.fields[:place],
            *(copy[tau1] for copy in copies),
            *base.fields[place + 1 :],
        ),
        energy_residuals=(mean, *(linear.xreplace(copy) for copy in copies)),
        energy_local=sp.Add(shared, *(own.xreplace(copy) for copy in copies)),
    )
