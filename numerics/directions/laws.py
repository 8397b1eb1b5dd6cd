"""Features and target of a problem of several directions."""

from detequiv.theory.problem import DirectionsLaw, Problem, spikes_law

__all__ = ["directions_law"]


def directions_law(problem: Problem) -> DirectionsLaw:
    """Describe features and target given kappa."""
    return spikes_law(problem)
