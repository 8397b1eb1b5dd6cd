"""The average over the projection kappa, unevaluated."""

from typing import Any

import sympy as sp

__all__ = ["KappaMean"]


class KappaMean(sp.Function):
    r"""The average :math:`E_\kappa f` over ``kappa ~ N(0, 1)``, which stays as it is.

    The fields of a model stand for their values at one kappa. Differentiation by
    anything else passes under the average.

    Examples
    --------
    >>> g, cs = sp.symbols("g cs")
    >>> KappaMean(sp.log(1 + g * cs)).diff(g)
    E[cs/(cs*g + 1)]
    """

    is_real = True

    @classmethod
    def eval(cls, average: sp.Expr) -> sp.Expr | None:
        """Average a number: it is its own average."""
        return average if average.is_number else None

    def _eval_derivative(self, s: sp.Symbol) -> sp.Expr:
        return KappaMean(self.args[0].diff(s))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        inside = printer._print(self.args[0])
        mean = rf"\mathbb{{E}}_\kappa\left[{inside}\right]"
        return rf"\left({mean}\right)^{{{exp}}}" if exp else mean

    def _sympystr(self, printer: Any) -> str:
        return f"E[{printer._print(self.args[0])}]"
