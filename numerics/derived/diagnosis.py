r"""What a generalisation error is made of, and what the training set says about it.

With the hat matrix ``H = Phi (Phi^T Phi + p lambda)^{-1} Phi^T`` of ridge regression,
the degrees of freedom are ``tr H = p (1 - lambda T)``, T the resolvent's normalised
trace, and generalised cross-validation (Golub, Heath and Wahba 1979) estimates the test
error by ``training error / (1 - tr H / n)^2``.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

import flint
import mpmath
import sympy as sp

from detequiv.numerics.arithmetic import check_digits, precision, to_ball, to_mpf
from detequiv.numerics.averages import LawFields, first_step, geometric_error
from detequiv.numerics.equations import BallSystem
from detequiv.numerics.solving import solve
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.precision import decimal_digits
from detequiv.theory.problem import (
    FeatureLaw,
    Problem,
    check_problem,
    exact_parameters,
    law_of,
)

__all__ = ["Diagnosis", "diagnose"]

arb, arb_mat = flint.arb, flint.arb_mat
ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Parts of a generalisation error, and its estimate from the training set.

    ``noise + unreachable + estimation`` is the generalisation error.

    Attributes
    ----------
    degrees_of_freedom : mpf
        ``tr H / n``, between 0 and 1: the share of the labels that is fitted.
    generalized_cross_validation : mpf
        The estimate of the generalisation error.
    generalization_error : mpf
        What it estimates.
    noise : mpf
        Variance of the label noise.
    unreachable : mpf
        Variance of the target that no readout of these features expresses, however
        wide the layer and large the training set.
    estimation : mpf
        What is left: the price of finite width, finite data and the penalty.
    digits : int
        Decimal digits vouched for; of the parts, relative to the labels' variance.
    """

    degrees_of_freedom: mpmath.mpf
    generalized_cross_validation: mpmath.mpf
    generalization_error: mpmath.mpf
    noise: mpmath.mpf
    unreachable: mpmath.mpf
    estimation: mpmath.mpf
    digits: int


def diagnose(problem: Problem, *, digits: int = 15) -> Diagnosis:
    """Take the generalisation error of a problem apart.

    Parameters
    ----------
    problem : Problem
        Its penalty must be positive.
    digits : int
        Significant decimal digits.

    Raises
    ------
    InputError
        A number outside the domain of the solver.
    ConvergenceError
        The digits cannot be vouched for.

    Examples
    --------
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="relu", spike=1),
    ...     target=Target(function="z", noise="1/2"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    ... )
    >>> parts = diagnose(problem)
    >>> total = parts.noise + parts.unreachable + parts.estimation
    >>> abs(total - parts.generalization_error) < 1e-15
    True
    """
    check_problem(problem)
    check_digits(digits)
    problem.require_square("a diagnosis")
    ridge, law = problem.ridge, law_of(problem)
    if not ridge.penalty.is_positive:
        raise InputError("ridge.penalty", 0, "a diagnosis needs a number > 0")
    working = digits + 3
    for _ in range(ATTEMPTS):
        solution = solve(problem, digits=working)
        with decimal_digits(working + 15):
            penalty, width, samples = (
                mpmath.mpf(sp.N(v, working + 15))
                for v in (ridge.penalty, ridge.width_per_dim, ridge.samples_per_dim)
            )
            fitted = 1 - penalty * solution.resolvent_trace
            share = fitted * width / samples
            left = 1 - share
            # both differences cancel: at large and at small penalties
            lost = -mpmath.log10(min(abs(fitted), abs(left), 1) + mpmath.eps)
            estimate = solution.training_error / left**2
        if working >= digits + lost + 1:
            break
        working = digits + ceil(lost) + 4
    else:
        raise ConvergenceError(
            f"{digits} digits of the degrees of freedom cannot be vouched for; "
            "ask for fewer"
        )
    unreachable = _unreachable(problem, law, digits)
    with decimal_digits(working + 15):
        noise = mpmath.mpf(sp.N(law.noise_variance, working + 15))
        return Diagnosis(
            degrees_of_freedom=share,
            generalized_cross_validation=estimate,
            generalization_error=solution.generalization_error,
            noise=noise,
            unreachable=unreachable,
            estimation=solution.excess_error - unreachable,
            digits=digits,
        )


def _unreachable(problem: Problem, law: FeatureLaw, digits: int) -> mpmath.mpf:
    """Least squares of the target on the features' conditional means and slopes."""
    step = first_step(digits + 5.0)
    for _ in range(ATTEMPTS):
        fields = LawFields(law).evaluate(digits + 5.0, step)
        with precision(digits + 25):
            parameters = [to_ball(v) for v in exact_parameters(problem, law)]
            parts = [
                _misfit(BallSystem(law.model, fields, parameters, stride))
                for stride in (1, 2, 4)
            ]
            misfit, labels = parts[0]
            gaps = [float(abs(other - misfit) / labels) for other, _ in parts[1:]]
            value = to_mpf(misfit - to_ball(law.noise_variance))
        if geometric_error(gaps[1], gaps[0]) < 10.0**-digits:
            return (
                value if abs(value) > 10.0**-digits * float(labels) else mpmath.mpf(0)
            )
        step *= 0.65
    raise ConvergenceError(
        f"{digits} digits of the unreachable part cannot be vouched for; ask for fewer"
    )


def _misfit(system: BallSystem) -> tuple[Any, Any]:
    """Mean square that no coefficients fit, and the mean square of the labels."""
    count = len(system.equations.model.coefficients)
    ones = [arb(1)] * len(system.weights)
    _, squares = system.fit(ones, arb_mat(count, count))
    shares = (w * s for w, s in zip(system.weights, squares, strict=True))
    return sum(shares, arb(0)).mid(), system.labels().mid()
