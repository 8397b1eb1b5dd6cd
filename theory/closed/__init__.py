"""What the equations say in closed form."""

from detequiv.theory.closed.closing import of_problem
from detequiv.theory.closed.constants import natural_constants
from detequiv.theory.closed.elimination import Elimination
from detequiv.theory.closed.groups import Group, groups_of
from detequiv.theory.closed.reduction import Reduction, coupled, leverage, weight
from detequiv.theory.closed.statement import python_source, sections, spell, title
from detequiv.theory.closed.untrained import Untrained, of_ridge, of_symbols

__all__ = [
    "Elimination",
    "Group",
    "Reduction",
    "Untrained",
    "coupled",
    "groups_of",
    "leverage",
    "natural_constants",
    "of_problem",
    "of_ridge",
    "of_symbols",
    "python_source",
    "sections",
    "spell",
    "title",
    "weight",
]
