"""Solve one problem: its equations, its numbers, and what is reported of them."""

from dataclasses import replace
from typing import Any

import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import check_digits, check_whole, to_mpf
from detequiv.numerics.averages import (
    LawFields,
    dimension_of,
    mixture,
    refine_overlaps,
)
from detequiv.numerics.continuum import law_on_nodes
from detequiv.numerics.losses import loss_values
from detequiv.numerics.solving.answers import (
    report_loss,
    solve_covariance,
    solve_density,
    solve_loss,
    solve_on_batch,
    solve_several,
)
from detequiv.numerics.solving.solution import (
    QUANTITIES,
    RATES,
    Solution,
    reported,
    symmetric_rows,
)
from detequiv.numerics.solving.task import Task
from detequiv.numerics.solving.vouch import vouch
from detequiv.theory.models import Model, families, ridgeless_model
from detequiv.theory.problem import (
    FeatureLaw,
    Problem,
    batch_law,
    check_limit,
    check_problem,
    covariance_law,
    exact_parameters,
    interpolates,
    law_of,
)

USUAL = 15  # digits

__all__ = [
    "law_of_solution",
    "solve",
    "solve_at_width",
    "task_at_width",
    "task_of",
]


def solve(
    problem: Problem, *, digits: int | None = None, width: int | None = None
) -> Solution:
    """Solve the deterministic equivalent of `problem`.

    Parameters
    ----------
    problem : Problem
        What to solve. A penalty of 0 is the limit of a vanishing one.
    digits : int, optional
        Significant decimal digits of every reported quantity, 1 to 250; 15 by
        default. A quantity that vanishes (a training error without noise, say) has
        them relative to the variance of the labels. A step on a batch, several
        directions and losses other than the square are solved in float64: by default
        with the digits that it vouches for. So is a density of readouts, by default to
        4 digits.
    width : int, optional
        The number p of units, with ``d = p / width_per_dim``. The theory of that
        width keeps what functions of the projection cost a finite number of units,
        through all orders of a unit's overlap with the spike
        (:mod:`detequiv.theory.models.mixture`); other corrections of order 1/d are
        left out. By default the limit of infinite width. After a step on a batch, and
        for several directions, as for `solve_at_width`.

    Returns
    -------
    Solution
        With `digits` as asked for.

    Raises
    ------
    InputError
        A number outside the domain of this solver; no penalty at n = p, where the test
        error diverges, or with features of no randomness of their own.
    ConvergenceError
        The digits cannot be vouched for; the message says how many can.

    Examples
    --------
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    ...     target=Target(function="z + (z**2 - 1)/2", noise="3/10"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    ... )
    >>> solve(problem, digits=20).text("generalization_error")
    '0.78907610210953659384'
    """
    check_problem(problem)
    usual = USUAL if digits is None else digits
    if problem.inputs is not None:
        return solve_covariance(problem, width, usual)
    if problem.several:
        if width is not None:
            check_whole("width", width)
            dimension_of(problem, width)  # there is none of fewer than three inputs
        return solve_several(problem, digits, width)
    if problem.on_batch:
        return solve_on_batch(problem, digits, width)
    if problem.readout_law is not None:
        return solve_density(problem, digits, width)
    if problem.ridge.loss != "square":
        return solve_loss(problem, digits, width)
    if width is not None:
        return _at_width(problem, width, usual)
    return _report(problem, task_of(problem, law_of(problem)), usual)


def _at_width(problem: Problem, width: int, digits: int) -> Solution:
    """Solve with more and more nodes in the overlap, until the digits agree."""
    check_whole("width", width)
    check_digits(digits)

    def at(count: int) -> Solution:
        task = task_at_width(problem, width, count, digits)
        return replace(_report(problem, task, digits), width=width)

    return refine_overlaps(at, _gap, 10.0**-digits)


def task_at_width(problem: Problem, width: int, count: int, digits: int) -> Task:
    """Put the theory of a width into equations, on `count` nodes in the overlap."""
    law, weights = mixture(problem, width, count, digits)
    own = [*exact_parameters(problem, law), sp.Integer(width), *weights]
    return _in_limit(problem, law, own)


