"""The equations that a model implies, on paper."""

from detequiv.theory.derivation.derivation import Derivation
from detequiv.theory.derivation.derive import derive

__all__ = ["Derivation", "derive"]
