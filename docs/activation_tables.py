"""The tables of the page on activations, written by the package itself."""

from collections.abc import Iterable, Sequence

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import CATALOGUE, Order, read_function, z
from detequiv.theory.gaussian import GaussianMean, Portrait

K = sp.Symbol("k", integer=True, nonnegative=True)
SLOPE = sp.Symbol("s", positive=True)
ENDS = (r"as $z \to -\infty$", r"as $z \to \infty$")
REFUSED = ("exp(z**2)", "1/z", "exp(exp(z))")


def activation_tables() -> str:
    """Write every table, as Markdown."""
    shown, refused = {}, {}
    for name in [*CATALOGUE, *REFUSED]:
        try:
            shown[name] = Portrait(read_function(name, "activation"))
        except InputError as error:
            refused[name] = str(error).partition(": ")[2]
    shown["leaky_relu(z, s)"] = Portrait(sp.Max(0, z) + SLOPE * sp.Min(0, z))
    return "\n".join(
        [
            "\n## Shape\n",
            *_table(
                ("name", "$f$", "parity", "breaks: jumps", *ENDS, "$d$"),
                ((f"`{n}`", *_shape(p)) for n, p in shown.items()),
            ),
            "\n## Hermite coefficients\n",
            *_table(
                ("name", *(f"$\\mu_{k}$" for k in range(5)), "$\\mu_k$"),
                ((f"`{n}`", *_coefficients(p)) for n, p in shown.items()),
            ),
            "\n## Conditional moments\n",
            *_table(
                ("name", "$c_0$", "$E f^2$", "proved by"),
                ((f"`{n}`", *_moments(p)) for n, p in shown.items()),
            ),
            "\n## Refused\n",
            *_table(("name", "reason"), ((f"`{n}`", r) for n, r in refused.items())),
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _shape(portrait: Portrait) -> list[str]:
    parts = portrait.parts
    breaks = [
        f"{_math(b)}: {_math(jump)}"
        for b, jump in zip(parts.breaks, parts.jumps(), strict=True)
    ]
    distance = portrait.distance(sp.S.Zero, sp.S.One)
    return [
        _math(portrait.function),
        portrait.parity,
        ", ".join(breaks),
        *map(_growth, portrait.growth),
        _math(distance),
    ]


def _growth(order: Order) -> str:
    square, linear, power = order.exponents
    x = sp.Symbol("|z|", positive=True)
    size = order.factor * x**power * sp.exp(linear * x + square * x**2)
    return _math(size) if order.exact else f"$O({_latex(size / order.factor)})$"


def _coefficients(portrait: Portrait) -> list[str]:
    formula = portrait.formula(K)
    return [
        *map(_number, portrait.coefficients(5)),
        "" if formula is None else _math(formula),
    ]


def _number(value: sp.Expr) -> str:
    """Write an exact number, or six digits of what has no closed form."""
    return f"{value.n(6)}…" if value.has(GaussianMean) else _math(value)


def _moments(portrait: Portrait) -> list[str]:
    known = portrait.moments
    return [
        *("" if form is None else _math(form) for form in (known.c0, known.second)),
        ", ".join(portrait.proofs),
    ]


def _math(expr: sp.Expr) -> str:
    return f"${_latex(expr)}$"


def _latex(expr: sp.Expr) -> str:
    # a bar would end the cell
    return str(sp.latex(expr)).replace("|", r"\vert ")
