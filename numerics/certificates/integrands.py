"""What is averaged over kappa, from the enclosures of the fields at one kappa."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import flint
import sympy as sp

from detequiv.numerics.arithmetic import (
    TANGENTS,
    Tangent,
    compile_expressions,
    ranges,
)
from detequiv.numerics.equations import Equations
from detequiv.theory.models import Model, upper_triangle

__all__ = ["Basis", "Integrands", "dot"]

arb = flint.arb
Basis = Sequence[Sequence[tuple[int, Any]]]


class Integrands:
    """What is averaged over kappa, in terms of the fields at one kappa.

    Functions of chi are compiled in ``v = 1 / (1 + chi)``, which for real kappa lies
    in (0, 1] however large the fields are.

    Parameters
    ----------
    model : Model
        The potentials.
    parameters : list of arb, Taylor or Tangent
        Their parameters.
    noise : arb, Taylor or Tangent, optional
        What the variance of the label noise is more than in the fields.
    """

    def __init__(self, model: Model, parameters: list[Any], noise: Any = None) -> None:
        self.equations = _equations(model)
        self.parameters = parameters
        self.rows = len(model.energy_residuals)
        self._functions = _functions_of_chi(model)
        self._noise = arb(0) if noise is None else noise
        # of the last unknowns, by the fields they met: all averages need them
        self._unknowns: list[Any] = []
        self._met: dict[tuple[int, bool], tuple[list[Any], ...]] = {}

    def over_range(self) -> "Integrands":
        """Make the same of balls that hold all values of the parameters."""
        noise = ranges([self._noise])[0]
        return Integrands(self.equations.model, ranges(self.parameters), noise)

    @property
    def moving(self) -> bool:
        """Whether the parameters, and all results, have tangents."""
        return any(isinstance(v, Tangent) for v in self.parameters)

    def denominator(self, fields: list[Any], x: list[Any]) -> Any:
        """``1 + chi``."""
        return 1 + dot(self.equations.form(fields, self.parameters), x)

    def gradient(self, x: list[Any]) -> Any:
        """Averaged part of grad Psi."""

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            form, values = self._at(fields, x, tail)
            return [values[0] * a for a in form]

        return integrand

    def hessian(self, x: list[Any]) -> Any:
        """Averaged part of Hess Psi, upper triangle."""

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            form, values = self._at(fields, x, tail)
            bent = [values[1] * a for a in form]
            return [bent[i] * form[j] for i, j in upper_triangle(len(form))]

        return integrand

    def normal(self, x: list[Any], basis: Basis) -> Any:
        """Least squares: the quadratic form of ``(basis, target)``, upper triangle.

        The last entry is the average of the weighted squared target and of the rest.
        """

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            _, values = self._at(fields, x, tail)
            offsets, slopes = self._residuals(fields)
            vectors = [
                [*_in_basis(row, basis), o]
                for row, o in zip(slopes, offsets, strict=True)
            ]
            pairs = upper_triangle(len(basis) + 1)
            products = [sum((r[i] * r[j] for r in vectors), arb(0)) for i, j in pairs]
            products[-1] += self._rest(fields)
            return [values[2] * p for p in products]

        return integrand

    def sensitivities(self, x: list[Any], basis: Basis, y: list[Any]) -> Any:
        """Averaged parts of the derivatives of Energy and of grad Psi.

        The derivative of Energy by x; for each source, that of grad Psi by it, and
        that of Energy.
        """

        def integrand(fields: list[Any], tail: bool = False) -> list[Any]:
            form, values = self._at(fields, x, tail)
            offsets, slopes = self._residuals(fields)
            residuals = [
                o - dot(_in_basis(row, basis), y)
                for row, o in zip(slopes, offsets, strict=True)
            ]
            square = sum((r * r for r in residuals), arb(0))
            square += self._rest(fields)
            return [
                *(values[3] * square * a for a in form),
                *(values[4] * a for a in form),
                *(values[5] * a for a in form),
                values[6] * square,
                values[7] * square,
            ]

        return integrand

    def labels(self, fields: list[Any], tail: bool = False) -> list[Any]:
        """Second moment of the labels."""
        offsets, _ = self._residuals(fields)
        return [sum((o * o for o in offsets), self._rest(fields))]

    def _at(
        self, fields: list[Any], x: list[Any], tail: bool
    ) -> tuple[list[Any], list[Any]]:
        if x is not self._unknowns:
            self._unknowns, self._met = x, {}
        key = id(fields), tail
        if key not in self._met:  # the fields are kept with it, and so their id
            self._met[key] = (*self._evaluate(fields, x, tail), fields)
        form, values, _ = self._met[key]
        return form, values

    def _evaluate(
        self, fields: list[Any], x: list[Any], tail: bool
    ) -> tuple[list[Any], list[Any]]:
        form = self.equations.form(fields, self.parameters)
        chi = dot(form, x)
        if tail:
            # chi >= 0 for real kappa: cs and A are nonnegative
            v: Any = arb(0.5, 0.5)
            if isinstance(chi, Tangent):
                v = Tangent(v, -v * v * chi.slope)
        else:
            v = 1 / (1 + chi)
        return form, self._functions(v, *self.parameters)

    def _rest(self, fields: list[Any]) -> Any:
        """Tell what is added to the squared residuals, label noise included."""
        return self.equations.rest(fields, self.parameters)[0] + self._noise

    def _residuals(self, fields: list[Any]) -> tuple[list[Any], list[list[Any]]]:
        offsets = self.equations.offsets(fields, self.parameters)
        slopes = self.equations.slopes(fields, self.parameters)
        width = len(slopes) // self.rows
        return offsets, [slopes[k * width : (k + 1) * width] for k in range(self.rows)]


@lru_cache(maxsize=16)
def _equations(model: Model) -> Equations:
    """Compile for all numbers that enclose."""
    return Equations(model, TANGENTS)


@lru_cache(maxsize=16)
def _functions_of_chi(model: Model) -> Callable[..., list[Any]]:
    """Compile what depends on kappa through chi alone, in ``v = 1 / (1 + chi)``."""
    system, v = model.system, sp.Symbol("v", positive=True)
    sources = [system.source_derivatives(s) for s in (model.source, model.ridge)]
    return compile_expressions(
        (v, *model.parameters),
        [
            sp.cancel(e.subs(model.chi, 1 / v - 1))
            for e in (
                system.average_slope,
                system.average_curvature,
                model.energy_weight,
                system.weight_slope,
                *(d.average_slope for d in sources),
                *(d.energy_weight for d in sources),
            )
        ],
        TANGENTS,
    )


def _in_basis(row: Sequence[Any], basis: Basis) -> list[Any]:
    """Values of the basis, from those of the coefficients' functions."""
    return [sum((f * row[k] for k, f in function), arb(0)) for function in basis]


def dot(left: Sequence[Any], right: Sequence[Any]) -> Any:
    """Multiply two vectors."""
    return sum((a * b for a, b in zip(left, right, strict=True)), arb(0))
