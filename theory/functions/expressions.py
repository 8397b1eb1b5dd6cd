"""Numbers and functions of z, exactly, from text or from SymPy."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import comb, prod
from typing import Any

import mpmath
import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions.adoption import adopt, is_written, without_floats
from detequiv.theory.functions.grammar import (
    CATALOGUE,
    FUNCTIONS,
    check_size,
    translate,
    z,
)
from detequiv.theory.functions.text import value_text

__all__ = ["FUNCTIONS", "exact", "is_rounded", "parse_function", "sign", "z"]

MOST_TERMS = 1000  # of a product that is multiplied out
_PASSES = 4  # until an expression is what its own text says
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
    plain = _plain(value)
    if isinstance(plain, bool) or plain is None:
        raise InputError(field, value, "give a number")
    if _not_finite(plain):
        raise InputError(field, value, "is not finite; give a finite real number")
    try:
        number = _read(plain, field)
        if isinstance(number, sp.Rational):
            check_size(number)
            return number
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(field, value, str(error)) from None
    if number is None:
        raise InputError(field, value, "give a number, or text such as '1/3'")
    if number.free_symbols or not _is_real(number):
        raise InputError(field, value, "give a finite real number")
    return _settled(number, value, field) if is_written(number) else number


def _plain(value: Any) -> Any:
    """Take a number out of NumPy or xarray, with its own shortest decimals."""
    if isinstance(value, str) or not hasattr(value, "dtype"):
        return value
    if getattr(value, "shape", None):
        return None
    value = getattr(value, "values", value)[()]
    kinds: dict[str, Any] = {"f": str, "i": int, "u": int, "U": str}
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return kinds.get(kind, lambda _: None)(value)


def _read(value: Any, field: str) -> sp.Expr | None:
    """Turn a number of any type into SymPy's, exactly; None of what is no number."""
    match value:
        case sp.Rational():
            return value
        case str() | float() | Decimal():
            return translate(str(value), field)
        case sp.Expr():
            return without_floats(value)
        case int():
            return sp.Integer(value)
        case Fraction():
            return sp.Rational(value.numerator, value.denominator)
        case mpmath.mpf():
            check_size(value)
            return sp.Rational(*map(int, mpmath.libmp.to_rational(value._mpf_)))
    return None


def _settled(value: sp.Expr, given: Any, field: str) -> sp.Expr:
    """Bring an expression to the form that its own text is read as.

    SymPy's automatic simplifications may take more than one pass. What a file cannot
    hold is refused, so that every problem can be written and read again.
    """
    for _ in range(_PASSES):
        try:
            again = _expanded(translate(value_text(value), field))
        except InputError as error:
            raise InputError(
                field, given, f"cannot be written in a file: {error.problem}"
            ) from None
        if again == value:
            return value
        value = again
    raise InputError(field, given, "cannot be written in a file as it is")


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


def parse_function(
    text: str | float | sp.Expr, field: str, variables: Sequence[sp.Symbol] = (z,)
) -> sp.Expr:
    """Read a function of z, or of several variables.

    Parameters
    ----------
    text : str, Expr or number
        A catalogue name ("tanh"), or an expression in z ("z**2 - 1", "max(z, 0)").
    field : str
        Name to use in an error message.
    variables : sequence of Symbol
        Those of the grammar that it may have.

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
        result = adopt(text, field)
    elif isinstance(text, int | float) and not isinstance(text, bool):
        result = exact(text, field)  # a constant, as TOML has it
    else:
        raise InputError(field, text, "give a name, or an expression in z, as text")
    if result.free_symbols - set(variables):
        known = (
            "the only variable is z" if len(variables) == 1 else "variables are z1.."
        )
        raise InputError(field, text, known)
    if result.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I):
        raise InputError(field, text, "has no finite real value")
    try:
        return _settled(_expanded(result), text, field)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(field, text, str(error)) from None


def _expanded(function: sp.Expr) -> sp.Expr:
    """Multiply a polynomial out; leave other functions as they are.

    Raises
    ------
    ValueError
        Too many terms, or numbers out of range.
    """
    variables = sorted(function.free_symbols, key=str) or [z]
    if not function.is_polynomial(*variables):
        return function
    if _is_rational(function):
        result = _polynomial(function, variables).as_expr()
    elif _terms(function) > MOST_TERMS:
        raise ValueError("is too large an expression")
    else:
        result = sp.expand(function)
    for number in result.atoms(sp.Rational):
        check_size(number)
    return result


def _is_rational(function: sp.Expr) -> bool:
    """Whether a polynomial is written with rational numbers alone."""
    return all(
        part.is_Symbol
        or part.is_Rational
        or part.is_Add
        or part.is_Mul
        or (part.is_Pow and part.exp.is_Integer)
        for part in sp.preorder_traversal(function)
    )


def _polynomial(function: sp.Expr, variables: list[sp.Symbol]) -> sp.Poly:
    """Multiply out, with rational coefficients: in no more than the degree's terms."""
    if function.is_Add or function.is_Mul:
        first, *others = (_polynomial(part, variables) for part in function.args)
        return sum(others, first) if function.is_Add else prod(others, start=first)
    if function.is_Pow and function.exp.is_positive:
        return _polynomial(function.base, variables) ** int(function.exp)
    return sp.Poly(function, *variables, domain="QQ")


def _terms(function: sp.Expr) -> int:
    """Count the terms, at most, of a polynomial multiplied out."""
    counts = [_terms(a) for a in function.args]
    if function.is_Add:
        return sum(counts)
    if function.is_Mul:
        return prod(counts)
    if function.is_Pow and function.exp.is_Integer and function.exp > 0:
        return comb(counts[0] + int(function.exp) - 1, int(function.exp))
    return 1
