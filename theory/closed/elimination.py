"""From two equations in w and W to one irreducible polynomial in one unknown.

Everything reported is a rational function of w and W. A resultant leaves one of them,
the base; its irreducible factor that belongs to the physical branch makes the field in
which all the rest lives, and the other number is rational in the base there. An unknown
that generates this field has a minimal polynomial of the same degree, and everything
reported is a polynomial in it.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import sympy as sp
from sympy.polys.matrices import DomainMatrix

from detequiv.theory.closed.reduction import Reduction, coupled, weight
from detequiv.theory.errors import InputError

__all__ = ["Elimination"]

Chooser = Callable[[sp.Expr], bool]


class Elimination:
    """One polynomial for the stationary point, and what is reported by its root.

    Parameters
    ----------
    reduction : Reduction
        The equations in w and W.
    unknown : str
        Name of a quantity of the reduction.
    may_vanish : callable
        Whether a polynomial in w and W may vanish on the physical branch. It must be
        right where it says no.

    Raises
    ------
    InputError
        An unknown that is not reported.
    """

    def __init__(
        self, reduction: Reduction, unknown: str, may_vanish: Chooser
    ) -> None:
        if unknown not in reduction.quantities:
            known = ", ".join(reduction.quantities)
            raise InputError("unknown", unknown, f"is not reported here; known: {known}")
        self.reduction, self.may_vanish = reduction, may_vanish
        scaled = reduction.untrained.interpolating and unknown.startswith("g_")
        name = f"lambda_{unknown}" if scaled else unknown
        self.unknown = sp.Symbol(name, positive=True)
        self._expression = reduction.quantities[unknown]

    @cached_property
    def _field(self) -> Any:
        """Rational numbers, or rational functions of the symbols."""
        expressions = [*self.reduction.equations, *self.reduction.quantities.values()]
        symbols = {s for e in expressions for s in e.free_symbols} - {weight, coupled}
        ordered = sorted(symbols, key=str)
        return sp.QQ.frac_field(*ordered) if ordered else sp.QQ

    @cached_property
    def _base(self) -> tuple[sp.Symbol, sp.Poly, dict[sp.Symbol, sp.Expr]]:
        """The base, its polynomial, and w and W by it."""
        equations = self.reduction.equations
        if len(equations) == 1:
            return weight, self._physical(equations[0], weight, {}), {}
        trace, coupling = equations
        if not trace.has(coupled):  # no penalty and n > p: w is known
            (value,) = sp.Poly(trace, weight).monic().all_coeffs()[1:]
            known = {weight: -value}
            left = sp.numer(sp.together(coupling.subs(known)))
            return coupled, self._physical(left, coupled, {}), known
        resultant = sp.resultant(trace, coupling, coupled)
        base = self._physical(resultant, weight, {})
        for remainder in sorted(
            (trace, coupling, *sp.subresultants(trace, coupling, coupled)),
            key=lambda e: sp.degree(e, coupled),
        ):
            if sp.degree(remainder, coupled) != 1:
                continue
            first, last = sp.Poly(remainder, coupled).all_coeffs()
            leading = sp.Poly(first, weight, domain=self._field)
            if not leading.rem(base).is_zero:
                return weight, base, {coupled: -last / first}
        raise InputError("problem", "its equations", "leave W undetermined by w")

    def _physical(
        self, polynomial: sp.Expr, base: sp.Symbol, known: Mapping[Any, Any]
    ) -> sp.Poly:
        """Irreducible factor that the physical branch obeys."""
        _, factors = sp.factor_list(sp.expand(polynomial), base, domain=None)
        fitting = [
            factor
            for factor, _ in factors
            if sp.sympify(factor).has(base) and self.may_vanish(sp.sympify(factor))
        ]
        if len(fitting) != 1:
            raise InputError(
                "problem", "its equations", "have branches that meet; change a number"
            )
        return sp.Poly(fitting[0], base, domain=self._field)

    @cached_property
    def _line(self) -> tuple[sp.Expr, sp.Expr] | None:
        """The base by the unknown and the other way, where both are of degree one."""
        base, _, known = self._base
        value = sp.cancel(sp.together(self._expression.subs(known)))
        top, bottom = (sp.Poly(e, base) for e in sp.fraction(value))
        if max(top.degree(), bottom.degree()) != 1:
            return None
        (inverse,) = sp.solve(
            top.as_expr() - self.unknown * bottom.as_expr(), base, dict=True
        )
        return inverse[base], value

    @cached_property
    def polynomial(self) -> sp.Poly:
        """Minimal polynomial of the unknown, primitive, its leading sign positive."""
        base, modulus, _ = self._base
        if self._line is not None:
            inverse, _ = self._line
            numerator = sp.numer(sp.together(modulus.as_expr().subs(base, inverse)))
            factors = sp.factor_list(numerator)[1]
            (found,) = [f for f, _ in factors if f.has(self.unknown)]
        else:
            found = self._dependence()
        _, primitive = sp.Poly(found, self.unknown).primitive()
        symbols = sorted(primitive.free_symbols - {self.unknown}, key=str)
        whole = sp.Poly(primitive.as_expr(), self.unknown, *symbols)
        sign = -1 if whole.LC() < 0 else 1
        return sp.Poly(sign * primitive.as_expr(), self.unknown)

    def quantity(self, name: str) -> sp.Expr | None:
        """One reported quantity by the unknown; None where it is not rational in it."""
        base, _, known = self._base
        expression = self.reduction.quantities[name]
        if self._line is not None and self._field != sp.QQ:
            inverse, _ = self._line
            known = {s: e.subs(base, inverse) for s, e in known.items()}
            return sp.factor(expression.subs({base: inverse, **known}))
        value = self._vector(self._reduced(expression))
        powers = self._powers[: self.polynomial.degree()]
        matrix = DomainMatrix([*powers, value], (len(powers) + 1, len(value)), self._field)
        reduced, pivots = matrix.transpose().rref()
        if len(powers) in pivots:
            return None
        field = self._field
        last = [reduced.to_Matrix()[i, len(powers)] for i in range(len(powers))]
        del field
        return sp.Add(*[c * self.unknown**i for i, c in enumerate(last)])

    def _reduced(self, expression: sp.Expr) -> sp.Poly:
        """Write an expression in w and W as a polynomial in the base."""
        base, modulus, known = self._base
        element = {base: sp.Poly(base, base, domain=self._field).rem(modulus)}
        for symbol, value in known.items():
            element[symbol] = _modulo(value, element, modulus)
        return _modulo(expression, element, modulus)

    def _vector(self, element: sp.Poly) -> list[Any]:
        size = self._base[1].degree()
        field = self._field
        found = [field.convert(c) for c in reversed(element.rep.to_list())]
        return found + [field.zero] * (size - len(found))

    @cached_property
    def _powers(self) -> list[list[Any]]:
        """Powers of the unknown, from 0 to the degree of the field."""
        base, modulus, _ = self._base
        one = sp.Poly(1, base, domain=self._field)
        step, powers = self._reduced(self._expression), [one]
        for _ in range(modulus.degree()):
            powers.append((powers[-1] * step).rem(modulus))
        return [self._vector(power) for power in powers]

    def _dependence(self) -> sp.Expr:
        """First linear dependence between powers of the unknown."""
        size = len(self._powers)
        matrix = DomainMatrix(self._powers, (size, size - 1), self._field).transpose()
        reduced, pivots = matrix.rref()
        degree = len(pivots)
        column = reduced.to_Matrix()[:, degree]
        relation = self.unknown**degree - sp.Add(
            *[column[i] * self.unknown**i for i in range(degree)]
        )
        return sp.numer(sp.together(relation))


def _modulo(
    expression: sp.Expr, element: Mapping[sp.Symbol, sp.Poly], modulus: sp.Poly
) -> sp.Poly:
    """Evaluate a rational expression in the field modulo an irreducible polynomial."""
    steps, (final,) = sp.cse([expression])
    known: dict[sp.Expr, sp.Poly] = dict(element)
    base, field = modulus.gen, modulus.domain

    def value(e: sp.Expr) -> sp.Poly:
        if e in known:
            return known[e]
        if not e.free_symbols & known.keys():
            return sp.Poly(e, base, domain=field)
        if e.is_Add:
            total = sp.Poly(0, base, domain=field)
            for term in e.args:
                total = total + value(term)
            return total
        if e.is_Mul:
            product = sp.Poly(1, base, domain=field)
            for factor in e.args:
                product = (product * value(factor)).rem(modulus)
            return product
        power = int(e.exp)
        root = value(e.base)
        if power < 0:
            root, power = root.invert(modulus), -power
        product = root
        for _ in range(power - 1):
            product = (product * root).rem(modulus)
        return product

    for symbol, part in steps:
        known[symbol] = value(part)
    return value(final).rem(modulus)
