"""Numbers and functions of z from text, by a closed grammar, exactly.

Text is parsed into Python's syntax tree and only arithmetic and the functions
named here are translated; nothing is ever evaluated. Decimals become rationals.
"""

import ast
import difflib
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp

from detequiv.theory.errors import InputError

__all__ = ["FUNCTIONS", "exact", "parse_function", "z"]

z = sp.Symbol("z", real=True)

LONGEST = 500  # characters of an expression
HIGHEST_POWER = 64


def _hermite(k: sp.Expr, x: sp.Expr) -> sp.Expr:
    """Probabilists' Hermite polynomial."""
    if not (k.is_Integer and 0 <= k <= HIGHEST_POWER):
        raise ValueError(
            f"the order of He must be an integer from 0 to {HIGHEST_POWER}"
        )
    value = sp.expand(2 ** (-k / sp.Integer(2)) * sp.hermite(k, z / sp.sqrt(2)))
    return value.subs(z, x)


FUNCTIONS: Mapping[str, tuple[int, Callable[..., sp.Expr]]] = {
    **{
        name: (1, getattr(sp, name))
        for name in ("sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh")
    },
    "tanh": (1, sp.tanh),
    "erf": (1, sp.erf),
    "abs": (1, sp.Abs),
    "sign": (1, sp.sign),
    "step": (1, sp.Heaviside),
    "max": (2, sp.Max),
    "min": (2, sp.Min),
    "relu": (1, lambda x: sp.Max(0, x)),
    "leaky_relu": (2, lambda x, slope: sp.Max(0, x) + slope * sp.Min(0, x)),
    "sigmoid": (1, lambda x: 1 / (1 + sp.exp(-x))),
    "softplus": (1, lambda x: sp.log(1 + sp.exp(x))),
    "silu": (1, lambda x: x / (1 + sp.exp(-x))),
    "gelu": (1, lambda x: x * (1 + sp.erf(x / sp.sqrt(2))) / 2),
    "sech": (1, lambda x: 1 / sp.cosh(x)),
    "He": (2, _hermite),
}
_CATALOGUE: Mapping[str, Callable[[sp.Symbol], sp.Expr]] = {
    **{name: call for name, (count, call) in FUNCTIONS.items() if count == 1},
    "linear": lambda x: x,
    "he2": lambda x: _hermite(sp.Integer(2), x),
    "he3": lambda x: _hermite(sp.Integer(3), x),
}
_CONSTANTS = {"pi": sp.pi, "e": sp.E, "z": z}


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
    if isinstance(value, bool) or value is None:
        raise InputError(field, value, "give a number")
    if isinstance(value, sp.Expr):
        number = sp.nsimplify(value, rational=True) if value.has(sp.Float) else value
    elif isinstance(value, int):
        number = sp.Integer(value)
    elif isinstance(value, Fraction):
        number = sp.Rational(value.numerator, value.denominator)
    elif isinstance(value, float | Decimal | str):
        number = _parse(str(value), field)
    elif isinstance(value, mpmath.mpf):
        number = sp.Rational(*map(int, mpmath.libmp.to_rational(value._mpf_)))
    elif hasattr(value, "item"):  # a NumPy scalar
        return exact(value.item(), field)
    else:
        raise InputError(field, value, "give a number, or text such as '1/3'")
    if number.free_symbols or not (number.is_real and number.is_finite):
        raise InputError(field, value, "give a finite real number")
    return number


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
        result = _CATALOGUE[name](z) if name in _CATALOGUE else _parse(text, field)
    elif isinstance(text, sp.Expr):
        result = sp.nsimplify(text, rational=True) if text.has(sp.Float) else text
    else:
        raise InputError(field, text, "give a name, or an expression in z, as text")
    if result.free_symbols - {z}:
        raise InputError(field, text, "the only variable is z (a real symbol)")
    if result.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I):
        raise InputError(field, text, "has no finite real value")
    return sp.expand(result) if result.is_polynomial(z) else result


def _parse(text: str, field: str) -> sp.Expr:
    """Translate text by the closed grammar."""
    if len(text) > LONGEST:
        raise InputError(field, text, f"is longer than {LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        return sp.sympify(_translate(tree, text.strip()))
    except InputError:
        raise
    except SyntaxError:
        problem = "is not an expression; write for example '1/3' or 'z**2 - 1'"
    except RecursionError:
        problem = "is nested too deeply"
    except MemoryError:
        problem = "is nested too deeply"
    except (ValueError, TypeError, ZeroDivisionError, OverflowError) as error:
        problem = str(error)
    raise InputError(field, text, problem)


def _translate(node: ast.expr, text: str) -> sp.Expr:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            digits = ast.get_source_segment(text, node) or ""
            number = Decimal(digits.replace("_", ""))
            if number and abs(number.adjusted()) > 1000:
                raise ValueError(f"{digits} is out of range")
            return sp.Rational(*number.as_integer_ratio())
        case ast.Name(id=name):
            if name in _CONSTANTS:
                return _CONSTANTS[name]
            raise ValueError(f"unknown name {name!r}{_nearest(name)}")
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _translate(operand, text)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_translate(operand, text)
        case ast.BinOp(left=left, op=operator, right=right):
            return _binary(operator, _translate(left, text), _translate(right, text))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name not in FUNCTIONS:
                raise ValueError(f"unknown function {name!r}{_nearest(name)}")
            count, call = FUNCTIONS[name]
            if len(arguments) != count:
                raise ValueError(f"{name} takes {count} argument(s)")
            return call(*(_translate(a, text) for a in arguments))
    raise ValueError("use numbers, z, + - * / ** and named functions only")


def _binary(operator: ast.operator, left: sp.Expr, right: sp.Expr) -> sp.Expr:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            if right.is_zero:
                raise ValueError("division by zero")
            return left / right
        case ast.Pow():
            if right.is_number and abs(right) > HIGHEST_POWER:
                raise ValueError(f"powers above {HIGHEST_POWER} are not accepted")
            return left**right
        case ast.BitXor():
            raise ValueError("write powers with **, not ^")
    raise ValueError("use + - * / ** only")


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name, [*FUNCTIONS, *_CONSTANTS], n=1)
    return f", did you mean {close[0]!r}?" if close else ""
