"""Readouts with a density: a continuum of groups, and a potential that bears many."""

from detequiv.theory.continuum.potential import Reduced, reduced_potential
from detequiv.theory.continuum.units import Continuum, continuum, overlap, readout

__all__ = [
    "Continuum",
    "Reduced",
    "continuum",
    "overlap",
    "readout",
    "reduced_potential",
]
