r"""Fits of a convex loss with a ridge penalty, to the accuracy of float64.

Smooth losses are minimised by Newton's method. The hinge loss, whose minimiser has
samples at its kink, is a quadratic programme in one number a sample,

.. math:: \max_{0 \le \alpha \le 1}\; 1 \cdot \alpha - |Z^T \alpha|^2 / 4\lambda,
   \qquad a = Z^T \alpha / 2\lambda, \qquad Z_\mu = y_\mu \phi_\mu / \sqrt p,

solved by an interior point method. Both end where the objective is proved to be close
to its minimum: by strong convexity, and by the dual objective.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from detequiv.validation.witness.losses.loss import Loss

__all__ = ["ConvexFit", "fit_convex"]

Array = NDArray[np.float64]
GAP = 1e-9  # of the hinge's objective above its minimum, relative, and
SMOOTH_GAP = 1e-16  # of the others'
ROUNDING = 1e-13
STEPS = 100
SHORT = 0.995  # share of the way to the edge of the programme that a step goes


@dataclass(frozen=True, kw_only=True)
class ConvexFit:
    """Minimiser and what is measured on it, normalised as for a ridge fit.

    Attributes
    ----------
    readout : ndarray, shape (p,)
        a, for the predictor ``a . phi / sqrt(p)``.
    training_error : float
        ``(1/n) sum_mu (y_mu - f_mu)^2``.
    readout_norm : float
        ``|a|^2 / p``.
    training_loss : float
        ``(1/n) sum_mu loss(y_mu, f_mu)``.
    ridge_objective : float
        ``[sum_mu loss(y_mu, f_mu) + lambda |a|^2] / p``.
    resolvent_trace : float
        ``(1/p) tr (Phi^T D Phi / p + lambda)^{-1}``, with half of the loss's second
        derivative in D; infinite at a kink.
    """

    readout: Array
    training_error: float
    readout_norm: float
    training_loss: float
    ridge_objective: float
    resolvent_trace: float

    def predict(self, features: Array) -> Array:
        """Predictions ``a . phi / sqrt(p)``, shape (n,), for features (n, p)."""
        values: Array = features @ (self.readout / np.sqrt(len(self.readout)))
        return values


def fit_convex(features: Array, labels: Array, penalty: float, loss: Loss) -> ConvexFit:
    """Minimise ``sum_mu loss(y_mu, a . phi_mu / sqrt(p)) + lambda |a|^2`` over a.

    Parameters
    ----------
    features : ndarray, shape (n, p)
        Phi.
    labels : ndarray, shape (n,)
        y.
    penalty : float
        lambda > 0.
    loss : Loss
        The loss.

    Raises
    ------
    ArithmeticError
        The minimum was not reached.
    """
    n, p = features.shape
    rows = features / np.sqrt(p)
    if loss.name == "hinge":
        readout, at_kink = _interior_point(labels[:, None] * rows, penalty)
        trace = (p - at_kink) / penalty
    else:
        readout, trace = _newton(rows, labels, penalty, loss)
    fitted, norm = rows @ readout, float(readout @ readout)
    total = float(loss.value(labels, fitted).sum())
    return ConvexFit(
        readout=readout,
        training_error=float(np.mean((labels - fitted) ** 2)),
        readout_norm=norm / p,
        training_loss=total / n,
        ridge_objective=(total + penalty * norm) / p,
        resolvent_trace=trace / p,
    )


class _Weighted:
    """The matrix ``Z^T D Z + lambda``, factored in the smaller dimension."""

    def __init__(self, rows: Array, weights: Array, penalty: float) -> None:
        n, p = rows.shape
        self.penalty, self.spare = penalty, max(0, p - n)
        self.scaled = rows * np.sqrt(weights)[:, None]
        wide = p > n
        gram = self.scaled @ self.scaled.T if wide else self.scaled.T @ self.scaled
        gram.flat[:: len(gram) + 1] += penalty
        self.factor = cho_factor(gram, lower=True, overwrite_a=True)

    def solve(self, right: Array) -> Array:
        """Apply the inverse."""
        if not self.spare:
            solution: Array = cho_solve(self.factor, right)
            return solution
        inner = cho_solve(self.factor, self.scaled @ right)
        return (right - self.scaled.T @ inner) / self.penalty

    @property
    def inverse_trace(self) -> float:
        """Trace of the inverse."""
        lower = self.factor[0]
        inverse = solve_triangular(lower, np.eye(len(lower)), lower=True)
        trace: float = np.sum(inverse**2) + self.spare / self.penalty
        return trace


def _newton(
    rows: Array, labels: Array, penalty: float, loss: Loss
) -> tuple[Array, float]:
    """Minimiser, and the trace of the inverse of half the Hessian."""
    readout = np.zeros(rows.shape[1])

    def objective(readout: Array, fit: Array) -> float:
        return float(loss.value(labels, fit).sum() + penalty * readout @ readout)

    fit = rows @ readout
    value = objective(readout, fit)
    for _ in range(STEPS):
        slope = rows.T @ loss.slope(labels, fit) + 2 * penalty * readout
        half = _Weighted(rows, loss.curvature(labels, fit) / 2, penalty)
        # the objective lies within |slope|^2 / 4 lambda of its minimum
        if slope @ slope <= 4 * penalty * SMOOTH_GAP * value:
            return readout, half.inverse_trace
        step = half.solve(slope) / 2
        by_step, along, size = rows @ step, float(slope @ step), 1.0
        while True:
            trial, at = readout - size * step, fit - size * by_step
            new = objective(trial, at)
            # near the minimum rounding decides
            if new <= value * (1 + ROUNDING) - 1e-4 * size * along or size < 1e-10:
                break
            size /= 2
        readout, fit, value = trial, at, new
    raise ArithmeticError(f"{loss.name}: Newton's method did not reach the minimum")


def _interior_point(signed: Array, penalty: float) -> tuple[Array, int]:
    """Minimiser of the hinge loss, and how many samples are at its kink."""
    n, kernel = len(signed), signed @ signed.T / (2 * penalty)
    # alpha, 1 - alpha, and the multipliers that keep them positive
    place = np.concatenate([np.full((2, n), 0.5), np.ones((2, n))])
    for _ in range(STEPS):
        readout = signed.T @ place[0] / (2 * penalty)
        margin = signed @ readout
        shrunk = penalty * float(readout @ readout)
        value = float(np.maximum(0, 1 - margin).sum()) + shrunk
        if value - (place[0].sum() - shrunk) <= GAP * value:
            return readout, int(np.all(place[:2] > place[2:], axis=0).sum())
        centring = _Centring(place, kernel, margin - 1)
        step = centring.towards(0.0)
        ahead = place + _reach(place, step) * step
        centre, left = _centre(place), _centre(ahead)
        step = centring.towards(centre * (left / centre) ** 3)
        place = place + SHORT * _reach(place, step) * step
    raise ArithmeticError("hinge: the interior point method did not reach the minimum")


class _Centring:
    """Newton steps from a place in the inside of the programme."""

    def __init__(self, place: Array, kernel: Array, slope: Array) -> None:
        share, room, low, high = self.place = place
        self.rest = slope - low + high
        # in the dimension of the samples: in the other small penalties are rounded away
        matrix = kernel.copy()
        matrix.flat[:: len(matrix) + 1] += low / share + high / room
        self.factor = cho_factor(matrix, lower=True, overwrite_a=True)

    def towards(self, target: float) -> Array:
        """Step to where all products of numbers and multipliers are the target."""
        share, room, low, high = self.place
        by_low, by_high = target / share - low, target / room - high
        move = cho_solve(self.factor, by_low - by_high - self.rest)
        low_step, high_step = by_low - low / share * move, by_high + high / room * move
        return np.stack([move, -move, low_step, high_step])


def _centre(place: Array) -> float:
    """Mean product of a number and its multiplier."""
    return float(np.mean(place[:2] * place[2:]))


def _reach(place: Array, step: Array) -> float:
    """How much of a step keeps all numbers positive, up to the whole."""
    falling = step < 0
    return float(np.min(-place[falling] / step[falling], initial=1.0))
