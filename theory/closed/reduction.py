r"""The stationary point in two numbers, whatever the number of groups.

With one leverage, ``w = (alpha/beta)/(1 + chi) + epsilon`` is a number,
``B = w c1 c1^T`` has rank one, and stationarity in A is
``A^{-1} = V^{-1} + w c1 c1^T``. Sherman and Morrison's formula and stationarity in g
then give everything by w and by
``W = w / (1 + w c1^T V c1)``:

.. math::

   \frac1{g_q} = \lambda + w c^*_q + W c_{1q}^2, \qquad
   \frac1W - \frac1w = \beta \sum_q \pi_q g_q c_{1q}^2, \qquad
   \chi = \frac1w \sum_q \pi_q (1 - \lambda g_q), \qquad
   (w - \epsilon) (1 + \chi) = \frac\alpha\beta .

Without source there is one solution with w > 0 and W > 0, for lambda > 0 any and for
lambda = 0 with n > p: the second equation, ``W/w + W beta sum pi g c1^2 = 1``, has a
left side that grows with W and falls with w, so W(w) exists, is unique and grows with
w; then ``w + sum pi (1 - lambda g) = alpha/beta`` has a left side that grows with w. A
stationary point with g > 0 and A positive definite has w > 0 and W > 0. So it is
unique, and what has it in a box has no other branch there.

In the limit of a vanishing penalty with n < p, w and W vanish as lambda does: w, W and
epsilon stand for their ratios to it then, g for the limit of ``lambda g``, and chi,
which is infinite, for that of ``lambda chi``.

The minimal Energy is rational in w, W and g. Its derivatives are total, the unknowns
move by implicit differentiation.
"""

from functools import cached_property

import sympy as sp

from detequiv.theory.closed.untrained import Untrained, ridge
from detequiv.theory.errors import InputError

__all__ = ["Reduction", "coupled", "leverage", "weight"]

weight, coupled, leverage = sp.symbols("w W chi", positive=True)
source = sp.Symbol("epsilon", real=True)
trace = sp.Symbol("resolvent_trace", positive=True)
determinant = sp.Symbol("J", real=True)
SLOPES = {  # how w and W move with the source, and with the penalty
    source: sp.symbols("w_epsilon W_epsilon", real=True),
    ridge: sp.symbols("w_lambda W_lambda", real=True),
}


