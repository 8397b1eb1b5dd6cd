"""What a solve returns: values, how many digits are vouched for, and the residual."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath

from detequiv.theory.display import Shown, Tabular
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.models import families, upper_triangle
from detequiv.theory.problem import DirectionsLaw, FeatureLaw, Problem

__all__ = [
    "LOSS_QUANTITIES",
    "QUANTITIES",
    "RATES",
    "Solution",
    "digits_of_floats",
    "from_floats",
    "reported",
    "symmetric_rows",
]


QUANTITIES = (
    "generalization_error",
    "training_error",
    "excess_error",
    "readout_norm",
    "ridge_objective",
    "resolvent_trace",
)
RATES = ("classification_error", "training_classification_error")
LOSS_QUANTITIES = (*RATES, "test_loss", "training_loss")
"""Where labels are -1 and 1, or the loss is not the square; see `reported`."""


def reported(problem: Problem) -> tuple[str, ...]:
    """Names of the quantities that have a meaning for a problem.

    Examples
    --------
    >>> from detequiv.theory.problem import Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="tanh", spike=1),
    ...     target=Target(function="z", labels="sign"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    ... )
    >>> reported(problem) == QUANTITIES + LOSS_QUANTITIES
    True
    """
    if problem.target.binary:
        return QUANTITIES + LOSS_QUANTITIES
    if problem.ridge.loss != "square":
        return QUANTITIES + LOSS_QUANTITIES[len(RATES) :]
    return QUANTITIES


@dataclass(frozen=True, kw_only=True, repr=False)
class Solution(Shown):
    """Deterministic equivalent of one problem.

    Attributes
    ----------
    generalization_error : mpf
        ``E (y - f(x))^2`` on fresh data, label noise included.
    training_error : mpf
        ``(1/n) sum_mu (y_mu - f(x_mu))^2``.
    excess_error : mpf
        Generalisation error minus the noise variance.
    readout_norm : mpf
        ``|a|^2 / p``.
    ridge_objective : mpf
        Minimum of ``sum_mu (y_mu - f(x_mu))^2 + lambda |a|^2``, over p.
    resolvent_trace : mpf
        ``(1/p) tr (Phi^T Phi / p + lambda)^{-1}``; infinite, with g and A, without a
        penalty where n < p.
    g : tuple of mpf
        Average diagonal entry of that resolvent in each group, length K.
    A : tuple of tuple of mpf
        The coupling of the groups through their linear part, K x K.
    m, t : tuple of mpf
        Learned function of the projection: ``m . c0(kappa) + t . h(kappa)``,
        length K each, t once for each latent, of which a trained network and features
        of several spikes have several. Where these
        functions are linearly dependent the coefficients are one choice among
        several; the function is unique.
    digits : int
        Decimal digits vouched for in every quantity above but m and t. An entry of A
        below ``10^-digits sqrt(A_qq A_rr)``, such as one that vanishes by symmetry, is
        zero to that accuracy.
    residual : mpf
        Largest component of the gradient of Psi, unknowns in natural sizes.
    equations : str
        "spiked", "network", or "inputs" for ridge on the inputs themselves.
    classification_error : mpf or None
        ``P(y f(x) < 0)`` on fresh data, where labels are -1 and 1; a fit of 0 counts
        one half.
    training_classification_error : mpf or None
        Fraction of the samples whose fit has the wrong sign.
    test_loss, training_loss : mpf or None
        Means of the loss on fresh data and over the samples, where labels are -1 and 1
        or the loss is not the square.
    problem : Problem
        What was solved.
    width : int or None
        The number of units that this is the theory of; None is the limit. At a width
        m has the coefficients of the nodes of each group's overlaps, group after group.
        Where readouts have a density, groups are the nodes of its Gauss rule, and A is
        left empty.
    """

    generalization_error: mpmath.mpf
    training_error: mpmath.mpf
    excess_error: mpmath.mpf
    readout_norm: mpmath.mpf
    ridge_objective: mpmath.mpf
    resolvent_trace: mpmath.mpf
    g: tuple[mpmath.mpf, ...]
    A: tuple[tuple[mpmath.mpf, ...], ...]
    m: tuple[mpmath.mpf, ...]
    t: tuple[mpmath.mpf, ...]
    digits: int
    residual: mpmath.mpf
    equations: str
    problem: Problem
    width: int | None = None
    classification_error: mpmath.mpf | None = None
    training_classification_error: mpmath.mpf | None = None
    test_loss: mpmath.mpf | None = None
    training_loss: mpmath.mpf | None = None

    def text(self, name: str) -> str:
        """One of the quantities as a decimal string with the digits vouched for."""
        return str(mpmath.nstr(getattr(self, name), self.digits, strip_zeros=False))

    def _table(self) -> Tabular:
        what = "the limit" if self.width is None else f"{self.width} units"
        return Tabular(
            f"Solution of {what}, {self.digits} digits vouched for",
            [(name, self.text(name)) for name in reported(self.problem)],
            note="also: g, A, m, t, residual, problem",
        )


def digits_of_floats(what: str, digits: int | None, vouched: int) -> int:
    """Digits to report of what is solved in float64: those asked for, or all."""
    wanted = 1 if digits is None else digits
    if vouched < wanted:
        advice = (
            f"ask for at most {vouched}"
            if vouched > 0
            else "try a larger ridge.penalty or a smoother target"
        )
        raise ConvergenceError(
            f"{what} solved in float64, which vouches for {vouched} of {wanted} digits "
            f"here; {advice}"
        )
    return vouched if digits is None else digits


def from_floats(
    problem: Problem,
    law: FeatureLaw | DirectionsLaw,
    values: Mapping[str, Any],
    place: tuple[Iterable[float], Iterable[float]],
    digits: int,
    residual: float,
) -> Solution:
    """Put numbers of float64, unknowns and coefficients among them, under names."""
    x, y = (list(map(mpmath.mpf, v)) for v in place)
    places = families(law.model.coefficients)
    groups = problem.groups
    return Solution(
        **values,
        g=tuple(x[:groups]),
        A=symmetric_rows(x[groups:], groups),
        m=tuple(y[places["m"]]),
        t=tuple(y[places.get("t", slice(0))]),
        digits=digits,
        residual=mpmath.mpf(residual),
        equations=law.equations,
        problem=problem,
    )


def symmetric_rows(upper: Sequence[Any], order: int) -> tuple[tuple[Any, ...], ...]:
    """Rows of the symmetric matrix whose upper triangle comes first in `upper`."""
    place = {pair: k for k, pair in enumerate(upper_triangle(order))}
    return tuple(
        tuple(upper[place[min(i, j), max(i, j)]] for j in range(order))
        for i in range(order)
    )
