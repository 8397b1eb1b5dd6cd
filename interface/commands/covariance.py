"""``detequiv covariance``: the table [inputs] of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import detequiv as de
from detequiv.shell.options import check_suffix
from detequiv.theory.errors import InputError

__all__ = ["command"]


@click.command
@click.argument("data", metavar="DATA")
@click.option(
    "--target",
    metavar="FILE",
    help="Labels, one a row of DATA; by default the target's power is not measured.",
)
@click.option(
    "--out", metavar="FILE.toml", required=True, help="Where to write the table."
)
def command(data: str, target: str | None, out: str) -> None:
    """Measure the covariance of the rows of DATA, a .csv or .npy file.

    Writes the table [inputs] of a problem file: the eigenvalues of the sample
    covariance and, with labels, the target's power along their eigenvectors. Nothing is
    shrunk: what noise does to both is said beside them.
    """
    from detequiv.formats.problem_file import dump_inputs

    file = check_suffix(out, "--out", [".toml"])
    assert file is not None
    labels = None if target is None else _read(target, "--target")
    found = de.measure_inputs(_read(data, "DATA"), labels)
    lines = [f"n = {found.samples} samples of d = {found.dimension} inputs"]
    if found.samples < 10 * found.dimension:
        lines.append(
            "few samples: eigenvalues of the sample are spread more widely than those "
            "of the inputs"
        )
    if found.explained is not None:
        lines.append(
            f"linear regression explains {found.explained:.4g} of the target's "
            f"variance in this sample; of pure noise it would explain {found.floor:.4g}"
        )
    comments = "".join(f"# {line}\n" for line in lines)
    file.write_text(comments + dump_inputs(found.inputs), "utf-8")
    for line in lines:
        click.echo(line)
    click.echo(f"wrote {file}", err=True)


def _read(name: str, option: str) -> Any:
    """Read an array; the first line of a CSV file may be a header."""
    import numpy as np

    path = Path(name)
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        with path.open(encoding="utf-8") as text:
            first = text.readline()
        header = any(_is_word(cell) for cell in first.split(","))
        return np.loadtxt(path, delimiter=",", skiprows=int(header), ndmin=2)
    except (OSError, ValueError) as error:
        raise InputError(option, name, f"cannot be read: {error}") from None


def _is_word(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return True
    return False
