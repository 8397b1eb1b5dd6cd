"""All that is known exactly about one activation or target, in one object."""

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from detequiv.theory.functions import Order, Pieces, orders, pieces, symmetric_part
from detequiv.theory.gaussian.hermite import hermite_coefficient, hermite_formula
from detequiv.theory.gaussian.proofs import proofs
from detequiv.theory.gaussian.smoothing import Moments, conditional_moments

__all__ = ["Portrait"]


@dataclass(frozen=True)
class Portrait:
    """What the theory knows about a function of z.

    Parameters
    ----------
    function : Expr
        f, in the symbol z, as
        :func:`~detequiv.theory.functions.admission.read_function` admits it.

    Examples
    --------
    >>> from detequiv.theory.functions import z
    >>> relu = Portrait(sp.Max(0, z))
    >>> relu.parity, relu.parts.breaks, relu.parts.jumps(), relu.closed_forms
    ('neither', (0,), (0,), ('c0', 'c1', 'E f^2'))
    """

    function: sp.Expr

    @cached_property
    def parts(self) -> Pieces:
        """Smooth branches between kinks and jumps."""
        return pieces(self.function)

    @cached_property
    def parity(self) -> str:
        """Parity of the function: "even", "odd" or "neither"."""
        for sign, name in [(1, "even"), (-1, "odd")]:
            if set(symmetric_part(self.function, -sign).branches) == {sp.S.Zero}:
                return name
        return "neither"

    @cached_property
    def growth(self) -> tuple[Order, Order]:
        """Growth towards minus and plus infinity."""
        return orders(self.parts)

    @cached_property
    def moments(self) -> Moments:
        """Conditional moments."""
        return conditional_moments(self.function)

    def distance(self, spike: sp.Expr, bulk: sp.Expr) -> sp.Expr:
        """Distance of the nearest complex singularity of ``f(rho g + u kappa)``.

        The distance, in two complex variables, of the singular set from the plane of
        real (g, kappa). For ``u = 0`` or ``rho = 0`` it is the half-width of the strip
        in the other variable.

        Parameters
        ----------
        spike, bulk : Expr
            u, real, and ``rho >= 0``, not both 0.

        Returns
        -------
        Expr
            ``d / sqrt(rho^2 + u^2)``, with d the half-width of the strip in which f is
            analytic (a lower bound of it where it is not known exactly): 0 where f has
            a kink or a jump, infinite where f is entire.
        """
        if self.parts.breaks:
            return sp.S.Zero
        width = self.moments.strip
        return sp.oo if width is None else width / sp.sqrt(bulk**2 + spike**2)

    def coefficients(self, count: int) -> tuple[sp.Expr, ...]:
        """Give ``mu_0 .. mu_{count - 1}``."""
        return tuple(hermite_coefficient(self.function, k) for k in range(count))

    def formula(self, k: sp.Symbol) -> sp.Expr | None:
        """Give ``mu_k`` for all k, where it is known."""
        return hermite_formula(self.function, k)

    @property
    def closed_forms(self) -> tuple[str, ...]:
        """Names of the averages that have a closed form."""
        known = {
            "c0": self.moments.c0,
            "c1": self.moments.c1,
            "E f^2": self.moments.second,
        }
        return tuple(name for name, form in known.items() if form is not None)

    @cached_property
    def proofs(self) -> tuple[str, ...]:
        """Names of the proofs of the closed forms, carried out on first use."""
        return proofs(self.function)
