"""Tables of a problem by name: their entries, looked up, checked and changed."""

import difflib
from collections.abc import Mapping
from functools import cache
from inspect import Parameter, signature
from typing import Any

from detequiv.theory.errors import InputError
from detequiv.theory.problem.tables.inputs import Inputs
from detequiv.theory.problem.tables.parts import Network, SpikedFeatures, Target
from detequiv.theory.problem.tables.regression import Ridge

__all__ = [
    "TABLES",
    "USUAL",
    "build",
    "check_field",
    "entries_for_any_groups",
    "entries_of",
    "nearest",
    "parameters_of",
    "with_entry",
]

SYMBOLS = {  # of the paper, and what is commonly written for them
    "alpha": "ridge.samples_per_dim",
    "beta": "ridge.width_per_dim",
    "lambda": "ridge.penalty",
    "lam": "ridge.penalty",
    "zeta": "target.alignment",
    "eta": "network.step",
    "sigma": "features.activation",
    "learning_rate": "network.step",
}
# what a table need not say
USUAL = {"labels": "none", "slope": None, "loss": "square", "delta": None}
TABLES: Mapping[str, Any] = {
    "features": SpikedFeatures,
    "network": Network,
    "inputs": Inputs,
    "target": Target,
    "ridge": Ridge,
}


def with_entry(name: str, now: Any, place: str, value: object) -> tuple[Any, ...]:
    """Replace one entry of a list; `place` is what follows the bracket."""
    count = len(now) if isinstance(now, tuple) else 0
    digits = place.removesuffix("]")
    if not (place.endswith("]") and digits.isascii() and digits.isdecimal()):
        raise InputError(name, value, "write the place of an entry as [0]")
    if not (len(digits) < 4 and int(digits) < count):
        problem = f"entries are 0 to {count - 1}" if count else "is no list"
        raise InputError(name, value, problem)
    return (*now[: int(digits)], value, *now[int(digits) + 1 :])


@cache
def parameters_of(part: type) -> dict[str, Parameter]:
    """Parameters of a part's constructor, by their names."""
    return dict(signature(part).parameters)


def entries_of(part: Any) -> dict[str, Any]:
    """Entries of a part's table."""
    return {name: getattr(part, name) for name in parameters_of(part.__class__)}


def entries_for_any_groups(part: Any) -> dict[str, Any]:
    """Entries of a part's table, its bulks and weights left equal if they are."""
    entries = entries_of(part)
    for key in {"bulk", "weights"} & entries.keys():
        if len(set(entries[key])) <= 1:
            entries[key] = entries[key][0] if key == "bulk" else None
    return entries


def build(name: str, table: object) -> Any:
    """Call the class of a table with its entries, after checking their names."""
    if not isinstance(table, Mapping):
        raise InputError(name, table, f"must be a table [{name}]")
    for key, value in table.items():
        check_field(name, key, value)
    for key, parameter in parameters_of(TABLES[name]).items():
        if parameter.default is Parameter.empty and key not in table:
            raise InputError(f"{name}.{key}", "(missing)", "has no default; give it")
    return TABLES[name](**table)


def check_field(table: str, key: str, value: object) -> None:
    """Refuse a field that a table has not, and say where it belongs."""
    known = parameters_of(TABLES[table])
    if key not in known:
        for other, kind in TABLES.items():
            if key in parameters_of(kind) and key not in SYMBOLS:
                raise InputError(f"{table}.{key}", value, f"belongs to [{other}]")
        raise InputError(f"{table}.{key}", value, f"no such field{nearest(key, known)}")


def nearest(name: str, known: Any) -> str:
    """Say what may have been meant by a name."""
    name = str(name)
    if symbol := SYMBOLS.get(name.rpartition(".")[2]):
        return f"; did you mean {symbol}?"
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"
