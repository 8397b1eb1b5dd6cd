"""Solve one problem to any number of digits, and vouch for them.

Float64 finds the branch, or balls where it is too coarse for that; balls bring the
digits. Three errors are watched: rounding (the balls' radii), Newton's (the last
correction, far below the digits asked for) and the quadrature's (the same solve on
every second and every fourth node). Where they leave too few digits, precision and
nodes are increased; where that does not help, an error is raised and no number
returned.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor, inf, isfinite, log2, log10
from typing import Any

import flint
import mpmath
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import precision, to_ball, to_mpf
from detequiv.numerics.batch import (
    FloatSolutions,
    analyticity,
    first_step,
    float_system,
    solve_floats,
)
from detequiv.numerics.cone import Cone
from detequiv.numerics.descent import descend
from detequiv.numerics.digits import check_digits, check_whole
from detequiv.numerics.equations import ball_equations
from detequiv.numerics.fields import Fields, evaluate_fields, refine_fields
from detequiv.numerics.ladder import BallOutputs, BallSystem, polish
from detequiv.numerics.quadrature import geometric_error
from detequiv.numerics.solution import QUANTITIES, Solution
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.features import FeatureLaw, feature_law
from detequiv.theory.matrices import upper_triangle
from detequiv.theory.potential import Model
from detequiv.theory.problem import Problem, Ridge
from detequiv.theory.ridgeless import check_limit, interpolates, ridgeless_model

__all__ = ["exact_parameters", "law_of", "ridge_parameters", "solve", "solve_at_width"]

arb = flint.arb
ATTEMPTS = 9  # rounds of more precision and more nodes
GUARD, MOST_GUARD = 25, 100  # digits carried beyond those asked for, at first and last


def solve(problem: Problem, *, digits: int = 15, certify: bool = False) -> Solution:
    """Solve the deterministic equivalent of `problem`.

    Parameters
    ----------
    problem : Problem
        What to solve. A penalty of 0 is the limit of a vanishing one.
    digits : int
        Significant decimal digits of every reported quantity, 1 to 250. A
        quantity that vanishes (a training error without noise, say) has them
        relative to the variance of the labels.
    certify : bool
        Prove the digits too, in balls: `certificate` of what is returned. See
        :func:`~detequiv.numerics.certificate.certify`.

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
    found = _solve(problem, _task(problem, law_of(problem)), digits)
    return _certified(found) if certify else found


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
    return _solve(problem, _task(problem, law_of(problem), width), digits)


def _solve(problem: Problem, task: "_Task", digits: int) -> Solution:
    """Go up the precisions and refine the rules until the digits are there."""
    check_digits(digits)
    law = task.law
    penalty = float(problem.ridge.penalty)
    # g ~ 1/lambda multiplies conditional variances that cancel
    extra = 2.0 + (max(0.0, -log10(penalty)) if penalty else 0.0)
    floats = _floats(task)
    step, fields, guard, reached = first_step(digits + 4), None, GUARD, -inf
    if floats is not None:
        strip = analyticity(task.model, task.floats, floats)
        step, fields = first_step(digits + 4, 0.8 * strip), floats.fields
        if fields.digits >= digits + extra + 3:
            # nodes are shared; a finer rule only where this one proves too coarse
            step = floats.step * 2.0 ** max(0, floor(log2(step / floats.step)))
    for _ in range(ATTEMPTS):
        if fields is not None and fields.digits >= digits + extra + 3:
            fields = refine_fields(law, fields, step)
        else:
            fields = evaluate_fields(
                law, digits + extra + 3, step, interpolating=task.interpolating
            )
        try:
            attempt = _attempt(task, floats, fields, digits + extra, guard)
        except ConvergenceError:
            if guard > MOST_GUARD:
                raise
            # float64 was too far off, or rounding is amplified beyond the guard
            floats, guard = None, 2 * guard
            continue
        reached = max(reached, attempt.digits)
        if attempt.digits >= digits:
            return attempt.solution(problem, task, digits)
        if attempt.quadrature_limited:
            step /= 2
        else:
            extra += max(10.0, digits - attempt.digits)
    raise ConvergenceError(
        f"{max(0, floor(reached)) if isfinite(reached) else 0} of {digits} digits can "
        "be vouched for; ask for fewer, or for a larger ridge.penalty"
    )


def _floats(task: "_Task") -> FloatSolutions | None:
    """Solve in float64; None where it does not hold the solution."""
    try:
        return solve_floats(
            task.model, task.law, task.floats, interpolating=task.interpolating
        )
    except ConvergenceError:
        return None


def _certified(solution: Solution) -> Solution:
    # the certificate starts from a solution
    from detequiv.numerics.certificate import certify

    proof = certify(solution.problem, digits=solution.digits, solution=solution)
    return replace(solution, certificate=proof)


@lru_cache(maxsize=64)
def law_of(problem: Problem) -> FeatureLaw:
    """Features and target of a problem; remembered, for sweeps."""
    return feature_law(problem)


def exact_parameters(problem: Problem, law: FeatureLaw) -> list[Any]:
    """Exact parameters of the spiked model, in its order."""
    return [
        *ridge_parameters(problem.ridge),
        sp.S.Zero,
        law.noise_variance,
        *law.weights,
    ]


def ridge_parameters(ridge: Ridge) -> list[Any]:
    """Those of them, the first, that points with the same features may differ in."""
    return [ridge.samples_per_dim, ridge.width_per_dim, ridge.penalty]


