"""Problem files: TOML in, a frozen exact problem out."""

import tomllib
from os import PathLike
from pathlib import Path

from detequiv.theory.errors import InputError
from detequiv.theory.problem import Problem

__all__ = ["load", "parse_value"]


def load(path: str | PathLike[str]) -> Problem:
    """Read a problem file.

    Parameters
    ----------
    path : path-like
        A TOML file with the tables [features] or [network], [target] and [ridge].
        Numbers are exact: ``0.1`` is one tenth.

    Raises
    ------
    InputError
        The file cannot be read, is not TOML, or a field has an unusable value.
    """
    try:
        text = Path(path).read_text("utf-8")
        tables = tomllib.loads(text, parse_float=str)
    except OSError as error:
        raise InputError("file", path, (error.strerror or str(error)).lower()) from None
    except UnicodeDecodeError:
        raise InputError("file", path, "is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError("file", path, f"is not TOML: {error}") from None
    return Problem.from_tables(tables)


def parse_value(text: str) -> object:
    """Read the value of a ``name=value`` argument: TOML where it is, else text.

    Examples
    --------
    >>> parse_value("[1, 0.5]"), parse_value("1e-3"), parse_value("tanh")
    ([1, '0.5'], '1e-3', 'tanh')
    """
    try:
        value: object = tomllib.loads(f"value = {text}", parse_float=str)["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value
