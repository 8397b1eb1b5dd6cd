"""The derived equations of a model, compiled to one arithmetic."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any

from detequiv.numerics.arithmetic import BALLS, FLOATS, from_source, source_of
from detequiv.numerics.equations import stored
from detequiv.numerics.equations.compiler import Compiled, Compiler, grouped
from detequiv.theory.models import (
    Model,
    energy,
    energy_ridge,
    energy_source,
    matrix_order,
)
from detequiv.theory.precision import ONE_AT_A_TIME

__all__ = ["Equations", "ball_equations", "float_equations"]

SOURCES = "source", "ridge"  # the parameters by which is differentiated
PARTS = "gradient", "average", "energy"
NAMES = (
    *("form", "average", "local_gradient", "local_hessian", "offsets", "slopes"),
    *("rest", "weight", "response", "penalty", "energy_gradient"),
    *("start", "quantities"),
    *(f"{source}_{part}" for source in SOURCES for part in PARTS),
)


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
    sources : by the source and by the ridge penalty, see :meth:`_pieces`
    start : (parameters) -> N
    quantities : (energies, unknowns, parameters) -> one number a reported quantity
    """

    def __init__(
        self, model: Model, arithmetic: Mapping[str, Callable[..., Any]]
    ) -> None:
        self.model = model
        self.size = len(model.unknowns.symbols)
        self.order = matrix_order(len(model.unknowns.definite))
        self._make = Compiler(self.order, arithmetic)
        self.inverse = self._make.inverse
        made = self._kept(arithmetic) or self._derived()
        self.form, self.average = made["form"], made["average"]
        self.local_gradient = made["local_gradient"]
        self.local_hessian = made["local_hessian"]
        self.offsets, self.slopes = made["offsets"], made["slopes"]
        self.rest, self.weight = made["rest"], made["weight"]
        self.response, self.penalty = made["response"], made["penalty"]
        self.energy_gradient = made["energy_gradient"]
        self.start, self.quantities = made["start"], made["quantities"]
        self.sources = tuple(
            tuple(made[f"{source}_{part}"] for part in PARTS) for source in SOURCES
        )

    def _kept(
        self, arithmetic: Mapping[str, Callable[..., Any]]
    ) -> dict[str, Compiled] | None:
        """Functions kept on disk by an earlier process."""
        file = stored.place(self.model)
        kept = None if file is None else stored.read(file, NAMES)
        if kept is None:
            return None
        try:
            return {k: grouped(from_source(v, arithmetic)) for k, v in kept.items()}
        except ValueError:  # no code of ours
            return None

    def _derived(self) -> dict[str, Compiled]:
        """Functions derived anew, and kept for later processes."""
        pieces = self._pieces().items()
        file = stored.place(self.model)
        sources = {}
        with ONE_AT_A_TIME:  # else threads may be given each other's sources
            made = {name: self._make.flat(*piece) for name, piece in pieces}
            if file is not None:
                with suppress(OSError, TypeError, ValueError):
                    sources = {name: source_of(f) for name, f in made.items()}
        if file is not None and sources:
            stored.write(file, sources)
        return {name: grouped(f) for name, f in made.items()}

    def _pieces(self) -> dict[str, tuple[Any, Any]]:
        """Arguments and expressions of each function."""
        model, system = self.model, self.model.system
        x, y = model.unknowns.symbols, model.coefficients
        p, f, chi = model.parameters, model.fields, (model.chi,)
        weight = [model.energy_weight, system.weight_slope]
        slopes = [s for row in system.residual_slopes for s in row]
        pieces: dict[str, tuple[Any, Any]] = {
            "form": ((f, p), system.form),
            "average": ((chi, p), [system.average_slope, system.average_curvature]),
            "local_gradient": ((x, self.inverse, p), system.local_gradient),
            "local_hessian": ((x, self.inverse, p), system.local_hessian),
            "offsets": ((f, p), system.residual_offsets),
            "slopes": ((f, p), slopes),
            "rest": ((f, p), [model.energy_rest]),
            "weight": ((chi, p), weight),
            "response": ((chi, p), [system.average_curvature, *weight]),
            "penalty": ((x, p), system.penalty),
            "energy_gradient": ((x, y, p), system.energy_local_gradient),
            "start": ((p,), model.start),
            "quantities": (
                ((energy, energy_source, energy_ridge), x, p),
                model.quantities.values(),
            ),
        }
        # partial derivatives by one parameter: of grad Psi (local), of the two averaged
        # slopes (Psi's and the Energy's weight), and of the local Energy
        for name, source in zip(SOURCES, (model.source, model.ridge), strict=True):
            d = system.source_derivatives(source)
            averaged = [d.average_slope, d.energy_weight]
            pieces |= {
                f"{name}_gradient": ((x, self.inverse, p), d.local_gradient),
                f"{name}_average": ((chi, p), averaged),
                f"{name}_energy": ((x, y, p), [d.energy_local]),
            }
        return pieces

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


@lru_cache(maxsize=16)
def float_equations(model: Model) -> Equations:
    """Compile for NumPy arrays."""
    return Equations(model, FLOATS)


@lru_cache(maxsize=16)
def ball_equations(model: Model) -> Equations:
    """Compile for balls."""
    return Equations(model, BALLS)
