"""Averages over g and over kappa: rules, moments, fields on nodes and contours."""

from detequiv.numerics.averages.contours import (
    CONTOURS,
    REAL_AXIS,
    Contour,
    contour_fields,
    enclosed_zeros,
)
from detequiv.numerics.averages.fields import Fields, FieldSource
from detequiv.numerics.averages.law_fields import (
    LawFields,
    feature_columns,
    first_step,
    float_fields,
)
from detequiv.numerics.averages.moments import MomentValues, conditional_values
from detequiv.numerics.averages.overlaps import (
    OVERLAPS,
    dimension_of,
    gauss_rule,
    mixture,
    refine_overlaps,
    refined,
)
from detequiv.numerics.averages.quadrature import (
    Rule,
    gaussian_radius,
    geometric_error,
    lattice,
    panels,
)

__all__ = [
    "CONTOURS",
    "OVERLAPS",
    "REAL_AXIS",
    "Contour",
    "FieldSource",
    "Fields",
    "LawFields",
    "MomentValues",
    "Rule",
    "conditional_values",
    "contour_fields",
    "dimension_of",
    "enclosed_zeros",
    "feature_columns",
    "first_step",
    "float_fields",
    "gauss_rule",
    "gaussian_radius",
    "geometric_error",
    "lattice",
    "mixture",
    "panels",
    "refine_overlaps",
    "refined",
]