class Reduction:
    """Equations and reported quantities in w and W.

    Parameters
    ----------
    untrained : Untrained
        Numbers and symbols.
    """

    def __init__(self, untrained: Untrained) -> None:
        self.untrained = untrained
        groups = range(1, len(untrained.weights) + 1)
        prefix = "lambda_" if untrained.interpolating else ""
        self.resolvent = tuple(
            sp.Symbol(f"{prefix}g_{q}", positive=True) for q in groups
        )
        self._penalty = sp.S.One if untrained.interpolating else ridge

    @property
    def unknowns(self) -> tuple[sp.Symbol, ...]:
        """``(w, W)``, or ``(w,)`` where no group has a linear part."""
        return (weight, coupled) if any(self.untrained.linear) else (weight,)

    @cached_property
    def equations(self) -> tuple[sp.Expr, ...]:
        """Polynomials in w and W that vanish at the stationary point."""
        return tuple(sp.numer(sp.together(e)) for e in self.monotone)

    @cached_property
    def monotone(self) -> tuple[sp.Expr, ...]:
        """Vanish at the stationary point; the first rises with w, the other with W.

        At every w, W is the root of the other, if there is one.
        """
        known = dict(zip(self.resolvent, self._resolvent(), strict=True))
        return tuple(self._put(e.subs(known)) for e in self._equations)

    @property
    def written(self) -> tuple[sp.Expr, ...]:
        """``g_q`` by w and W."""
        return tuple(self._put(g) for g in self._resolvent())

    @property
    def energy(self) -> sp.Expr:
        """Minimal Energy, by w, W and g."""
        return self._put(self._energy)

    @cached_property
    def steps(self) -> dict[sp.Symbol, sp.Expr]:
        """What the quantities are made of, each by w, W and those before it."""
        found = dict(zip(self.resolvent, self._resolvent(), strict=True))
        found[leverage] = self._share / weight
        rows = self._rows
        found[determinant] = rows[0][0]
        if len(rows) == 2:
            found[determinant] = rows[0][0] * rows[1][1] + rows[0][1] * -rows[1][0]
        for parameter in self._parameters:
            found |= dict(zip(SLOPES[parameter], self._moved(parameter), strict=False))
        return {symbol: self._put(value) for symbol, value in found.items()}

    @cached_property
    def quantities(self) -> dict[str, sp.Expr]:
        """Reported quantities, by w, W and the steps.

        Those that are infinite without a penalty are left out.
        """
        u = self.untrained
        test = self._total(source)
        found = {"generalization_error": test, "excess_error": test - u.noise}
        if u.interpolating:
            found |= dict.fromkeys(("training_error", "ridge_objective"), sp.S.Zero)
            found["readout_norm"] = self._energy
        else:
            # every residual is that of a fresh sample over 1 + chi
            found["training_error"] = test / (1 + leverage) ** 2
            found["readout_norm"] = self._total(ridge)
            found["ridge_objective"] = self._energy
            found[str(trace)] = self._mean(self.resolvent)
        found |= {str(g): g for g in self.resolvent}
        return {name: self._put(value) for name, value in found.items()}

    def written_out(
        self, expression: sp.Expr, known: dict[sp.Symbol, sp.Expr]
    ) -> sp.Expr:
        """Put the steps in, and w and W as `known` has them, each by those before."""
        point: dict[sp.Symbol, sp.Expr] = {}
        for symbol, value in {**known, **self.steps, **known}.items():
            point[symbol] = value.subs(point)
        return expression.subs(point)

    def unknown(self, name: str) -> sp.Symbol:
        """Symbol of a reported quantity; "g_q" stands for "lambda_g_q" in its limit.

        Raises
        ------
        InputError
            It is not reported.
        """
        own = {f"g_{q}": g for q, g in enumerate(self.resolvent, 1)}
        symbol = own.get(name, sp.Symbol(name, real=True))
        known = {s.name: s for s in (*self.resolvent, trace)}
        if symbol.name not in self.quantities:
            listed = ", ".join(self.quantities)
            raise InputError("unknown", name, f"is not reported here; known: {listed}")
        return known.get(symbol.name, symbol)

    def explicit(self, x: sp.Symbol) -> tuple[dict[sp.Symbol, sp.Expr], sp.Expr] | None:
        """Write w and W by one unknown, and what is left of the equations.

        None where w or W is not rational in it by one equation alone.
        """
        u = self.untrained
        if len(self.resolvent) == 1 and x in (*self.resolvent, trace):
            w = self._weight_by_trace(x)
            if w is not None:
                (share, a), (b,) = (u.weights[0], u.linear[0]), u.rest
                point, own = {weight: w}, u.penalty + w * b
                if a != 0:
                    point[coupled] = weight / (1 + u.units * share * a * x * weight)
                    own += a * point[coupled].subs(point)
                return point, x * own - 1
        one = None if any(u.linear) else self.one_by(x)
        return None if one is None else (one, self.equations[0].subs(one))

    def one_by(self, x: sp.Symbol) -> dict[sp.Symbol, sp.Expr] | None:
        """Write w or W by one unknown and the other; None where it is not rational."""
        if x == trace:
            w = self._weight_by_trace(x)
            return None if w is None or self.untrained.penalty.is_zero else {weight: w}
        if x not in self.resolvent:
            return None
        q, penalty = self.resolvent.index(x), self._put(self._penalty)
        a, b = self.untrained.linear[q], self.untrained.rest[q]
        if a != 0:
            return {coupled: (1 / x - penalty - weight * b) / a}
        return None if b == 0 else {weight: (1 / x - penalty) / b}

    def _weight_by_trace(self, x: sp.Symbol) -> sp.Expr | None:
        """``w = alpha/beta - 1 + lambda (1/p) tr resolvent``."""
        u = self.untrained
        return None if u.interpolating else u.samples / u.units - 1 + u.penalty * x

    @property
    def _parameters(self) -> tuple[sp.Symbol, ...]:
        return (source,) if self.untrained.interpolating else (source, ridge)

    def _put(self, expression: sp.Expr) -> sp.Expr:
        """Put the penalty in, and the source out."""
        return expression.subs({ridge: self.untrained.penalty, source: 0})

    def _resolvent(self) -> list[sp.Expr]:
        """``g_q`` by w and W."""
        u = self.untrained
        return [
            1 / (self._penalty + weight * b + coupled * a)
            for a, b in zip(u.linear, u.rest, strict=True)
        ]

    def _mean(self, values: tuple[sp.Expr, ...]) -> sp.Expr:
        pairs = zip(self.untrained.weights, values, strict=True)
        return sp.Add(*[share * value for share, value in pairs])

    @property
    def _share(self) -> sp.Expr:
        """``w chi``."""
        return self._mean(tuple(1 - self._penalty * g for g in self.resolvent))

    @cached_property
    def _equations(self) -> tuple[sp.Expr, ...]:
        """Vanish at the stationary point; by w, W, g, the source and lambda."""
        u = self.untrained
        own = 0 if u.interpolating else weight - source
        trace = own + self._share * (1 - source / weight) - u.samples / u.units
        if len(self.unknowns) == 1:
            return (trace,)
        linear = [a * g for a, g in zip(u.linear, self.resolvent, strict=True)]
        return trace, 1 / weight + u.units * self._mean(tuple(linear)) - 1 / coupled

    @cached_property
    def _energy(self) -> sp.Expr:
        """Minimal Energy over the readout, by w, W and g."""
        u, unseen = self.untrained, weight * self.untrained.unseen
        if u.prior == "ridge":
            signal = [u.label[i, i] / scale for i, scale in enumerate(u.rest)]
            pairs = zip(signal, self.resolvent, strict=True)
            return unseen + ridge * sp.Add(*[s * (1 - ridge * g) for s, g in pairs])
        if all(
            gram == a * u.metric for gram, a in zip(u.grams, u.linear, strict=True)
        ):  # all directions alike
            along = coupled if len(self.unknowns) == 2 else weight
            return unseen + along * _explained(u.metric, u.label)
        learned = u.metric / weight
        for share, g, gram in zip(u.weights, self.resolvent, u.grams, strict=True):
            learned = learned + u.units * share * g * gram
        return unseen + _explained(learned, u.label)

    def _along(self, e: sp.Expr, x: sp.Symbol) -> sp.Expr:
        """Differentiate an expression in w, W, g and lambda; g moves with all."""
        inner = dict(zip(self.resolvent, self._resolvent(), strict=True))
        change = sp.diff(e, x)
        for g, value in inner.items():
            slope = sp.diff(1 / value, x)
            change -= sp.diff(e, g) * g**2 * slope
        return change

    @cached_property
    def _rows(self) -> list[list[sp.Expr]]:
        """Jacobian of the equations by w and W."""
        return [[self._along(e, x) for x in self.unknowns] for e in self._equations]

    def _moved(self, parameter: sp.Symbol) -> list[sp.Expr]:
        """How w and W move with a parameter (Cramer's rule)."""
        known = {self._share / weight: leverage}
        right = [(-self._along(e, parameter)).xreplace(known) for e in self._equations]
        if len(right) == 1:
            return [right[0] / determinant]
        (a, b), (c, d) = self._rows
        first, second = right
        solved = d * first - b * second, a * second + -c * first
        return [value / determinant for value in solved]

    def _total(self, parameter: sp.Symbol) -> sp.Expr:
        """Total derivative of the minimal Energy."""
        found = self._along(self._energy, parameter)
        for x, slope in zip(self.unknowns, SLOPES[parameter], strict=False):
            found += self._along(self._energy, x) * slope
        return found


def _explained(gram: sp.Matrix, label: sp.Matrix) -> sp.Expr:
    """``tr gram^{-1} label``, by Cramer's rule, or entry by entry if it is diagonal."""
    size = gram.rows
    if gram.is_diagonal():
        return sp.Add(*[label[i, i] / gram[i, i] for i in range(size)])
    cofactors = [
        (-1) ** (i + j) * gram.minor(i, j) * label[i, j]
        for i in range(size)
        for j in range(size)
    ]
    return sp.Add(*cofactors) / gram.det(method="berkowitz")
