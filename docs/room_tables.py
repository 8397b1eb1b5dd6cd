"""The table of the rooms and what each knows, read from the imports themselves."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("theory", "numerics", "validation", "interface")


def room_tables() -> str:
    """Write which inner room imports which, as Markdown."""
    knows: dict[str, set[str]] = defaultdict(set)
    texts: dict[str, str] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            here = _place(path)
            if path.name == "__init__.py":
                doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
                texts[here] = doc.splitlines()[0] if doc else ""
            for name in _imported(path):
                there = _place_of(name)
                if there and there != here:
                    knows[here].add(there)
    lines = ["", "| room | what is in it | knows |", "| --- | --- | --- |"]
    for place in texts:
        known = ", ".join(f"`{name}`" for name in sorted(knows[place]))
        lines.append(f"| `{place}` | {texts[place]} | {known} |")
    return "\n".join([*lines, ""])


def _place(path: Path) -> str:
    return "/".join(path.parent.relative_to(ROOT).parts)


def _place_of(name: str) -> str:
    """Folder of a module or package named ``detequiv.…``; "" for others."""
    first, *parts = name.split(".")
    if first != "detequiv":
        return ""
    if not parts or parts[0] not in ROOMS:
        parts = ["interface", *parts]
    while parts and not (ROOT / Path(*parts)).is_dir():
        parts = parts[:-1]
    return "/".join(parts)


def _imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                names |= {f"{module}.{alias.name}" for alias in node.names}
    return names
