"""Compiled equations kept on disk: what a model's first use derives, the next reads.

One file a model, in the user's cache directory: generated source code, and a digest of
it and of the file's name. The name holds a digest of all that the code comes from, this
package's sources among it, so that no version reads what another wrote. Files are
replaced in one step; one that is missing, cut off or altered counts for nothing, and so
does one that another user may have written: what is read is run.
"""

import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Collection
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import sympy as sp

from detequiv.theory.models import Model

__all__ = ["place", "read", "write"]

VARIABLE = "DETEQUIV_CACHE"  # another directory, or "off"
ROOMS = "theory/models", "numerics/arithmetic", "numerics/equations"


def place(model: Model) -> Path | None:
    """Name the file of a model's equations; None where nothing is to be kept."""
    chosen = os.environ.get(VARIABLE)
    code = None if chosen == "off" else _code_digest()
    folder = Path(chosen) if chosen else _default_folder()
    if code is None or not folder.is_absolute():
        return None
    symbols = (
        *(*model.unknowns.symbols, *model.coefficients, *model.parameters),
        *(*model.fields, model.chi),
    )
    scalars = (
        *(model.unknowns, model.linear_form, model.psi_local, model.psi_average),
        *(model.energy_local, model.energy_weight, model.energy_residuals),
        *(model.energy_rest, model.ridge, model.source, model.start),
        tuple(model.quantities.items()),
    )
    text = "\n".join([code, *map(sp.srepr, symbols), *map(str, scalars)])
    return folder / f"equations-{_digest(text)}.json"


def read(file: Path, names: Collection[str]) -> dict[str, str] | None:
    """Return the sources kept under these names; None if others, damaged or none."""
    try:
        if not _private(file.parent.stat()):
            return None
        with file.open(encoding="utf-8") as stream:
            kept = json.load(stream) if _private(os.fstat(stream.fileno())) else {}
        sources: dict[str, str] = kept["sources"]
        good = sources.keys() == set(names) and all(
            isinstance(source, str) for source in sources.values()
        )
        whole = good and kept["digest"] == _seal(file, sources)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return sources if whole else None


def write(file: Path, sources: dict[str, str]) -> None:
    """Keep sources, if the disk lets us: without them all is derived once more."""
    text = json.dumps({"digest": _seal(file, sources), "sources": sources})
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _private(file.parent.stat()):
            return  # nothing in there would be read
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".equations-")
        try:
            with open(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.replace(name, file)
        except BaseException:  # an interrupt too leaves nothing behind
            Path(name).unlink(missing_ok=True)
            raise
    except OSError:
        return


def _default_folder() -> Path:
    """Name the user's own; relative where there is no home directory."""
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(caches):  # to be ignored, says the XDG specification
        caches = os.path.expanduser("~/.cache")
    return Path(caches) / "detequiv"


def _private(status: os.stat_result) -> bool:
    """Whether this user alone can write there, where the system tells users apart."""
    if not hasattr(os, "getuid"):
        return True
    others = stat.S_IWGRP | stat.S_IWOTH
    return status.st_uid == os.getuid() and not status.st_mode & others


def _seal(file: Path, sources: dict[str, str]) -> str:
    """Digest of sources as those of one file: under another name they are not valid."""
    return _digest(f"{file.name}\n{json.dumps(sources)}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _code_digest() -> str | None:
    """Digest of the versions, and of the code that derives and prints equations.

    None where that code cannot be read: in an archive, or without its sources.
    """
    package = Path(__file__).parents[2]
    rooms = [sorted((package / room).glob("*.py")) for room in ROOMS]
    try:
        versions = (*sys.version_info[:2], version("detequiv"), sp.__version__)
    except PackageNotFoundError:
        return None
    if not all(rooms):
        return None
    code = [path.read_text(encoding="utf-8") for room in rooms for path in room]
    return _digest("\n".join([*map(str, versions), *code]))
