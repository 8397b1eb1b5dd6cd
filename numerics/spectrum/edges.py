r"""Ends of the support, to the digits asked for.

Off the support the unknowns are real, and continue from one z to the next until
either the Hessian of Psi becomes singular (a regular end: beyond it the unknowns are
complex, and the density rises like a square root), or the leverage chi of samples
with ``kappa -> +-oo`` reaches -1 (a soft end: beyond it a few samples far out in the
tail of kappa carry the density). Both are roots of an enlarged system:

* regular: ``grad Psi = 0``, ``Hess Psi v = 0``, ``c . v = 1`` in (x, v, z), which is
  regular at a fold (Moore and Spence, SIAM J. Numer. Anal. 17, 1980);
* soft: ``grad Psi = 0``, ``1 + chi(oo) = 0`` in (x, z).

Newton's method in float64 finds it, chord steps with residuals in balls bring the
digits.
"""

from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import exact_ball
from detequiv.numerics.equations import BallSystem, ResolventSystem
from detequiv.numerics.resolvent import BranchPoint
from detequiv.theory.errors import ConvergenceError

__all__ = ["Enlarged", "Fold", "SoftEnd", "polish_edge", "solve_floats"]

arb, arb_mat = flint.arb, flint.arb_mat
Array = NDArray[Any]
ITERATIONS = 40  # of Newton's method in float64
STEPS = 60  # of the chord method
STEP = 1e-30  # of a derivative by a complex step
SETTLED = 1e-11  # relative Newton step in float64


class Fold:
    """The enlarged system of a regular end, in natural sizes.

    The vector is ``(x/s, v/s, z/size)`` with s the sizes of the unknowns at the start.

    Parameters
    ----------
    system : ResolventSystem
        The equations on the real axis of kappa.
    start : BranchPoint
        A point of the real branch near the fold.
    """

    def __init__(self, system: ResolventSystem, start: BranchPoint) -> None:
        self.system = system
        self.sizes = system.scales(start.x[None] + 0j)[0]
        self.size = abs(start.z)
        self.count = len(start.x)
        # the branch turns back along the vector that the Hessian takes to 0
        slope = system.slope(start.x[None] + 0j, np.array([start.z + 0j]))[0].real
        tangent = slope / self.sizes
        self.normal = tangent / np.linalg.norm(tangent)
        self.start = np.concatenate([start.x / self.sizes, self.normal, [1.0]])
        if start.z < 0:
            self.start[-1] = -1.0

    def residual_and_jacobian(self, u: Array) -> tuple[Array, Array]:
        """Evaluate at u."""
        system, s, n = self.system, self.sizes, self.count
        x, v, z = u[:n] * s, u[n : 2 * n] * s, u[-1] * self.size
        gradient, hessian = _real_derivatives(system, x, z)
        scaled = hessian * s[:, None] * s
        third = _third(system, x, z, v) * s[:, None] * s
        residual = np.concatenate(
            [s * gradient, scaled @ u[n : 2 * n], [self.normal @ u[n : 2 * n] - 1]]
        )
        jacobian = np.zeros((2 * n + 1, 2 * n + 1))
        jacobian[:n, :n] = jacobian[n:-1, n:-1] = scaled
        jacobian[n:-1, :n] = third
        jacobian[:n, -1] = -s * _by_ridge(system, x, z) * self.size
        jacobian[-1, n:-1] = self.normal
        return residual, jacobian

    def ball_residual(self, system: BallSystem, u: list[Any]) -> list[Any]:
        """Evaluate at u in balls."""
        n, s = self.count, [exact_ball(float(v)) for v in self.sizes]
        x = [a * b for a, b in zip(u[:n], s, strict=True)]
        v = [a * b for a, b in zip(u[n : 2 * n], s, strict=True)]
        _set_z(system, u[-1] * exact_ball(self.size))
        gradient = system.gradient(x)
        bent = (system.hessian(x) * arb_mat(n, 1, v)).entries()
        normal = [exact_ball(float(c)) for c in self.normal]
        norm = sum((c * a for c, a in zip(normal, u[n : 2 * n], strict=True)), arb(-1))
        rows = [a * b for a, b in zip([*gradient, *bent], [*s, *s], strict=True)]
        return [*rows, norm]


