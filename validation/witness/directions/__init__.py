"""Models of several directions: spikes along them, and networks after some steps."""

from detequiv.validation.witness.directions.series import (
    LONGEST,
    TargetSeries,
    target_series,
)
from detequiv.validation.witness.directions.spikes import SeveralModel, SpikesModel
from detequiv.validation.witness.directions.steps import StepsModel

__all__ = [
    "LONGEST",
    "SeveralModel",
    "SpikesModel",
    "StepsModel",
    "TargetSeries",
    "target_series",
]
