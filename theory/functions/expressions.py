"""Numbers and functions of z, exactly, from text or from SymPy."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions.grammar import (
    CATALOGUE,
    FUNCTIONS,
    bounded,
    translate,
    z,
)

__all__ = ["FUNCTIONS", "exact", "is_rounded", "parse_function", "sign", "z"]

# what an expression handed over as a SymPy object may be made of
_CLASSES = (
    *(sp.Add, sp.Mul, sp.Pow, sp.exp, sp.log, sp.sin, sp.cos, sp.tan),
    *(sp.sinh, sp.cosh, sp.tanh, sp.erf, sp.Abs, sp.sign, sp.Heaviside),
    *(sp.Max, sp.Min, sp.Rational, sp.Symbol, type(sp.pi), type(sp.E)),
)

_DIGITS, _SMALLEST = 30, sp.Float("1e-25")  # of a sign that only digits tell


def exact(value: Any, field: str) -> sp.Expr:
    """Read a real number exactly.

    Parameters
    ----------
    value : int, str, float, Fraction, Decimal, mpf or Expr
        Text such as "0.1", "1/3", "sqrt(2)" or "1e-3". A float stands for its
        shortest decimal representation: 0.1 is one tenth.
    field : str
        Name to use in an error message.

    Raises
    ------
    InputError
        Not a finite real number.

    Examples
    --------
    >>> exact("0.1", "x"), exact(0.1, "x"), exact("sqrt(2)/3", "x")
    (1/10, 1/10, sqrt(2)/3)
    """
    if isinstance(value, sp.Rational):
        return value
    if hasattr(value, "dtype") and not getattr(value, "shape", None):  # of NumPy
        kind = getattr(value.dtype, "kind", "")
        # its own decimals: the shortest that its precision tells apart
        value = {"f": str, "i": int, "u": int}.get(kind, lambda _: None)(value)
    if isinstance(value, bool) or value is None:
        raise InputError(field, value, "give a number")
    if _not_finite(value):
        raise InputError(field, value, "is not finite; give a finite real number")
    number: sp.Expr
    if isinstance(value, str | float | Decimal):
        number = translate(str(value), field)
    elif isinstance(value, sp.Expr):
        number = value.xreplace({x: _decimals(x) for x in value.atoms(sp.Float)})
    elif isinstance(value, int):
        number = sp.Integer(value)
    elif isinstance(value, Fraction):
        number = sp.Rational(value.numerator, value.denominator)
    elif isinstance(value, mpmath.mpf):
        number = sp.Rational(*map(int, mpmath.libmp.to_rational(value._mpf_)))
    else:
        raise InputError(field, value, "give a number, or text such as '1/3'")
    if isinstance(number, sp.Rational):
        return number
    if number.free_symbols or not _is_real(number):
        raise InputError(field, value, "give a finite real number")
    return number


def _is_real(number: sp.Expr) -> bool:
    """Whether a number is finite and real: SymPy's answer, or else that of digits."""
    if number.is_real is None and number.is_finite is not False:
        return bool(number.evalf(_DIGITS).is_Float)
    return bool(number.is_real and number.is_finite)


def _not_finite(value: Any) -> bool:
    """Whether a value is one of the names or numbers of infinity and of no number."""
    if isinstance(value, str):
        return value.strip().lower().lstrip("+-") in ("nan", "inf", "infinity")
    if isinstance(value, float | mpmath.mpf):
        return not mpmath.isfinite(value)
    if isinstance(value, Decimal):
        return not value.is_finite()
    return isinstance(value, sp.Expr) and value.has(sp.oo, -sp.oo, sp.zoo, sp.nan)


def _decimals(number: sp.Float) -> sp.Rational:
    """Shortest decimals that a number of SymPy's precision is the nearest one to."""
    precision = number._prec
    for digits in range(1, mpmath.libmp.repr_dps(precision) + 1):
        text = mpmath.libmp.to_str(number._mpf_, digits)
        if mpmath.libmp.from_str(text, precision, "n") == number._mpf_:
            return sp.Rational(text)
    return sp.Rational(*map(int, mpmath.libmp.to_rational(number._mpf_)))


