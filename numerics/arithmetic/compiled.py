"""Two arithmetics behind one compiled source: NumPy arrays and flint balls.

A list of SymPy expressions is printed once as Python code; rationals stay
rational (``Q(1, 3)``), and the names of functions are bound either to NumPy and
SciPy (arrays, float64) or to ``flint.arb`` (balls at the working precision, whose
radius bounds the rounding error).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from inspect import getsource
from math import ceil, log2
from types import CodeType, FunctionType
from typing import Any

import flint
import mpmath
import numpy as np
import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from detequiv.theory.gaussian import GaussianMean
from detequiv.theory.precision import ONE_AT_A_TIME, binary_digits

__all__ = [
    "BALLS",
    "FLOATS",
    "average_by",
    "bits",
    "compile_expressions",
    "exact_ball",
    "from_source",
    "integer_power",
    "precision",
    "source_of",
    "special",
    "to_ball",
    "to_float",
    "to_mpf",
]

arb = flint.arb
Number = Any  # float, complex, ndarray or arb: what the compiled code is fed with


def bits(digits: float) -> int:
    """Binary digits that hold `digits` decimal digits."""
    return ceil(digits * log2(10))


@contextmanager
def precision(digits: float) -> Iterator[None]:
    """Set the working precision of balls, in decimal digits, for a block."""
    with ONE_AT_A_TIME, flint.ctx.workprec(bits(digits)):
        yield


def to_ball(number: sp.Expr) -> Any:
    """Enclose an exact SymPy number in a ball at the working precision."""
    if number.is_Rational:
        return arb(flint.fmpq(int(number.p), int(number.q)))
    return _constant(number)()[0]


@lru_cache(maxsize=256)
def _constant(number: sp.Expr) -> Callable[[], list[Any]]:
    return compile_expressions([], [number], BALLS)


def exact_ball(value: float | mpmath.mpf) -> Any:
    """Exact ball (radius 0) of a binary number."""
    # a number of mpmath as it is: its constructor would round to the precision set
    number = value if isinstance(value, mpmath.mpf) else mpmath.mpf(value)
    sign, mantissa, exponent, _ = number._mpf_
    return arb((-mantissa if sign else mantissa, exponent))


def to_float(number: sp.Expr) -> float:
    """Round an exact SymPy number to float64."""
    try:
        return int(number.p) / int(number.q)
    except (AttributeError, OverflowError):  # not rational, or beyond float64
        with precision(17):
            return float(to_ball(number))


def to_mpf(ball: Any) -> mpmath.mpf:
    """Midpoint of a ball, all its bits kept."""
    mantissa, exponent = ball.mid().man_exp()
    with binary_digits(max(53, int(mantissa).bit_length())):
        return mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))


class _Printer(PythonCodePrinter):
    """Print named functions as they are: the arithmetic binds the names."""

    def _print_Rational(self, expr: sp.Rational) -> str:
        return f"Q({expr.p}, {expr.q})"

    def _print_Half(self, expr: sp.Rational) -> str:
        return "Q(1, 2)"

    def _print_Pow(self, expr: sp.Pow, **_: Any) -> str:
        base, exponent = expr.as_base_exp()
        if exponent == sp.S.Half:
            return f"sqrt({self._print(base)})"
        if exponent == -sp.S.Half:
            return f"(1/sqrt({self._print(base)}))"
        name = "integer_power" if exponent.is_Integer else "power"
        return f"{name}({self._print(base)}, {self._print(exponent)})"

    def _print_Exp1(self, expr: sp.Expr) -> str:
        return "exp(1)"

    def _print_Pi(self, expr: sp.Expr) -> str:
        return "pi()"

    def _print_Function(self, expr: sp.Function) -> str:
        # Heaviside carries its value at 0, a convention of measure zero
        count = 1 if isinstance(expr, sp.Heaviside) else len(expr.args)
        arguments = ", ".join(self._print(a) for a in expr.args[:count])
        return f"{expr.func.__name__}({arguments})"

    _print_Max = _print_Min = _print_sign = _print_Abs = _print_Function
    _print_Heaviside = _print_Function


_INVERSE = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}  # NumPy's names
for _name in (
    *("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc"),
    *_INVERSE,
):
    setattr(_Printer, f"_print_{_name}", _Printer._print_Function)


def _ball(x: Any) -> Any:
    """Leave balls and complex balls as they are, make a ball of a plain number."""
    return x if isinstance(x, arb | flint.acb) else arb(x)


def _ball_step(x: Any) -> Any:
    return arb(1) if x > 0 else arb(0) if x < 0 else arb(1) / 2


def integer_power(x: Any, exponent: int) -> Any:
    """Power by squaring: flint's own is undefined on balls around 0, NumPy's slow.

    The exponent is never 0: SymPy would have put 1.
    """
    if exponent < 0:
        return 1 / integer_power(x, -exponent)
    result = x
    for bit in bin(exponent)[3:]:
        result = result * result * x if bit == "1" else result * result
    return result


def _ball_owen_t(h: Any, a: Any) -> Any:
    """Owen's T function, by rigorous integration of its definition."""
    square = flint.acb(h) * h / 2
    integral = flint.acb.integral(
        lambda x, _: (-square * x * x).exp() / (1 + x * x), 0, a
    )
    value = integral * (-square).exp() / (2 * arb.pi())
    return value if isinstance(h, flint.acb) else value.real


_average: Callable[[GaussianMean, float], Any] | None = None


