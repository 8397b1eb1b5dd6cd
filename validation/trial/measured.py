"""What is measured of a problem, by name."""

from detequiv.theory.problem import Problem

__all__ = [
    "PROJECTIONS",
    "QUANTITIES",
    "REFERENCE",
    "below_at",
    "learned_at",
    "measured",
    "outlier_at",
    "resolvent_at",
]

PROJECTIONS = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Values of kappa at which the learned function is measured."""
# The excess error is one of these less a constant, no test of its own.
QUANTITIES = (
    "generalization_error",
    "training_error",
    "readout_norm",
    "ridge_objective",
    "resolvent_trace",
)
REFERENCE = 1000
"""Dimension at which theory of an outlier is quoted."""


def measured(problem: Problem) -> tuple[str, ...]:
    """Names of the quantities of a problem that are compared."""
    names: tuple[str, ...] = QUANTITIES
    if problem.target.binary:
        names += ("classification_error", "training_classification_error")
    if problem.ridge.loss != "square":
        names += ("test_loss", "training_loss")
    return names


def learned_at(kappa: float) -> str:
    """Name of the learned function at one projection."""
    return f"learned_function({kappa:g})"


def resolvent_at(z: complex) -> tuple[str, str]:
    """Name the real and the imaginary part of ``(1/p) tr (Phi^T Phi / n - z)^{-1}``."""
    place = f"resolvent({z.real:g}{z.imag:+g}i)"
    return f"{place}, real", f"{place}, imaginary"


def below_at(z: complex) -> str:
    """Name the mass of the eigenvalues below Re z, smoothed by Im z."""
    return f"mass below({z.real:g}, smoothed by {z.imag:g})"


def outlier_at(place: int) -> str:
    """Name the logarithm of the so many-th largest singular value of Phi / sqrt(n)."""
    return f"log singular value {place}, d = {REFERENCE}"
