"""Sphinx configuration: ``make docs`` builds every page and runs every example."""

import pkgutil
import sys
from pathlib import Path

from sphinx.application import Sphinx

import detequiv

sys.path.insert(0, str(Path(__file__).parent))
from activation_tables import activation_tables
from command_pages import command_pages
from formulas import add_formulas
from offline import refuse_other_hosts
from room_tables import room_tables

project = "detequiv"
author = "detequiv developers"
version = release = detequiv.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = f"detequiv {release}"

# Each example starts from this and prints what it claims.
doctest_global_setup = "import detequiv as de"
# Docstrings' examples run under pytest, each in its own module.
doctest_test_doctest_blocks = ""


ROOMS = ("detequiv.theory.", "detequiv.numerics.", "detequiv.validation.")


def append_modules(app: Sphinx, page: str, source: list[str]) -> None:
    """End a room's reference page with all of its modules, so that none is forgotten.

    Parameters
    ----------
    app
        The Sphinx application.
    page
        Name of the page being read; ``reference/theory`` gets ``detequiv.theory`` and
        the modules below it, ``reference/interface`` those of ``detequiv`` itself.
    source
        The page's text, one item, changed in place.
    """
    place, _, room = page.partition("/")
    if place != "reference" or room == "index":
        return
    package = detequiv if room == "interface" else getattr(detequiv, room)
    others = ROOMS if room == "interface" else ()
    names = [package.__name__] + [
        found.name
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not found.ispkg and not found.name.startswith(others)
    ]
    for name in names:
        members = "" if name == "detequiv" else ":members:\n"
        source[0] += (
            f"\n## `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n"
            f"   {members}```\n"
        )


def append_tables(app: Sphinx, page: str, source: list[str]) -> None:
    """End some pages with what the package says: of activations, commands, rooms.

    Parameters
    ----------
    app, page, source
        As for `append_modules`.
    """
    if page == "activations":
        source[0] += activation_tables()
    if page == "commands":
        source[0] += command_pages()
    if page == "architecture":
        source[0] += room_tables()


def setup(app: Sphinx) -> None:
    """Connect the hooks above, set formulas, and keep the pages to themselves."""
    add_formulas(app)
    app.connect("build-finished", refuse_other_hosts)
    app.connect("source-read", append_modules)
    app.connect("source-read", append_tables)
