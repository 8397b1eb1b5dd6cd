"""Claims about reported quantities, read by a closed grammar.

::

    claim       comparison, or several joined by "and"
    comparison  sum, one of < <= > >=, sum
    sum         terms joined by + - * / ** and parentheses; powers are whole
    term        a number, a parameter (ridge.penalty), a quantity, or its derivative
                D(quantity, parameter)
    quantity    generalization_error; [ridge.penalty=1/2, ...] after it changes
                parameters; a.generalization_error is that of problem a of several

Nothing is ever evaluated as code.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

import sympy as sp

from detequiv.numerics.certificates import MOVABLE
from detequiv.numerics.solving import QUANTITIES
from detequiv.theory.errors import InputError
from detequiv.theory.functions import exact
from detequiv.theory.problem import Problem

__all__ = ["Atom", "Claim", "Comparison", "read_claim"]

LONGEST = 500  # characters
DEEPEST = 40  # parentheses
HIGHEST = 20  # of a power
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\[\d+\])?)"
    r"|(?P<sign><=|>=|\*\*|[-+*/()<>,=\[\]]))"
)


@dataclass(frozen=True)
class Atom:
    """A number that depends on the problem.

    Attributes
    ----------
    problem : str
        Which problem it belongs to; "" where there is one.
    name : str
        Of a reported quantity, or the dotted name of a parameter.
    changes : tuple of (str, Expr)
        Parameters that have other values in it.
    by : str
        The parameter by which it is differentiated; "" for the quantity itself.
    """

    problem: str
    name: str
    changes: tuple[tuple[str, sp.Expr], ...] = ()
    by: str = ""

    @property
    def is_quantity(self) -> bool:
        """Whether it is to be solved for, and not a parameter."""
        return self.name in QUANTITIES

    def __str__(self) -> str:
        """Write it as in a claim."""
        changes = ", ".join(f"{name}={value}" for name, value in self.changes)
        text = f"{self.problem}." if self.problem else ""
        text += self.name + (f"[{changes}]" if changes else "")
        return f"D({text}, {self.by})" if self.by else text


@dataclass(frozen=True)
class Comparison:
    """One inequality: a margin that is positive, or not negative.

    Attributes
    ----------
    margin : Expr
        In the symbols of the claim's atoms.
    strict : bool
        Whether equality refutes it.
    """

    margin: sp.Expr
    strict: bool


@dataclass(frozen=True)
class Claim:
    """Inequalities that hold together.

    Attributes
    ----------
    text : str
        As it was written.
    comparisons : tuple of Comparison
    atoms : mapping of Symbol to Atom
        What the margins depend on.
    """

    text: str
    comparisons: tuple[Comparison, ...]
    atoms: Mapping[sp.Symbol, Atom]


def read_claim(text: str, problems: Mapping[str, Problem]) -> Claim:
    """Read a claim about one or several problems.

    Parameters
    ----------
    text : str
        In the grammar of this module.
    problems : mapping of str to Problem
        By name; the name of a single one is "".

    Raises
    ------
    InputError
        Outside the grammar: the message points at the place.

    Examples
    --------
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="relu", spike=0),
    ...     target=Target(function="z"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    ... )
    >>> claim = read_claim("training_error < 2*ridge.penalty", {"": problem})
    >>> [str(atom) for atom in claim.atoms.values()], claim.comparisons[0].strict
    (['training_error', 'ridge.penalty'], True)
    """
    return _Reader(text, problems).claim()


class _Reader:
    """Recursive descent through the tokens of a claim."""

    def __init__(self, text: str, problems: Mapping[str, Problem]) -> None:
        if not isinstance(text, str):
            raise InputError("claim", text, "give a text")
        self.text, self.problems = text, problems
        self.atoms: dict[Atom, sp.Symbol] = {}
        self.depth = 0
        if len(text) > LONGEST:
            raise InputError("claim", text, f"is longer than {LONGEST} characters")
        self.tokens: list[tuple[str, str, int]] = []
        place = 0
        while place < len(text.rstrip()):
            found = TOKEN.match(text, place)
            if found is None:
                self._stop(place, "is no part of a claim")
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind], found.start(kind)))
            place = found.end()
        self.tokens.append(("end", "", len(text)))
        self.position = 0

    def _stop(self, place: int, problem: str) -> NoReturn:
        rest = self.text[place : place + 20].strip() or "the end"
        raise InputError("claim", self.text, f"at {rest!r}: {problem}")

    def _fail(self, problem: str) -> NoReturn:
        self._stop(self.tokens[self.position][2], problem)

    def _next(self, *signs: str) -> str:
        """Take the next token if it is one of these; "" if not."""
        kind, text, _ = self.tokens[self.position]
        if text in signs and kind != "end":
            self.position += 1
            return text
        return ""

    def _expect(self, sign: str) -> None:
        if not self._next(sign):
            self._fail(f"expected {sign!r}")

    def claim(self) -> Claim:
        """Read the whole text."""
        comparisons = [self._comparison()]
        while self._next("and"):
            comparisons.append(self._comparison())
        if self.tokens[self.position][0] != "end":
            self._fail("join comparisons by 'and'")
        if not any(atom.is_quantity for atom in self.atoms):
            raise InputError(
                "claim", self.text, f"names no quantity; known: {', '.join(QUANTITIES)}"
            )
        atoms = {symbol: atom for atom, symbol in self.atoms.items()}
        return Claim(self.text.strip(), tuple(comparisons), atoms)

    def _comparison(self) -> Comparison:
        left = self._sum()
        sign = self._next("<", "<=", ">", ">=")
        if not sign:
            self._fail("expected one of <, <=, >, >=")
        right = self._sum()
        margin = right - left if sign[0] == "<" else left - right
        return Comparison(margin, strict=len(sign) == 1)

    def _sum(self) -> sp.Expr:
        value = self._product()
        while sign := self._next("+", "-"):
            other = self._product()
            value = value + other if sign == "+" else value - other
        return value

    def _product(self) -> sp.Expr:
        value = self._factor()
        while sign := self._next("*", "/"):
            other = self._factor()
            if sign == "/" and other.is_zero:
                self._fail("division by zero")
            value = value * other if sign == "*" else value / other
        return value

    def _factor(self) -> sp.Expr:
        sign = self._next("+", "-")
        if sign:
            value = self._nested(self._factor)
            return -value if sign == "-" else value
        value = self._term()
        if self._next("**"):
            power = self._nested(self._factor)
            if not (power.is_Integer and abs(power) <= HIGHEST):
                self._fail(f"a power is a whole number up to {HIGHEST}")
            return value**power
        return value

    def _nested(self, rule: Callable[[], sp.Expr]) -> sp.Expr:
        self.depth += 1
        if self.depth > DEEPEST:
            self._fail("is nested too deeply")
        value = rule()
        self.depth -= 1
        return value

    def _term(self) -> sp.Expr:
        kind, text, _ = self.tokens[self.position]
        if kind == "number":
            self.position += 1
            return exact(text, "claim")
        if self._next("("):
            value = self._nested(self._sum)
            self._expect(")")
            return value
        if kind == "name" and text == "D":
            self.position += 1
            self._expect("(")
            atom = self._quantity()
            self._expect(",")
            by = self._name("a parameter")
            if by not in MOVABLE:
                self.position -= 1
                self._fail(f"derivatives are by {', '.join(MOVABLE)}")
            self._expect(")")
            return self._symbol(Atom(atom.problem, atom.name, atom.changes, by))
        if kind == "name" and text != "and":
            name = text.rpartition(".")[2]
            if name in QUANTITIES:
                return self._symbol(self._quantity())
            return self._symbol(self._parameter())
        self._fail("expected a number, a parameter or a quantity")

    def _name(self, what: str) -> str:
        kind, text, _ = self.tokens[self.position]
        if kind != "name":
            self._fail(f"expected {what}")
        self.position += 1
        return text

    def _quantity(self) -> Atom:
        text = self._name("a quantity")
        label, _, name = text.rpartition(".")
        if name not in QUANTITIES or label not in self.problems:
            self.position -= 1
            names = ", ".join(sorted(self.problems)) or "none"
            known = f"quantities are {', '.join(QUANTITIES)}"
            if label not in self.problems:
                known += f"; problems are {names}, written before a dot"
            self._fail(known)
        changes = []
        if self._next("["):
            while True:
                field = self._name("a parameter")
                self._expect("=")
                value = self._sum()
                if not value.is_number:
                    self._fail("give a number for a changed parameter")
                self.problems[label].with_values({field: value})  # refuses bad ones
                changes.append((field, value))
                if not self._next(","):
                    break
            self._expect("]")
        return Atom(label, name, tuple(sorted(changes, key=lambda c: c[0])))

    def _parameter(self) -> Atom:
        text = self._name("a parameter")
        label, name = "", text
        if text.count(".") == 2:
            label, _, name = text.partition(".")
        problem = self.problems.get(label)
        if problem is None or not _is_parameter(problem, name):
            self.position -= 1
            known = ", ".join((*QUANTITIES, *MOVABLE))
            self._fail(f"no such quantity or parameter; known: {known}")
        return Atom(label, name)

    def _symbol(self, atom: Atom) -> sp.Symbol:
        return self.atoms.setdefault(atom, sp.Symbol(f"a{len(self.atoms)}", real=True))


def _is_parameter(problem: Problem, name: str) -> bool:
    table, _, key = name.partition(".")
    value = problem.tables().get(table, {}).get(key)
    return isinstance(value, sp.Expr) and bool(value.is_number)
