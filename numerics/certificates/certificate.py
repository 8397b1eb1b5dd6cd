r"""Certificates: balls that contain the exact values of the theory's equations.

An approximate solution becomes a theorem in three steps: a rectangle around the real
axis in which all integrands are analytic, so that the trapezoidal rule has an error
bound; a box that contains exactly one solution of the stationarity equations; and the
reported quantities in balls, for every point of that box.

For ``lambda > 0`` the equations have one solution with ``g > 0`` and A positive
definite. Given B and D, ``Phi(g) = 1 / (D + [(B^{-1} + V)^{-1}]_qq)`` is increasing
and, as D > 0, ``Phi(t g) < t Phi(g)`` for t > 1; the map from (g, A) through chi to
(g, A) has the same two properties. Of two solutions neither can then exceed the other:
a positive solution that is found is the physical one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, inf, log, log10
from typing import Any, NamedTuple

import flint
import mpmath

from detequiv.numerics.arithmetic import (
    bits,
    check_digits,
    exact_ball,
    precision,
    to_ball,
    to_mpf,
)
from detequiv.numerics.certificates.enclosed import EnclosedSystem
from detequiv.numerics.certificates.integrands import Integrands
from detequiv.numerics.certificates.rectangle import boundary_fields, rectangle
from detequiv.numerics.certificates.rule import TrapezoidalRule
from detequiv.numerics.certificates.strips import FieldEnclosures
from detequiv.numerics.solving import QUANTITIES, Solution, solve
from detequiv.theory.display import Shown, Tabular
from detequiv.theory.errors import ConvergenceError, InputError, is_name
from detequiv.theory.models import upper_triangle
from detequiv.theory.precision import binary_digits
from detequiv.theory.problem import (
    FeatureLaw,
    Problem,
    check_problem,
    exact_parameters,
    law_of,
    spanning_groups,
)

__all__ = ["Ball", "Certificate", "ball_of", "certify", "compare"]

arb = flint.arb
FEWEST = 6  # digits that are aimed at: with fewer the first attempt fails
ATTEMPTS = 4  # at more digits, before giving up
MOST_MISSING = 15.0  # digits that are added at once


class Ball(NamedTuple):
    """All numbers at most `radius` from `midpoint`, both exact."""

    midpoint: mpmath.mpf
    radius: mpmath.mpf

    def contains(self, number: Any) -> bool:
        """Whether an exact number lies in the ball."""
        with binary_digits(4096):
            return bool(abs(mpmath.mpf(number) - self.midpoint) <= self.radius)

    def texts(self) -> tuple[str, str]:
        """Write the digits that the radius leaves, and the radius, rounded outwards.

        What is written is a ball that contains this one.
        """
        with binary_digits(4096):
            digits = 15
            if 0 < self.radius < abs(self.midpoint):
                digits = int(mpmath.log10(abs(self.midpoint) / self.radius)) + 2
            midpoint = mpmath.nstr(self.midpoint, digits)
            radius = self.radius + abs(mpmath.mpf(midpoint) - self.midpoint)
            if not radius:
                return midpoint, "0.0"
            unit = mpmath.mpf(10) ** (mpmath.floor(mpmath.log10(radius)) - 2)
            return midpoint, mpmath.nstr(mpmath.ceil(radius / unit) * unit, 3)

    def __str__(self) -> str:
        """Write `texts`."""
        return " +/- ".join(self.texts())


@dataclass(frozen=True, kw_only=True, repr=False)
class Certificate(Shown):
    """Proved enclosures of the deterministic equivalent of one problem.

    Attributes
    ----------
    balls : mapping of str to Ball
        For each reported quantity of
        :class:`~detequiv.numerics.solving.solution.Solution` a ball that contains its
        exact value.
    g : tuple of Ball
        Length K.
    A : tuple of tuple of Ball
        K x K.
    digits : int
        Every radius is at most ``10^-digits`` times the quantity (or, where it
        vanishes, the variance of the labels).
    nodes : int
        Nodes of the trapezoidal rule in kappa.
    problem : Problem
        What was solved.
    """

    balls: Mapping[str, Ball]
    g: tuple[Ball, ...]
    A: tuple[tuple[Ball, ...], ...]
    digits: int
    nodes: int
    problem: Problem

    def _table(self) -> Tabular:
        return Tabular(
            f"Certificate, radii of 10^-{self.digits} of each number at most",
            [(name, str(ball)) for name, ball in self.balls.items()],
            note="also: g, A, nodes, problem",
        )


def certify(
    problem: Problem, *, digits: int = 20, solution: Solution | None = None
) -> Certificate:
    """Enclose every reported quantity in a ball that provably contains it.

    Parameters
    ----------
    problem : Problem
        What to solve; activation and target made of polynomials, abs, max, min, sign,
        step, sin, cos, erf, tanh, sigmoid and softplus. With ``target.alignment = 1``
        the target must be smooth.
    digits : int
        Relative size of the radii, as ``10^-digits``.
    solution : Solution, optional
        An approximate solution, if known.

    Raises
    ------
    InputError
        The problem has a function that is not supported.
    ConvergenceError
        The proof did not succeed.

    Examples
    --------
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="relu", spike="3/2"),
    ...     target=Target(function="z", noise="3/10"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    ... )
    >>> ball = certify(problem, digits=12).balls["generalization_error"]
    >>> ball.contains("0.749614025424471771054422"), ball.contains("0.749614025")
    (True, False)
    """
    check_problem(problem)
    check_digits(digits)
    penalty = problem.ridge.penalty
    if not penalty.is_positive:
        raise InputError("ridge.penalty", penalty, "certificates need a number > 0")
    problem.require_regression("a certificate")
    if solution is not None and solution.width is not None:
        raise InputError(
            "solution", f"width {solution.width}", "certificates are of the limit"
        )
    law = law_of(problem)
    goal = max(digits, FEWEST) + 4.0 + max(0.0, -log10(float(penalty)))
    failure = ConvergenceError(f"{digits} digits could not be certified")
    for _ in range(ATTEMPTS):
        if solution is None or solution.digits < goal - 3:
            solution = solve(problem, digits=ceil(goal))
        try:
            certificate, reached = _attempt(law, solution, goal, digits)
        except ConvergenceError as error:
            failure, reached = error, -inf
        else:
            if reached >= digits:
                return certificate
            failure = ConvergenceError(
                f"certified to {max(0, int(reached))} of {digits} digits; ask for "
                "fewer, or for a larger ridge.penalty"
            )
        goal += min(digits - reached, MOST_MISSING) + 3
    raise failure


def compare(
    first: Problem,
    second: Problem,
    *,
    quantity: str = "generalization_error",
    digits: int = 40,
) -> str:
    """Compare a quantity of two problems, with proof.

    Parameters
    ----------
    first, second : Problem
        See :func:`certify`.
    quantity : str
        Name of a reported quantity.
    digits : int
        Relative accuracy up to which the two are told apart.

    Returns
    -------
    str
        "less" or "greater", the first against the second: a theorem about the
        equations. "undecided": the balls overlap, as those of equal values always do.

    Raises
    ------
    InputError
        No such quantity, or a function that is not supported.
    ConvergenceError
        One of the proofs did not succeed.
    """
    check_problem(first)
    check_problem(second)
    if not is_name(quantity, QUANTITIES):
        raise InputError("quantity", quantity, f"give one of {', '.join(QUANTITIES)}")
    for accuracy in sorted({min(10, digits), digits}):
        a, b = (certify(p, digits=accuracy).balls[quantity] for p in (first, second))
        with binary_digits(bits(4 * accuracy) + 4096):
            gap, width = a.midpoint - b.midpoint, a.radius + b.radius
            if abs(gap) > width:
                return "less" if gap < 0 else "greater"
    return "undecided"


def _attempt(
    law: FeatureLaw, solution: Solution, goal: float, digits: int
) -> tuple[Certificate, float]:
    """Certify with averages to an absolute accuracy of ``10^-goal``."""
    groups = len(law.spikes)
    upper = upper_triangle(groups)
    with precision(goal + 30):
        parameters = [to_ball(v) for v in exact_parameters(solution.problem, law)]
        integrands = Integrands(law.model, parameters)
        start = [
            exact_ball(v) for v in (*solution.g, *(solution.A[i][j] for i, j in upper))
        ]
        sizes = [abs(v) for v in start[:groups]] + [
            (exact_ball(solution.A[i][i]) * exact_ball(solution.A[j][j])).sqrt()
            for i, j in upper
        ]
        domain = [
            v + arb(0, (s * arb(10) ** -9).upper())
            for v, s in zip(start, sizes, strict=True)
        ]
        count = len(law.model.coefficients)
        basis = [[(k, 1)] for k in (*spanning_groups(law), *range(groups, count))]

        def everything(fields: list[Any], tail: bool = False) -> list[Any]:
            return [
                *integrands.gradient(start)(fields, tail),
                *integrands.hessian(start)(fields, tail),
                *integrands.normal(start, basis)(fields, tail),
            ]

        boundary, half = rectangle(
            law, boundary_fields(law), integrands, everything, domain, goal
        )
        rule = TrapezoidalRule(FieldEnclosures(law, goal + 5), boundary, half)
        system = EnclosedSystem(integrands, rule, domain)
        x = system.solution(start)
        quantities, _ = system.outputs(x, basis)
        labels = rule.average(integrands.labels)[0]
        reached = min(_accuracy(q, labels) for q in (*quantities, *x[:groups]))
        coupling: list[list[Any]] = [[None] * groups for _ in range(groups)]
        for (i, j), value in zip(upper, x[groups:], strict=True):
            coupling[i][j] = coupling[j][i] = ball_of(value)
        return (
            Certificate(
                balls=dict(zip(QUANTITIES, map(ball_of, quantities), strict=True)),
                g=tuple(map(ball_of, x[:groups])),
                A=tuple(map(tuple, coupling)),
                digits=digits,
                nodes=len(rule.nodes),
                problem=solution.problem,
            ),
            reached,
        )


def _accuracy(value: Any, labels: Any) -> float:
    """Digits of a ball relative to its value, or to the labels where that is 0."""
    radius = value.rad()
    if radius == 0:
        return inf
    if not value.is_finite():
        return -MOST_MISSING
    size = max(abs(value).mid(), (radius * abs(labels).mid()).sqrt())
    return -float((radius / size).log()) / log(10)


def ball_of(value: Any) -> Ball:
    """Exact midpoint and radius of an enclosure."""
    return Ball(to_mpf(value), to_mpf(value.rad()))
