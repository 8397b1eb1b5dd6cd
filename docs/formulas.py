"""Formulas of the pages as MathML, which browsers set without a script or a network."""

from typing import NoReturn

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from detequiv.formats.mathml import mathml
from detequiv.theory.errors import InputError

__all__ = ["add_formulas"]

LOGGER = logging.getLogger(__name__)


def add_formulas(app: Sphinx) -> None:
    """Register the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_display, None))


def _set(node: nodes.Element, latex: str, display: bool) -> str:
    """Set a formula; warn of one that cannot be set, which fails the build."""
    try:
        return mathml(latex, display)
    except InputError as error:
        LOGGER.warning(str(error), location=node)
        return ""


def _visit_inline(writer: HTML5Translator, node: nodes.math) -> NoReturn:
    writer.body.append(_set(node, node.astext(), False))
    raise nodes.SkipNode


def _visit_display(writer: HTML5Translator, node: nodes.math_block) -> NoReturn:
    latex = node.astext().strip()
    if not node.get("no-wrap") and (r"\\" in latex or "&" in latex):
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    # a formula may be wider than a page: it is scrolled, by keys too
    writer.body.append(writer.starttag(node, "div", CLASS="formula", tabindex="0"))
    writer.body.append(_set(node, latex, True) + "</div>\n")
    raise nodes.SkipNode
