"""Models, two scalar potentials each, and what they are made of."""

from detequiv.theory.models.anisotropic import anisotropic_model, level_model
from detequiv.theory.models.convex import ConvexModel, convex_model
from detequiv.theory.models.covariance import CovarianceModel, covariance_model
from detequiv.theory.models.kappa_mean import KappaMean
from detequiv.theory.models.matrices import (
    InverseEntry,
    LogDet,
    matrix_order,
    symmetric,
    upper_triangle,
)
from detequiv.theory.models.mixture import mixture_model
from detequiv.theory.models.potential import (
    Model,
    energy,
    energy_ridge,
    energy_source,
    families,
)
from detequiv.theory.models.ridge import ridge_model
from detequiv.theory.models.ridgeless import ridgeless_model
from detequiv.theory.models.spiked import spiked_model, uncoupled_model

__all__ = [
    "ConvexModel",
    "CovarianceModel",
    "InverseEntry",
    "KappaMean",
    "LogDet",
    "Model",
    "anisotropic_model",
    "convex_model",
    "covariance_model",
    "energy",
    "energy_ridge",
    "energy_source",
    "families",
    "level_model",
    "matrix_order",
    "mixture_model",
    "ridge_model",
    "ridgeless_model",
    "spiked_model",
    "symmetric",
    "uncoupled_model",
    "upper_triangle",
]
