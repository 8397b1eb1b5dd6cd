"""Any model with numbers for its parameters, to any number of digits.

What :mod:`detequiv.numerics.solving.solve` does for problems, without the quadrature:
the fields of the model, if it has any, are given on finitely many nodes, and the
average over these is exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, inf, log10
from typing import Any

import flint
import mpmath
import numpy as np
import sympy as sp

from detequiv.numerics.arithmetic import check_digits, precision, to_ball, to_mpf
from detequiv.numerics.averages import Fields, Rule
from detequiv.numerics.equations import ball_equations
from detequiv.numerics.solving.batch import float_system
from detequiv.numerics.solving.chord import BallSystem, polish
from detequiv.numerics.solving.newton import minimise
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.functions import exact
from detequiv.theory.models import Model

__all__ = ["Instance", "solve_model"]

arb = flint.arb
ATTEMPTS = 4  # rounds of more precision
GUARD = 20  # digits carried beyond those asked for


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Solution of a model at one set of numbers.

    Attributes
    ----------
    quantities : mapping of str to mpf
        What the model reports, by its names.
    unknowns, coefficients : mapping of Symbol to mpf
        The stationary point of Psi, and the minimiser of the Energy there.
    digits : int
        Decimal digits vouched for in every quantity.
    residual : mpf
        Largest component of the gradient of Psi, unknowns in natural sizes.
    """

    quantities: Mapping[str, mpmath.mpf]
    unknowns: Mapping[sp.Symbol, mpmath.mpf]
    coefficients: Mapping[sp.Symbol, mpmath.mpf]
    digits: int
    residual: mpmath.mpf

    def text(self, name: str) -> str:
        """One of the quantities as a decimal string with the digits vouched for."""
        value = self.quantities[name]
        return str(mpmath.nstr(value, self.digits, strip_zeros=False))


def solve_model(
    model: Model,
    values: Mapping[str, Any],
    *,
    fields: Sequence[Mapping[str, Any]] = ({},),
    weights: Sequence[Any] = (1,),
    digits: int = 15,
) -> Instance:
    """Solve a model for given numbers.

    Parameters
    ----------
    model : Model
        The two potentials.
    values : mapping of str to number
        Parameters by name, exact as those of a problem; the source is 0 unless given.
    fields : sequence of mapping of str to number
        Values of the fields on each node in kappa; none for a model without fields.
    weights : sequence of numbers
        Probabilities of the nodes.
    digits : int
        Significant decimal digits of every quantity, 1 to 250.

    Raises
    ------
    InputError
        A parameter or field without a number, or a penalty that is not positive.
    ConvergenceError
        The digits cannot be vouched for.
    """
    check_digits(digits)
    numbers = _read(model.parameters, {model.source.name: 0, **values}, "values")
    if not numbers[model.parameters.index(model.ridge)].is_positive:
        raise InputError(model.ridge.name, values[model.ridge.name], "must be positive")
    nodes = [_read(model.fields, node, "fields") for node in fields]
    shares = [exact(weight, "weights") for weight in weights]
    if len(shares) != len(nodes):
        raise InputError("weights", weights, f"give {len(nodes)} numbers, one a node")
    reached = 0.0
    for attempt in range(ATTEMPTS):
        carried = digits + GUARD * 2**attempt
        solution, reached = _at_precision(
            model, numbers, nodes, shares, digits, carried
        )
        if reached >= digits:
            return solution
    raise ConvergenceError(
        f"{floor(max(0, reached))} of {digits} digits can be vouched for; ask for "
        f"fewer, or for a larger {model.ridge.name}"
    )


def _read(
    symbols: Sequence[sp.Symbol], given: Mapping[str, Any], field: str
) -> list[sp.Expr]:
    """Exact numbers for symbols, by their names."""
    names = [symbol.name for symbol in symbols]
    for name in given:
        if name not in names:
            known = f"no such name; known: {', '.join(names) or 'none'}"
            raise InputError(f"{field}.{name}", given[name], known)
    for name in names:
        if name not in given:
            raise InputError(f"{field}.{name}", "(missing)", "has no default; give it")
    return [exact(given[name], f"{field}.{name}") for name in names]


def _at_precision(
    model: Model,
    numbers: list[sp.Expr],
    nodes: list[list[sp.Expr]],
    shares: list[sp.Expr],
    digits: int,
    carried: int,
) -> tuple[Instance, float]:
    """Solve with so many digits carried; say how many the balls leave."""
    with precision(carried):
        rule = Rule([arb(0)] * len(nodes), [arb(1)] * len(nodes), [0] * len(nodes))
        columns = [list(map(to_ball, column)) for column in zip(*nodes, strict=True)]
        averages = Fields(list(map(to_ball, shares)), columns, rule)
        floats = float_system(
            model, averages, np.array([[float(number) for number in numbers]])
        )
        system = BallSystem(
            ball_equations(model), averages, list(map(to_ball, numbers))
        )
        (start,), (accuracy,) = minimise(floats)
        if np.isinf(accuracy):
            raise ConvergenceError(
                f"Psi has no minimum in float64; try a larger {model.ridge.name}"
            )
        x, residual = polish(system, floats, start, carried - GUARD / 2)
        outputs = system.outputs(x)
    error = max(map(_relative, outputs.quantities))
    reached = -log10(max(error, 10.0 ** (GUARD / 2 - carried)))
    solution = Instance(
        quantities=dict(
            zip(model.quantities, map(to_mpf, outputs.quantities), strict=True)
        ),
        unknowns=dict(zip(model.unknowns.symbols, map(to_mpf, x), strict=True)),
        coefficients=dict(
            zip(model.coefficients, map(to_mpf, outputs.coefficients), strict=True)
        ),
        digits=digits,
        residual=mpmath.mpf(residual),
    )
    return solution, reached


def _relative(value: Any) -> float:
    """Relative error of a ball; of what is zero to twice the digits, the absolute."""
    if not value.is_finite():
        return inf
    error = value.rad()
    if error == 0:
        return 0.0
    return float(error / max(abs(value).mid(), error.sqrt().mid()))
