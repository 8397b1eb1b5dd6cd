"""SymPy objects brought into the grammar: exact numbers, known functions, steps."""

from typing import Any

import mpmath
import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions.grammar import bounded, check_size, projections, z
from detequiv.theory.functions.pieces import pieces

__all__ = ["adopt", "is_written", "without_floats"]

# what an expression handed over as a SymPy object may be made of
_CLASSES = (
    *(sp.Add, sp.Mul, sp.Pow, sp.exp, sp.log, sp.sin, sp.cos, sp.tan),
    *(sp.sinh, sp.cosh, sp.tanh, sp.erf, sp.Abs, sp.sign, sp.Heaviside),
    *(sp.Max, sp.Min, sp.Rational, sp.Symbol, type(sp.pi), type(sp.E)),
)


def is_written(expression: sp.Expr) -> bool:
    """Whether an expression is made of what the grammar has words for."""
    return _foreign(expression) is None


def _foreign(expression: sp.Expr) -> str | None:
    """Name a part that the grammar has no word for."""
    for part in sp.preorder_traversal(expression):
        if not isinstance(part, _CLASSES):
            return type(part).__name__
    return None


def adopt(function: sp.Expr, field: str) -> sp.Expr:
    """Bring a function of z into the grammar.

    Raises
    ------
    InputError
        It holds a function or a condition that has no words there, or it is too large.
    """
    ours = {s.name: s for s in (z, *projections)}
    named = {s: ours[s.name] for s in function.free_symbols if s.name in ours}
    try:
        exactly = without_floats(function.xreplace(named))
        exactly = exactly.replace(sp.sech, lambda x: 1 / sp.cosh(x))
        exactly = exactly.replace(sp.erfc, lambda x: 1 - sp.erf(x))
        exactly = exactly.replace(sp.Piecewise, _steps)
        if foreign := _foreign(exactly):
            raise ValueError(f"{foreign} is not among the functions")
        return bounded(exactly)
    except ValueError as error:
        raise InputError(field, function, str(error)) from None


def without_floats(expression: sp.Expr) -> sp.Expr:
    """Replace SymPy's floats by their own shortest decimals."""
    return expression.xreplace({x: _decimals(x) for x in expression.atoms(sp.Float)})


def _decimals(number: sp.Float) -> sp.Rational:
    """Shortest decimals that a number of SymPy's precision is the nearest one to."""
    check_size(number)
    precision = number._prec
    for digits in range(1, mpmath.libmp.repr_dps(precision) + 1):
        text = mpmath.libmp.to_str(number._mpf_, digits)
        if mpmath.libmp.from_str(text, precision, "n") == number._mpf_:
            return sp.Rational(text)
    return sp.Rational(*map(int, mpmath.libmp.to_rational(number._mpf_)))


def _steps(*cases: Any) -> sp.Expr:
    """Write a piecewise expression with steps (values at the breakpoints aside)."""
    value, rest = sp.S.Zero, sp.S.One
    for branch, condition in cases:
        inside = _indicator(condition)
        value, rest = value + rest * inside * branch, rest * (1 - inside)
    if rest != 0 and (not rest.free_symbols <= {z} or any(pieces(rest).branches)):
        raise ValueError("leaves values of z without a piece; end it with (..., True)")
    return value


def _indicator(condition: Any) -> sp.Expr:
    """1 where a condition holds and 0 where it does not, single points aside."""
    match condition:
        case sp.And():
            return sp.Mul(*map(_indicator, condition.args))
        case sp.Or():
            return 1 - sp.Mul(*(1 - _indicator(c) for c in condition.args))
        case sp.Not():
            return 1 - _indicator(condition.args[0])
        case sp.Gt() | sp.Ge():
            return sp.Heaviside(condition.lhs - condition.rhs)
        case sp.Lt() | sp.Le():
            return sp.Heaviside(condition.rhs - condition.lhs)
        case sp.Eq():
            return sp.S.Zero
        case sp.Ne():
            return sp.S.One
        case sp.logic.boolalg.BooleanTrue():
            return sp.S.One
        case sp.logic.boolalg.BooleanFalse():
            return sp.S.Zero
    raise ValueError(f"the condition {condition} is not read; write comparisons of z")
