"""Solutions of problems that have a solver of their own, under the usual names."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mpmath

from detequiv.numerics.arithmetic import check_digits, check_whole, to_mpf
from detequiv.numerics.batches import solve_batch
from detequiv.numerics.continuum import solve_continuum
from detequiv.numerics.covariance import vouch_covariance
from detequiv.numerics.losses import LossValues, loss_values, loss_values_of_mixture
from detequiv.numerics.solving.solution import QUANTITIES, Solution, reported
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.models import families, upper_triangle
from detequiv.theory.problem import (
    Problem,
    batch_law,
    covariance_law,
    covariance_parameters,
)

__all__ = [
    "report_loss",
    "solve_covariance",
    "solve_density",
    "solve_loss",
    "solve_on_batch",
    "symmetric_rows",
]


def solve_density(problem: Problem, digits: int | None, width: int | None) -> Solution:
    """Solve for readouts with a density, groups on nodes of it."""
    found = solve_continuum(problem, width, digits)
    return Solution(
        **dict(zip(QUANTITIES, map(mpmath.mpf, found.quantities), strict=True)),
        g=tuple(map(mpmath.mpf, found.g)),
        A=(),
        m=tuple(map(mpmath.mpf, found.outputs.means.ravel())),
        t=tuple(map(mpmath.mpf, found.outputs.tangents.ravel())),
        digits=found.digits,
        residual=mpmath.mpf(found.residual),
        equations="network",
        problem=problem,
        width=width,
    )


def solve_loss(problem: Problem, digits: int | None, width: int | None) -> Solution:
    """Solve for a loss other than the square, to the digits that float64 has."""
    if width is None:
        return report_loss(problem, loss_values(problem), digits)
    check_whole("width", width)
    found = loss_values_of_mixture(problem, width)
    return replace(report_loss(problem, found, digits), width=width)


def report_loss(problem: Problem, known: LossValues, digits: int | None) -> Solution:
    """Report a loss other than the square, with the digits that float64 has."""
    if digits is not None:
        check_digits(digits)
    vouched = known.digits
    if digits is not None and digits > vouched:
        raise ConvergenceError(
            "a loss other than the square is solved in float64, which vouches for "
            f"{vouched} of {digits} digits here; ask for at most {vouched}"
        )
    found, law = known.found, known.law
    x, y = (list(map(mpmath.mpf, v)) for v in (found.place.x, found.place.y))
    places = families(law.model.coefficients)
    groups = problem.groups
    return Solution(
        **{name: known.values[name] for name in reported(problem)},
        g=tuple(x[:groups]),
        A=symmetric_rows(x[groups:], groups),
        m=tuple(y[places["m"]]),
        t=tuple(y[places.get("t", slice(0))]),
        digits=vouched if digits is None else digits,
        residual=mpmath.mpf(found.residual),
        equations=law.equations,
        problem=problem,
    )


def solve_covariance(problem: Problem, width: int | None, digits: int) -> Solution:
    """Solve the equations of inputs with a covariance."""
    check_digits(digits)
    if width is not None:
        raise InputError(
            "width", width, "is worked out for isotropic inputs; not with [inputs]"
        )
    law = covariance_law(problem)
    found = vouch_covariance(law, covariance_parameters(problem, law), digits)
    groups, given = problem.groups, len(law.model.g)
    places = families(law.model.coefficients)
    learned = [to_mpf(v) for v in found.coefficients]
    unknowns = [to_mpf(v) for v in found.unknowns]
    values = dict(zip(QUANTITIES, map(to_mpf, found.quantities), strict=True))
    return Solution(
        **values,
        # of the inputs themselves g is no unknown: all there is of it is its mean
        g=tuple(unknowns[:given]) or (values["resolvent_trace"],),
        A=symmetric_rows(unknowns[given:], groups),
        m=tuple(learned[places["m"]]),
        t=tuple(
            v for name in ("T", "Q", "n") for v in learned[places.get(name, slice(0))]
        ),
        digits=digits,
        residual=mpmath.mpf(found.residual),
        equations=law.features.equations,
        problem=problem,
    )


def solve_on_batch(problem: Problem, digits: int | None, width: int | None) -> Solution:
    """Solve a step on a batch, and put the numbers under their names."""
    if digits is not None:
        check_digits(digits)
    if width is not None:
        check_whole("width", width)
    found, groups = solve_batch(problem, digits, width), problem.groups
    latents = len(batch_law(problem).law.tangents)
    return Solution(
        **found.quantities,
        g=tuple(found.g),
        A=tuple(map(tuple, found.coupling)),
        m=tuple(found.coefficients[:groups]),
        t=tuple(found.coefficients[groups : (1 + latents) * groups]),
        digits=found.digits,
        residual=mpmath.mpf(found.residual),
        equations="network",
        problem=problem,
        width=width,
    )


def symmetric_rows(upper: Sequence[Any], order: int) -> tuple[tuple[Any, ...], ...]:
    """Rows of the symmetric matrix whose upper triangle comes first in `upper`."""
    place = {pair: k for k, pair in enumerate(upper_triangle(order))}
    return tuple(
        tuple(upper[place[min(i, j), max(i, j)]] for j in range(order))
        for i in range(order)
    )
