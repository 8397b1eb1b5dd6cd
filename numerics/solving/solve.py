"""Solve one problem: its equations, its numbers, and what is reported of them."""

from dataclasses import replace
from typing import Any

import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import check_digits, check_whole, to_mpf
from detequiv.numerics.averages import LawFields, gauss_rule
from detequiv.numerics.solving.convex import solve_loss
from detequiv.numerics.solving.solution import (
    QUANTITIES,
    RATES,
    Solution,
    reported,
)
from detequiv.numerics.solving.task import Task
from detequiv.numerics.solving.vouch import vouch
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.models import Model, families, ridgeless_model, upper_triangle
from detequiv.theory.problem import (
    FeatureLaw,
    Problem,
    check_limit,
    exact_parameters,
    interpolates,
    law_at_width,
    law_of,
)

USUAL = 15  # digits
NODES = (3, 5, 9, 17, 33)  # in the overlap, more until the digits agree

__all__ = [
    "law_of_solution",
    "mixture_task",
    "solve",
    "solve_at_width",
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
        them relative to the variance of the labels. Losses other than the square are
        solved in float64: by default with the digits that it vouches for.
    width : int, optional
        The number p of units, with ``d = p / width_per_dim``. The theory of that
        width keeps what functions of the projection cost a finite number of units,
        through all orders of a unit's overlap with the spike
        (:mod:`detequiv.theory.models.mixture`); other corrections of order 1/d are
        left out. By default the limit of infinite width.

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
    if problem.ridge.loss != "square" and width is None:
        return solve_loss(problem, digits)
    digits = USUAL if digits is None else digits
    if width is not None:
        return _at_width(problem, width, digits)
    return _report(problem, task_of(problem, law_of(problem)), digits)


def _at_width(problem: Problem, width: int, digits: int) -> Solution:
    """Solve with more and more nodes in the overlap, until the digits agree."""
    check_whole("width", width)
    check_digits(digits)
    problem.require_square("the theory of a width")
    coarser: Solution | None = None
    for count in NODES:
        task = mixture_task(problem, width, count, digits)
        finer = replace(_report(problem, task, digits), width=width)
        if coarser is not None and _agree(coarser, finer, digits):
            return finer
        coarser = finer
    raise ConvergenceError(
        f"the overlaps of {width} units with the spike need more than {NODES[-1]} "
        "nodes for these digits; ask for fewer, or for a larger width"
    )


def mixture_task(problem: Problem, width: int, count: int, digits: int) -> Task:
    """Put a problem into the equations of a width: `count` nodes in the overlap."""
    nodes, shares = _overlaps(problem, width, count, digits)
    law = law_at_width(problem, nodes)
    extra = [sp.Integer(width), *shares]
    return _in_limit(problem, law, [*exact_parameters(problem, law), *extra])


def _overlaps(
    problem: Problem, width: int, count: int, digits: int
) -> tuple[tuple[sp.Rational, ...], tuple[sp.Rational, ...]]:
    dimension = width / problem.ridge.width_per_dim
    if not dimension > 2:
        raise InputError(
            "width", width, f"is that of d = {dimension} inputs; 3 are needed"
        )
    return gauss_rule(count, dimension, digits + 10)


def law_of_solution(solution: Solution) -> FeatureLaw:
    """Features and target whose functions a solution has the coefficients of."""
    problem, law = solution.problem, law_of(solution.problem)
    if solution.width is None:
        return law
    count = len(solution.m) // len(law.spikes)
    nodes, _ = _overlaps(problem, solution.width, count, solution.digits)
    return law_at_width(problem, nodes)


def _agree(coarser: Solution, finer: Solution, digits: int) -> bool:
    """Whether a finer rule in the overlap changes none of the digits asked for."""
    scale = finer.generalization_error
    for name in reported(finer.problem):
        a, b = getattr(coarser, name), getattr(finer, name)
        # of what vanishes, relative to the errors
        size = abs(b) if abs(b) > mpmath.mpf(10) ** -digits * scale else scale
        if a != b and not abs(a - b) <= mpmath.mpf(10) ** -digits * size:
            return False
    return True


def solve_at_width(problem: Problem, width: int, *, digits: int = 15) -> Solution:
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
    digits : int
        As for `solve`.

    Raises
    ------
    InputError, ConvergenceError
        As `solve` does; or the width is no positive number.
    """
    check_whole("width", width)
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
    coupling = [[mpmath.mpf(0)] * groups for _ in range(groups)]
    for (i, j), value in zip(upper_triangle(groups), unknowns[groups:], strict=True):
        coupling[i][j] = coupling[j][i] = value
    named = dict(zip((*QUANTITIES, *RATES), values, strict=False))
    if problem.target.binary:
        named |= {
            "test_loss": named["generalization_error"],
            "training_loss": named["training_error"],
        }
    return Solution(
        **named,
        g=tuple(unknowns[:groups]),
        A=tuple(map(tuple, coupling)),
        m=tuple(learned[places["m"]]),
        t=tuple(learned[places.get("t", slice(0))]),
        digits=digits,
        residual=mpmath.mpf(found.residual),
        equations=law_of(problem).equations,
        problem=problem,
    )
