"""The shape of the package: what ships, who imports whom, what importing costs."""

import ast
import re
import tomllib
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("interface", "theory", "numerics", "validation")

# The order of the rooms within each room: every one may know those before it.
ORDER = {
    "theory": (
        "functions",
        "gaussian",
        "losses",
        "models",
        "batches",
        "directions",
        "problem",
        "continuum",
        "paper",
        "series",
        "closed",
        "derivation",
    ),
    "numerics": (
        "arithmetic",
        "averages",
        "equations",
        "iteration",
        "batches",
        "directions",
        "covariance",
        "continuum",
        "losses",
        "solving",
        "resolvent",
        "spectrum",
        "certificates",
        "derived",
        "discovery",
    ),
    "validation": ("witness", "statistics", "trial", "studies"),
    "interface": (
        "formats",
        "figures",
        "pages",
        "results",
        "shell",
        "explorer",
        "commands",
        "demo",
    ),
}
BELOW_THE_PACKAGE = ("formats", "figures", "pages", "results")  # of the interface
MOST_MODULES, MOST_LINES = 10, 350

WITNESS = ("detequiv.validation.witness", "detequiv.validation.statistics")
WITNESS_MAY_NOT = (
    "detequiv.theory",
    "detequiv.numerics",
    "detequiv.validation.trial",
    "detequiv.validation.studies",
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
        "validation": WITNESS_MAY_NOT if is_within(module, WITNESS) else (),
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
        ("detequiv.theory.models.potential", "import numpy as np"),
        (
            "detequiv.theory.models.potential",
            "def late():\n    from numpy import linalg",
        ),
        ("detequiv.theory.models.potential", "from detequiv.numerics import solve"),
        ("detequiv.theory.models.potential", "from detequiv import numerics"),
        ("detequiv.theory.models.potential", "from detequiv import load"),
        ("detequiv.theory", "import detequiv"),
        ("detequiv.theory.models.potential", "from . import spiked"),
        ("detequiv.numerics.curve", "import detequiv.validation.trial.simulate"),
        ("detequiv.numerics.curve", "from detequiv.plots import figure"),
        (
            "detequiv.validation.witness.ridge",
            "from detequiv.theory.errors import InputError",
        ),
        ("detequiv.validation.witness.ridge", "import detequiv.numerics"),
        ("detequiv.validation.witness.ridge", "from detequiv.validation import trial"),
        ("detequiv.validation.witness.ridge", "import sympy"),
        ("detequiv.validation.statistics", "from detequiv.validation.trial import x"),
        ("detequiv.validation.trial.simulate", "from detequiv import load"),
    ],
)
def test_a_planted_violation_is_caught(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "detequiv.theory.models.potential",
            "import sympy\nfrom detequiv.theory import io",
        ),
        ("detequiv.numerics.curve", "import numpy\nfrom detequiv import theory"),
        (
            "detequiv.validation.witness.ridge",
            "import numpy, detequiv.validation.witness.model",
        ),
        (
            "detequiv.validation.trial.simulate",
            "from detequiv.theory.errors import InputError",
        ),
        ("detequiv.cli", "from detequiv.validation import compare\nimport detequiv"),
    ],
)
def test_what_points_down_is_allowed(module: str, source: str) -> None:
    assert violations(module, source) == set()


def inner_room(module: str) -> tuple[str, str]:
    """Name the room of a module and the room within it, "" for those beside them."""
    room = room_of(module)
    rest = module.split(".")[1 if room == "interface" else 2 :]
    return room, rest[0] if rest and rest[0] in ORDER[room] else ""


def face(package: str) -> set[str]:
    """List what the folder of a package offers to others."""
    tree = ast.parse(MODULES[package].read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def graph() -> dict[str, set[str]]:
    """Find for every module the modules of the package that it imports."""
    faces = {m: face(m) for m, path in MODULES.items() if path.name == "__init__.py"}
    edges = {}
    for module, path in MODULES.items():
        edges[module] = set()
        for name in imported(path.read_text("utf-8")):
            origin, _, last = name.rpartition(".")
            # a function may have its module's name: the face offers the function
            found = origin if last in faces.get(origin, ()) else name
            while found and found not in MODULES:
                found = found.rpartition(".")[0]
            edges[module] |= {found} - {"", module}
    return edges


EDGES = graph()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_inner_rooms_know_those_before_them(module: str) -> None:
    room, inner = inner_room(module)
    if not inner:
        return
    order = ORDER[room]
    later = set(order[order.index(inner) + 1 :])
    known = {inner_room(name)[1] for name in EDGES[module] if room_of(name) == room}
    assert known & later == set()


@pytest.mark.parametrize(
    "module",
    [m for m in sorted(MODULES) if inner_room(m)[1] in BELOW_THE_PACKAGE],
)
def test_what_the_package_offers_does_not_import_it(module: str) -> None:
    assert "detequiv" not in EDGES[module]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_rooms_are_entered_by_their_faces(module: str) -> None:
    entered = {
        name
        for name in EDGES[module]
        if inner_room(name)[1]
        and room_of(name) != "interface"  # whose face is detequiv itself
        and inner_room(name) != inner_room(module)
        and MODULES[name].name != "__init__.py"
    }
    assert entered == set()


def test_no_imports_run_in_circles() -> None:
    # the faces, and what is public, are imported by name after their parts
    edges = {
        module: {n for n in names if MODULES[n].name != "__init__.py"}
        for module, names in EDGES.items()
    }
    TopologicalSorter(edges).prepare()


def test_rooms_are_small() -> None:
    folders = Counter(
        path.parent for path in MODULES.values() if path.name != "__init__.py"
    )
    assert {f: n for f, n in folders.items() if n > MOST_MODULES} == {}
    lines = {
        module: len(path.read_text("utf-8").splitlines())
        for module, path in MODULES.items()
    }
    assert {module for module, n in lines.items() if n > MOST_LINES} == set()


def test_precision_is_set_behind_the_lock() -> None:
    """Nobody else sets the precision of mpmath's numbers, or what balls work with."""
    own = {
        ROOT / "theory/precision.py",
        ROOT / "numerics/arithmetic/compiled.py",
        ROOT / "numerics/arithmetic/taylor.py",
    }
    for path in set(MODULES.values()) - own:
        text = path.read_text("utf-8")
        assert not re.search(r"\bworkdps|\bworkprec|\.(dps|prec|cap) = ", text), path
