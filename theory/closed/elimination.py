"""From two equations in w and W to one irreducible polynomial in one unknown.

Everything reported is a rational function of w and W. A resultant leaves one of them,
the base; its irreducible factor that belongs to the physical branch makes the field in
which all the rest lives, and the other number is rational in the base there. An unknown
that generates this field has a minimal polynomial of the same degree, and w, W and
everything reported are rational in it.
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
Values = dict[sp.Symbol, sp.Expr]


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

    def __init__(self, reduction: Reduction, unknown: str, may_vanish: Chooser) -> None:
        self.reduction, self.may_vanish = reduction, may_vanish
        self.unknown = reduction.unknown(unknown)

    @cached_property
    def value(self) -> sp.Expr:
        """The unknown by w and W."""
        expression = self.reduction.quantities[str(self.unknown)]
        return self.reduction.written_out(expression, {})

    @cached_property
    def polynomial(self) -> sp.Poly:
        """Minimal polynomial of the unknown, primitive, its leading sign positive."""
        return self._solved[0]

    @cached_property
    def point(self) -> Values | None:
        """``w`` and W by the unknown; None where they are not rational in it."""
        return self._solved[1]

    @cached_property
    def quantities(self) -> dict[str, sp.Expr]:
        """Reported quantities as rational functions of the unknown.

        Those that are not rational in it are left out. Where all else are numbers, they
        are polynomials of a degree below the unknown's.
        """
        return self._solved[2]

    @cached_property
    def _solved(self) -> tuple[sp.Poly, Values | None, dict[str, sp.Expr]]:
        """The polynomial; w and W, and all that is reported, by its root."""
        found = self._explicit() or self._by_itself()
        if found is None:
            return self._dependence()
        polynomial, point = found
        return self._primitive(polynomial), point, self._written_out(polynomial, point)

    def _explicit(self) -> tuple[sp.Poly, Values] | None:
        """One equation is left for the unknown, once w and W are written by it."""
        explicit = self.reduction.explicit(self.unknown)
        if explicit is None:
            return None
        point, equation = explicit
        numerator = sp.numer(sp.together(equation))
        return self._physical(numerator, self.unknown), point

    def _by_itself(self) -> tuple[sp.Poly, Values] | None:
        """Take the unknown as the base where it gives one of w and W by the other."""
        one = self.reduction.one_by(self.unknown)
        if one is None or len(self.reduction.equations) == 1:
            return None
        first, second = (
            sp.numer(sp.together(e.subs(one))) for e in self.reduction.equations
        )
        gone = coupled if weight in one else weight
        left = self._left(first, second, gone, self.unknown)
        if left is None:
            return None
        polynomial, value = left
        known = {gone: value}
        return polynomial, {**known, **{s: e.subs(known) for s, e in one.items()}}

    def _left(
        self, first: sp.Expr, second: sp.Expr, gone: sp.Symbol, base: sp.Symbol
    ) -> tuple[sp.Poly, sp.Expr] | None:
        """Polynomial of the base, and what is gone by it, if that is rational in it."""
        resultant = sp.resultant(first, second, gone)
        if resultant == 0:
            return None
        modulus = self._physical(resultant, base)
        chain = (first, second, *sp.subresultants(first, second, gone))
        for remainder in sorted(chain, key=lambda e: sp.degree(e, gone)):
            if sp.degree(remainder, gone) != 1:
                continue
            leading, last = sp.Poly(remainder, gone).all_coeffs()
            if not sp.Poly(leading, base, domain=self._field).rem(modulus).is_zero:
                return modulus, -last / leading
        return None

    def _written_out(self, polynomial: sp.Poly, point: Values) -> dict[str, sp.Expr]:
        """Put w and W into what is reported; reduce it if it is of numbers alone."""
        x, reduction = self.unknown, self.reduction
        if self._field != sp.QQ:
            known = {x: x, **point}
            quantities = reduction.quantities.items()
            return {n: reduction.written_out(e, known) for n, e in quantities}
        element = {x: sp.Poly(x, x, domain=sp.QQ).rem(polynomial)}
        for symbol, value in point.items():
            element[symbol] = _modulo(value, element, polynomial)
        found = self._reported(element, polynomial)
        return {name: value.as_expr() for name, value in found.items()}

    def _reported(
        self, element: dict[sp.Symbol, sp.Poly], modulus: sp.Poly
    ) -> dict[str, sp.Poly]:
        """Evaluate what is reported in the field modulo a polynomial."""
        point = dict(element)
        for symbol, value in self.reduction.steps.items():
            if symbol not in point:
                point[symbol] = _modulo(value, point, modulus)
        quantities = self.reduction.quantities.items()
        return {name: _modulo(e, point, modulus) for name, e in quantities}

    @cached_property
    def _field(self) -> Any:
        """Rational numbers, or rational functions of the symbols."""
        symbols = self.reduction.untrained.symbols
        return sp.QQ.frac_field(*symbols) if symbols else sp.QQ

    @cached_property
    def _base(self) -> tuple[sp.Symbol, sp.Poly, Values]:
        """The base, its polynomial, and the other number by it."""
        equations = self.reduction.equations
        if len(equations) == 1:
            return weight, self._physical(equations[0], weight), {}
        trace, coupling = equations
        if not trace.has(coupled):  # no penalty and n > p: w is known
            first, last = sp.Poly(trace, weight).all_coeffs()
            known = {weight: -last / first}
            left = sp.numer(sp.together(coupling.subs(known)))
            return coupled, self._physical(left, coupled), known
        left = self._left(trace, coupling, coupled, weight)
        if left is None:
            raise InputError("problem", "its equations", "leave W undetermined by w")
        return weight, left[0], {coupled: left[1]}

    def _physical(self, polynomial: sp.Expr, base: sp.Symbol) -> sp.Poly:
        """Irreducible factor that the physical branch obeys."""
        _, factors = sp.factor_list(sp.expand(polynomial), *self._generators(base))
        candidates = [f for f, _ in factors if f.has(base)]
        if len(candidates) > 1:
            at = {} if base in (weight, coupled) else {base: self.value}
            candidates = [f for f in candidates if self.may_vanish(f.subs(at))]
        if len(candidates) != 1:
            raise InputError(
                "problem", "its equations", "have branches that meet; change a number"
            )
        return sp.Poly(candidates[0], base, domain=self._field)

    def _generators(self, base: sp.Symbol) -> tuple[sp.Symbol, ...]:
        return (base, *self.reduction.untrained.symbols)

    def _primitive(self, polynomial: sp.Poly) -> sp.Poly:
        """Clear denominators and common factors; the leading sign is positive."""
        numerator = sp.numer(sp.together(polynomial.as_expr()))
        _, primitive = sp.Poly(numerator, self.unknown).primitive()
        whole = sp.Poly(primitive.as_expr(), *self._generators(self.unknown))
        _, whole = whole.primitive()
        sign = -1 if whole.LC() < 0 else 1
        return sp.Poly(sign * whole.as_expr(), self.unknown)

    def _dependence(self) -> tuple[sp.Poly, Values | None, dict[str, sp.Expr]]:
        """First linear dependence of powers of the unknown, and all else by them."""
        base, modulus, known = self._base
        x, field, size = self.unknown, self._field, modulus.degree()
        symbols = self.reduction.untrained.symbols
        if len(symbols) > 1 and size > 2:
            named = ", ".join(map(str, symbols))
            own = [str(g) for g in self.reduction.resolvent]
            raise InputError(
                "unknown",
                self.unknown,
                f"its polynomial is too large with symbols ({named}); give rational "
                f"numbers, or take {' or '.join([*own, 'resolvent_trace'])}",
            )
        element = {base: sp.Poly(base, base, domain=field).rem(modulus)}
        for symbol, value in known.items():
            element[symbol] = _modulo(value, element, modulus)
        reported = self._reported(element, modulus)
        powers = [sp.Poly(1, base, domain=field)]
        for _ in range(size):
            powers.append((powers[-1] * reported[str(self.unknown)]).rem(modulus))
        columns = [*powers, *element.values(), *reported.values()]
        vectors = [_vector(column, size) for column in columns]
        matrix = DomainMatrix(vectors, (len(vectors), size), field).transpose()
        reduced, pivots = matrix.rref()
        degree = next(i for i in range(size + 1) if i not in pivots)
        rows = reduced.to_list()

        def combined(column: int) -> sp.Expr:
            terms = [field.to_sympy(rows[i][column]) * x**i for i in range(degree)]
            return sp.Add(*terms)

        polynomial = sp.Poly(x**degree - combined(degree), x, domain=field)
        places = range(size + 1, len(columns))
        rational = {i for i in places if not any(row[i] for row in rows[degree:])}
        names = [*element, *reported]
        values = {
            n: combined(i) for n, i in zip(names, places, strict=True) if i in rational
        }
        point = {s: values.pop(s) for s in element if s in values}
        complete = len(point) == len(element)
        return self._primitive(polynomial), point if complete else None, values


def _vector(element: sp.Poly, size: int) -> list[Any]:
    """Coefficients of an element of the field, from that of 1 on."""
    field = element.domain
    found = [field.convert(c) for c in reversed(element.rep.to_list())]
    return found + [field.zero] * (size - len(found))


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
            return sum(map(value, e.args), start=sp.Poly(0, base, domain=field))
        if e.is_Mul:
            product = sp.Poly(1, base, domain=field)
            for factor in e.args:
                product = (product * value(factor)).rem(modulus)
            return product
        root, power = value(e.base), int(e.exp)
        if power < 0:
            root, power = root.invert(modulus), -power
        product = root
        for _ in range(power - 1):
            product = (product * root).rem(modulus)
        return product

    for symbol, part in steps:
        known[symbol] = value(part)
    return value(final).rem(modulus)
