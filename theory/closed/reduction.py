r"""The stationary point in two numbers, whatever the number of groups.

With one leverage, ``w = (alpha/beta)/(1 + chi) + epsilon`` is a number, ``B = w c1 c1^T``
has rank one, and stationarity in A is ``A^{-1} = V^{-1} + w c1 c1^T``. Sherman and
Morrison's formula and stationarity in g then give everything by w and by
``W = w / (1 + w c1^T V c1)``:

.. math::

   \frac1{g_q} = \lambda + w c^*_q + W c_{1q}^2, \qquad
   A = V - W\, V c_1 c_1^T V, \qquad
   \frac1W - \frac1w = \beta \sum_q \pi_q g_q c_{1q}^2, \qquad
   (w - \epsilon)\Bigl[1 + \frac1w \sum_q \pi_q (1 - \lambda g_q)\Bigr]
   = \frac\alpha\beta .

Without source there is one solution with w > 0 and W > 0, for lambda > 0 any and for
lambda = 0 with n > p: the first equation, ``W/w + W beta sum pi g c1^2 = 1``, has a left
side that grows with W and falls with w, so W(w) exists, is unique and grows with w; then
``w + sum pi (1 - lambda g) = alpha/beta`` has a left side that grows with w. A stationary
point with g > 0 and A positive definite has w > 0 and W > 0. So it is unique, and what
has it in a box has no other branch there.
"""

from functools import cached_property

import sympy as sp

from detequiv.theory.closed.untrained import Untrained, ridge

__all__ = ["Reduction", "coupled", "source", "weight"]

weight, coupled = sp.symbols("w W", positive=True)
source = sp.Symbol("epsilon", real=True)


class Reduction:
    """Equations and reported quantities in w and W.

    Parameters
    ----------
    untrained : Untrained
        Numbers and symbols.
    """

    def __init__(self, untrained: Untrained) -> None:
        self.untrained = untrained

    @property
    def unknowns(self) -> tuple[sp.Symbol, ...]:
        """``(w, W)``, or ``(w,)`` where no group has a linear part."""
        return (weight, coupled) if any(self.untrained.linear) else (weight,)

    @cached_property
    def resolvent(self) -> tuple[sp.Expr, ...]:
        """``g_q`` by w, W and the symbol lambda; lambda g_q in the limit n < p."""
        u = self.untrained
        penalty = sp.S.One if u.interpolating else ridge
        return tuple(
            1 / (penalty + weight * b + coupled * a)
            for a, b in zip(u.linear, u.rest, strict=True)
        )

    @cached_property
    def _equations(self) -> tuple[sp.Expr, ...]:
        """Vanish at the stationary point; with the source, and lambda as a symbol."""
        u, g = self.untrained, self.resolvent
        penalty = sp.S.One if u.interpolating else ridge
        constant = 0 if u.interpolating else 1
        share = sp.Add(
            *[p * (1 - penalty * gq) for p, gq in zip(u.weights, g, strict=True)]
        )
        trace = (weight - source) * (constant + share / weight) - u.samples / u.units
        if len(self.unknowns) == 1:
            return (trace,)
        linear = sp.Add(
            *[p * a * x for p, a, x in zip(u.weights, u.linear, g, strict=True)]
        )
        return trace, 1 / coupled - 1 / weight - u.units * linear

    @cached_property
    def equations(self) -> tuple[sp.Expr, ...]:
        """Polynomials in w and W that vanish at the stationary point."""
        return tuple(
            sp.numer(sp.together(self.put(e))) for e in self._equations
        )

    def put(self, expression: sp.Expr) -> sp.Expr:
        """Put the penalty in, and the source out."""
        return expression.subs({ridge: self.untrained.penalty, source: 0})

    @cached_property
    def quantities(self) -> dict[str, sp.Expr]:
        """Reported quantities, rational in w and W.

        Those that are infinite without a penalty are left out.
        """
        u, g = self.untrained, self.resolvent
        learned = u.metric / weight
        for p, x, gram in zip(u.weights, g, u.grams, strict=True):
            prior = u.units * p * x if u.prior == "V" else 1 / self._penalty
            learned = learned + prior * gram
        energy = weight * u.unseen + _explained(learned, u.label)
        trace = sp.Add(*[p * x for p, x in zip(u.weights, g, strict=True)])
        test = self._total(energy, source)
        found = {"generalization_error": test, "excess_error": test - u.noise}
        if u.interpolating:
            found |= {"training_error": sp.S.Zero, "readout_norm": energy}
            found |= {"ridge_objective": sp.S.Zero}
        else:
            norm = self._total(energy, ridge)
            training = (energy - ridge * norm) * u.units / u.samples
            found |= {"training_error": training, "readout_norm": norm}
            found |= {"ridge_objective": energy, "resolvent_trace": trace}
        found |= {f"g_{q + 1}": x for q, x in enumerate(g)}
        return {name: self.put(value) for name, value in found.items()}

    @property
    def _penalty(self) -> sp.Expr:
        return sp.S.One if self.untrained.interpolating else ridge

    def _total(self, energy: sp.Expr, parameter: sp.Symbol) -> sp.Expr:
        """Total derivative of the energy, by implicit differentiation (Cramer)."""
        unknowns, system = self.unknowns, self._equations
        moved = [sp.diff(e, parameter) for e in system]
        rows = [[sp.diff(e, x) for x in unknowns] for e in system]
        slopes = [sp.diff(energy, x) for x in unknowns]
        if len(unknowns) == 1:
            return sp.diff(energy, parameter) - slopes[0] * moved[0] / rows[0][0]
        (a, b), (c, d) = rows
        first, second = moved
        change = slopes[0] * (d * first - b * second)
        change += slopes[1] * (a * second - c * first)
        return sp.diff(energy, parameter) - change / (a * d - b * c)


def _explained(gram: sp.Matrix, label: sp.Matrix) -> sp.Expr:
    """``tr gram^{-1} label``, by Cramer's rule, or entry by entry if it is diagonal."""
    size = gram.rows
    if gram.is_diagonal():
        return sp.Add(*[label[i, i] / gram[i, i] for i in range(size)])
    return sp.Add(
        *[
            (-1) ** (i + j) * gram.minor(i, j) * label[i, j]
            for i in range(size)
            for j in range(size)
        ]
    ) / gram.det(method="berkowitz")
