"""What the equations say in closed form."""

from detequiv.theory.closed.closing import of_problem
from detequiv.theory.closed.elimination import Elimination
from detequiv.theory.closed.reduction import Reduction, coupled, weight
from detequiv.theory.closed.statement import python_source, sections, title
from detequiv.theory.closed.untrained import Untrained, of_ridge, of_symbols

__all__ = [
    "Elimination",
    "Reduction",
    "Untrained",
    "coupled",
    "of_problem",
    "of_ridge",
    "of_symbols",
    "python_source",
    "sections",
    "title",
    "weight",
]
