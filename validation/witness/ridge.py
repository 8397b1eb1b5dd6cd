"""Ridge regression on a feature matrix, by Cholesky in the smaller dimension."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtri

from detequiv.validation.witness.model import FloatArray

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

    @property
    def training_loss(self) -> float:
        """Mean of the squares that were minimised."""
        return self.training_error

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
    numpy.linalg.LinAlgError
        If the penalty is lost in rounding.

    Notes
    -----
    Beside the features it takes the memory of one square matrix, in the smaller of
    their two dimensions.
    """
    if not penalty > 0:
        raise ValueError(
            f"penalty = {penalty}: a sampled ridge fit needs a positive one; "
            "take a small number for the ridgeless limit"
        )
    n, p = features.shape
    dual = p > n
    # One Gram matrix or the other: same minimiser, and spectra that differ by
    # |p - n| eigenvalues equal to the penalty. It is factored and inverted in place,
    # below its diagonal; above it is zero.
    gram = dsyrk(1 / p, features.T, trans=dual, lower=True)
    gram.flat[:: len(gram) + 1] += penalty
    if not (np.isfinite(gram.trace()) and np.all(np.isfinite(labels))):
        raise ValueError("features or labels contain infs or NaNs")
    factor, failed = dpotrf(gram, lower=True, overwrite_a=True)
    if failed:
        raise np.linalg.LinAlgError(
            f"penalty = {penalty}: too small for float64, take a larger one"
        )
    root = np.sqrt(p)
    if dual:
        readout = features.T @ dpotrs(factor, labels, lower=True)[0] / root
    else:
        readout = dpotrs(factor, features.T @ labels / root, lower=True)[0]
    residual = labels - features @ (readout / root)
    # tr G^{-1} = |L^{-1}|_F^2 for G = L L^T; the penalty's own eigenvalues follow.
    inverse = dtrtri(factor, lower=True, overwrite_c=True)[0].ravel(order="K")
    trace = float(inverse @ inverse) + max(0, p - n) / penalty
    loss, norm = float(residual @ residual), float(readout @ readout)
    return RidgeFit(
        readout=readout,
        training_error=loss / n,
        readout_norm=norm / p,
        ridge_objective=(loss + penalty * norm) / p,
        resolvent_trace=trace / p,
    )
