r"""How much the trace of the resolvent varies from one matrix to the next.

A sample counts through its projection kappa on the spike, and those of the n samples
are drawn anew with each matrix. To first order Psi at its stationary point moves with
the average over samples that stands in it,

.. math:: \delta\Psi = \frac1n\sum_\mu \psi(\chi(\kappa_\mu)) - E_\kappa\psi(\chi),

and the trace of the resolvent, its derivative along the axis, with
:math:`\psi'(\chi)\, d\chi/dz`: a sum of independent terms, of the order of
:math:`1/\sqrt n`. Without a spike chi is the same for all samples and nothing of this
order is left; the trace then varies by 1/n, as for matrices with independent entries.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detequiv.numerics.averages import REAL_AXIS
from detequiv.numerics.resolvent import Resolvent
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.problem import Problem, exact_parameters, law_of

__all__ = ["trace_covariance"]

ACCURATE = 1e-6  # that two rules in kappa must agree to
ROUNDING = 1e-12  # relative size of terms whose spread is nothing but rounding


def trace_covariance(problem: Problem, z: ArrayLike) -> NDArray[np.float64]:
    """Limit of n times the covariance of the resolvent's trace.

    Parameters
    ----------
    problem : Problem
        The features, and the proportions n/d and p/d.
    z : complex array_like
        Points off the real axis, any shape.

    Returns
    -------
    float array, shape (..., 2, 2)
        ``n Cov`` of the real and the imaginary part of
        ``(1/p) tr (Phi^T Phi / n - z)^{-1}``, as n, p and d grow in proportion.

    Raises
    ------
    InputError
        A point on the real axis or not finite.
    ConvergenceError
        The digits were not reached: the point is too close to the axis.
    """
    points = np.asarray(z, complex)
    if not np.isfinite(points).all() or (points.imag == 0).any():
        raise InputError("z", z, "must be finite and off the real axis")
    law, ridge = law_of(problem), problem.ridge
    parameters = tuple(map(float, exact_parameters(problem, law)))
    resolvent = Resolvent(law.resolvent_model, law, parameters)
    # the equations live in the scale of Phi^T Phi / p
    factor = float(ridge.width_per_dim / ridge.samples_per_dim)
    below = points.imag < 0
    upper = np.where(below, points.conj(), points).ravel() / factor
    x = resolvent.solve(upper).unknowns
    found = []
    for halvings in (1, 2):
        system = resolvent.system(REAL_AXIS, halvings)
        slope = system.equations.average([system.chi(x)], list(parameters))[0]
        terms = slope * system.chi(system.slope(x, upper)) / factor
        mean = terms @ system.weights
        terms = terms - mean[:, None]
        parts = np.stack([terms.real, terms.imag], axis=1)
        found.append(np.einsum("bik,bjk,k->bij", parts, parts, system.weights))
    coarse, covariance = found
    size = np.trace(covariance, axis1=1, axis2=2)
    error = np.abs(coarse - covariance).max(axis=(1, 2))
    if (error > ACCURATE * size + (ROUNDING * np.abs(mean)) ** 2).any():
        raise ConvergenceError(
            "the covariance of the resolvent's trace was not reached to "
            f"{ACCURATE:g}; move z off the real axis"
        )
    sign = np.where(below.ravel(), -1.0, 1.0)[:, None]
    covariance[:, [0, 1], [1, 0]] *= sign
    result: NDArray[np.float64] = covariance.reshape(*points.shape, 2, 2)
    return result
