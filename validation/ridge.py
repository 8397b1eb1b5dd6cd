"""Ridge regression on a feature matrix, by Cholesky in the smaller dimension."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from detequiv.validation.model import FloatArray

__all__ = ["RidgeFit", "fit_ridge"]


@dataclass(frozen=True, kw_only=True)
class RidgeFit:
    """Minimiser of the ridge objective and what is measured on it.

    Attributes
    ----------
    readout : ndarray, shape (p,)
        a, for the predictor ``a . phi / sqrt(p)``.
    training_error : float
        ``(1/n) sum_mu (y_mu - a . phi_mu / sqrt(p))^2``.
    readout_norm : float
        ``|a|^2 / p``.
    ridge_objective : float
        ``[sum_mu (y_mu - a . phi_mu / sqrt(p))^2 + lambda |a|^2] / p``.
    resolvent_trace : float
        ``(1/p) tr (Phi^T Phi / p + lambda)^{-1}``.
    """

    readout: FloatArray
    training_error: float
    readout_norm: float
    ridge_objective: float
    resolvent_trace: float

    def predict(self, features: FloatArray) -> FloatArray:
        """Predictions ``a . phi / sqrt(p)``, shape (n,), for features (n, p)."""
        labels: FloatArray = features @ (self.readout / np.sqrt(len(self.readout)))
        return labels


def fit_ridge(features: FloatArray, labels: FloatArray, penalty: float) -> RidgeFit:
    """Minimise ``sum_mu (y_mu - a . phi_mu / sqrt(p))^2 + lambda |a|^2`` over a.

    Parameters
    ----------
    features : ndarray, shape (n, p)
        Phi.
    labels : ndarray, shape (n,)
        y.
    penalty : float
        lambda > 0, as it stands in the objective: neither n nor p divides it.

    Returns
    -------
    RidgeFit
        The readout and the quantities measured on it.

    Raises
    ------
    ValueError
        If the penalty is not positive, or a feature or label is not finite.
    """
    if not penalty > 0:
        raise ValueError(
            f"penalty = {penalty}: a sampled ridge fit needs a positive one; "
            "take a small number for the ridgeless limit"
        )
    n, p = features.shape
    design = features / np.sqrt(p)
    dual = p > n
    # One Gram matrix or the other: same minimiser, and spectra that differ by
    # |p - n| eigenvalues equal to the penalty.
    gram = design @ design.T if dual else design.T @ design
    gram.flat[:: len(gram) + 1] += penalty
    factor, lower = cho_factor(gram, lower=True, overwrite_a=True)
    if dual:
        readout = design.T @ cho_solve((factor, lower), labels)
    else:
        readout = cho_solve((factor, lower), design.T @ labels)
    # tr G^{-1} = |L^{-1}|_F^2 for G = L L^T; the penalty's own eigenvalues follow.
    inverse = solve_triangular(factor, np.eye(len(gram)), lower=True, overwrite_b=True)
    trace = float(np.vdot(inverse, inverse)) + max(0, p - n) / penalty
    residual = labels - design @ readout
    loss, norm = float(residual @ residual), float(readout @ readout)
    return RidgeFit(
        readout=readout,
        training_error=loss / n,
        readout_norm=norm / p,
        ridge_objective=(loss + penalty * norm) / p,
        resolvent_trace=trace / p,
    )
