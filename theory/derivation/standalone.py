"""The equations of spiked random features as Python source that needs NumPy alone."""

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.printing.numpy import NumPyPrinter

from detequiv.theory.derivation.templates import (
    AVERAGE,
    EQUATIONS,
    MAIN,
    QUADRATURE,
    SPECIAL,
)
from detequiv.theory.errors import InputError
from detequiv.theory.functions import z
from detequiv.theory.gaussian import GaussianMean, Moments
from detequiv.theory.problem import FeatureLaw, Problem, c1, c2, kappa

__all__ = ["equations_source", "problem_source"]


def equations_source(title: str) -> str:
    """Write the functions ``equations``, ``solve`` and ``errors``, for any numbers."""
    return EQUATIONS.format(title=title)


def problem_source(title: str, problem: Problem, law: FeatureLaw) -> str:
    """Write the same with the functions and the numbers of one problem.

    Raises
    ------
    InputError
        No penalty: the iteration begins from its inverse.
    """
    ridge, body = problem.ridge, _moments_source("activation", law.activation)
    if not ridge.penalty.is_positive:
        raise InputError("ridge.penalty", "0", "the module needs a positive one")
    if (law.alignment**2 - 1).is_zero:
        target = law.target.function.subs(z, law.alignment * kappa)
        values = f"{_code(target)}, 0 * kappa, NOISE + 0 * kappa"
        breaks = [b / law.alignment for b in law.target.kinks]
        moments = ""
    else:
        moments = _moments_source("target", law.target)
        spread = sp.sqrt(1 - law.alignment**2)
        seen = f"{_code(law.alignment)} * kappa, {_code(spread)}"
        values, breaks = "c0, c1, NOISE + second - c0**2 - c1**2", []
    body += moments + "\n\ndef target_fields(kappa, level):\n"
    body += '    """Evaluate tau0, tau1 and tau2."""\n'
    if moments:
        body += f"    c0, c1, _, second = target_moments({seen}, level)\n"
    body += f"    return {values}\n"
    body += _tangents_source(law)
    numbers = {
        "ALPHA": _code(ridge.samples_per_dim),
        "BETA": _code(ridge.width_per_dim),
        "PENALTY": _code(ridge.penalty),
        "NOISE": _code(law.noise_variance),
        "PI": f"numpy.array({_listed(law.weights)})",
        "SPIKE": _listed(law.spikes),
        "BULK": _listed(law.bulks),
    }
    text = "\n\n" + "".join(f"{name} = {value}\n" for name, value in numbers.items())
    text += QUADRATURE + (AVERAGE if "average(" in body else "")
    text += "".join(code for name, code in SPECIAL.items() if f"{name}(" in body)
    return equations_source(title) + text + body + MAIN.format(breaks=_listed(breaks))


def _moments_source(name: str, moments: Moments) -> str:
    """Write a function of (m, rho): its closed forms, averages where there are none."""
    closed = dict(
        zip(
            ("c0", "c1", "c2", "second"),
            (moments.c0, moments.c1, moments.c2, moments.second),
            strict=True,
        )
    )
    lines = [f"def {name}_moments(m, rho, level):"]
    lines.append('    """Evaluate c0, c1, c2 and E f^2."""')
    if None in closed.values():
        code = _code(moments.function)
        lines = [f"def {name}(z):", f"    return {code} + 0 * z", "", "", *lines]
        breaks = f"({''.join(_code(k) + ', ' for k in moments.kinks)})"
        lines.append(
            f"    c0, c1, c2, second = average({name}, {breaks}, m, rho, level)"
        )
    lines += [
        f"    {key} = {_code(value)} + 0 * m"
        for key, value in closed.items()
        if value is not None
    ]
    return "\n".join(["", "", *lines, "    return c0, c1, c2, second", ""])


def _tangents_source(law: FeatureLaw) -> str:
    """Write the tangent functions, latent after latent."""
    rows = [
        "["
        + ", ".join(
            _code(h.subs({c1: sp.Symbol(f"c1[{q}]"), c2: sp.Symbol(f"c2[{q}]")}))
            for q, h in enumerate(latent)
        )
        + "]"
        for latent in law.tangents
    ]
    inside = ",\n        ".join(rows)
    return (
        "\n\ndef tangents(kappa, c1, c2):\n"
        '    """Evaluate h, one row a latent, one column a group."""\n'
        f"    return [\n        {inside},\n    ]\n"
    )


class _Printer(NumPyPrinter):
    """Print with NumPy's functions; the special ones have names of their own."""

    def _print_Max(self, expr: sp.Expr) -> str:
        return self._nested("numpy.maximum", expr.args)

    def _print_Min(self, expr: sp.Expr) -> str:
        return self._nested("numpy.minimum", expr.args)

    def _nested(self, name: str, arguments: Sequence[sp.Expr]) -> str:
        first, *rest = (str(self._print(a)) for a in arguments)
        for other in rest:
            first = f"{name}({first}, {other})"
        return first

    def _print_Heaviside(self, expr: sp.Expr) -> str:
        return f"numpy.heaviside({self._print(expr.args[0])}, 0.5)"

    def _print_erf(self, expr: sp.Expr) -> str:
        return f"erf({self._print(expr.args[0])})"

    def _print_NormalCdf(self, expr: sp.Expr) -> str:
        return f"normal_cdf({self._print(expr.args[0])})"

    def _print_OwenT(self, expr: sp.Expr) -> str:
        return f"owen_t({', '.join(map(self._print, expr.args))})"


def _code(expression: Any) -> str:
    """Print an expression; averages that are numbers are printed as such."""
    value = sp.sympify(expression)
    known = {mean: mean.evalf(17) for mean in value.atoms(GaussianMean)}
    return str(_Printer({"precision": 17}).doprint(value.xreplace(known)))


def _listed(values: Sequence[sp.Expr]) -> str:
    return f"[{', '.join(map(_code, values))}]"
