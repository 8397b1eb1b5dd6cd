"""Exact coefficients of an expansion whose powers are known, where there are some."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import mpmath
import sympy as sp

from detequiv.numerics.discovery.expansions.family import moved
from detequiv.numerics.discovery.relation import eliminate
from detequiv.numerics.solving import solve
from detequiv.theory.errors import DetequivError
from detequiv.theory.problem import Problem, law_of
from detequiv.theory.series import (
    OpenFieldError,
    SmallSeries,
    follow_branch,
    small_features,
    tau,
)

__all__ = ["Exact", "exact_coefficients"]

SPARE = 10  # digits beyond those vouched for
PARAMETERS = {
    "ridge.samples_per_dim": "alpha",
    "ridge.width_per_dim": "beta",
    "ridge.penalty": "lambda",
}
Terms = Sequence[tuple[sp.Rational, mpmath.mpf]]


@dataclass(frozen=True)
class Exact:
    """Coefficients, and what their symbols are.

    Attributes
    ----------
    coefficients : tuple of Expr
    values : mapping of Symbol to Expr
        Numbers of the symbols: exact ones, or the root to many digits.
    polynomial : Poly or None
        Irreducible, of the root.
    """

    coefficients: tuple[sp.Expr, ...]
    values: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)
    polynomial: sp.Poly | None = None

    @cached_property
    def written(self) -> tuple[sp.Expr, ...]:
        """Coefficients without symbols, as far as the root is that of integers."""
        values, polynomial = dict(self.values), self.polynomial
        if polynomial is not None:
            near = values.pop(polynomial.gen)
            if polynomial.domain.is_QQ or polynomial.domain.is_ZZ:
                roots = polynomial.real_roots()
                values[polynomial.gen] = min(roots, key=lambda r: abs(sp.N(r) - near))
        return tuple(c.subs(values) for c in self.coefficients)


def exact_coefficients(
    problem: Problem,
    parameter: str,
    place: sp.Expr,
    side: str,
    quantity: str,
    terms: Terms,
    digits: int,
) -> Exact | None:
    """Find exact coefficients that are the numbers known, or None.

    Parameters
    ----------
    problem, parameter, quantity
        As of `expand`.
    place : Expr
        Where; infinite for large numbers.
    side : str
        "+" or "-".
    terms : sequence
        Powers of the distance and coefficients, vouched for.
    digits : int
        To which these are known.
    """
    if not terms:
        return None
    found = None
    if place == 0 and parameter.startswith(("features.spike", "network.step")):
        found = _small(problem, parameter, quantity, terms, digits)
    elif parameter in PARAMETERS:
        found = _algebraic(problem, parameter, place, side, quantity, terms, digits)
    if found is None:
        return None
    for value, (_, known) in zip(found.coefficients, terms, strict=True):
        number = value.subs(found.values).evalf(digits + SPARE)
        there = sp.Float(mpmath.nstr(known, digits + SPARE), digits + SPARE)
        if not abs(number - there) <= abs(there) * sp.Float(10) ** (1 - digits):
            return None
    return found


def _small(
    problem: Problem, parameter: str, quantity: str, terms: Terms, digits: int
) -> Exact | None:
    features = small_features(problem, parameter)
    if features is None or not problem.ridge.penalty.is_positive:
        return None
    if not all(e.is_Integer for e, _ in terms):
        return None
    order = int(terms[-1][0])
    untrained = solve(moved(problem, parameter, sp.S.Zero), digits=digits + 40)
    root = sp.Float(mpmath.nstr(untrained.g[0], digits + 40), digits + 40)
    try:
        series = SmallSeries(features, quantity, order, root)
    except OpenFieldError:
        return None
    every = series.coefficients
    values = {**series.values, series.polynomial.gen: root}
    return Exact(tuple(every[int(e)] for e, _ in terms), values, series.polynomial)


def _algebraic(
    problem: Problem,
    parameter: str,
    place: sp.Expr,
    side: str,
    quantity: str,
    terms: Terms,
    digits: int,
) -> Exact | None:
    """By the polynomial of the quantity, for one group of units without a spike."""
    if problem.inputs is not None or len(law_of(problem).merged.weights) > 1:
        return None
    try:
        relation = eliminate(problem, unknown=quantity, symbols=[parameter])
        polynomial = relation.polynomial
    except DetequivError:
        return None
    symbol = next(s for s in relation.parameters if s.name == PARAMETERS[parameter])
    along = 1 / tau if place is sp.oo else place + (-tau if side == "-" else tau)
    first = sp.Float(mpmath.nstr(terms[0][1], digits), digits)
    branch = follow_branch(
        polynomial.as_expr(),
        polynomial.gen,
        symbol,
        along,
        [e for e, _ in terms],
        first,
        digits,
        dict(relation.values),
    )
    if branch is None:
        return None
    values = dict(relation.values)
    if branch.polynomial is not None:
        values[branch.polynomial.gen] = branch.root
    coefficients = tuple(branch.terms[e] for e, _ in terms)
    used = set().union(*(c.free_symbols for c in coefficients))
    known = {s: v for s, v in values.items() if s in used}
    return Exact(coefficients, known, branch.polynomial)
