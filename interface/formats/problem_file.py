"""Problem files: TOML in, a frozen exact problem out, and back."""

import json
import tomllib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import is_written, value_text
from detequiv.theory.problem import Inputs, PowerLaw, Problem, ReadoutLaw

__all__ = ["dump", "dump_inputs", "load", "parse_problem", "parse_value"]


def load(path: str | PathLike[str]) -> Problem:
    """Read a problem file.

    Parameters
    ----------
    path : path-like
        A TOML file with the tables [features] or [network], [target] and [ridge], and
        perhaps [inputs].
        Numbers are exact: ``0.1`` is one tenth.

    Raises
    ------
    InputError
        The file cannot be read, is not TOML, or a field has an unusable value.
    """
    try:
        text = Path(path).read_text("utf-8")
        if text.startswith("\ufeff"):
            problem = "begins with a byte order mark; save it as UTF-8 without BOM"
            raise InputError("file", path, problem)
    except OSError as error:
        raise InputError("file", path, (error.strerror or str(error)).lower()) from None
    except UnicodeDecodeError:
        raise InputError("file", path, "is not text in UTF-8") from None
    except InputError:
        raise
    except (TypeError, ValueError) as error:  # a path that is none
        raise InputError("file", path, f"is no path: {error}") from None
    return Problem.from_tables(_beside(Path(path), _tables(text, path)))


def parse_problem(text: str) -> Problem:
    """Read the text of a problem file that stands alone, wherever it comes from.

    Raises
    ------
    InputError
        It is not TOML, a field has an unusable value, or it names another file.
    """
    tables = _tables(text, "(text)")
    inputs = tables.get("inputs")
    if isinstance(inputs, dict) and "file" in inputs:
        raise InputError(
            "inputs.file", inputs["file"], "no file is read here; give the eigenvalues"
        )
    return Problem.from_tables(tables)


def _tables(text: str, source: object) -> dict[str, Any]:
    """Read TOML, decimals as the texts that they are."""
    try:
        return tomllib.loads(text, parse_float=str)
    except RecursionError:
        raise InputError("file", source, "is nested too deeply") from None
    except ValueError as error:
        raise InputError("file", source, f"is not TOML: {error}") from None


def _beside(file: Path, tables: dict[str, Any]) -> dict[str, Any]:
    """Take the names of files in a problem file from where that stands."""
    inputs = tables.get("inputs")
    if isinstance(inputs, dict) and isinstance(inputs.get("file"), str):
        tables["inputs"] = inputs | {"file": file.parent / inputs["file"]}
    return tables


def parse_value(text: str) -> object:
    """Read the value of a ``name=value`` argument: TOML where it is, else text.

    Examples
    --------
    >>> parse_value("[1, 0.5]"), parse_value("1e-3"), parse_value("tanh")
    ([1, '0.5'], '1e-3', 'tanh')
    """
    try:
        value: object = tomllib.loads(f"value = {text}", parse_float=str)["value"]
    except (ValueError, RecursionError):
        return text
    return value


def dump(problem: Problem) -> str:
    """Write a problem as the text of a file that `load` reads as the same problem.

    Raises
    ------
    InputError
        A number that is exact, but has no words in the grammar of files, such as a
        value of a function that it does not know.

    Examples
    --------
    >>> import detequiv as de
    >>> problem = de.Problem(
    ...     features=de.SpikedFeatures(activation="relu", spike=["3/2", "-1/3"]),
    ...     target=de.Target(function="z"),
    ...     ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty="1e-3"),
    ... )
    >>> print(dump(problem))
    [features]
    activation = "max(0, z)"
    spike = [1.5, "-1/3"]
    bulk = [1, 1]
    weights = [0.5, 0.5]
    <BLANKLINE>
    [target]
    function = "z"
    alignment = 1
    noise = 0
    <BLANKLINE>
    [ridge]
    samples_per_dim = 2
    width_per_dim = 1
    penalty = 0.001
    <BLANKLINE>
    """
    return "\n".join(_table(name, table) for name, table in problem.tables().items())


def dump_inputs(inputs: Inputs) -> str:
    """Write the table [inputs] alone, to be put into a problem file."""
    return _table("inputs", vars(inputs))


def _table(name: str, entries: Mapping[str, Any]) -> str:
    """Write a table; what is not given is left out."""
    lines = [
        f"{key} = {_toml(value, f'{name}.{key}')}\n"
        for key, value in entries.items()
        if value is not None
    ]
    return f"[{name}]\n{''.join(lines)}"


def _toml(value: Any, field: str) -> str:
    """Write a value as TOML: a number, a list, or else a string."""
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(v, field) for v in value)}]"
    if isinstance(value, PowerLaw | ReadoutLaw):
        table = vars(value) if isinstance(value, PowerLaw) else value.entries
        entries = (f"{k} = {_toml(v, field)}" for k, v in table.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, int):
        return str(value)
    text = value_text(value)
    if isinstance(value, sp.Rational):
        return text if "/" not in text else json.dumps(text)
    if isinstance(value, sp.Expr) and not is_written(value):
        raise InputError(field, text, "cannot be written in a file; give its digits")
    return json.dumps(text)