def is_rounded(value: Any) -> float:
    """Relative rounding of a number that stands for others near it; 0 of exact ones.

    Examples
    --------
    >>> is_rounded(0.25) == 2.0**-52, is_rounded("0.25"), is_rounded(sp.Rational(1, 4))
    (True, 0.0, 0.0)
    """
    if isinstance(value, sp.Float):
        return float(2.0 ** (1 - value._prec))
    if isinstance(value, mpmath.mpf):
        return float(2.0 ** (1 - mpmath.mp.prec))
    if getattr(getattr(value, "dtype", None), "kind", "") == "f":
        return float({2: 2.0**-10, 4: 2.0**-23}.get(value.dtype.itemsize, 2.0**-52))
    return 2.0**-52 if isinstance(value, float) else 0.0


def sign(number: sp.Expr) -> int:
    """Sign of an exact number: 1, -1, or 0 where it is zero or cannot be told.

    SymPy's own questions answer alike, at a hundred times the price for a rational.
    Where it has no answer, as of averages without closed form, the digits tell.

    Examples
    --------
    >>> sign(sp.Rational(-1, 3)), sign(sp.sqrt(2) - 1)
    (-1, 1)
    """
    if isinstance(number, sp.Rational):
        numerator: int = number.p
        return (numerator > 0) - (numerator < 0)
    if number.is_positive or number.is_negative:
        return 1 if number.is_positive else -1
    value = number.evalf(_DIGITS)
    if number.is_zero or not value.is_comparable or abs(value) < _SMALLEST:
        return 0
    return 1 if value > 0 else -1


def parse_function(text: str | sp.Expr, field: str) -> sp.Expr:
    """Read a function of z.

    Parameters
    ----------
    text : str or Expr
        A catalogue name ("tanh"), or an expression in z ("z**2 - 1", "max(z, 0)").
    field : str
        Name to use in an error message.

    Raises
    ------
    InputError
        Outside the grammar; the message says where.

    Examples
    --------
    >>> parse_function("relu", "f"), parse_function("0.5*(z**2 - 1)", "f")
    (Max(0, z), z**2/2 - 1/2)
    """
    if isinstance(text, str):
        name = text.strip()
        result = CATALOGUE[name](z) if name in CATALOGUE else translate(text, field)
    elif isinstance(text, sp.Expr):
        result = _adopt(text, field)
    else:
        raise InputError(field, text, "give a name, or an expression in z, as text")
    if result.free_symbols - {z}:
        raise InputError(field, text, "the only variable is z")
    if result.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I):
        raise InputError(field, text, "has no finite real value")
    return sp.expand(result) if result.is_polynomial(z) else result


def _adopt(function: sp.Expr, field: str) -> sp.Expr:
    """Bring a SymPy expression into the grammar: exact numbers, known functions."""
    named = {s: z for s in function.free_symbols if s.name == "z"}
    exactly = function.xreplace(named).xreplace(
        {x: _decimals(x) for x in function.atoms(sp.Float)}
    )
    exactly = exactly.replace(sp.sech, lambda x: 1 / sp.cosh(x))
    exactly = exactly.replace(sp.erfc, lambda x: 1 - sp.erf(x))
    exactly = exactly.replace(sp.Piecewise, _piecewise)
    for part in sp.preorder_traversal(exactly):
        if not isinstance(part, _CLASSES):
            raise InputError(
                field, function, f"{type(part).__name__} is not among the functions"
            )
    try:
        return bounded(exactly)
    except ValueError as error:
        raise InputError(field, function, str(error)) from None


def _piecewise(*pieces: Any) -> sp.Expr:
    """Write a piecewise expression with steps (values at the breakpoints aside)."""
    value, rest = sp.S.Zero, sp.S.One
    for branch, condition in pieces:
        inside = _indicator(condition)
        value, rest = value + rest * inside * branch, rest * (1 - inside)
    return value


def _indicator(condition: Any) -> sp.Expr:
    if isinstance(condition, sp.And):
        return sp.Mul(*map(_indicator, condition.args))
    if isinstance(condition, sp.Gt | sp.Ge):
        return sp.Heaviside(condition.lhs - condition.rhs)
    if isinstance(condition, sp.Lt | sp.Le):
        return sp.Heaviside(condition.rhs - condition.lhs)
    return sp.S.One if condition == True else condition  # noqa: E712
