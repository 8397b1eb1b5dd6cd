r"""Proximal map and Moreau envelope of a loss, derived from the loss itself.

.. math::

   M_\chi(v) = \min_u\; \ell(u) + (u - v)^2/\chi, \qquad
   u^* = v - \tfrac\chi2 \partial_v M, \qquad
   \partial_v M = \ell'(u^*), \qquad \partial_\chi M = -(\partial_v M)^2/4.

The argmin ``u*`` is the margin, or residual, of a sample that was fitted, where v is
that of the fit without it and chi the leverage of the sample.
"""

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from detequiv.theory.losses.loss import Loss, u

__all__ = [
    "DERIVATIVES",
    "Envelope",
    "SmoothEnvelope",
    "chi",
    "envelope",
    "smooth_envelope",
    "v",
]

v = sp.Symbol("v", real=True)
chi = sp.Symbol("chi", positive=True)

DERIVATIVES = ("", "v", "vv", "vvv", "vvvv", "c", "vc", "vvc", "cc")
"""By v and by chi (c): those that a Newton step on Gaussian averages needs."""


@dataclass(frozen=True)
class Envelope:
    """Moreau envelope of a piecewise quadratic loss: piecewise quadratic in v.

    Attributes
    ----------
    pieces, prox : tuple of Expr
        M and u*, in v and chi, from left to right.
    breaks : tuple of Expr
        In chi.
    """

    pieces: tuple[sp.Expr, ...]
    prox: tuple[sp.Expr, ...]
    breaks: tuple[sp.Expr, ...]


@lru_cache(maxsize=64)
def envelope(loss: Loss) -> Envelope:
    """Moreau envelope of a piecewise quadratic loss.

    Each piece of the loss gives one of the envelope, where u* lies in it, and so does
    each kink, where u* rests over an interval of v.

    Examples
    --------
    >>> from detequiv.theory.losses.loss import named_loss
    >>> envelope(named_loss("hinge")).breaks
    (1 - chi/2, 1)
    """
    pieces, prox, breaks = [], [], []

    def rest(piece: sp.Expr, place: sp.Expr) -> None:
        prox.append(place)
        pieces.append(sp.factor(piece.subs(u, place) + (place - v) ** 2 / chi))

    for i, piece in enumerate(loss.pieces):
        slope = -sp.oo if piece is sp.oo else sp.diff(piece, u)
        if piece is not sp.oo:
            (place,) = sp.solve(u + chi * slope / 2 - v, u)
            rest(piece, sp.factor(place))
        if i < len(loss.breaks):
            end, following = loss.breaks[i], loss.pieces[i + 1]
            low = slope.subs(u, end)
            high = sp.diff(following, u).subs(u, end)
            if piece is not sp.oo:
                breaks.append(end + chi * low / 2)
            if low != high:
                rest(following, end)
                breaks.append(end + chi * high / 2)
    return Envelope(tuple(pieces), tuple(prox), tuple(breaks))


@dataclass(frozen=True)
class SmoothEnvelope:
    """Moreau envelope of a smooth loss, in terms of ``u = u*(v, chi)``.

    Attributes
    ----------
    equation : Expr
        Increasing in u; its root is u*.
    derivatives : tuple of Expr
        Of M, in the order of `DERIVATIVES`, in u, v and chi.
    """

    equation: sp.Expr
    derivatives: tuple[sp.Expr, ...]


@lru_cache(maxsize=64)
def smooth_envelope(loss: Loss) -> SmoothEnvelope:
    """Moreau envelope of a loss of one smooth piece, by implicit differentiation.

    Examples
    --------
    >>> from detequiv.theory.losses.loss import named_loss
    >>> smooth_envelope(named_loss("logistic")).equation
    -chi*exp(-u)/(2*(1 + exp(-u))) + u - v
    """
    (piece,) = loss.pieces
    slope = sp.diff(piece, u)
    equation = u + chi * slope / 2 - v
    by_v = 1 / (1 + chi * sp.diff(slope, u) / 2)
    by_chi = -slope / 2 * by_v

    def along_v(expression: sp.Expr) -> sp.Expr:
        return sp.diff(expression, u) * by_v

    def along_chi(expression: sp.Expr) -> sp.Expr:
        return sp.diff(expression, chi) + sp.diff(expression, u) * by_chi

    found = {"": piece + (u - v) ** 2 / chi, "v": slope, "c": -(slope**2) / 4}
    for name in DERIVATIVES:
        if name not in found:
            step = along_v if name[-1] == "v" else along_chi
            found[name] = step(found[name[:-1]])
    return SmoothEnvelope(equation, tuple(found[name] for name in DERIVATIVES))
