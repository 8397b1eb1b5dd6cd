"""The derived equations of a model with levels, compiled to one arithmetic."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import sympy as sp

from detequiv.numerics.covariance.algebra import BallAlgebra, FloatAlgebra
from detequiv.numerics.equations import Compiler
from detequiv.theory.models import CovarianceModel

__all__ = ["LevelEquations", "level_equations"]


class LevelEquations:
    """Compiled pieces of a model's derived system.

    Each attribute is a function of lists of numbers or arrays and returns a list. The
    inverse ``X_s`` of a level's matrix enters as an argument (its upper triangle).

    Attributes
    ----------
    form : (fields, parameters) -> N coefficients of chi
    average : (chi, parameters) -> slope and curvature of Psi, weight and its slope
    local_gradient, local_hessian : (unknowns, parameters) -> N; upper triangle
    precision : (unknowns, levels, parameters) -> upper triangle of X^-1
    level_gradient, level_hessian : (unknowns, levels, inverse, parameters)
    offsets, slopes, counted, rest : (fields, parameters), of the Energy's squares
    local_form : (unknowns, parameters) -> upper triangle of the Energy's form in y
    level_form : (unknowns, levels, inverse, parameters) -> the same
    local_energy : (unknowns, coefficients, parameters) -> N, derivatives by x
    level_energy : (unknowns, coefficients, levels, inverse, parameters) -> the same
    sources : by the source, the ridge penalty and a factor to the loss: derivatives of
        the local gradient, a level's, of slope and weight in chi, and a level's energy
    ridge_slope : derivatives of Psi by the ridge penalty, local and a level's
    quantities : (totals, unknowns, parameters) -> one number a quantity
    """

    def __init__(
        self, model: CovarianceModel, arithmetic: Mapping[str, Callable[..., Any]]
    ) -> None:
        self.model = model
        self.groups, self.order = len(model.g), model.order
        self.size = len(model.unknowns)
        make = Compiler(self.order, arithmetic)
        self.inverse = make.inverse
        x, y, p = model.unknowns, model.coefficients, model.parameters
        f, s, chi, inverse = model.fields, model.levels, (model.chi,), self.inverse
        self.form = make((f, p), model.form)
        self.average = make((chi, p), model.average)
        self.local_gradient = make((x, p), model.gradient(model.psi_local))
        self.local_hessian = make((x, p), model.hessian(model.psi_local))
        self.precision = make((x, s, p), model.precision)
        level = (x, s, inverse, p)
        self.level_gradient = make(level, model.gradient(model.psi_level))
        self.level_hessian = make(level, model.hessian(model.psi_level))
        squares = model.energy_residuals
        self.offsets = make((f, p), map(model.offset, squares))
        self.slopes = make((f, p), [v for r in squares for v in model.slopes(r)])
        counted = model.energy_counted
        self.counted = make((f, p), [v for r in counted for v in model.slopes(r)])
        self.rest = make((f, p), [model.energy_rest])
        self.local_form = make((x, p), model.form_matrix(model.energy_local))
        self.level_form = make(level, model.form_matrix(model.energy_level))
        self.local_energy = make((x, y, p), model.gradient(model.energy_local))
        self.level_energy = make(
            (x, y, s, inverse, p), model.gradient(model.energy_level)
        )
        slope, _, weight, _ = model.average
        of_psi, of_level = (
            model.gradient(part) for part in (model.psi_local, model.psi_level)
        )
        partial = (x, y, s, inverse, p)
        self.sources = [
            (
                make((x, p), [v.diff(by) for v in of_psi]),
                make(level, [model.total(v, by) for v in of_level]),
                make((chi, p), [slope.diff(by), weight.diff(by)]),
                make(partial, [model.total(model.energy_level, by)]),
            )
            for by in (model.source, model.ridge)
        ]
        nothing = [sp.S.Zero] * len(x)
        self.sources.append(
            (
                make((x, p), nothing),
                make(level, nothing),
                make((chi, p), [model.loss_slope] * 2),
                make(partial, nothing[:1]),
            )
        )
        self.ridge_slope = (
            make((x, p), [model.psi_local.diff(model.ridge)]),
            make(level, [model.total(model.psi_level, model.ridge)]),
        )
        self.quantities = make((model.totals, x, p), model.quantities.values())


@lru_cache(maxsize=16)
def level_equations(model: CovarianceModel, balls: bool) -> LevelEquations:
    """Compile a model, once."""
    algebra = BallAlgebra if balls else FloatAlgebra
    return LevelEquations(model, algebra.arithmetic)
