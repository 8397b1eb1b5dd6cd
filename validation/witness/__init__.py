"""The independent witness: it samples the model from its definition."""

from detequiv.validation.witness.draws import Experiment
from detequiv.validation.witness.hermite import UnresolvedError
from detequiv.validation.witness.losses import Labels, Loss
from detequiv.validation.witness.model import (
    Covariance,
    FloatArray,
    Function,
    InputsModel,
    Model,
    SpikedModel,
    group_sizes,
)
from detequiv.validation.witness.runs import Dimensions, Estimates, Progress, run
from detequiv.validation.witness.spectra import Leading, draw_eigenvalues, draw_leading
from detequiv.validation.witness.store import Store, StoreError
from detequiv.validation.witness.together import draw_together
from detequiv.validation.witness.trained import Density, TrainedModel

__all__ = [
    "Covariance",
    "Density",
    "Dimensions",
    "Estimates",
    "Experiment",
    "FloatArray",
    "Function",
    "InputsModel",
    "Labels",
    "Leading",
    "Loss",
    "Model",
    "Progress",
    "SpikedModel",
    "Store",
    "StoreError",
    "TrainedModel",
    "UnresolvedError",
    "draw_eigenvalues",
    "draw_leading",
    "draw_together",
    "group_sizes",
    "run",
]
