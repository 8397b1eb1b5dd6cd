r"""Convex losses of one number: the margin ``y f`` or the residual ``y - f``.

A loss is written once, piece by piece; its proximal map, its Moreau envelope and
their derivatives follow from it, see :mod:`detequiv.theory.losses.envelope`.
"""

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

__all__ = ["LOSSES", "SEPARATION", "Loss", "named_loss", "u"]

u = sp.Symbol("u", real=True)  # the margin or the residual


@dataclass(frozen=True)
class Loss:
    """A convex loss on the line.

    Attributes
    ----------
    name : str
        As in a problem file.
    margin : bool
        Whether its argument u is the margin ``y f``, which needs labels of -1 and 1;
        it is the residual ``y - f`` otherwise.
    pieces : tuple of Expr
        In the symbol u, from left to right. The first may be infinite: a constraint.
    breaks : tuple of Expr
        Where one piece ends and the next begins, increasing.

    Examples
    --------
    >>> named_loss("hinge").value
    Piecewise((1 - u, u < 1), (0, True))
    """

    name: str
    margin: bool
    pieces: tuple[sp.Expr, ...]
    breaks: tuple[sp.Expr, ...] = ()

    @property
    def value(self) -> sp.Expr:
        """The loss as one expression in u."""
        *cases, last = self.pieces
        parts = [(e, u < b) for e, b in zip(cases, self.breaks, strict=True)]
        return sp.Piecewise(*parts, (last, True))


LOSSES = ("square", "logistic", "hinge", "squared_hinge", "huber")


@lru_cache(maxsize=64)
def named_loss(name: str, delta: sp.Expr | None = None) -> Loss:
    r"""Loss of a name in `LOSSES`.

    ``square``: :math:`u^2` and ``huber``: :math:`u^2` up to :math:`|u| = \delta` and
    :math:`2\delta|u| - \delta^2` beyond, of the residual; ``logistic``:
    :math:`\log(1 + e^{-u})`, ``hinge``: :math:`\max(0, 1 - u)` and ``squared_hinge``,
    its square, of the margin.

    Parameters
    ----------
    name : str
        One of `LOSSES`.
    delta : Expr, optional
        Of huber, positive.
    """
    if name == "huber":
        assert delta is not None
        far = 2 * delta * u - delta**2
        return Loss(name, False, (far.subs(u, -u), u**2, far), (-delta, delta))
    return {
        "square": Loss("square", False, (u**2,)),
        "logistic": Loss("logistic", True, (sp.log(1 + sp.exp(-u)),)),
        "hinge": Loss("hinge", True, (1 - u, sp.S.Zero), (sp.S.One,)),
        "squared_hinge": Loss(
            "squared_hinge", True, ((1 - u) ** 2, sp.S.Zero), (sp.S.One,)
        ),
    }[name]


SEPARATION = Loss("separation", True, (sp.oo, sp.S.Zero), (sp.S.Zero,))
"""No loss where the sign of the fit is that of the label, and no other fit allowed."""
