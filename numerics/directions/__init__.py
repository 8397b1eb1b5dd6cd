"""Several directions: tables of conditional moments, and rules in several numbers."""

from detequiv.numerics.directions.fields import (
    NodeFields,
    direction_functions,
    target_at,
)
from detequiv.numerics.directions.laws import directions_law, other_law

__all__ = [
    "NodeFields",
    "direction_functions",
    "directions_law",
    "other_law",
    "target_at",
]