def average_by(rule: Callable[[GaussianMean, float], Any]) -> None:
    """Say how averages without closed form are evaluated: by ``rule(mean, digits)``.

    Rules for averages are themselves compiled by this module, and know it; it does not
    know them.
    """
    global _average
    _average = rule


@lru_cache(maxsize=256)
def _ball_mean(mean: GaussianMean, bits_wanted: int) -> Any:
    """Average without closed form, an exact number, at the working precision."""
    assert _average is not None, "import detequiv.numerics.averages first"
    return _average(mean, bits_wanted / log2(10))


def special(name: str) -> Callable[..., Any]:
    """Name a function of scipy.special, which is imported when that is first called.

    The import takes longer than solving a problem, and many need none of its functions.
    """

    def call(*values: Any) -> Any:
        return getattr(import_module("scipy.special"), name)(*values)

    return call


FLOATS: Mapping[str, Callable[..., Any]] = {
    "Q": lambda p, q: p / q,
    "integer_power": integer_power,
    "power": lambda x, y: x**y,
    "pi": lambda: np.pi,
    "Max": lambda *a: np.maximum.reduce(np.broadcast_arrays(*a)),
    "Min": lambda *a: np.minimum.reduce(np.broadcast_arrays(*a)),
    "Abs": np.abs,
    "sign": np.sign,
    "Heaviside": lambda x: np.heaviside(x, 0.5),
    "NormalCdf": special("ndtr"),
    "OwenT": special("owens_t"),
    "GaussianMean": lambda mean: float(mean.evalf(17)),
    "erf": special("erf"),
    "erfc": special("erfc"),
    **{
        name: getattr(np, name)
        for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")
    },
    **{name: getattr(np, numpys) for name, numpys in _INVERSE.items()},
}

BALLS: Mapping[str, Callable[..., Any]] = {
    "Q": lambda p, q: arb(flint.fmpq(p, q)),
    "integer_power": lambda x, n: integer_power(_ball(x), n),
    "power": lambda x, y: _ball(x) ** _ball(y),
    "pi": lambda: arb.pi(),
    "Max": lambda *a: max(map(arb, a)),
    "Min": lambda *a: min(map(arb, a)),
    "Abs": abs,
    "sign": lambda x: 2 * _ball_step(x) - 1,
    "Heaviside": _ball_step,
    "GaussianMean": lambda mean: _ball_mean(mean, flint.ctx.prec),
    "NormalCdf": lambda x: (-_ball(x) / arb(2).sqrt()).erfc() / 2,
    "OwenT": _ball_owen_t,
    **{
        name: (lambda method: lambda x: getattr(_ball(x), method)())(name)
        for name in (
            *("exp", "log", "sqrt", "sin", "cos", "tan"),
            *("sinh", "cosh", "tanh", "erf", "erfc"),
            *_INVERSE,
        )
    },
}


def source_of(compiled: Callable[..., list[Any]]) -> str:
    """Code of a function that was compiled without averages.

    Raises
    ------
    ValueError, OSError, TypeError
        Where there is none, or it is another function's: SymPy numbers what it
        compiles without a lock, so that two threads may write to one place.
    """
    source, code = getsource(compiled), compiled.__code__
    # flags apart, which tell what module was the compiler's caller
    if _code(source).replace(co_flags=code.co_flags) != code:
        raise ValueError("the source found is not this function's")
    return source


def _code(source: str) -> CodeType:
    """Compile the text of one function; nothing is run."""
    try:
        parts = compile(source, "<kept equations>", "exec", dont_inherit=True).co_consts
        (code,) = (part for part in parts if isinstance(part, CodeType))
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("not the source of one function") from error
    return code


def from_source(
    source: str, arithmetic: Mapping[str, Callable[..., Any]]
) -> Callable[..., list[Any]]:
    """Make the function anew, in any arithmetic: names alone are bound to it.

    Of the text nothing but the function's body is ever run. It knows no name but those
    of the arithmetic, and has none of Python's builtins: printed code needs none.

    Raises
    ------
    ValueError
        If the text is not that of one function, or if that uses another name.
    """
    code = _code(source)
    inner = any(isinstance(part, CodeType) for part in code.co_consts)
    if inner or not arithmetic.keys() >= set(code.co_names):
        raise ValueError("the source has more than the arithmetic's names")
    return FunctionType(code, {**arithmetic, "__builtins__": {}})


def compile_expressions(
    arguments: Sequence[sp.Symbol],
    expressions: Sequence[sp.Expr],
    arithmetic: Mapping[str, Callable[..., Any]],
) -> Callable[..., list[Any]]:
    """Compile expressions to one function in the given arithmetic.

    Parameters
    ----------
    arguments : sequence of Symbol
        Positional arguments of the compiled function.
    expressions : sequence of Expr
        Common subexpressions are shared between them.
    arithmetic : mapping
        `FLOATS` (arrays broadcast against each other, real or complex) or `BALLS`
        (real or complex balls).

    Returns
    -------
    callable
        Returns the list of values.
    """
    means = sorted(
        {mean for e in expressions for mean in sp.sympify(e).atoms(GaussianMean)},
        key=sp.default_sort_key,
    )
    names = [sp.Dummy() for _ in means]
    known = dict(zip(means, names, strict=True))
    compiled: Callable[..., list[Any]] = sp.lambdify(
        [*arguments, *names],
        [sp.sympify(e).xreplace(known) for e in expressions],
        modules=[dict(arithmetic)],
        printer=_Printer({"fully_qualified_modules": False}),
        cse=True,
    )
    if not means:
        return compiled
    mean_value = arithmetic["GaussianMean"]
    return lambda *values: compiled(*values, *map(mean_value, means))
