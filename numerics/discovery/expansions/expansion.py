"""How a reported quantity behaves as one number of a problem nears a place."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import check_digits, check_whole
from detequiv.numerics.discovery.expansions.exact import Exact, exact_coefficients
from detequiv.numerics.discovery.expansions.family import Family, read_place
from detequiv.numerics.discovery.expansions.powers import find_powers
from detequiv.numerics.solving import QUANTITIES
from detequiv.theory.errors import ConvergenceError, InputError, is_name
from detequiv.theory.functions import exact
from detequiv.theory.paper import Formula, Section, as_latex
from detequiv.theory.precision import decimal_digits
from detequiv.theory.problem import Problem

__all__ = ["Expansion", "expand"]

MOST_TERMS = 12
LETTERS = {
    "ridge.penalty": "lambda",
    "ridge.samples_per_dim": "alpha",
    "ridge.width_per_dim": "beta",
    "target.noise": "sigma",
    "target.alignment": "zeta",
    "features.spike": "u",
    "features.bulk": "rho",
    "network.step": "eta",
}


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """The first terms of an asymptotic expansion.

    Attributes
    ----------
    numbers : list of (Rational, mpf)
        Exponents and coefficients of powers of the number less `at`; of the number
        itself where `at` is infinite, falling; of `at` less the number from below.
        Terms that vanish are not among them.
    next_exponent : Expr
        Of the first term left out; infinite if there is none.
    digits : int
        Vouched for in every coefficient.
    quantity, parameter : str
        Names of what is expanded, and of the number.
    at : Expr
        Where; `sympy.oo` for large numbers.
    side : str
        "both" where the quantity is smooth there, "+" above or "-" below.
    note : str
        What the limit does not say of the place itself; else empty.
    closed : Exact or None
        Exact coefficients, and what their symbols stand for, where there are such.
    """

    numbers: list[tuple[sp.Rational, Any]]
    next_exponent: sp.Expr
    digits: int
    quantity: str
    parameter: str
    at: sp.Expr
    side: str
    note: str = ""
    closed: Exact | None = None

    @property
    def exact(self) -> bool:
        """Whether there are exact coefficients, in :attr:`closed`."""
        return self.closed is not None

    @property
    def terms(self) -> list[tuple[sp.Rational, Any]]:
        """Exponents and coefficients, exact where there are such."""
        if self.closed is None:
            return list(self.numbers)
        powers = (e for e, _ in self.numbers)
        return list(zip(powers, self.closed.written, strict=True))

    def __call__(self, x: Any) -> mpmath.mpf:
        """Sum the terms at a value of the number.

        Raises
        ------
        InputError
            On the side on which nothing is known.
        """
        value = exact(x, self.parameter)
        small = self.at - value if self.side == "-" else value - self.at
        if self.at is sp.oo:
            small = value
        if self.side != "both" and not small.is_positive:
            raise InputError(self.parameter, x, f"is not on the side {self._where()}")
        with decimal_digits(self.digits + 10):
            t = sp.N(small, self.digits + 10)._to_mpmath(mpmath.mp.prec)
            total = mpmath.mpf(0)
            for exponent, coefficient in self.numbers:
                total += coefficient * mpmath.power(
                    t, mpmath.mpf(exponent.p) / exponent.q
                )
            return total

    @property
    def expression(self) -> sp.Expr:
        """The terms as one SymPy expression in the number's letter."""
        small = self._small()
        return sp.Add(*[self._number(c) * small**e for e, c in self.numbers])

    def text(self) -> str:
        """Write the expansion in one line, and the note if there is one."""
        body = " + ".join(
            f"{self._decimals(c)}{self._power(e)}" for e, c in self.numbers
        ).replace("+ -", "- ")
        line = f"{self.quantity} = {body or 0}{self._rest()}, {self._where()}"
        return "\n".join([line, *self._exactly(), *self._noted()])

    def _noted(self) -> list[str]:
        return [f"note: {self.note}"] if self.note else []

    def _exactly(self) -> list[str]:
        """Spell exact coefficients, and the root they are made of."""
        if self.closed is None:
            return []
        lines = ["exactly, with the coefficients"]
        pairs = zip(self.numbers, self.closed.coefficients, strict=True)
        for (exponent, _), value in pairs:
            power = self._power(exponent).lstrip("*") or "1"
            lines.append(f"  of {power}: {value}")
        polynomial = self.closed.polynomial
        for symbol, value in self.closed.values.items():
            if polynomial is None or symbol != polynomial.gen:
                lines.append(f"  {symbol} = {value}")
                continue
            decimals = sp.N(value, self.digits)
            lines.append(f"  {symbol} = {decimals}..., root of {polynomial.as_expr()}")
        return lines

    def latex(self) -> str:
        """Write the expansion as LaTeX, for use in a formula; exact if it is that."""
        numbers = [self._number(c) for _, c in self.numbers]
        return self._formula(self.closed.coefficients if self.closed else numbers)

    def _formula(self, coefficients: Sequence[sp.Expr]) -> str:
        small = self._small()
        body = " + ".join(
            sp.latex(sp.Mul(c, small**e, evaluate=False)) if e else sp.latex(c)
            for (e, _), c in zip(self.numbers, coefficients, strict=True)
        ).replace("+ -", "- ")
        name = self.quantity.replace("_", r"\_")
        rest = ""
        if self.next_exponent.is_finite:
            rest = rf" + O\left({sp.latex(small**self.next_exponent)}\right)"
        return rf"\mathrm{{{name}}} = {body or 0}{rest}"

    def document(self, *, body: bool = False) -> str:
        """Write the expansion as a proposition, in a LaTeX document or for one.

        Parameters
        ----------
        body : bool
            The proposition alone.
        """
        place = sp.latex(self.at) + ("" if self.side == "both" else f"^{self.side}")
        place = r"\infty" if self.at is sp.oo else place
        opening = rf"As ${sp.latex(self._symbol())} \to {place}$,"
        parts: list[str | Formula] = [opening, _display(self.latex())]
        if self.closed is not None:
            for symbol, value in self.closed.values.items():
                polynomial = self.closed.polynomial
                name = sp.latex(symbol)
                if polynomial is None or symbol != polynomial.gen:
                    parts += ["where", _display(f"{name} = {sp.latex(value)}")]
                    continue
                zero = sp.latex(polynomial.as_expr())
                decimals = sp.latex(sp.N(value, self.digits))
                parts.append(rf"where ${name} \approx {decimals}$ is a root of")
                parts.append(_display(zero))
            numbers = [self._number(c) for _, c in self.numbers]
            parts += ["In numbers,", _display(self._formula(numbers))]
        section = Section("Expansion", [*parts, *self._noted()], proposition=True)
        return as_latex("An asymptotic expansion", [section], body=body)

    def _symbol(self) -> sp.Symbol:
        base, bracket, place = self.parameter.partition("[")
        letter = LETTERS.get(base, base.rpartition(".")[2])
        index = f"_{int(place[:-1]) + 1}" if bracket else ""
        return sp.Symbol(letter + index, positive=True)

    def _small(self) -> sp.Expr:
        if self.at is sp.oo:
            return self._symbol()
        sign = -1 if self.side == "-" else 1
        return sign * (self._symbol() - self.at)

    def _number(self, coefficient: Any) -> sp.Expr:
        return sp.Float(self._decimals(coefficient), self.digits)

    def _decimals(self, coefficient: Any) -> str:
        return str(mpmath.nstr(coefficient, self.digits, strip_zeros=False))

    def _power(self, exponent: sp.Expr) -> str:
        if exponent == 0:
            return ""
        small = self._small()
        base = str(small) if small.is_Symbol else f"({small})"
        power = "" if exponent == 1 else f"**{exponent}"
        if power and not (exponent.is_Integer and exponent > 0):
            power = f"**({exponent})"
        return f"*{base}{power}"

    def _rest(self) -> str:
        if not self.next_exponent.is_finite:
            return ""
        return f" + O({self._power(self.next_exponent).lstrip('*') or 1})"

    def _where(self) -> str:
        side = "" if self.side == "both" or self.at is sp.oo else self.side
        return f"{self._symbol()} -> {self.at}{side}"


