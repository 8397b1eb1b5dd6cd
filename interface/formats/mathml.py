"""Derivations for a page: prose as HTML, formulas as MathML.

MathML is text that browsers set by themselves, without a script and without a network.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any

from detequiv.theory.derivation import Formula, Section
from detequiv.theory.errors import InputError

__all__ = ["MACROS", "sections_html"]

MACROS = {  # those of the LaTeX documents
    "E": r"\mathbb{E}",
    "tr": r"\operatorname{tr}",
    "diag": r"\operatorname{diag}",
}


def sections_html(sections: Sequence[Section]) -> str:
    """Write sections as HTML.

    Raises
    ------
    InputError
        The converter of formulas is not installed.
    """
    parts = []
    for section in sections:
        parts.append(f"<h3>{escape(section.title)}</h3>")
        for item in section.body:
            if isinstance(item, Formula):
                display = rf"\begin{{align*}}{item.latex}\end{{align*}}"
                parts.append(f'<div class="formula">{_mathml(display, True)}</div>')
            else:
                parts.append(f"<p>{_prose(item)}</p>")
    return "\n".join(parts)


def _prose(text: str) -> str:
    """Set the symbols between dollars."""
    pieces = re.split(r"\$([^$]*)\$", text)
    return "".join(
        _mathml(piece, False) if i % 2 else escape(piece)
        for i, piece in enumerate(pieces)
    )


@lru_cache(maxsize=1024)
def _mathml(latex: str, display: bool) -> str:
    return str(_converter().convert_with_local_state(latex, displaystyle=display))


@lru_cache(maxsize=1)
def _converter() -> Any:
    try:
        from math_core import LatexToMathML
    except ImportError:
        raise InputError(
            "equations",
            "(page)",
            "math-core is not installed; pip install 'detequiv[explore]'",
        ) from None
    return LatexToMathML(macros=MACROS)
