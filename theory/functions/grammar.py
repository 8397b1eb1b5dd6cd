"""The closed grammar of numbers and functions of z.

Text is parsed into Python's syntax tree and only arithmetic and the functions
named here are translated; nothing is ever evaluated. Decimals become rationals.
Every intermediate result is bounded (size of numbers, degree, number of nodes), so
that no text, however short, can make the translation long.
"""

import ast
import difflib
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError

__all__ = [
    "CATALOGUE",
    "FUNCTIONS",
    "bounded",
    "check_size",
    "hermite_polynomial",
    "projections",
    "translate",
    "z",
]

z = sp.Symbol("z", real=True)
projections = sp.symbols("z1:10", real=True)  # of a target of several

LONGEST = 100_000  # characters of an expression, most of them digits of coefficients
MOST_WORDS = 1200  # numbers, names and operators of an expression
MOST_CALLS = 100  # of functions in it
MOST_COMPARED = 500  # nodes of what a maximum is taken of
LARGEST = 1000  # decimal digits before the point of a number, or of its inverse
HIGHEST_POWER = 64  # of a power, and degree of a polynomial
MOST_NODES = 4000  # of an expression tree


def hermite_polynomial(k: int, x: sp.Expr) -> sp.Expr:
    """Probabilists' Hermite polynomial He_k at x.

    Examples
    --------
    >>> hermite_polynomial(3, z)
    z**3 - 3*z
    """
    return _hermite_polynomial(k).subs(z, x)


@lru_cache(maxsize=HIGHEST_POWER)
def _hermite_polynomial(k: int) -> sp.Expr:
    return sp.expand(
        2 ** (-sp.Integer(k) / 2) * sp.hermite(sp.Integer(k), z / sp.sqrt(2))
    )


def _hermite(k: sp.Expr, x: sp.Expr) -> sp.Expr:
    if not (k.is_Integer and 0 <= k <= HIGHEST_POWER):
        raise ValueError(
            f"the order of He must be an integer from 0 to {HIGHEST_POWER}"
        )
    return hermite_polynomial(int(k), x)


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
    "sech2": (1, lambda x: sp.cosh(x) ** -2),
    "gaussian": (1, lambda x: sp.exp(-(x**2) / 2)),
    "He": (2, _hermite),
}
CATALOGUE: Mapping[str, Callable[[sp.Symbol], sp.Expr]] = {
    **{name: call for name, (count, call) in FUNCTIONS.items() if count == 1},
    "linear": lambda x: x,
    "he2": lambda x: hermite_polynomial(2, x),
    "he3": lambda x: hermite_polynomial(3, x),
}
# of numbers only: as functions of z they would be no activation
OF_NUMBERS: Mapping[str, Callable[..., sp.Expr]] = {
    name: getattr(sp, name) for name in ("asin", "acos", "atan")
}
_EXTREMA = ("max", "min", "relu", "leaky_relu")
_CONSTANTS = {"pi": sp.pi, "e": sp.E, "z": z, **{s.name: s for s in projections}}
# numbers that need no syntax tree: what the points of a curve mostly are
_WHOLE = r"(?:0|[1-9]\d*)"
SHORT = 500  # characters, of these
_LONG_NUMBER = re.compile(r"\d{2200}")
_PLAIN = re.compile(rf"-?{_WHOLE}(?:/[1-9]\d*|(?:\.\d+)?(?:e[+-]?\d\d?)?)", re.ASCII)


