"""Compiled equations kept on disk: what a model's first use derives, the next reads.

One file a model, in the user's cache directory: generated source code,
and its digest. Its name holds a digest of all that the code comes from, this package's
sources among it, so that no version reads what another wrote. Files are replaced in one
step; one that is missing, cut off or altered counts for nothing.
"""

import hashlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path

import sympy as sp

from detequiv.theory.models import Model

__all__ = ["place", "read", "write"]

VARIABLE = "DETEQUIV_CACHE"  # another directory, or "off"
ROOMS = "theory/models", "numerics/arithmetic", "numerics/equations"


def place(model: Model) -> Path | None:
    """Name the file of a model's equations; None where nothing is to be kept."""
    chosen = os.environ.get(VARIABLE)
    if chosen == "off":
        return None
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(chosen) if chosen else Path(home) / "detequiv"
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
    text = "\n".join([_code_digest(), *map(sp.srepr, symbols), *map(str, scalars)])
    return folder / f"equations-{_digest(text)}.json"


def read(file: Path) -> dict[str, str] | None:
    """Return the sources kept, by name; None if there are none, or damaged."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        sources: dict[str, str] = kept["sources"]
        whole = kept["digest"] == _digest(json.dumps(sources))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return sources if whole else None


def write(file: Path, sources: dict[str, str]) -> None:
    """Keep sources, if the disk lets us: without them all is derived once more."""
    text = json.dumps({"digest": _digest(json.dumps(sources)), "sources": sources})
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".equations-")
        try:
            with open(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.replace(name, file)
        except OSError:
            os.unlink(name)
    except OSError:
        return


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _code_digest() -> str:
    """Digest of the versions, and of the code that derives and prints equations."""
    package = Path(__file__).parents[2]
    files = [path for room in ROOMS for path in sorted((package / room).glob("*.py"))]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return _digest(f"{sp.__version__}\n{code}")