@dataclass(frozen=True)
class _Task:
    """The equations to solve, and exact numbers for their parameters."""

    law: FeatureLaw
    model: Model
    parameters: list[Any]
    interpolating: bool = False

    @property
    def floats(self) -> NDArray[np.float64]:
        """The parameters in float64, shape (1, P)."""
        return np.array([[float(v) for v in self.parameters]])


def _task(problem: Problem, law: FeatureLaw, width: int | None = None) -> _Task:
    """Put a problem into equations; without a penalty, into those of the limit."""
    model, parameters = law.model, exact_parameters(problem, law)
    if width is not None:
        model, parameters = model.at_width, [*parameters, sp.Integer(width)]
    if problem.ridge.penalty.is_positive:
        return _Task(law, model, parameters)
    check_limit(problem, law)
    interpolating = interpolates(problem)
    model = ridgeless_model(model, interpolating)
    parameters[model.parameters.index(model.ridge)] = sp.Integer(interpolating)
    return _Task(law, model, parameters, interpolating)


@dataclass(frozen=True)
class _Attempt:
    """One solve at one precision on one rule, with its error estimates."""

    unknowns: list[Any]
    outputs: BallOutputs
    residual: float
    digits: float
    quadrature_limited: bool

    def solution(self, problem: Problem, task: _Task, digits: int) -> Solution:
        law = task.law
        groups, latents = len(law.spikes), len(law.tangents)
        values = [to_mpf(v) for v in self.outputs.quantities]
        learned = [to_mpf(v) for v in self.outputs.coefficients]
        unknowns = [to_mpf(v) for v in self.unknowns]
        if task.interpolating:
            # they grow like one over the penalty, and so does the resolvent's trace
            unknowns = [mpmath.inf * mpmath.sign(v) if v else v for v in unknowns]
            values[QUANTITIES.index("resolvent_trace")] = mpmath.inf
        coupling = [[mpmath.mpf(0)] * groups for _ in range(groups)]
        for (i, j), value in zip(
            upper_triangle(groups), unknowns[groups:], strict=True
        ):
            coupling[i][j] = coupling[j][i] = value
        return Solution(
            **dict(zip(QUANTITIES, values, strict=True)),
            g=tuple(unknowns[:groups]),
            A=tuple(map(tuple, coupling)),
            m=tuple(learned[:groups]),
            t=tuple(learned[groups : (1 + latents) * groups]),
            digits=digits,
            residual=mpmath.mpf(self.residual),
            equations=law.equations,
            problem=problem,
        )


def _attempt(
    task: _Task,
    floats: FloatSolutions | None,
    fields: Fields,
    digits: float,
    guard: int,
) -> _Attempt:
    """Solve on one rule, and on its every second and fourth node."""
    model = task.model
    newton_matrix = None
    if floats is not None:
        newton_matrix = float_system(model, fields, task.floats)
    with precision(digits + guard):
        balls = [to_ball(v) for v in task.parameters]
        labels = _label_variance(fields)
        results: list[tuple[list[Any], BallOutputs]] = []
        x: Any = None if floats is None else floats.unknowns[0]
        residual = inf
        for stride in (1, 2, 4):
            system = BallSystem(ball_equations(model), fields, balls, stride)
            if x is None:
                x = descend(system)
            goal = digits + 10 if stride == 1 else digits
            try:
                found, found_residual = polish(system, newton_matrix, x, goal)
            except ConvergenceError:
                if stride == 1:
                    raise
                # a rule from whose equations this solution is so far is too coarse
                return _Attempt(x, results[0][1], residual, -inf, True)
            results.append((found, system.outputs(found)))
            if stride == 1:
                x, residual = found, found_residual
        # entries of A that vanish by symmetry have no digits of their own
        cone = Cone(np.array([[float(v) for v in x]]), system.equations.order)
        sizes = [
            v if abs(v) > arb(10) ** -digits * s else arb(s)
            for v, s in zip(x, cone.sizes[0].tolist(), strict=True)
        ]
    (_, outputs), *coarser = results
    rounding = _relative(
        outputs.quantities, [v.rad() for v in outputs.quantities], labels
    )
    gaps = [
        _relative(
            [*outputs.quantities, *sizes],
            [
                abs(p - q).mid()
                for p, q in zip(
                    [*outputs.quantities, *x], [*o.quantities, *u], strict=True
                )
            ],
            labels,
        )
        for u, o in coarser
    ]
    quadrature = geometric_error(gaps[1], gaps[0])
    error = max(rounding, quadrature, 10.0**-digits)
    return _Attempt(x, outputs, residual, -log10(error), quadrature > rounding)


def _label_variance(fields: Fields) -> Any:
    """Second moment of the labels, the scale below which a result is zero."""
    tau0, tau1, tau2 = fields.columns[-3:]
    return sum(
        (w * (a * a + b * b + c))
        for w, a, b, c in zip(fields.weights, tau0, tau1, tau2, strict=True)
    )


def _relative(values: list[Any], errors: list[Any], labels: Any) -> float:
    """Largest relative error; of what is zero to twice the digits, the absolute."""
    worst = 0.0
    for value, error in zip(values, errors, strict=True):
        if not (value.is_finite() and error.is_finite()):
            return inf
        if error != 0:
            size = max(abs(value).mid(), (error * abs(labels).mid()).sqrt().mid())
            worst = max(worst, float((error / size).mid()))
    return worst
