"""What the built pages fetch: nothing from another host."""

import re
from html.parser import HTMLParser
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

__all__ = ["fetched", "refuse_other_hosts"]

FETCHES = ("audio", "embed", "iframe", "img", "input", "link", "object", "script",
           "source", "track", "use", "video")  # fmt: skip
ELSEWHERE = re.compile(r"\s*(?:[a-z]+:)?//", re.I)
IN_STYLES = re.compile(r"(?:url\(|@import)\s*['\"]?\s*((?:https?:)?//[^\s'\")]*)", re.I)


class _Page(HTMLParser):
    """Addresses that a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        names = [v or "" for k, v in attrs if k in ("src", "href", "data", "srcset")]
        # of links only these are no more than words on a page
        told = tag == "link" and values.get("rel") in ("canonical", "author", "license")
        if tag in FETCHES and not told:
            self.addresses += filter(ELSEWHERE.match, names)
        self.addresses += IN_STYLES.findall(values.get("style") or "")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.addresses += IN_STYLES.findall(data)


def fetched(name: str, text: str) -> list[str]:
    """List the addresses of other hosts that a file makes a browser fetch.

    Parameters
    ----------
    name
        Of the file; its end tells HTML from CSS.
    text
        What is in it.
    """
    if name.endswith(".css"):
        return IN_STYLES.findall(text)
    page = _Page()
    page.feed(text)
    return page.addresses


def refuse_other_hosts(app: Sphinx, failure: Exception | None) -> None:
    """Fail a build whose pages fetch from another host.

    Parameters
    ----------
    app
        The Sphinx application.
    failure
        That of the build itself.
    """
    if failure is not None or app.builder.format != "html":
        return
    for file in sorted(Path(app.outdir).rglob("*")):
        if file.suffix in (".html", ".css"):
            for address in fetched(file.name, file.read_text("utf-8")):
                raise ExtensionError(f"{file} fetches {address}")
