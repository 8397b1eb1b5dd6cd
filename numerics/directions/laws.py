"""Features and target of a problem of several directions."""

from functools import lru_cache

import sympy as sp

from detequiv.numerics.directions.tables import PANEL
from detequiv.numerics.directions.trained import trained_states
from detequiv.theory.problem import DirectionsLaw, Problem, spikes_law, steps_law

__all__ = ["directions_law", "other_law"]


@lru_cache(maxsize=64)
def directions_law(problem: Problem) -> DirectionsLaw:
    """Describe features and target given kappa, of a network those after its steps."""
    if problem.network is None:
        return spikes_law(problem)
    return _trained(problem, PANEL, 1)


def other_law(problem: Problem) -> DirectionsLaw:
    """Describe them by other tables and lattices: the laws differ by their errors."""
    if problem.network is None:
        return spikes_law(problem)
    return _trained(problem, PANEL / 2, 2)


@lru_cache(maxsize=16)
def _trained(problem: Problem, panel: float, finer: int) -> DirectionsLaw:
    states = trained_states(problem, panel, finer).tolist()
    return steps_law(problem, [list(map(sp.Rational, row)) for row in states])
