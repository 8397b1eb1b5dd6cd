"""Features of several directions: their potentials, and the steps that make them."""

from detequiv.theory.directions.model import directions_model
from detequiv.theory.directions.step import StepMap, higher_moments, step_map

__all__ = ["StepMap", "directions_model", "higher_moments", "step_map"]
