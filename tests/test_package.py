"""What the package offers: its names, what importing costs, what it is built from."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import detequiv

ROOT = Path(__file__).parents[1]
ROOMS = ("numerics", "theory", "validation")


def test_import_is_fast_and_lazy() -> None:
    script = (
        "import sys, time\n"
        "start = time.process_time()\n"
        "import detequiv\n"
        "print(time.process_time() - start)\n"
        "print(*({'numpy', 'scipy', 'sympy', 'mpmath', 'flint'} & set(sys.modules)))\n"
    )
    seconds = []
    for _ in range(5):
        run = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, text=True
        )
        elapsed, heavy = run.stdout.split("\n")[:2]
        assert heavy == ""
        seconds.append(float(elapsed))
    assert min(seconds) < 0.2


@pytest.mark.parametrize("name", detequiv.__all__)
def test_public_names_resolve(name: str) -> None:
    assert getattr(detequiv, name) is not None
    assert name in dir(detequiv)


def test_public_names_are_those_that_types_are_checked_by() -> None:
    tree = ast.parse((ROOT / "interface/__init__.py").read_text("utf-8"))
    (lazy,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {
        alias.name: node.module
        for node in lazy.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for room in ROOMS:
        assert typed.pop(room) == "detequiv"
    homes = detequiv._HOME  # type: ignore[attr-defined]
    assert homes == typed
    assert {*homes, *ROOMS, "__version__"} == set(detequiv.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'detequiv' has no attribute 'solv'"):
        _ = detequiv.solv  # type: ignore[attr-defined]


def test_the_versions_agree() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {detequiv.__version__}\n" in citation


def test_the_lock_names_no_place() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert re.findall(r"(?m)://|^-|^[^#]* @ ", lock) == []
    pinned = re.findall(r"(?m)^[a-z0-9][^ ]*", lock)
    assert len(pinned) > 20
    assert all("==" in requirement for requirement in pinned)
