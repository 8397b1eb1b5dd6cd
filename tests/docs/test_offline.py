"""The check that built pages fetch nothing from another host."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
from offline import fetched


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script src="https://cdn.example.org/tex.js"></script>'),
        ("a.html", '<link rel="stylesheet" href="//fonts.example.org/a.css">'),
        ("a.html", '<img alt="" src=" HTTP://example.org/a.png">'),
        ("a.html", '<p style="background: url(https://example.org/a.png)">a</p>'),
        ("a.html", "<style>@import 'https://example.org/a.css';</style>"),
        ("a.css", "@font-face { src: url('https://example.org/a.woff2') }"),
        ("a.css", '@import url("//example.org/a.css");'),
    ],
)
def test_what_comes_from_elsewhere_is_found(name: str, text: str) -> None:
    assert len(fetched(name, text)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<a href="https://arxiv.org/abs/2410.18938">a paper</a>'),
        ("a.html", '<img alt="" src="_images/law.svg"><script src="a.js"></script>'),
        ("a.html", '<svg xmlns="http://www.w3.org/2000/svg"></svg>'),
        ("a.css", "a { background: url(data:image/png;base64,AA//) }"),
    ],
)
def test_what_is_said_or_shipped_is_not(name: str, text: str) -> None:
    assert fetched(name, text) == []
