r"""The bulk of a feature where its mean goes to infinity.

At ``f(rho g + m)``, ``m -> +-oo``, only the far branch of f counts. Where its slope has
a limit L the function becomes affine on the scale of rho: ``c1 -> rho L`` and
``cs -> 0``. Where the slope grows without bound so does ``c1``, and with it the
leverage of a sample.
"""

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from detequiv.theory.functions.grammar import z
from detequiv.theory.functions.growth import orders
from detequiv.theory.functions.pieces import Pieces, pieces

__all__ = ["Far", "far_slope"]


@dataclass(frozen=True)
class Far:
    """What becomes of the slope of a function at one end of the axis.

    Attributes
    ----------
    slope : Expr or None
        Its limit, infinite where the slope grows without bound; None where it has no
        limit, or one that is not known.
    """

    slope: sp.Expr | None

    @property
    def settles(self) -> bool:
        """Whether the slope has a finite limit."""
        return self.slope is not None and bool(self.slope.is_finite)

    @property
    def unbounded(self) -> bool:
        """Whether the slope grows without bound."""
        return self.slope is not None and not self.slope.is_finite


@lru_cache(maxsize=256)
def far_slope(function: sp.Expr, side: int) -> Far:
    """Limit of the slope of a function of z.

    Parameters
    ----------
    function : Expr
        The function.
    side : int
        +1 towards plus infinity, -1 towards minus infinity.

    Examples
    --------
    >>> far_slope(sp.Max(z, 0), -1), far_slope(sp.Max(z, 0), 1)
    (Far(slope=0), Far(slope=1))
    >>> far_slope(z**2, 1).unbounded, far_slope(sp.sin(z), 1).slope
    (True, None)
    """
    branch = pieces(function).branches[-1 if side > 0 else 0]
    slope = sp.diff(branch, z)
    try:
        order = orders(Pieces((), (slope,)))[side > 0]
    except ValueError:
        return Far(None)
    if order.factor == 0:
        return Far(sp.S.Zero)
    decisive = next((e for e in order.exponents if e != 0), sp.S.Zero)
    if decisive.is_extended_negative:
        return Far(sp.S.Zero)
    if not order.exact:
        return Far(_cancelled_limit(slope, side))
    if decisive.is_extended_positive:
        return Far(sp.oo * sp.sign(order.factor))
    return Far(order.factor)


def _cancelled_limit(slope: sp.Expr, side: int) -> sp.Expr | None:
    """Limit of a slope whose bounded leading terms cancel, as those of tanh do."""
    if not slope.has(sp.tanh, sp.erf) or slope.has(sp.sin, sp.cos, sp.tan):
        return None
    saturated = slope.xreplace(
        {
            f: side * sp.sign(f.args[0].coeff(z))
            for f in slope.atoms(sp.tanh, sp.erf)
            if f.args[0].diff(z).is_nonzero and not f.args[0].diff(z).has(z)
        }
    )
    if saturated.is_number and saturated.is_finite:  # SymPy's limit takes seconds
        return saturated
    try:
        limit = sp.limit(slope, z, side * sp.oo)
    except (NotImplementedError, ValueError):
        return None
    return limit if limit.is_number and limit.is_extended_real else None
