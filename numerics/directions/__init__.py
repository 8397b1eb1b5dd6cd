"""Several directions: tables of conditional moments, and rules in several numbers."""

from detequiv.numerics.directions.fields import NodeFields, direction_functions
from detequiv.numerics.directions.laws import directions_law
from detequiv.numerics.directions.rules import Lattice, target_means
from detequiv.numerics.directions.tables import PANEL, MomentTable, moment_table

__all__ = [
    "PANEL",
    "Lattice",
    "MomentTable",
    "NodeFields",
    "direction_functions",
    "directions_law",
    "moment_table",
    "target_means",
]
