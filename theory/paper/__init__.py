"""Formulas and documents, in LaTeX and in plain text."""

from detequiv.theory.paper.document import (
    Formula,
    Section,
    as_latex,
    as_notebook,
    as_text,
    displayed,
    equation,
    number,
    short,
    tex,
)

__all__ = [
    "Formula",
    "Section",
    "as_latex",
    "as_notebook",
    "as_text",
    "displayed",
    "equation",
    "number",
    "short",
    "tex",
]