def _display(latex: str) -> Formula:
    return Formula(f"& {latex}", "")


def expand(
    problem: Problem,
    parameter: str,
    *,
    at: Any = 0,
    order: int = 3,
    quantity: str = "generalization_error",
    digits: int = 30,
) -> Expansion:
    """Expand a reported quantity in powers of one number of a problem.

    Exponents are found, not assumed: half-integer powers at n = p without a penalty,
    poles, even functions. They are rational with denominators up to 4.
    Logarithms and other powers are refused.

    Parameters
    ----------
    problem : Problem
        Gives all other numbers.
    parameter : str
        Dotted name, such as "ridge.penalty" or "features.spike[0]". A list of several
        numbers without a place stands for a common factor of them.
    at : number or str
        Where: a number, or "oo". Ending in "+" or "-" it asks for one side.
    order : int
        Number of terms, those that vanish not counted, 1 to 12.
    quantity : str
        Name of what is reported.
    digits : int
        Significant decimal digits of every coefficient.

    Returns
    -------
    Expansion
        Its error after k terms falls like the next power: seen at scales from which no
        coefficient was found.

    Raises
    ------
    InputError
        An unknown name, or a place outside the domain of the number.
    ConvergenceError
        No expansion in such powers is seen there, or the digits cannot be vouched for.

    Examples
    --------
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="abs", spike=0),
    ...     target=Target(function="z", noise="1/2"),
    ...     ridge=Ridge(samples_per_dim=3, width_per_dim=2, penalty=0),
    ... )
    >>> print(expand(problem, "ridge.samples_per_dim", at="oo", digits=3).text())
    generalization_error = 1.25 + 2.50*alpha**(-1) + 5.00*alpha**(-2)\
 + O(alpha**(-3)), alpha -> oo
    """
    check_digits(digits)
    check_whole("order", order)
    if order > MOST_TERMS:
        raise InputError("order", order, f"give at most {MOST_TERMS}")
    if not is_name(quantity, QUANTITIES):
        raise InputError("quantity", quantity, f"known: {', '.join(QUANTITIES)}")
    place, sides = read_place(problem, parameter, at)
    sample = Family(problem, parameter, place, quantity)
    side = "+" if "+" in sides else "-"
    found = find_powers(partial(sample, side), order, digits)
    if len(sides) == 2:
        if found.misses(partial(sample, "-"), mirrored=True):
            raise ConvergenceError(
                f"{quantity} is not smooth at {parameter} = {place}; expand on one "
                f"side, at='{place}+' or '{place}-'"
            )
        side = "both"
    sign = -1 if place is sp.oo else 1
    return Expansion(
        numbers=[(sign * e, c) for e, c in found.terms],
        next_exponent=sign * found.next_exponent,
        digits=digits,
        quantity=quantity,
        parameter=parameter,
        at=place,
        side=side,
        note=_note(sample, found.terms, digits),
        closed=exact_coefficients(
            problem, parameter, place, side, quantity, found.terms, digits
        ),
    )


def _note(sample: Family, terms: list[Any], digits: int) -> str:
    """Say where the limit is not the value."""
    value = sample.at_place(digits)
    if value is None or not mpmath.isfinite(value):
        return ""
    limit = next((c for e, c in terms if e == 0), mpmath.mpf(0))
    pole = bool(terms) and terms[0][0] < 0
    if not pole and abs(limit - value) <= 10 * mpmath.mpf(10) ** -digits * abs(value):
        return ""
    there = "diverges" if pole else f"tends to {mpmath.nstr(limit, 8)}"
    return (
        f"{sample.quantity} {there}, and is {mpmath.nstr(value, 8)} at the place "
        "itself: the limit of infinite width is taken first"
    )