class SoftEnd:
    """The enlarged system of a soft end, in natural sizes.

    Parameters
    ----------
    system : ResolventSystem
        The equations on the real axis of kappa.
    start : BranchPoint
        A point of the real branch near the end.
    far : list of arb
        Coefficients of chi at infinity.
    """

    def __init__(
        self, system: ResolventSystem, start: BranchPoint, far: list[Any]
    ) -> None:
        self.system, self.far = system, far
        self.sizes = system.scales(start.x[None] + 0j)[0]
        self.size = abs(start.z)
        self.count = len(start.x)
        self.start = np.append(start.x / self.sizes, np.sign(start.z))

    def residual_and_jacobian(self, u: Array) -> tuple[Array, Array]:
        """Evaluate at u."""
        system, s, n = self.system, self.sizes, self.count
        x, z = u[:n] * s, u[-1] * self.size
        gradient, hessian = _real_derivatives(system, x, z)
        far = np.array([float(v) for v in self.far])
        jacobian = np.zeros((n + 1, n + 1))
        jacobian[:n, :n] = hessian * s[:, None] * s
        jacobian[:n, -1] = -s * _by_ridge(system, x, z) * self.size
        jacobian[-1, :n] = far * s
        return np.append(s * gradient, 1 + far @ x), jacobian

    def ball_residual(self, system: BallSystem, u: list[Any]) -> list[Any]:
        """Evaluate at u in balls."""
        n, s = self.count, [exact_ball(float(v)) for v in self.sizes]
        x = [a * b for a, b in zip(u[:n], s, strict=True)]
        _set_z(system, u[-1] * exact_ball(self.size))
        rows = [a * b for a, b in zip(system.gradient(x), s, strict=True)]
        return [*rows, sum((a * b for a, b in zip(self.far, x, strict=True)), arb(1))]


Enlarged = Fold | SoftEnd


def solve_floats(enlarged: Enlarged) -> Array | None:
    """Newton's method in float64; None where it does not converge."""
    u, last = enlarged.start, np.inf
    for _ in range(ITERATIONS):
        residual, jacobian = enlarged.residual_and_jacobian(u)
        try:
            step = np.linalg.solve(jacobian, -residual)
        except np.linalg.LinAlgError:
            return None
        size = float(np.max(np.abs(step)))
        if not np.isfinite(size) or size > 1e3:
            return None
        u = u + step * min(1.0, 0.3 / max(size, 1e-300))
        if size < SETTLED or (size < 1e-7 and size > last / 2):
            return u
        last = size
    return None


def polish_edge(
    enlarged: Enlarged, u: Array, system: BallSystem, digits: float
) -> tuple[list[Any], float]:
    """Bring a float64 root to `digits` digits, at the current working precision.

    Parameters
    ----------
    enlarged : Fold or SoftEnd
        The enlarged system.
    u : array
        Its root in float64.
    system : BallSystem
        The equations in balls.
    digits : float
        Size of the last correction, as ``10^-digits``.

    Returns
    -------
    u : list of arb
        Exact midpoints.
    rounding : float
        What the rounding of the residual may have moved u by.

    Raises
    ------
    ConvergenceError
        Corrections stopped shrinking.
    """
    jacobian = enlarged.residual_and_jacobian(u)[1]
    chord = arb_mat(
        [[exact_ball(float(v)) for v in row] for row in np.linalg.inv(jacobian)]
    )
    point = [exact_ball(float(v)) for v in u]
    previous, goal = arb(1), arb(10) ** (-arb(digits))
    for _ in range(STEPS):
        residual = enlarged.ball_residual(system, point)
        step = (chord * arb_mat(len(point), 1, residual)).entries()
        point = [(a - b).mid() for a, b in zip(point, step, strict=True)]
        largest = max((abs(s).mid() for s in step), key=float)
        if largest < goal:
            return point, max(float(s.rad()) for s in step)
        if not largest < previous / 2:
            break
        previous = largest
    raise ConvergenceError(
        f"an end of the support was reached to {float(largest):.1e} on the way to "
        f"{digits:.0f} digits; ask for fewer"
    )


def _real_derivatives(
    system: ResolventSystem, x: Array, z: float
) -> tuple[Array, Array]:
    gradient, hessian = system.derivatives(x[None] + 0j, np.array([z + 0j]))
    return gradient[0].real, hessian[0].real


def _by_ridge(system: ResolventSystem, x: Array, z: float) -> Array:
    derivative: Array = system.by_ridge(x[None] + 0j, np.array([z + 0j]))[0].real
    return derivative


def _third(system: ResolventSystem, x: Array, z: float, v: Array) -> Array:
    """Differentiate the Hessian of Psi along v, by a complex step; shape (N, N)."""
    moved = x[None] + 1j * STEP * v[None]
    bent: Array = system.derivatives(moved, np.array([z + 0j]))[1][0].imag / STEP
    return bent


def _set_z(system: BallSystem, z: Any) -> None:
    """Put ``lambda = -z`` into the equations."""
    model = system.equations.model
    system.parameters[model.parameters.index(model.ridge)] = -z
