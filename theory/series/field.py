"""Truncated series whose coefficients are exact numbers of an algebraic field."""

from math import factorial
from typing import Any

import sympy as sp
from sympy.polys.agca.extensions import FiniteExtension
from sympy.polys.rings import ring

from detequiv.theory.gaussian import GaussianMean
from detequiv.theory.series.features import SmallFeatures, epsilon

__all__ = ["OpenFieldError", "SmallRing", "root"]

MOST_NAMES = 1  # numbers that are no rational ones, beyond which fields are too slow
FEW = 1  # power of epsilon up to which a field with such a number serves
root = sp.Symbol("g_1", positive=True)


class OpenFieldError(ValueError):
    """The numbers of a problem make no field that one can compute in."""


class SmallRing:
    """Series in epsilon, a dual number and kappa.

    Parameters
    ----------
    features : SmallFeatures
    order : int
        Power of epsilon up to which series are kept.
    untrained : Float
        The untrained root, to tell its factor of the polynomial.
    margin : int
        Orders kept beyond that, for a while.

    Raises
    ------
    OpenFieldError
        Too many numbers are not rational, or one is, and the order is high.
    """

    def __init__(
        self, features: SmallFeatures, order: int, untrained: sp.Float, margin: int = 0
    ) -> None:
        self.features, self.wanted = features, order
        self.order = order = order + margin
        self.values: dict[sp.Symbol, sp.Expr] = {}
        self._names: dict[sp.Expr, sp.Expr] = {}
        count = 2 * order + 3
        self._derivatives = {
            square: [self._named(features.derivative(k, square)) for k in range(count)]
            for square in (False, True)
        }
        self._targets = {
            what: [self._named(features.target(k, what)) for k in range(count)]
            for what in ("mean", "square", "across")
        }
        regression, problem = features.problem.ridge, features.problem
        self.numbers = {
            "alpha": self._named(regression.samples_per_dim),
            "beta": self._named(regression.width_per_dim),
            "lambda": self._named(regression.penalty),
            "noise": self._named(problem.target.noise**2),
            "bulk": self._named(features.bulk),
        }
        for q, weight in enumerate(features.weights):
            self.numbers[f"pi_{q}"] = self._named(weight)
        self._polynomials = [
            [
                {
                    k: self._named(c)
                    for (k,), c in sp.Poly(sp.expand(e), epsilon).terms()
                }
                for e in (group.strength, group.scale, *group.latents[0])
            ]
            for group in features.groups
        ]
        names = list(self.values)
        base = sp.QQ.frac_field(*names) if names else sp.QQ
        self.polynomial = self._factor(base, untrained)
        self.field = FiniteExtension(self.polynomial)
        self.ring, self.epsilon, self.dual, self.kappa = ring(
            "epsilon dual kappa", self.field
        )

    def _named(self, value: sp.Expr) -> sp.Expr:
        """Leave what is rational in the one name there is, and name what is not."""
        value = sp.expand(value)
        if value.is_Rational:
            return value
        if value.has(GaussianMean):
            raise OpenFieldError
        if value not in self._names:
            self._names[value] = self._in_name(value)
        return self._names[value]

    def _in_name(self, value: sp.Expr) -> sp.Expr:
        """Write a number by the first that had to be named; all rational multiples."""
        for symbol, known in self.values.items():
            found = sp.S.Zero
            for term in sp.Add.make_args(value):
                # also of its powers: 1/pi is a square of sqrt(2/pi), up to a factor
                for power in (0, 1, 2, -1, -2, 3, 4, -3, -4):
                    factor = sp.simplify(term / known**power)
                    if factor.is_Rational:
                        found += factor * symbol**power
                        break
                else:
                    break
            else:
                return found
        if len(self.values) == MOST_NAMES or self.wanted > FEW:
            raise OpenFieldError
        terms = sp.Add.make_args(value)
        symbol = sp.Symbol("c")
        # a sum is written by its first term that is no rational number
        factor, irrational = next(t.as_coeff_Mul() for t in terms if not t.is_Rational)
        self.values[symbol] = irrational
        if len(terms) == 1:
            return factor * symbol
        return self._in_name(value)

    def _factor(self, base: Any, untrained: sp.Float) -> sp.Poly:
        """Irreducible polynomial of the untrained root."""
        number, known = self.numbers, self._derivatives
        w = number["alpha"] / number["beta"] - 1 + number["lambda"] * root
        square = (number["bulk"] * known[False][1]) ** 2
        rest = known[True][0] - known[False][0] ** 2 - square
        inner = 1 + number["beta"] * square * root * w
        whole = root * ((number["lambda"] + w * rest) * inner + square * w) - inner
        polynomial = sp.Poly(sp.expand(whole), root, domain=base)
        digits = 30
        numbers = {**{s: v.evalf(50) for s, v in self.values.items()}, root: untrained}
        for factor, _ in polynomial.factor_list()[1]:
            size = sum(abs(c.subs(numbers)) for c in factor.all_coeffs())
            value = factor.as_expr().subs(numbers)
            if abs(value) < size * sp.Float(10) ** -digits:
                return factor.monic()
        raise OpenFieldError

    def number(self, value: sp.Expr) -> Any:
        """Put an expression in the names and the root into the field."""
        parts = [
            self.field.convert(sp.Poly(e, root, domain=self.polynomial.domain).rep)
            for e in sp.fraction(sp.together(value))
        ]
        return parts[0] / parts[1]

    def given(self, name: str) -> Any:
        """Put a number of the problem into the field."""
        return self.number(self.numbers[name])

    def constant(self, value: sp.Expr) -> Any:
        """Put a number into the ring."""
        return self.ring.ground_new(self.number(value))

    def group(self, q: int) -> list[Any]:
        """Strength, scale and the latent's two parts of a group, as series."""
        found = []
        for terms in self._polynomials[q]:
            series = self.ring.zero
            for k, c in terms.items():
                series += self.constant(c) * self.epsilon**k
            found.append(self.cut(series))
        return found

    def cut(self, element: Any) -> Any:
        """Drop what is beyond the order."""
        return self.ring.from_dict(
            {p: c for p, c in element.items() if p[0] <= self.order and p[1] < 2}
        )

    def times(self, first: Any, *others: Any) -> Any:
        """Multiply, and cut."""
        for other in others:
            first = self.cut(first * other)
        return first

    def coefficient(self, element: Any, order: int, dual: int) -> Any:
        """Take what stands beside a power of epsilon and of the dual number."""
        return self.ring.from_dict(
            {(0, 0, p[2]): c for p, c in element.items() if p[:2] == (order, dual)}
        )

    def at(self, element: Any, order: int = 0, dual: int = 0) -> Any:
        """Take the number beside a power of epsilon and of the dual number."""
        return element.get((order, dual, 0), self.field.zero)

    def lowered(self, element: Any) -> Any:
        """Divide by the power of epsilon that an element begins with."""
        first = min(powers[0] for powers in element.monoms())
        return self.ring.from_dict(
            {(p[0] - first, *p[1:]): c for p, c in element.items()}
        )

    def mean(self, element: Any, what: str = "") -> Any:
        """Average over kappa; times the labels, or another of the targets."""
        found = self.ring.zero
        for powers, c in element.items():
            rest = self.ring.from_dict({(*powers[:2], 0): c})
            found += rest * self._moment(powers[2], what)
        return found

    def _moment(self, k: int, what: str) -> Any:
        """``E kappa^k``, times the labels; by ``kappa^k = sum k!/(2^j j! n!) He_n``."""
        total = sp.S.Zero
        for j in range(k // 2 + 1):
            n = k - 2 * j
            share = sp.Rational(factorial(k), 2**j * factorial(j) * factorial(n))
            if what:
                total += share * self._targets[what][n]
            elif n == 0:
                total += share
        return self.constant(total)

    def smoothed(self, q: int, by: int, square: bool = False) -> Any:
        """``by``-th derivative by the mean of ``c0_q``, or of the second moment."""
        strength, scale, *_ = self.group(q)
        mean = strength * self.kappa
        at = self.constant(self.numbers["bulk"])
        spread = self.cut(scale**2 - at**2) * self.constant(sp.Rational(1, 2))
        known, found, power = self._derivatives[square], self.ring.zero, self.ring.one
        for i in range(self.order + 1):
            term = power
            for j in range(self.order + 1 - i):
                if not term:
                    break
                share = sp.Rational(1, factorial(i) * factorial(j))
                found += term * self.constant(known[i + 2 * j + by] * share)
                term = self.times(term, spread)
            power = self.times(power, mean)
        return self.cut(found)

    def inverse(self, element: Any) -> Any:
        """Invert a series in epsilon and the dual number."""
        over = self.ring.ground_new(self.field.one / self.at(element))
        rest = self.cut(element * over) - self.ring.one
        found, power = self.ring.zero, self.ring.one
        while power:
            found += power
            power = self.times(-power, rest)
        return self.times(found, over)

    def expression(self, element: Any) -> sp.Expr:
        """Write a number of the field by the root."""
        return self.field.to_sympy(element)