def translate(text: str, field: str) -> sp.Expr:
    """Translate text by the grammar.

    Parameters
    ----------
    text : str
        A number or an expression in z.
    field : str
        Name to use in an error message.

    Raises
    ------
    InputError
        Outside the grammar, or too large.
    """
    if len(text) < SHORT and _PLAIN.fullmatch(text):
        whole, slash, parts = text.partition("/")
        return sp.Rational(
            *((int(whole), int(parts)) if slash else Decimal(text).as_integer_ratio())
        )
    try:
        if len(text) > LONGEST or _LONG_NUMBER.search(text):
            raise ValueError("is too long")
        text = " ".join(text.split())
        if not text.isascii():
            raise ValueError("use numbers, z, + - * / ** and named functions only")
        tree = ast.parse(text, mode="eval").body
        _check_length(tree)
        return sp.sympify(_translate(tree, text))
    except SyntaxError:
        problem = _advice(text)
    except (RecursionError, MemoryError):
        problem = "is nested too deeply"
    except (ValueError, TypeError, ZeroDivisionError, OverflowError) as error:
        problem = str(error)
    raise InputError(field, text, problem)


def _advice(text: str) -> str:
    """Say what is wrong with a text that is no expression."""
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        return f"write a decimal point, as {text.replace(',', '.')}"
    if product := re.search(r"(\d)\s*([a-zA-Z(])", text):
        return f"is not an expression; write products with *, as {product[1]}*z"
    return "is not an expression; write for example '1/3' or 'z**2 - 1'"


def _check_length(tree: ast.expr) -> None:
    """Refuse what takes long to translate."""
    words = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    calls = sum(isinstance(node, ast.Call) for node in words)
    if len(words) > MOST_WORDS or calls > MOST_CALLS:
        raise ValueError(
            f"is too long: {len(words)} numbers, names and operators, {calls} of them "
            f"functions; {MOST_WORDS} and {MOST_CALLS} are read"
        )


def _translate(node: ast.expr, text: str) -> sp.Expr:
    """Translate a node and check that the result has stayed small."""
    return bounded(_translate_node(node, text))


def bounded(value: sp.Expr) -> sp.Expr:
    """Refuse numbers that are not real or out of range, and what has grown too large.

    Its parts have passed this check before, so that no step of it is long.
    """
    if _nodes(value) == MOST_NODES:
        raise ValueError("is too large an expression")
    if value.is_number:
        if value.is_real is False or abs(_magnitude(value)) > LARGEST:
            raise ValueError("holds a number that is not real, or out of range")
    elif _degree(value) > HIGHEST_POWER:
        raise ValueError(f"degrees above {HIGHEST_POWER} are not accepted")
    return value


def check_size(number: Any) -> None:
    """Refuse a rational or a float that is out of range, before it is looked at.

    Raises
    ------
    ValueError
        More than `LARGEST` digits before the point, of it or of its inverse.
    """
    if isinstance(number, sp.Rational):
        size = max(abs(int(number.p)).bit_length(), int(number.q).bit_length())
    else:  # a binary number of mpmath or SymPy, whose digits are not counted
        exponent, bits = number._mpf_[2:]
        size = max(abs(exponent), abs(exponent + bits))
    if size / 3.33 > LARGEST:
        raise ValueError("is out of range")


def _nodes(value: sp.Expr) -> int:
    """Count the nodes of an expression, up to `MOST_NODES`."""
    return sum(1 for _ in islice(sp.preorder_traversal(value), MOST_NODES))


def _magnitude(number: sp.Expr) -> float:
    """Decimal logarithm of the absolute value; 0 for 0, infinite for no number."""
    if number.is_Rational:
        return max((abs(int(number.p)).bit_length(), int(number.q).bit_length())) / 3.33
    size = abs(number.evalf(5, maxn=60))
    if not (size.is_Float and size.is_finite):
        return float("inf")
    mantissa, exponent = size._mpf_[1:3]
    return float(mantissa.bit_length() + exponent) / 3.33 if mantissa else 0.0


def _degree(value: sp.Expr) -> int:
    """Degree in z with functions of z counted as constants of degree 0."""
    if value.is_Symbol:
        return 1
    if value.is_Add or value.is_Mul:
        degrees = [_degree(a) for a in value.args]
        return max(degrees) if value.is_Add else sum(degrees)
    if value.is_Pow and value.exp.is_Integer:
        return int(abs(value.exp)) * _degree(value.base)
    return 0


