r"""One potential for convex losses, from the two scalars of a model.

For the square loss everything that is reported is an Energy and its derivatives along
the stationary point of Psi. Lagrange multipliers X' for the equations
``grad Psi = 0`` put the two into one function,

.. math:: \Phi(x, x'; y) = \mathrm{Energy}(y; x) + x' \cdot \nabla \Psi(x),

and its average over the data is that of the Moreau envelope of the square loss,

.. math:: \tfrac\alpha\beta\, E\, M_\chi(y, z), \qquad
   z = \mathrm{mean} + \mathrm{slope}\, s + \sqrt{Q}\, G.

Another convex loss puts its own envelope there. The form ``Q`` is that of chi, taken at
the multipliers: in the spiked model ``x' = (N_q/\pi_q, \beta S)``, with
``N_q = |a_q|^2/p`` and S the Gram matrix of the groups' linear parts. This is the
replica-symmetric solution; it is heuristic where the loss is not the square.
"""

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from detequiv.theory.models.potential import Model

__all__ = ["ConvexModel", "convex_model"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ConvexModel:
    """Potential of a model for any convex loss.

    Attributes
    ----------
    model : Model
        The model; its unknowns x and coefficients y.
    multipliers : tuple of Symbol
        x', one for each unknown x, in their order.
    local : Expr
        ``Phi = local(x, x', y) + samples E M_chi``, at no source.
    samples : Expr
        Number of samples over that of features, alpha/beta.
    leverage, spread : Expr
        chi and Q: linear in x and in x'.
    mean, slope : Expr
        Those of the prediction z given kappa: linear in y.
    """

    model: Model
    multipliers: tuple[sp.Symbol, ...]
    local: sp.Expr
    samples: sp.Expr
    leverage: sp.Expr
    spread: sp.Expr
    mean: sp.Expr
    slope: sp.Expr


@lru_cache(maxsize=16)
def convex_model(model: Model) -> ConvexModel:
    """Derive the potential for convex losses from a model's Psi and Energy.

    Parameters
    ----------
    model : Model
        With two residuals: of the part of the label that is a function of kappa, and
        of the part linear in what is left of the target's projection.

    Examples
    --------
    >>> from detequiv.theory.models.spiked import spiked_model
    >>> phi = convex_model(spiked_model(1))
    >>> phi.samples, phi.mean
    (alpha/beta, c0_1*m_1 + h_1*t_1)
    >>> phi.spread
    A_1_1'*c1_1**2/beta + cs_1*g_1'*pi_1
    """
    x = model.unknowns.symbols
    multipliers = tuple(
        sp.Symbol(f"{s.name}'", positive=s.is_positive, real=True) for s in x
    )
    at_rest = {model.source: 0}

    def along(expression: sp.Expr) -> sp.Expr:
        """Differentiate along the multipliers."""
        return sp.Add(
            *[
                direction * sp.diff(expression, s)
                for s, direction in zip(x, multipliers, strict=True)
            ]
        )

    nothing = dict.fromkeys(model.coefficients, 0)
    mean, slope = (r.subs(nothing) - r for r in model.energy_residuals)
    return ConvexModel(
        model=model,
        multipliers=multipliers,
        local=(along(model.psi_local) + model.energy_local).subs(at_rest),
        samples=sp.diff(model.psi_average, model.chi).subs({**at_rest, model.chi: 0}),
        leverage=model.linear_form,
        spread=along(model.linear_form),
        mean=mean,
        slope=slope,
    )
