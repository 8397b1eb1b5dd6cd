"""High precision: chord steps from a float64 solution, in balls.

The gradient of Psi is evaluated at the working precision, the Newton matrix kept in
float64: each step then gains some 14 digits at the price of one gradient. Where the
problem is too ill-conditioned for that, the Hessian is taken in balls.
"""

from collections.abc import Callable, Sequence
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import column, exact_ball, inverse_of
from detequiv.theory.errors import ConvergenceError

__all__ = ["polish"]

arb, arb_mat = flint.arb, flint.arb_mat
STEPS = 60  # of the chord method; each should gain about 14 digits
POOR_GAIN = 1e-6  # a step that shrinks the correction by less wants a better matrix


def polish(
    gradient: Callable[[list[Any]], list[Any]],
    hessian: Callable[[list[Any]], Any],
    start: Sequence[Any] | NDArray[Any],
    sizes: Sequence[float] | NDArray[np.float64],
    inverse: NDArray[np.float64] | None,
    digits: float,
) -> tuple[list[Any], float]:
    """Bring an approximate solution to `digits` relative digits.

    Parameters
    ----------
    gradient : callable
        Gradient of Psi at N unknowns, at the working precision, which must exceed
        `digits`.
    hessian : callable
        Its Hessian, an arb_mat.
    start : (N,) array or list of arb
        Approximate solution.
    sizes : (N,) array
        Natural sizes of the unknowns.
    inverse : (N, N) array, optional
        Inverse of the Hessian in float64, unknowns in units of their sizes; None where
        float64 does not hold it.
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
    units = [exact_ball(float(s)) for s in sizes]
    exact = inverse is None or not np.isfinite(inverse).all()
    if inverse is None or exact:
        chord = _inverse_hessian(hessian(x), units)
    else:
        chord = arb_mat([[exact_ball(float(v)) for v in row] for row in inverse])
    previous, goal = arb(1), arb(10) ** (-arb(digits))
    for _ in range(STEPS):
        scaled = [g * s for g, s in zip(gradient(x), units, strict=True)]
        step = (chord * column(scaled)).entries()
        largest = max(abs(s).upper() for s in step)
        x = [(v - s * d).mid() for v, s, d in zip(x, units, step, strict=True)]
        if largest < goal:
            return x, float(max(abs(g).upper() for g in scaled))
        if largest > previous * POOR_GAIN and not exact and previous < 1:
            chord = _inverse_hessian(hessian(x), units)
            # what the poor matrix called small need not be: the next step will tell
            exact, largest = True, arb(1)
        elif largest > previous / 10 and exact:
            break
        previous = largest
    raise ConvergenceError(
        f"Newton's corrections stopped at {float(largest):.1e} on the way to "
        f"{digits:.0f} digits; try a larger penalty"
    )


def _inverse_hessian(hessian: Any, units: list[Any]) -> Any:
    """Inverse Hessian of Psi, unknowns in units of their sizes, exact midpoints."""
    rows = hessian.tolist()
    scaled = arb_mat(
        [
            [(a * s * t).mid() for a, t in zip(row, units, strict=True)]
            for row, s in zip(rows, units, strict=True)
        ]
    )
    return arb_mat([[v.mid() for v in row] for row in inverse_of(scaled).tolist()])
