"""One polynomial for a problem that closes, its physical root, and what follows."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import flint
import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import (
    BALLS,
    check_digits,
    compile_expressions,
    precision,
    to_ball,
    to_mpf,
)
from detequiv.numerics.discovery.branch import (
    check_numbers,
    enclose_branch,
    is_isolated,
    refine_root,
)
from detequiv.theory.closed import (
    Elimination,
    Reduction,
    Untrained,
    coupled,
    of_problem,
    of_ridge,
    of_symbols,
    python_source,
    sections,
    title,
    weight,
)
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.functions import exact
from detequiv.theory.paper import Section, as_latex, as_text
from detequiv.theory.problem import Problem

__all__ = ["Relation", "eliminate"]

arb = flint.arb
FIRST = 30  # digits of the first enclosure
ATTEMPTS = 6  # doublings of it, or of the digits carried


def eliminate(
    problem: Problem | None = None,
    *,
    unknown: str = "g_1",
    groups: int | None = None,
    levels: int | None = None,
    symbols: Sequence[str] = (),
) -> "Relation":
    r"""Eliminate all unknowns but one from the equations of a problem that closes.

    These are problems in which the leverage of a sample does not depend on its
    projection: without a spike, or with an affine activation. Any number of groups may
    differ in scale, and a penalty of 0 is the limit of a vanishing one.

    Parameters
    ----------
    problem : Problem, optional
        Gives all numbers; or, instead of it, one of the next two.
    unknown : str
        "g_1", "resolvent_trace", "generalization_error" or any other reported quantity.
        With n < p and no penalty "g_q" stands for the limit of ``lambda g_q``.
    groups : int
        1: untrained features with a symbol for every number.
    levels : int
        Ridge regression on Gaussian data with a symbol for every number: of isotropic
        data for 0, of data with so many eigenvalues of the covariance otherwise.
    symbols : sequence of str
        Dotted names of numbers of the problem that stay symbols, such as
        "ridge.penalty".

    Returns
    -------
    Relation
        The irreducible polynomial, its physical root, and what is reported by it.

    Raises
    ------
    InputError
        The average over the projection does not close (the message says through which
        term), an unknown that is not reported, or not exactly one subject.

    Examples
    --------
    >>> relation = eliminate(groups=1)
    >>> relation.polynomial.degree()
    4
    >>> numbers = {"alpha": 2, "beta": 1, "lambda": "1/10", "c1": 1, "cs": "1/2"}
    >>> print(mpmath.nstr(relation.at(numbers).root(30), 30))
    0.824219322634998985522811700561
    """
    subjects = [problem is not None, groups is not None, levels is not None]
    if sum(subjects) != 1:
        raise InputError(
            "eliminate", sum(subjects), "give one of a problem, groups=1 or levels="
        )
    if problem is not None:
        return Relation(of_problem(problem, symbols), unknown)
    if symbols:
        raise InputError("symbols", symbols, "need a problem; all are symbols here")
    if levels is not None:
        if levels not in range(9):
            raise InputError("levels", levels, "give a whole number from 0 to 8")
        return Relation(of_ridge(levels), unknown)
    if groups != 1:
        raise InputError(
            "groups", groups, "is 1 where all numbers are symbols; give a problem"
        )
    return Relation(of_symbols(), unknown)


class Relation:
    """A polynomial equation for one unknown, and what is reported by its root.

    Parameters
    ----------
    untrained : Untrained
        Numbers and symbols.
    unknown : str
        Name of a reported quantity.
    """

    def __init__(self, untrained: Untrained, unknown: str) -> None:
        self._untrained, self._name = untrained, unknown
        self._reduction = Reduction(untrained)
        self._elimination = Elimination(self._reduction, unknown, self._may_vanish)

    @property
    def unknown(self) -> sp.Symbol:
        """The unknown of the polynomial."""
        return self._elimination.unknown

    @property
    def values(self) -> Mapping[sp.Symbol, sp.Expr]:
        """Exact numbers that symbols of the polynomial stand for."""
        return dict(self._untrained.values)

    @property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """Symbols without a number, for `at`."""
        return self._untrained.free

    @cached_property
    def polynomial(self) -> sp.Poly:
        """The polynomial, irreducible over the rationals in its symbols."""
        return self._elimination.polynomial

    @cached_property
    def quantities(self) -> Mapping[str, sp.Expr]:
        """What is reported, as rational functions of the unknown.

        A quantity that the unknown does not determine rationally is left out.
        """
        return self._elimination.quantities

    def discriminant(self) -> sp.Expr:
        """Discriminant of the polynomial, in factors.

        With the penalty as a symbol, ``lambda = -z``, the ends of the spectrum of
        ``Phi^T Phi / p`` are among its roots z.
        """
        return sp.factor(self.polynomial.discriminant())

    def at(self, numbers: Mapping[str, Any]) -> "Relation":
        """Put numbers in the place of symbols, by their names.

        Raises
        ------
        InputError
            A name that is no symbol of this relation, or a value that is no number.
        """
        known = {str(s): s for s in self.parameters}
        for name in numbers:
            if name not in known:
                listed = ", ".join(known) or "none"
                raise InputError(
                    name, numbers[name], f"no such symbol; known: {listed}"
                )
        exactly = {known[n]: exact(v, n) for n, v in numbers.items()}
        for symbol, value in exactly.items():
            if symbol.is_positive and not value.is_positive:
                raise InputError(symbol.name, value, "must be > 0")
            if symbol.is_nonnegative and value.is_negative:
                raise InputError(symbol.name, value, "must be >= 0")
        return Relation(self._untrained.at(exactly), self._name)

    def root(self, digits: int = 50) -> mpmath.mpf:
        """Find the physical root.

        The equations are monotone (:mod:`detequiv.theory.closed.reduction`), so that
        bisection encloses the one stationary point with g > 0 and A positive definite.
        The ball is narrowed until the derivative of the polynomial has no zero in it:
        its only root there is the physical one, which Newton's method refines.

        Parameters
        ----------
        digits : int
            Significant decimal digits, 1 to 250.

        Raises
        ------
        InputError
            A symbol has no number.
        ConvergenceError
            The root could not be told from others.
        """
        return self._rounded(lambda carried: self._root(carried), digits)

    def evaluate(self, digits: int = 50) -> dict[str, mpmath.mpf]:
        """Evaluate every reported quantity at the physical root.

        Parameters
        ----------
        digits : int
            Significant decimal digits of each, 1 to 250; of what vanishes, after the
            point.

        Raises
        ------
        InputError
            A symbol has no number.
        """
        for value in self.quantities.values():
            check_numbers(value, self._untrained)
        variables = [self.unknown, *self._untrained.values]
        compiled = compile_expressions(variables, list(self.quantities.values()), BALLS)
        numbers = list(self._untrained.values.values())

        def number(position: int) -> mpmath.mpf:
            return self._rounded(
                lambda carried: compiled(self._root(carried), *map(to_ball, numbers))[
                    position
                ],
                digits,
            )

        return {name: number(i) for i, name in enumerate(self.quantities)}

    def _rounded(self, ball: Any, digits: int) -> mpmath.mpf:
        """Carry more digits until a ball is narrow enough."""
        check_digits(digits)
        carried = digits + 15
        for _ in range(ATTEMPTS):
            with precision(carried + 15):
                found = arb(ball(carried))
                goal = max(abs(found).mid(), arb(10) ** -digits) * arb(10) ** -digits
                if found.is_finite() and found.rad() < goal:
                    return to_mpf(found)
            carried *= 2
        raise ConvergenceError(
            f"{digits} digits could not be reached; ask for fewer, or change a number"
        )

    def _root(self, digits: int) -> Any:
        """Enclose the physical root at the precision of the caller."""
        near = self._isolated
        return refine_root(self._coefficients(), near, digits)

    def _coefficients(self) -> list[Any]:
        """Coefficients of the polynomial at the precision of the caller."""
        values = self._untrained.values
        return [to_ball(c.subs(values)) for c in self.polynomial.all_coeffs()]

    @cached_property
    def _isolated(self) -> Any:
        """Ball around the physical root, without another root of the polynomial."""
        digits = FIRST
        for _ in range(ATTEMPTS):
            w, v = enclose_branch(self._untrained, digits)
            with precision(digits + 20):
                expression = self._elimination.value
                check_numbers(expression, self._untrained)
                values = self._untrained.values
                compiled = compile_expressions(
                    [weight, coupled, *values], [expression], BALLS
                )
                ball = arb(compiled(w, v, *map(to_ball, values.values()))[0])
                if ball.is_finite() and is_isolated(self._coefficients(), ball):
                    return ball
            digits *= 2
        raise ConvergenceError(
            "the physical root is too close to another one; change a number a little"
        )

    def _may_vanish(self, polynomial: sp.Expr) -> bool:
        """Whether a polynomial in w and W may vanish on the physical branch.

        Where symbols are left, it is tried at one point, which tells all factors apart
        but the one that vanishes everywhere.
        """
        w, v, numbers = self._sample
        with precision(4 * FIRST):
            known = polynomial.subs(numbers)
            compiled = compile_expressions([weight, coupled], [known], BALLS)
            return bool(arb(compiled(w, v)[0]).contains(0))

    @cached_property
    def _sample(self) -> tuple[Any, Any, Mapping[sp.Symbol, sp.Expr]]:
        """W and w at the problem's numbers, symbols without one given any."""
        numbers = {
            symbol: sp.Rational(17 + 5 * i * i, 23 + 2 * i)
            for i, symbol in enumerate(self._untrained.free)
        }
        point = self._untrained.at(numbers)
        w, v = enclose_branch(point, 3 * FIRST)
        return w, v, {**numbers, **self._untrained.values}

    def text(self) -> str:
        """Write the polynomial and what is reported in plain text."""
        return as_text(title(self.unknown).text, self._sections())

    def latex(self) -> str:
        """Write the same as a LaTeX document that compiles by itself."""
        return as_latex(title(self.unknown).latex, self._sections())

    def python(self) -> str:
        """Write a Python module with the polynomial and what is reported.

        With numbers for all parameters it also has the root, and prints what is
        reported when it is run.
        """
        return python_source(self._elimination, self._decimals(17))

    def _sections(self) -> list[Section]:
        return sections(self._elimination, self._decimals(50))

    def _decimals(self, digits: int) -> str | None:
        if self.parameters:
            return None
        return str(mpmath.nstr(self.root(digits), digits))
