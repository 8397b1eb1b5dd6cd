"""The two potentials of features with several spikes."""

from detequiv.theory.directions.model import directions_model

__all__ = ["directions_model"]
