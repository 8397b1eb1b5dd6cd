"""Numbers and functions as texts that are read as the same again."""

from typing import Any, ClassVar

import sympy as sp
from sympy.printing.str import StrPrinter

__all__ = ["value_text"]

PLAIN = 40  # characters of a number, beyond which it is written with a power of ten


def value_text(value: Any) -> str:
    """Write a value of a problem exactly, in the grammar that reads it.

    Numbers with finitely many decimals become these decimals.

    Examples
    --------
    >>> value_text(sp.Rational(-3, 40)), value_text(sp.Rational(1, 3))
    ('-0.075', '1/3')
    >>> value_text(sp.Rational(25, 10**200))
    '2.5e-199'
    """
    match value:
        case str():
            return value
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case sp.Rational():
            return _decimals(value)
    return str(_Grammar().doprint(value))


class _Grammar(StrPrinter):
    """SymPy's printer with the function names of the grammar."""

    _NAMES: ClassVar = {"Max": "max", "Min": "min", "Abs": "abs", "Heaviside": "step"}

    def _print_Function(self, expr: sp.Expr) -> str:
        name = type(expr).__name__
        arguments = expr.args[:1] if name == "Heaviside" else expr.args
        return f"{self._NAMES.get(name, name)}({self.stringify(arguments, ', ')})"

    _print_Max = _print_Min = _print_Abs = _print_Heaviside = _print_Function

    def _print_Exp1(self, expr: sp.Expr) -> str:
        return "e"


def _decimals(number: sp.Rational) -> str:
    """Write a rational as decimals where finitely many are enough."""
    places = max(number.q.bit_length(), 1)
    scaled = number * sp.Integer(10) ** places
    if not scaled.is_Integer:
        return str(number)
    digits = str(abs(int(scaled))).rjust(places + 1, "0")
    whole, rest = digits[:-places], digits[-places:].rstrip("0")
    sign, text = "-" if number < 0 else "", whole + (f".{rest}" if rest else "")
    return sign + (text if len(text) <= PLAIN else _powers(digits, places))


def _powers(digits: str, places: int) -> str:
    """Write decimals with a power of ten, of as many digits as are needed."""
    first = len(digits) - len(digits.lstrip("0"))
    figures = digits.strip("0")
    point = f".{figures[1:]}" if len(figures) > 1 else ""
    return f"{figures[0]}{point}e{len(digits) - places - first - 1}"