def _translate_node(node: ast.expr, text: str) -> sp.Expr:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            # what ast.get_source_segment gives, which splits all the text each time
            digits = text[node.col_offset : node.end_col_offset]
            if digits[:2].lower() in ("0x", "0b", "0o"):
                raise ValueError(f"write {digits} in decimals: {node.value!r}")
            number = Decimal(digits.replace("_", ""))
            if number and abs(number.adjusted()) > 1000:
                raise ValueError(f"{digits} is out of range")
            return sp.Rational(*number.as_integer_ratio())
        case ast.Name(id=name):
            if name in _CONSTANTS:
                return _CONSTANTS[name]
            if name.lower() in ("nan", "inf", "infinity", "oo"):
                raise ValueError(f"{name} is not finite; give finite real numbers")
            if len(name) == 1:
                raise ValueError(f"unknown name {name!r}; the variable is z")
            raise ValueError(f"unknown name {name!r}{_nearest(name)}")
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _translate(operand, text)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_translate(operand, text)
        case ast.BinOp(left=left, op=operator, right=right):
            return _binary(operator, _translate(left, text), _translate(right, text))
        case ast.Call(func=ast.Constant()):
            raise ValueError(_advice(text))
        case ast.Tuple(elts=[ast.Constant(), ast.Constant()]):
            raise ValueError(_advice(text))
        case ast.Call(func=ast.Attribute(attr=name, value=ast.Name(id=module))):
            raise ValueError(f"write {name}(z), without {module!r} before it")
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name in OF_NUMBERS and len(arguments) != 1:
                raise ValueError(f"{name} takes one number")
            if name in OF_NUMBERS:
                (number,) = (_translate(a, text) for a in arguments)
                if not number.is_number:
                    raise ValueError(f"{name} takes a number")
                return OF_NUMBERS[name](number)
            if name not in FUNCTIONS:
                raise ValueError(f"unknown function {name!r}{_nearest(name)}")
            count, call = FUNCTIONS[name]
            many = name in ("max", "min")
            if len(arguments) < count or (len(arguments) > count and not many):
                least = "at least " if many else ""
                some = "argument" if count == 1 else "arguments"
                raise ValueError(f"{name} takes {least}{count} {some}")
            values = [_translate(a, text) for a in arguments]
            if name in ("exp", "sinh", "cosh") and values[0].is_number:
                if abs(values[0]) > 2 * LARGEST:
                    raise ValueError(f"{name} of a number out of range")
            if name in _EXTREMA and sum(map(_nodes, values)) > MOST_COMPARED:
                raise ValueError(f"{name} takes shorter arguments")
            if name == "He" and _nodes(values[1]) * HIGHEST_POWER > MOST_NODES:
                raise ValueError("He takes a shorter argument")
            return call(*values)
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
            return _power(left, right)
        case ast.BitXor():
            raise ValueError("write powers with **, not ^")
    raise ValueError("use + - * / ** only")


def _power(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    """Power with a number as exponent, or as positive base."""
    if not exponent.is_number:
        if not (base.is_number and base.is_positive):
            raise ValueError("a power must have a number as exponent, or as base")
        return sp.exp(exponent * sp.log(base))
    if abs(exponent) > HIGHEST_POWER:
        raise ValueError(f"powers above {HIGHEST_POWER} are not accepted")
    if base.is_zero and exponent.is_negative:
        raise ValueError("division by zero")
    if base.is_number and abs(_magnitude(base) * exponent) > LARGEST:
        raise ValueError("holds a number that is out of range")
    return base**exponent


def _nearest(name: str) -> str:
    known = [*FUNCTIONS, *CATALOGUE, *_CONSTANTS]
    close = difflib.get_close_matches(name.lower(), known, n=1)
    meant = f", did you mean {close[0]!r}?" if close else ";"
    return f"{meant} docs/activations.md lists the names"
