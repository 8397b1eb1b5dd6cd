"""Derivations for a page: prose as HTML, formulas as MathML.

MathML is text that browsers set by themselves, without a script and without a network.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any

from detequiv.theory.errors import InputError
from detequiv.theory.paper import Formula, Section, without_macros

__all__ = ["mathml", "sections_html"]


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
                parts.append(f'<div class="formula">{mathml(display, True)}</div>')
            else:
                parts.append(f"<p>{_prose(item)}</p>")
    return "\n".join(parts)


def _prose(text: str) -> str:
    """Set the symbols between dollars."""
    pieces = re.split(r"\$([^$]*)\$", text)
    return "".join(
        mathml(piece, False) if i % 2 else escape(piece)
        for i, piece in enumerate(pieces)
    )


@lru_cache(maxsize=1024)
def mathml(latex: str, display: bool) -> str:
    """Write a formula as a ``math`` element.

    Parameters
    ----------
    latex : str
        Without delimiters; the macros of derivations are known.
    display : bool
        Whether it stands on lines of its own.

    Raises
    ------
    InputError
        The converter is not installed, or does not know a command.

    Examples
    --------
    >>> mathml("x", False)
    '<math><mi>x</mi></math>'
    """
    convert, error = _converter()
    try:
        return str(convert(without_macros(latex), displaystyle=display))
    except error as failure:
        raise InputError("formula", latex, str(failure)) from None


@lru_cache(maxsize=1)
def _converter() -> Any:
    try:
        from math_core import LatexError, LatexToMathML
    except ImportError:
        raise InputError(
            "equations",
            "(page)",
            "math-core is not installed; pip install 'detequiv[explore,report]'",
        ) from None
    return LatexToMathML().convert_with_local_state, LatexError
