"""Networks whose readouts have a density, at a width: many nodes, few unknowns."""

from detequiv.numerics.continuum.answer import (
    ContinuumAnswer,
    law_on_nodes,
    solve_continuum,
)

__all__ = ["ContinuumAnswer", "law_on_nodes", "solve_continuum"]
