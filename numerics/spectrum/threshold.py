r"""At which scale of the spikes an outlier leaves the bulk.

At large z the matrix H of :mod:`detequiv.numerics.spectrum.outliers` is negative
definite, and its eigenvalues fall with z: those that are positive at the upper end of
the bulk count the outliers above it. Where one of them vanishes, at the end itself, is
the threshold (for independent entries: Baik, Ben Arous and Peche, Ann. Probab. 33,
2005).

Everything here is in the scale of ``Phi^T Phi / p``.
"""

from collections.abc import Callable
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import (
    add,
    exact_ball,
    precision,
    symmetric,
    to_ball,
    to_float,
    to_mpf,
)
from detequiv.numerics.averages import (
    REAL_AXIS,
    contour_fields,
    first_step,
    geometric_error,
)
from detequiv.numerics.equations import BallSystem
from detequiv.numerics.resolvent import RealBranch, Resolvent
from detequiv.numerics.spectrum.gaps import outer_gap
from detequiv.numerics.spectrum.outliers import FiniteWidth
from detequiv.numerics.spectrum.support import End, find_end, rough_end
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.functions import exact
from detequiv.theory.problem import Problem, exact_parameters, law_of

__all__ = ["find_threshold"]

arb, arb_mat = flint.arb, flint.arb_mat
Array = NDArray[Any]
NEAR = 1e-3  # relative error from which the secant method goes on
SPARE = 5.0  # digits carried beyond those asked for
ATTEMPTS = 8  # refinements of the rule in kappa
STEPS = 12  # of the secant method


def find_threshold(
    problem: Problem,
    width: int,
    low: Any,
    high: Any,
    digits: int,
    group: int | None = None,
) -> tuple[Any, Any]:
    """Find the scale of the spikes at which an outlier leaves the bulk.

    Parameters
    ----------
    problem : Problem
        The features; the scale multiplies all u_q, or the step of a network.
    width : int
        The number p of units.
    low, high : number
        Scales between which the number of outliers above the bulk changes.
    digits : int
        Significant digits.
    group : int, optional
        Group whose u_q alone is multiplied, from 0; not of a network.

    Returns
    -------
    scale : arb
        The threshold, an exact midpoint.
    end : arb
        Upper end of the bulk there.

    Raises
    ------
    InputError
        The number of outliers is the same at both scales, or there is no such group.
    ConvergenceError
        The bulk has no regular upper end, or the digits were not reached.
    """
    law_of(problem)  # refuses what has no spectrum
    known: dict[float, Array] = {}

    def eigenvalues(scale: float) -> Array:
        if scale not in known:
            known[scale] = _rough(_scaled(problem, scale, group), width)
        return known[scale]

    first, last = (to_float(exact(s, "scale")) for s in (low, high))
    counts = [int(np.sum(eigenvalues(s) > 0)) for s in (first, last)]
    if counts[0] == counts[1]:
        raise InputError(
            "low, high",
            (low, high),
            f"the outliers above the bulk are {counts[0]} at both; give scales between "
            "which one leaves",
        )
    place = -1 - min(counts)
    from scipy.optimize import brentq  # takes long to import

    near = brentq(lambda s: float(eigenvalues(s)[place]), first, last, rtol=NEAR)

    def at(scale: Any) -> tuple[Any, Any]:
        return _at_end(_scaled(problem, scale, group), width, digits)

    return _secant(at, float(near), digits)


def _secant(
    at: Callable[[Any], tuple[Any, Any]], near: float, digits: int
) -> tuple[Any, Any]:
    """Bring a root of ``det H`` at the end of the bulk to `digits` digits."""
    with precision(digits + 3 * SPARE):
        s = exact_ball(near)
        step = (s * exact_ball(NEAR / 10)).mid()
        end, value = at(to_mpf(s))
        for _ in range(STEPS):
            s = (s + step).mid()
            known_end, known = end, value
            end, value = at(to_mpf(s))
            share = (value / (known - value)).mid()
            step = (step * share).mid()
            if abs(step) < abs(s) * arb(10) ** -(digits + 1):
                return (s + step).mid(), (end + (end - known_end) * share).mid()
    raise ConvergenceError(
        f"the threshold near {near:.8g} was not reached to {digits} digits; ask for "
        "fewer"
    )


