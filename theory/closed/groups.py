"""One group of units by its averages over g, functions of kappa or numbers."""

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import z
from detequiv.theory.gaussian import GaussianMean, Moments, hermite_coefficient, m, rho
from detequiv.theory.problem import FeatureLaw, c1, c2, kappa

__all__ = ["Group", "groups_of"]

LONGEST = 60  # characters of a formula that a message spells


def groups_of(law: FeatureLaw) -> list["Group"]:
    """Average over g in every group."""
    pairs = zip(law.spikes, law.bulks, strict=True)
    return [Group(law.activation, u, r) for u, r in pairs]


class Group:
    """One group of units, its averages over g at the spike's slope in kappa."""

    def __init__(self, activation: Moments, spike: sp.Expr, bulk: sp.Expr) -> None:
        self.spike, function = spike, activation.function
        point = {m: spike * kappa, rho: bulk}

        def average(closed: sp.Expr | None, f: sp.Expr, k: int) -> sp.Expr:
            if spike.is_zero:
                return hermite_coefficient(f.subs(z, bulk * z), k)
            if closed is None:
                return GaussianMean(sp.Lambda(z, f), spike * kappa, bulk, k)
            return sp.expand(closed.subs(point, simultaneous=True))

        self.c0 = average(activation.c0, function, 0)
        self.c1 = average(activation.c1, function, 1)
        self.c2 = average(activation.c2, function, 2)
        second = average(activation.second, function**2, 0)
        self.cs = sp.expand(second - sp.expand(self.c0**2) - self.c1**2)

    @property
    def level(self) -> bool:
        """Whether the leverage does not depend on kappa."""
        return not (self.c1.has(kappa) or self.cs.has(kappa))

    def check(self, field: str, given: sp.Expr) -> None:
        """Refuse a leverage that depends on kappa."""
        for name, value in (("c1", self.c1), ("cs", self.cs)):
            if value.has(kappa):
                term = sp.sstr(value)
                shown = len(term) < LONGEST and not value.has(GaussianMean)
                term = f" = {term}" if shown else ""
                raise InputError(
                    field,
                    given,
                    "the average over kappa of 1/(1 + chi(kappa)) does not close: chi "
                    f"depends on kappa through {name}(kappa){term}; it closes without "
                    "a spike or a step (0), or for an affine activation",
                )

    @property
    def mean(self) -> list[sp.Expr]:
        """``c0`` along 1 and kappa."""
        return [self.c0.coeff(kappa, 0), self.c0.coeff(kappa, 1)]

    def along(self, tangent: sp.Expr) -> list[sp.Expr]:
        """Write a tangent function along 1 and kappa."""
        h = sp.expand(tangent.subs({c1: self.c1, c2: self.c2}))
        return [h.coeff(kappa, 0), h.coeff(kappa, 1)]
