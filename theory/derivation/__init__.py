"""The equations that a model implies, on paper."""

from detequiv.theory.derivation.derivation import Derivation
from detequiv.theory.derivation.derive import derive
from detequiv.theory.derivation.document import (
    Formula,
    Section,
    as_latex,
    as_text,
    equation,
    tex,
    without_macros,
)

__all__ = [
    "Derivation",
    "Formula",
    "Section",
    "as_latex",
    "as_text",
    "derive",
    "equation",
    "tex",
    "without_macros",
]