def _scaled(problem: Problem, scale: Any, group: int | None) -> Problem:
    """Multiply the spikes, or that of one group, or a network's step."""
    factor = exact(scale, "scale")
    if problem.network is not None:
        if group is not None:
            raise InputError(
                "group", group, "a step moves all groups of a network; leave it out"
            )
        return problem.with_values({"network.step": factor * problem.network.step})
    assert problem.features is not None
    spikes = list(problem.features.spike)
    if group is not None and not 0 <= group < len(spikes):
        raise InputError("group", group, f"give one of 0 to {len(spikes) - 1}")
    for q in range(len(spikes)) if group is None else [group]:
        spikes[q] *= factor
    return problem.with_values({"features.spike": spikes})


def _branch(problem: Problem) -> RealBranch:
    law = law_of(problem)
    parameters = exact_parameters(problem, law)
    floats = tuple(float(v) for v in parameters)
    branch = RealBranch(Resolvent(law.resolvent_model, law, floats), parameters)
    if branch.unbounded:
        raise ConvergenceError("the bulk reaches infinity: no outlier can leave it")
    return branch


def _regular(end: End) -> End:
    if end.kind != "regular":
        raise ConvergenceError(
            f"the upper end of the bulk is {end.kind}, where an outlier leaves at no "
            "definite scale that can be solved for; give smaller spikes"
        )
    return end


def _rough(problem: Problem, width: int) -> Array:
    """Eigenvalues of H at the upper end of the bulk in float64, ascending."""
    branch = _branch(problem)
    end = _regular(rough_end(branch, outer_gap(branch, 1.0, 1), -1))
    matrix = FiniteWidth(branch.resolvent, width).matrix(np.array(end.unknowns) + 0j)
    values: Array = np.linalg.eigvalsh(matrix.real)
    return values


def _at_end(problem: Problem, width: int, digits: int) -> tuple[Any, Any]:
    """Upper end of the bulk, and det H there, on rules refined until they agree."""
    branch = _branch(problem)
    law, model = branch.resolvent.law, branch.resolvent.model
    end = _regular(find_end(branch, outer_gap(branch, 1.0, 1), -1, digits))
    step = first_step(digits + SPARE)
    for _ in range(ATTEMPTS):
        fields = contour_fields(law, REAL_AXIS, digits + 2 * SPARE, step)
        with precision(2 * digits + 25):
            balls = [to_ball(v) for v in branch.exact]
            fine, half, quarter = (
                _energy_hessian(
                    BallSystem(model, fields, balls, stride), list(end.unknowns), width
                )
                for stride in (1, 2, 4)
            )
            error = geometric_error(_gap(quarter, fine), _gap(half, fine))
        if error < 10.0 ** -(digits + SPARE / 2):
            return end.value, fine.det().mid()
        step *= 0.65
    raise ConvergenceError(
        f"at the end of the bulk the matrix H was reached to {error:.1e} only; ask for "
        f"fewer than {digits} digits"
    )


def _gap(a: Any, b: Any) -> float:
    """Distance of two matrices, relative to the diagonal."""
    size = max(float(abs(b[i, i])) for i in range(b.nrows()))
    return max(float(abs(v).mid()) for v in (a - b).entries()) / size


def _energy_hessian(system: BallSystem, x: list[Any], width: int) -> Any:
    """Half the Hessian of the Energy at a width, directions in their norms."""
    eq, p = system.equations, system.parameters
    count = len(eq.model.coefficients)
    symbolic = eq.model.system.residual_slopes[0]
    kept = [k for k, slope in enumerate(symbolic) if slope != 0]
    functions = arb_mat([[eq.slopes(f, p)[k] for k in kept] for f in system.fields])
    weighted = arb_mat(
        [
            [w * eq.weight([c], p)[0] * v for v in row]
            for w, c, row in zip(
                system.weights, system.chi(x), functions.tolist(), strict=True
            )
        ]
    )
    penalties = add(eq.penalty(x, p), eq.width_penalty([arb(width)], x, p))
    penalty = symmetric(penalties, count)
    average = functions.transpose() * weighted
    norms = [abs(penalty[k, k]).sqrt() for k in kept]
    return arb_mat(
        [
            [
                (average[i, j] + penalty[k, m]) / norms[i] / norms[j]
                for j, m in enumerate(kept)
            ]
            for i, k in enumerate(kept)
        ]
    )
