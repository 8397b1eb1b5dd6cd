"""Any model with numbers for its parameters, to any number of digits.

What :mod:`detequiv.numerics.solving.solve` does for problems, without the quadrature:
the fields of the model, if it has any, are given on finitely many nodes, and the
average over these is exact.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import check_digits, to_mpf
from detequiv.numerics.solving.task import GivenFields, Task
from detequiv.numerics.solving.vouch import vouch
from detequiv.theory.errors import InputError
from detequiv.theory.functions import exact
from detequiv.theory.models import Model

__all__ = ["Instance", "solve_model"]


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
    found = vouch(Task(model, numbers, GivenFields(model, nodes, shares)), digits)

    def by_name(names: Iterable[Any], balls: Iterable[Any]) -> dict[Any, mpmath.mpf]:
        return dict(zip(names, map(to_mpf, balls), strict=True))

    return Instance(
        quantities=by_name(model.quantities, found.outputs.quantities),
        unknowns=by_name(model.unknowns.symbols, found.unknowns),
        coefficients=by_name(model.coefficients, found.outputs.coefficients),
        digits=digits,
        residual=mpmath.mpf(found.residual),
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
