"""What a solve returns: values, how many digits are vouched for, and the residual."""

from dataclasses import dataclass

import mpmath

from detequiv.theory.problem import Problem

__all__ = ["QUANTITIES", "Solution"]

QUANTITIES = (
    "generalization_error",
    "training_error",
    "excess_error",
    "readout_norm",
    "ridge_objective",
    "resolvent_trace",
)


@dataclass(frozen=True, kw_only=True)
class Solution:
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
        length K each, t once for each latent of a trained network. Where these
        functions are linearly dependent the coefficients are one choice among
        several; the function is unique.
    digits : int
        Decimal digits vouched for in every quantity above but m and t. An entry of A
        below ``10^-digits sqrt(A_qq A_rr)``, such as one that vanishes by symmetry, is
        zero to that accuracy.
    residual : mpf
        Largest component of the gradient of Psi, unknowns in natural sizes.
    equations : str
        "spiked" or "network".
    problem : Problem
        What was solved.
    width : int or None
        The number of units that this is the theory of; None is the limit. At a width
        m has the coefficients of the nodes of each group's overlaps, group after group.
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

    def text(self, name: str) -> str:
        """One of the quantities as a decimal string with the digits vouched for."""
        return str(mpmath.nstr(getattr(self, name), self.digits, strip_zeros=False))
