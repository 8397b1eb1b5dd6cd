"""Asymptotic expansions of reported quantities, found from numbers."""

from detequiv.numerics.discovery.expansions.expansion import Expansion, expand
from detequiv.numerics.discovery.expansions.powers import Powers, find_powers

__all__ = ["Expansion", "Powers", "expand", "find_powers"]
