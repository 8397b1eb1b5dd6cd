"""Solutions of problems that have a solver of their own, under the usual names."""

from dataclasses import replace
from math import floor, log10

import mpmath

from detequiv.numerics.arithmetic import check_digits, check_whole, to_mpf
from detequiv.numerics.batches import solve_batch
from detequiv.numerics.continuum import solve_continuum
from detequiv.numerics.covariance import vouch_covariance
from detequiv.numerics.directions import directions_law
from detequiv.numerics.losses import LossValues, loss_values, loss_values_of_mixture
from detequiv.numerics.solving.directions import solve_directions
from detequiv.numerics.solving.solution import (
    QUANTITIES,
    Solution,
    digits_of_floats,
    from_floats,
    reported,
    symmetric_rows,
)
from detequiv.theory.errors import InputError
from detequiv.theory.models import families
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
    "solve_several",
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
    found = known.found
    return from_floats(
        problem,
        known.law,
        {name: known.values[name] for name in reported(problem)},
        (found.place.x, found.place.y),
        digits_of_floats("a loss other than the square is", digits, known.digits),
        found.residual,
    )


def solve_several(problem: Problem, digits: int | None, width: int | None) -> Solution:
    """Solve for several directions, to the digits that float64 has."""
    if digits is not None:
        check_digits(digits)
    if width is not None:
        check_whole("width", width)
    found, law = solve_directions([(problem, width)]), directions_law(problem)
    error = float(found.errors[0])
    vouched = floor(-log10(error)) if 0 < error < 1 else 0
    values = map(mpmath.mpf, found.quantities[0].tolist())
    solution = from_floats(
        problem,
        law,
        dict(zip(QUANTITIES, values, strict=True)),
        (found.unknowns[0], found.coefficients[0]),
        digits_of_floats("several directions are", digits, vouched),
        float(found.residuals[0]),
    )
    return replace(solution, width=width)


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
