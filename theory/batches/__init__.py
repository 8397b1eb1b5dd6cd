"""The two potentials after a step on a finite batch."""

from detequiv.theory.batches.potential import BatchModel, batch_model
from detequiv.theory.batches.prior import (
    LABELS,
    POWERS,
    TangentPrior,
    special_directions,
    tangent_prior,
)

__all__ = [
    "LABELS",
    "POWERS",
    "BatchModel",
    "TangentPrior",
    "batch_model",
    "special_directions",
    "tangent_prior",
]
