"""The shape of the package: what ships, who imports whom, what importing costs."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import detequiv

ROOT = Path(__file__).parents[1]
ROOMS = ("interface", "theory", "numerics", "validation")

# The modules of validation that set theory and simulation side by side. Its others
# are an independent witness.
COMPARING = (
    "detequiv.validation.compare",
    "detequiv.validation.distribution",
    "detequiv.validation.eigenvalues",
    "detequiv.validation.evidence",
    "detequiv.validation.mutants",
    "detequiv.validation.outliers",
    "detequiv.validation.rejection",
    "detequiv.validation.slips",
    "detequiv.validation.spectral",
    "detequiv.validation.strategies",
    "detequiv.validation.training",
    "detequiv.validation.trend",
    "detequiv.validation.trial",
)

WITNESS_MAY_NOT = (
    "detequiv.theory",
    "detequiv.numerics",
    *COMPARING,
    "flint",
    "mpmath",
    "sympy",
)


def imported(source: str) -> set[str]:
    """List the modules that a source text names in its import statements.

    ``from a import b`` counts as ``a.b``, which is ``a`` or below it whether or not
    ``b`` is a module.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom():
                origin = "." * node.level + (node.module or "")
                names |= {f"{origin}.{alias.name}" for alias in node.names}
    return names


def room_of(name: str) -> str:
    """Name the folder that holds ``detequiv.…``."""
    second = (*name.split("."), "")[1]
    return second if second in ROOMS else "interface"


def is_within(name: str, packages: tuple[str, ...]) -> bool:
    """Tell whether a dotted name is one of the packages or inside one."""
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def violations(module: str, source: str) -> set[str]:
    """List what a module imports against interface -> validation -> numerics -> theory.

    Parameters
    ----------
    module
        Dotted name of the importing module.
    source
        Its source text.
    """
    room = room_of(module)
    above = {
        "theory": ("interface", "numerics", "validation"),
        "numerics": ("interface", "validation"),
        "validation": ("interface",),
        "interface": (),
    }[room]
    foreign = {
        "theory": ("numpy", "scipy", "flint"),
        "validation": () if module in COMPARING else WITNESS_MAY_NOT,
    }.get(room, ())
    return {
        name
        for name in imported(source)
        if name.startswith(".")
        or is_within(name, foreign)
        or (is_within(name, ("detequiv",)) and room_of(name) in above)
    }


def modules() -> dict[str, Path]:
    """Find every module of the package, by dotted name."""
    found = {}
    for room in ROOMS:
        top = ("detequiv",) if room == "interface" else ("detequiv", room)
        for path in (ROOT / room).rglob("*.py"):
            parts = path.relative_to(ROOT / room).with_suffix("").parts
            tail = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join((*top, *tail))] = path
    return found


MODULES = modules()


def test_every_package_folder_is_shipped() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert {
        module for module, path in MODULES.items() if path.name == "__init__.py"
    } == set(config["packages"])


def test_every_module_is_in_a_package() -> None:
    bare = [
        path for path in MODULES.values() if not (path.parent / "__init__.py").exists()
    ]
    assert bare == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module: str) -> None:
    assert violations(module, MODULES[module].read_text("utf-8")) == set()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("detequiv.theory.potential", "import numpy as np"),
        ("detequiv.theory.potential", "def late():\n    from numpy import linalg"),
        ("detequiv.theory.potential", "from detequiv.numerics import solve"),
        ("detequiv.theory.potential", "from detequiv import numerics"),
        ("detequiv.theory.potential", "from detequiv import load"),
        ("detequiv.theory", "import detequiv"),
        ("detequiv.theory.potential", "from . import spiked"),
        ("detequiv.numerics.curve", "import detequiv.validation.compare"),
        ("detequiv.numerics.curve", "from detequiv.plots import figure"),
        ("detequiv.validation.ridge", "from detequiv.theory.errors import InputError"),
        ("detequiv.validation.ridge", "import detequiv.numerics"),
        ("detequiv.validation.ridge", "from detequiv.validation import compare"),
        ("detequiv.validation.ridge", "import sympy"),
        ("detequiv.validation", "from detequiv.validation.compare import simulate"),
        ("detequiv.validation.compare", "from detequiv import load"),
    ],
)
def test_a_planted_violation_is_caught(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("detequiv.theory.potential", "import sympy\nfrom detequiv.theory import io"),
        ("detequiv.numerics.curve", "import numpy\nfrom detequiv import theory"),
        ("detequiv.validation.ridge", "import numpy, detequiv.validation.model"),
        (
            "detequiv.validation.compare",
            "from detequiv.theory.errors import InputError",
        ),
        ("detequiv.cli", "from detequiv.validation import compare\nimport detequiv"),
    ],
)
def test_what_points_down_is_allowed(module: str, source: str) -> None:
    assert violations(module, source) == set()


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
