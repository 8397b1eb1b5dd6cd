"""The rectangle around the real axis in which the integrands are analytic."""

from math import log, pi, sqrt
from typing import Any

from detequiv.numerics.arithmetic import precision, to_float
from detequiv.numerics.certificates.integrands import Integrands
from detequiv.numerics.certificates.rule import half_nodes, tail_bounds, tail_of
from detequiv.numerics.certificates.strips import Contour, FieldEnclosures, contour
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.problem import FeatureLaw

__all__ = ["boundary_fields", "rectangle"]

COARSE = 14  # digits on the boundary, where only bounds are needed
HEIGHTS = [0.8**k for k in range(14)]  # of the rectangle, in units of the first one


def boundary_fields(law: FeatureLaw) -> FieldEnclosures:
    """Make the fields for boundaries; they remember the discs that they meet."""
    with precision(COARSE + 10):
        return FieldEnclosures(law, COARSE)


def rectangle(
    law: FeatureLaw,
    fields: FieldEnclosures,
    integrands: Integrands,
    everything: Any,
    domain: list[Any],
    goal: float,
) -> tuple[Contour, int]:
    """Find the rectangle for which the fewest nodes are enough.

    Parameters
    ----------
    law : FeatureLaw
        Exact data of features and target.
    fields : FieldEnclosures
        Theirs, from `boundary_fields`.
    integrands : Integrands
        Theirs is the denominator that must not vanish inside.
    everything : callable
        All that is to be averaged, as one integrand.
    domain : list of arb
        Unknowns for which it must not vanish.
    goal : float
        Averages to an absolute accuracy of ``10^-goal``.

    Returns
    -------
    Contour, int
        The boundary, and the number of nodes on either side of 0.

    Raises
    ------
    ConvergenceError
        No rectangle could be proved to be free of zeros.
    """
    ratios = [abs(to_float(u / r)) for u, r in zip(law.spikes, law.bulks, strict=True)]
    aligned = abs(to_float(law.alignment))
    spread = sqrt(max(0.0, 1 - aligned**2)) or 1.0
    steepest = max(ratios)
    radius = 0.3 * min(1 / max(1.0, steepest), spread / max(aligned, spread))
    with precision(COARSE + 10):
        reach = sqrt(2 * (goal + 3) * log(10))
        while max(tail_bounds(tail_of(fields, reach), everything)) > 10.0**-goal:
            reach += 0.5
        best: tuple[Contour, int] | None = None
        for factor in HEIGHTS:
            height = factor * min(4.0, 2.2 / max(steepest, 0.1))
            least = reach * goal * log(10) / (2 * pi * height)
            if best is not None and least > best[1]:
                break
            found = contour(
                fields,
                lambda values: integrands.denominator(values, domain),
                height,
                reach,
                radius,
            )
            if found is None:
                continue
            largest = float(max(found.top_bounds(everything)))
            half = half_nodes(found, largest, goal)
            if best is None or half < best[1]:
                best = found, half
    if best is None:
        raise ConvergenceError(
            "no strip around the real axis could be proved to be free of poles; try a "
            "larger ridge.penalty"
        )
    return best
