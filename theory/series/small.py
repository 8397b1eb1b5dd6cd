r"""Reported quantities in powers of a small spike or step.

With ``w(kappa)`` the weight of a sample, the equations are

.. math::

   \frac1{g_q} = \lambda + E[w c^*_q] + [V^{-1} - V^{-1} A V^{-1}]_{qq}, \qquad
   A^{-1} = V^{-1} + E[w c_1 c_1^T], \qquad
   (w(\kappa) - s) (1 + \chi(\kappa)) = \frac\alpha\beta .

At epsilon = 0 they are those of :mod:`detequiv.theory.closed.reduction`, with one g for
all groups, w and W. Order by order in epsilon, and in the source or the penalty, by
which the errors are derivatives, the change of each g and of ``w(kappa)`` follows from
two numbers, the changes of the means of g and of w, which obey two linear equations of
determinant J. What features express for free are series in epsilon too: divided by the
power of epsilon that they begin with, they span at any epsilon > 0 what they span in
the limit.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import sympy as sp
from sympy.polys.matrices import DomainMatrix

from detequiv.theory.series.features import SmallFeatures
from detequiv.theory.series.field import SmallRing, root

__all__ = ["SmallSeries"]

DUALS = {
    "generalization_error": "source",
    "excess_error": "source",
    "training_error": "ridge",
    "readout_norm": "ridge",
}


class SmallSeries:
    """The expansion of one quantity.

    Parameters
    ----------
    features : SmallFeatures
    quantity : str
        Name of what is reported.
    order : int
        Highest power.
    untrained : Float
        The untrained root, to some 40 digits.

    Raises
    ------
    OpenFieldError
        Too many numbers of the problem are not rational.
    """

    def __init__(
        self, features: SmallFeatures, quantity: str, order: int, untrained: sp.Float
    ) -> None:
        self.quantity, self.order = quantity, order
        self.count = len(features.groups)
        # dividing by powers of epsilon loses as many orders
        self.ring = ring = SmallRing(features, order, untrained, 2 * self.count)
        self.functions = _free_functions(ring)
        ring.order = order
        self.alpha, self.beta = ring.given("alpha"), ring.given("beta")
        self.share = [ring.given(f"pi_{q}") for q in range(self.count)]
        dual = DUALS.get(quantity, "")
        self.source = ring.dual if dual == "source" else ring.ring.zero
        self.penalty = ring.constant(ring.numbers["lambda"])
        if dual == "ridge":
            self.penalty += ring.dual
        self.free = len(self.functions)
        self.c1, self.cs = [], []
        for q in range(self.count):
            _, scale, du, drho = ring.group(q)
            c0, slope, bend = (ring.smoothed(q, by) for by in range(3))
            c1 = ring.times(scale, slope)
            second = ring.smoothed(q, 0, square=True)
            self.c1.append(c1)
            self.cs.append(second - ring.times(c0, c0) - ring.times(c1, c1))
            along = ring.times(du, ring.kappa, slope)
            self.functions.append(along + ring.times(drho, scale, bend))
        self.functions = [ring.cut(f) for f in self.functions]

    @property
    def polynomial(self) -> sp.Poly:
        """Irreducible polynomial of the untrained root."""
        return self.ring.polynomial

    @property
    def values(self) -> Mapping[sp.Symbol, sp.Expr]:
        """Exact numbers that symbols of the coefficients stand for."""
        return dict(self.ring.values)

    @cached_property
    def coefficients(self) -> list[sp.Expr]:
        """Of every power of epsilon from 0, polynomials in the untrained root."""
        ring = self.ring
        self._solve()
        if self.quantity == "resolvent_trace":
            found = self._sum(
                ring.ring.ground_new(p) * g
                for p, g in zip(self.share, self.gs, strict=True)
            )
        else:
            found = self._energy()
        parts = [[ring.at(found, n, dual) for dual in (0, 1)] for n in self._powers]
        return [
            ring.expression(self._reported(n, *part)) for n, part in enumerate(parts)
        ]

    @property
    def _powers(self) -> range:
        return range(self.order + 1)

    def _reported(self, n: int, value: Any, slope: Any) -> Any:
        ring, field = self.ring, self.ring.field
        if self.quantity in ("resolvent_trace", "ridge_objective"):
            return field.convert(value)
        if self.quantity == "training_error":
            return (value - ring.given("lambda") * slope) * self.beta / self.alpha
        if self.quantity == "excess_error" and n == 0:
            return slope - ring.given("noise")
        return field.convert(slope)

    def _sum(self, elements: Iterable[Any]) -> Any:
        return sum(elements, self.ring.ring.zero)

    def _base(self) -> None:
        """Numbers of the untrained network, and the matrix of its two equations."""
        ring = self.ring
        number = ring.numbers
        weight = number["alpha"] / number["beta"] - 1 + number["lambda"] * root
        self.g, self.w = ring.number(root), ring.number(weight)
        self.linear = ring.at(self.c1[0]) ** 2
        self.rest = ring.at(self.cs[0])
        one = ring.field.one
        self.big = self.w / (one + self.beta * self.linear * self.g * self.w)
        self.ratio = self.big / self.w
        beyond = self.linear**2 * self.beta * self.g**2
        self.rows = (
            self.alpha / self.beta / self.w - beyond * self.big * self.ratio,
            self.w * self.rest + self.linear * self.big * self.ratio,
            self.rest + self.linear * self.ratio**2,
            one / self.g**2 - self.beta * self.linear**2 * self.big**2,
        )

    def _solve(self) -> None:
        """Find g and w(kappa), order by order."""
        self._base()
        ring, new = self.ring, self.ring.ring.ground_new
        a, b, c, d = self.rows
        determinant = a * d - b * c
        self.gs, self.weight = [new(self.g)] * self.count, new(self.w)
        for n in self._powers:
            for dual in (0, 1):
                if n == dual == 0:
                    continue
                own = ring.epsilon**n * ring.dual**dual
                residuals, excess = self._residuals()
                r = [ring.at(e, n, dual) for e in residuals]
                p = ring.coefficient(excess, n, dual)
                mean_p = ring.at(ring.mean(p))
                mean_r = sum(
                    (s * e for s, e in zip(self.share, r, strict=True)), ring.field.zero
                )
                by_w = (b * mean_r - d * mean_p) / determinant
                by_g = (c * mean_p - a * mean_r) / determinant
                by_big = self.big**2 * (
                    by_w / self.w**2 - self.beta * self.linear * by_g
                )
                by_chi = (self.rest + self.linear * self.ratio**2) * by_g
                by_chi -= self.linear**2 * self.beta * self.g**2 * self.ratio**2 * by_w
                change = self.rest * by_w + self.linear * by_big
                self.gs = [
                    g - own * new(self.g**2 * (change + e))
                    for g, e in zip(self.gs, r, strict=True)
                ]
                over = new(self.beta * self.w / self.alpha)
                self.weight -= own * (p + new(self.w * by_chi)) * over

    def _residuals(self) -> tuple[list[Any], Any]:
        """Find what the equations are off by at the present g and w(kappa)."""
        ring, times, size = self.ring, self.ring.times, range(self.count)
        new = ring.ring.ground_new
        weighted = [times(self.weight, c) for c in self.c1]
        matrix = [[ring.mean(times(x, y)) for y in self.c1] for x in weighted]
        over = [ring.inverse(g) for g in self.gs]
        prices = [
            o * new(ring.field.one / (self.beta * s))
            for o, s in zip(over, self.share, strict=True)
        ]
        whole = [list(row) for row in matrix]
        for q in size:
            whole[q][q] += prices[q]
        self.coupling = [
            self._solved(whole, [ring.ring.one * (q == r) for r in size]) for q in size
        ]
        found, chi = [], ring.ring.zero
        for q in size:
            seen = self._sum(times(matrix[q][r], self.coupling[r][q]) for r in size)
            mean = ring.mean(times(self.weight, self.cs[q]))
            found.append(self.penalty + mean + times(seen, prices[q]) - over[q])
            chi += times(new(self.share[q]) * self.gs[q], self.cs[q])
            for r in size:
                square = times(self.coupling[q][r], self.c1[q], self.c1[r])
                chi += square * new(ring.field.one / self.beta)
        excess = times(self.weight - self.source, ring.ring.one + chi)
        return found, excess - new(self.alpha / self.beta)

    def _solved(self, matrix: list[list[Any]], right: list[Any]) -> list[Any]:
        """Solve linear equations of series, from those of their constant terms."""
        ring = self.ring
        first = DomainMatrix(
            [[ring.at(e) for e in row] for row in matrix],
            (len(right), len(right)),
            ring.field,
        ).inv()
        inverse = [[ring.ring.ground_new(e) for e in row] for row in first.to_list()]
        moved = [[e - ring.ring.ground_new(ring.at(e)) for e in row] for row in matrix]

        def apply(rows: list[list[Any]], values: list[Any]) -> list[Any]:
            return [
                self._sum(
                    ring.times(e, x) for e, x in zip(row, values, strict=True) if e
                )
                for row in rows
            ]

        found = term = apply(inverse, right)
        while any(term):
            term = [-e for e in apply(inverse, apply(moved, term))]
            found = [x + y for x, y in zip(found, term, strict=True)]
        return found

    def _energy(self) -> Any:
        """Minimal Energy, its free functions and tangents eliminated."""
        ring, times = self.ring, self.ring.times
        weighted = [times(self.weight, f) for f in self.functions]
        right = [ring.mean(f, "mean") for f in weighted]
        matrix = [[ring.mean(times(f, e)) for e in self.functions] for f in weighted]
        self._residuals()  # the coupling at the last g and w
        for q, (g, share) in enumerate(zip(self.gs, self.share, strict=True)):
            price = ring.ring.ground_new(ring.field.one / (self.beta * share))
            matrix[self.free + q][self.free + q] += ring.inverse(g) * price
        learned = self._solved(matrix, right)
        energy = ring.mean(self.weight, "square")
        energy -= self._sum(times(e, x) for e, x in zip(right, learned, strict=True))
        across = [ring.mean(times(self.weight, c), "across") for c in self.c1]
        for e, row in zip(across, self.coupling, strict=True):
            energy -= self._sum(
                times(e, a, f) for a, f in zip(row, across, strict=True)
            )
        return energy


def _free_functions(ring: SmallRing) -> list[Any]:
    """Find a basis of the mean features whose limits are independent."""
    basis: dict[int, Any] = {}
    for q in range(len(ring.features.groups)):
        row = ring.smoothed(q, 0)
        while row:
            row = ring.lowered(row)
            lead = ring.coefficient(row, 0, 0)
            powers = {p[2]: c for p, c in lead.items()}
            known = [k for k in powers if k in basis]
            if not known:
                top = max(powers)
                scale = ring.ring.ground_new(ring.field.one / powers[top])
                basis[top] = ring.cut(row * scale)
                break
            k = max(known)
            row = ring.cut(row - ring.ring.ground_new(powers[k]) * basis[k])
    return list(basis.values())
