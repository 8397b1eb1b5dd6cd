"""The derived equations of a model, compiled to one arithmetic."""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import sympy as sp

from detequiv.numerics.arithmetic import BALLS, FLOATS
from detequiv.numerics.equations.compiler import Compiled, Compiler
from detequiv.theory.models import (
    Model,
    energy,
    energy_ridge,
    energy_source,
)

__all__ = ["Equations", "ball_equations", "float_equations"]


class Equations:
    """Compiled pieces of a model's derived system.

    Each attribute is a function of lists of numbers and returns a list. The
    inverse of the matrix unknown enters as an argument (its upper triangle), so
    that no determinant is ever expanded.

    Attributes
    ----------
    form : (fields, parameters) -> N coefficients of chi
    average : (chi, parameters) -> slope and curvature of the averaged part of Psi
    local_gradient : (unknowns, inverse, parameters) -> N
    local_hessian : (unknowns, inverse, parameters) -> N (N + 1) / 2, upper triangle
    offsets, slopes : (fields, parameters) -> residuals at y = 0, minus their slopes
    rest : (fields, parameters) -> 1
    weight : (chi, parameters) -> weight of the Energy and its slope
    response : (chi, parameters) -> curvature of Psi's averaged part, and those two
    penalty : (unknowns, parameters) -> upper triangle of the quadratic form in y
    energy_gradient : (unknowns, coefficients, parameters) -> N
    sources : by the source and by the ridge penalty, see :meth:`_derivatives`
    start : (parameters) -> N
    quantities : (energies, unknowns, parameters) -> one number a reported quantity
    """

    def __init__(
        self, model: Model, arithmetic: Mapping[str, Callable[..., Any]]
    ) -> None:
        system = model.system
        self.model = model
        self.size = len(model.unknowns.symbols)
        self.order = _matrix_order(len(model.unknowns.definite))
        self._make = make = Compiler(self.order, arithmetic)
        self.inverse = make.inverse
        x, y = model.unknowns.symbols, model.coefficients
        p, f, chi = model.parameters, model.fields, (model.chi,)
        weight = [model.energy_weight, system.weight_slope]
        self.form = make((f, p), system.form)
        self.average = make((chi, p), [system.average_slope, system.average_curvature])
        self.local_gradient = make((x, self.inverse, p), system.local_gradient)
        self.local_hessian = make((x, self.inverse, p), system.local_hessian)
        self.offsets = make((f, p), system.residual_offsets)
        self.slopes = make((f, p), [s for row in system.residual_slopes for s in row])
        self.rest = make((f, p), [model.energy_rest])
        self.weight = make((chi, p), weight)
        self.response = make((chi, p), [system.average_curvature, *weight])
        self.penalty = make((x, p), system.penalty)
        self.energy_gradient = make((x, y, p), system.energy_local_gradient)
        self.start = make((p,), model.start)
        self.sources = tuple(map(self._derivatives, (model.source, model.ridge)))
        self.quantities = make(
            ((energy, energy_source, energy_ridge), x, p), model.quantities.values()
        )

    @cached_property
    def average_slope(self) -> Compiled:
        """Map (chi, parameters) to the slope of the averaged part of Psi alone."""
        model = self.model
        groups = ((model.chi,), model.parameters)
        return self._make(groups, [model.system.average_slope])

    @cached_property
    def width_penalty(self) -> Compiled:
        """Map (width, unknowns, parameters) to the finite-width penalty on y."""
        model = self.model
        groups = ((model.width,), model.unknowns.symbols, model.parameters)
        return self._make(groups, model.system.width_penalty)

    def _derivatives(self, source: sp.Symbol) -> tuple[Compiled, Compiled, Compiled]:
        """Partial derivatives by one parameter: of grad Psi (local), of the two.

        Averaged slopes (Psi's and the Energy's weight), and of the local Energy.
        """
        model, d = self.model, self.model.system.source_derivatives(source)
        x, y, p = model.unknowns.symbols, model.coefficients, model.parameters
        return (
            self._make((x, self.inverse, p), d.local_gradient),
            self._make(((model.chi,), p), [d.average_slope, d.energy_weight]),
            self._make((x, y, p), [d.energy_local]),
        )


def _matrix_order(count: int) -> int:
    """Order of the symmetric matrix with `count` independent entries."""
    order = 0
    while order * (order + 1) // 2 < count:
        order += 1
    return order


@lru_cache(maxsize=16)
def float_equations(model: Model) -> Equations:
    """Compile for NumPy arrays."""
    return Equations(model, FLOATS)


@lru_cache(maxsize=16)
def ball_equations(model: Model) -> Equations:
    """Compile for balls."""
    return Equations(model, BALLS)