def law_of_solution(solution: Solution) -> FeatureLaw:
    """Features and target whose functions a solution has the coefficients of."""
    problem, width = solution.problem, solution.width
    if problem.on_batch:
        return batch_law(problem).law
    if problem.inputs is not None:
        return covariance_law(problem).features
    if width is None:
        return law_of(problem)
    if problem.readout_law is not None:
        nodes = len(solution.g)
        return law_on_nodes(problem, width, nodes, len(solution.m) // nodes)
    count = len(solution.m) // problem.groups
    return mixture(problem, width, count, solution.digits)[0]


def _gap(coarser: Solution, finer: Solution) -> float:
    """Largest relative change of a quantity; of what vanishes, against the errors."""
    scale = mpmath.mpf(10) ** -finer.digits * finer.generalization_error
    worst = mpmath.mpf(0)
    for name in reported(finer.problem):
        a, b = getattr(coarser, name), getattr(finer, name)
        if a != b:
            size = abs(b) if abs(b) > scale else finer.generalization_error
            worst = max(worst, abs(a - b) / size)
    return float(worst)


def solve_at_width(
    problem: Problem, width: int, *, digits: int | None = None
) -> Solution:
    """Solve `problem` with the Energy's penalty of order 1/p, at p = `width` units.

    Beside the limit it keeps what a finite width costs the mean readout of each group,
    ``m_q^2 / (p pi_q g_q)``: the one term of that order that nearly dependent functions
    of the projection can make large. Other corrections of order 1/p are left out.

    Parameters
    ----------
    problem : Problem
        Its proportions are taken as they are.
    width : int
        p, at least 1.
    digits : int, optional
        As for `solve`.

    Raises
    ------
    InputError, ConvergenceError
        As `solve` does; or the width is no positive number.
    """
    check_whole("width", width)
    if problem.several:
        return replace(solve_several(problem, digits, width), width=None)
    if problem.on_batch:
        return replace(solve_on_batch(problem, digits, width), width=None)
    if problem.ridge.loss != "square":
        return report_loss(problem, loss_values(problem, width=width), digits)
    digits = USUAL if digits is None else digits
    return _report(problem, task_of(problem, law_of(problem), width), digits)


def task_of(problem: Problem, law: FeatureLaw, width: int | None = None) -> Task:
    """Put a problem into equations; without a penalty, into those of the limit."""
    problem.require_square("this")
    parameters = exact_parameters(problem, law)
    if width is None:
        return _in_limit(problem, law, parameters)
    return _in_limit(problem, law, [*parameters, sp.Integer(width)], law.model.at_width)


def _in_limit(
    problem: Problem,
    law: FeatureLaw,
    parameters: list[Any],
    model: Model | None = None,
) -> Task:
    """Pass to the limit's equations where there is no penalty."""
    model = law.model if model is None else model
    if problem.ridge.penalty.is_positive:
        return Task(model, parameters, LawFields(law))
    check_limit(problem, law)
    interpolating = interpolates(problem)
    model = ridgeless_model(model, interpolating)
    parameters[model.parameters.index(model.ridge)] = sp.Integer(interpolating)
    return Task(model, parameters, LawFields(law, interpolating))


def _report(problem: Problem, task: Task, digits: int) -> Solution:
    """Solve, and put the numbers under their names."""
    check_digits(digits)
    found = vouch(task, digits)
    groups = len(task.model.unknowns.positive)
    places = families(task.model.coefficients)
    values = [to_mpf(v) for v in found.outputs.quantities]
    learned = [to_mpf(v) for v in found.outputs.coefficients]
    unknowns = [to_mpf(v) for v in found.unknowns]
    if task.fields.interpolating:
        # they grow like one over the penalty, and so does the resolvent's trace
        unknowns = [mpmath.inf * mpmath.sign(v) if v else v for v in unknowns]
        values[QUANTITIES.index("resolvent_trace")] = mpmath.inf
    named = dict(zip((*QUANTITIES, *RATES), values, strict=False))
    if problem.target.binary:
        named |= {
            "test_loss": named["generalization_error"],
            "training_loss": named["training_error"],
        }
    return Solution(
        **named,
        g=tuple(unknowns[:groups]),
        A=symmetric_rows(unknowns[groups:], groups),
        m=tuple(learned[places["m"]]),
        t=tuple(learned[places.get("t", slice(0))]),
        digits=digits,
        residual=mpmath.mpf(found.residual),
        equations=law_of(problem).equations,
        problem=problem,
    )
