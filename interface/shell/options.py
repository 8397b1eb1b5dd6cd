"""What the commands share: arguments, options, and how results are written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from detequiv.theory.errors import InputError

if TYPE_CHECKING:  # SymPy takes a second to import, too long for a list of commands
    import mpmath

    from detequiv.theory.problem import Problem

__all__ = [
    "body_option",
    "changes_option",
    "check_body",
    "check_suffix",
    "decimal",
    "digits_option",
    "do_all",
    "is_whole",
    "json_option",
    "parse_assignments",
    "print_json",
    "read_problem",
    "say_width",
    "takes_problem",
    "width_option",
    "workers_options",
]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

digits_option: Decorator = click.option(
    "--digits",
    type=int,
    default=15,
    show_default=True,
    metavar="D",
    help="Significant decimal digits, every one vouched for.",
)
width_option: Decorator = click.option(
    "--width",
    type=int,
    metavar="P",
    help="Theory of networks with P units; by default the limit of infinite width.",
)
json_option: Decorator = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object and nothing else; numbers are decimal strings.",
)
changes_option: Decorator = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Replace a value of the file, such as ridge.penalty=1e-3. Repeatable.",
)


def workers_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--workers`` and ``--dask``; see `detequiv.shell.parallel`."""
    local = click.option(
        "--workers",
        type=int,
        metavar="N",
        help="Processes to use; by default one a processor.",
    )
    cluster = click.option(
        "--dask", metavar="ADDRESS", help="Use the Dask cluster of this scheduler."
    )
    return local(cluster(command))


def takes_problem(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command FILE and ``--set``, handed over as one `problem`."""

    @click.argument("file", metavar="FILE")
    @changes_option
    @wraps(command)
    def read(*, file: str, changes: Sequence[str], **rest: Any) -> Any:
        return command(problem=read_problem(file, changes), **rest)

    return read


def read_problem(file: str, changes: Sequence[str] = ()) -> Problem:
    """Load a problem file and replace values by ``NAME=VALUE`` arguments.

    Raises
    ------
    InputError
        The file, an argument, or a value cannot be used.
    """
    from detequiv.formats.problem_file import load, parse_value

    values = {
        name: parse_value(text)
        for name, text in parse_assignments(
            changes, "--set", "ridge.penalty=1e-3"
        ).items()
    }
    return load(file).with_values(values)


body_option = click.option(
    "--body", is_flag=True, help="Of --format latex the sections alone, to be put in."
)


def check_body(body: bool, kind: str) -> None:
    """Refuse the body of what is no LaTeX document."""
    if body and kind != "latex":
        raise click.UsageError("--body is for --format latex.")


def parse_assignments(
    arguments: Sequence[str], option: str, example: str
) -> dict[str, str]:
    """Split ``NAME=VALUE`` arguments at their first equals sign.

    Raises
    ------
    InputError
        No name, no value, or the same name twice.

    Examples
    --------
    >>> parse_assignments(["ridge.penalty = 1e-3"], "--set", "ridge.penalty=1")
    {'ridge.penalty': '1e-3'}
    """
    values: dict[str, str] = {}
    for argument in arguments:
        name, _, text = (part.strip() for part in argument.partition("="))
        if not name or not text:
            raise InputError(
                option, argument, f"write NAME=VALUE, for example {example}"
            )
        if name in values:
            raise InputError(option, argument, f"{name} is already given")
        values[name] = text
    return values


def check_suffix(path: str | None, option: str, suffixes: Sequence[str]) -> Path | None:
    """Refuse a file to write that has another suffix, no folder, or is protected.

    Raises
    ------
    InputError
        Before anything is computed.
    """
    if path is None:
        return None
    file = Path(path)
    if file.suffix.lower() not in suffixes:
        raise InputError(option, path, f"the name must end in {' or '.join(suffixes)}")
    if not file.parent.is_dir():
        raise InputError(option, path, f"there is no folder {file.parent}")
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise InputError(option, path, "cannot be written")
    return file


def do_all(*jobs: Callable[[], object]) -> None:
    """Do everything; raise the first failure of the machine after the last of them.

    What one file loses, another may still hold.
    """
    failures = []
    for job in jobs:
        try:
            job()
        except OSError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def is_whole(text: str) -> bool:
    """Whether a text is a whole number in plain digits, and no astronomical one."""
    return text.isascii() and text.isdecimal() and len(text) < 10


def decimal(value: mpmath.mpf, digits: int) -> str:
    """Write a number with `digits` significant digits, in plain decimals.

    Examples
    --------
    >>> from mpmath import mpf
    >>> decimal(mpf(2) / 3, 4), decimal(mpf("1e-9"), 3)
    ('0.6667', '1.00e-9')
    """
    import mpmath

    return str(mpmath.nstr(value, digits, strip_zeros=False))


def say_width(width: int | None = None, *, err: bool = False) -> None:
    """Say of what the numbers above are."""
    of = (
        "the limit of infinite width" if width is None else f"networks of {width} units"
    )
    click.echo(f"of {of}", err=err)


def print_json(values: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    click.echo(json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False))
