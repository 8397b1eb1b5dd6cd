"""Functions of z: their grammar, admission, kinks, growth and analyticity."""

from detequiv.theory.functions.admission import read_function, read_target
from detequiv.theory.functions.adoption import is_written
from detequiv.theory.functions.analyticity import steep_places, strip
from detequiv.theory.functions.asymptotes import far_slope
from detequiv.theory.functions.expressions import (
    exact,
    is_rounded,
    parse_function,
    sign,
)
from detequiv.theory.functions.grammar import (
    CATALOGUE,
    hermite_polynomial,
    projections,
    z,
)
from detequiv.theory.functions.growth import Order, orders
from detequiv.theory.functions.pieces import (
    Pieces,
    affine_slope,
    pieces,
    symmetric_part,
)
from detequiv.theory.functions.text import value_text

__all__ = [
    "CATALOGUE",
    "Order",
    "Pieces",
    "affine_slope",
    "exact",
    "far_slope",
    "hermite_polynomial",
    "is_rounded",
    "is_written",
    "orders",
    "parse_function",
    "pieces",
    "projections",
    "read_function",
    "read_target",
    "sign",
    "steep_places",
    "strip",
    "symmetric_part",
    "value_text",
    "z",
]
