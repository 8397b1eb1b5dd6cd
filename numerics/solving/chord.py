"""High precision: chord steps from a float64 solution, in balls, and error balls.

The residual is evaluated at the working precision, the Newton matrix kept in
float64: each step then gains some 14 digits at the price of one residual. Where
the problem is too ill-conditioned for that, the Hessian is taken in balls.
"""

from typing import Any

import flint
import numpy as np

from detequiv.numerics.arithmetic import column, exact_ball, inverse_of
from detequiv.numerics.equations import BallSystem, Cone, FloatSystem
from detequiv.theory.errors import ConvergenceError

__all__ = ["polish"]

arb, arb_mat = flint.arb, flint.arb_mat
STEPS = 60  # of the chord method; each should gain about 14 digits
POOR_GAIN = 1e-6  # a step that shrinks the correction by less wants a better matrix


def polish(
    system: BallSystem, floats: FloatSystem | None, start: Any, digits: float
) -> tuple[list[Any], float]:
    """Bring an approximate solution to `digits` relative digits.

    Parameters
    ----------
    system : BallSystem
        The equations at the working precision, which must exceed `digits`.
    floats : FloatSystem
        The same equations in float64 (one point), for the Newton matrix; None where
        float64 does not hold it.
    start : (N,) array or list of arb
        Approximate solution.
    digits : float
        Relative size of the last correction, as ``10^-digits``.

    Returns
    -------
    x : list of arb
        Exact midpoints.
    residual : float
        Largest component of grad Psi, unknowns in their natural sizes.

    Raises
    ------
    ConvergenceError
        Corrections stopped shrinking, with the digits reached.
    """
    x = [v.mid() if isinstance(v, arb) else exact_ball(float(v)) for v in start]
    point = np.array([[float(v) for v in x]])
    cone = Cone(point, system.equations.order)
    sizes = [exact_ball(float(s)) for s in cone.sizes[0]]
    chord = None if floats is None else _float_inverse(floats, cone)
    exact = chord is None
    if chord is None:
        chord = _inverse_hessian(system, x, sizes)
    previous, goal = arb(1), arb(10) ** (-arb(digits))
    for _ in range(STEPS):
        gradient = [g * s for g, s in zip(system.gradient(x), sizes, strict=True)]
        step = (chord * column(gradient)).entries()
        largest = max(abs(s).upper() for s in step)
        x = [(v - s * d).mid() for v, s, d in zip(x, sizes, step, strict=True)]
        if largest < goal:
            return x, float(max(abs(g).upper() for g in gradient))
        if largest > previous * POOR_GAIN and not exact and previous < 1:
            chord = _inverse_hessian(system, x, sizes)
            # what the poor matrix called small need not be: the next step will tell
            exact, largest = True, arb(1)
        elif largest > previous / 10 and exact:
            break
        previous = largest
    raise ConvergenceError(
        f"Newton's corrections stopped at {float(largest):.1e} on the way to "
        f"{digits:.0f} digits; try a larger penalty"
    )


def _float_inverse(floats: FloatSystem, cone: Cone) -> Any:
    """Inverse Hessian in the same units, by float64; None where that is singular."""
    scale = cone.sizes[0]
    try:
        rows = floats.inverse_hessian(cone)[0] / scale[:, None] / scale
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(rows).all():
        return None
    return arb_mat([[exact_ball(float(v)) for v in row] for row in rows])


def _inverse_hessian(system: BallSystem, x: list[Any], sizes: list[Any]) -> Any:
    """Inverse Hessian of Psi, unknowns in units of their sizes, exact midpoints."""
    rows = system.hessian(x).tolist()
    scaled = arb_mat(
        [
            [(a * s * t).mid() for a, t in zip(row, sizes, strict=True)]
            for row, s in zip(rows, sizes, strict=True)
        ]
    )
    return arb_mat([[v.mid() for v in row] for row in inverse_of(scaled).tolist()])
