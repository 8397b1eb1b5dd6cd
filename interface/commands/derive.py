"""``detequiv derive``: the equations on paper, or as a Python module."""

from __future__ import annotations

from collections.abc import Sequence

import click

import detequiv as de
from detequiv.shell.options import (
    body_option,
    changes_option,
    check_body,
    read_problem,
)

__all__ = ["command"]


@click.command
@click.argument("file", metavar="[FILE]", required=False)
@click.option(
    "--groups",
    type=int,
    metavar="K",
    help="Derive for any problem with K groups of units, instead of that in FILE.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "latex", "python"]),
    default="text",
    show_default=True,
    help="Plain text, a LaTeX document, or a Python module that needs NumPy alone.",
)
@click.option(
    "--closed-forms",
    is_flag=True,
    help="Write averages of the activation and the target of FILE in closed form.",
)
@body_option
@changes_option
def command(
    file: str | None,
    groups: int | None,
    kind: str,
    closed_forms: bool,
    body: bool,
    changes: Sequence[str],
) -> None:
    """Derive the equations of the problem in FILE, or of K groups."""
    if file is None and groups is None:
        raise click.UsageError("Give a FILE or --groups.")
    if file is None and changes:
        raise click.UsageError("--set needs a FILE whose values it replaces.")
    if kind == "python" and closed_forms:
        raise click.UsageError("--closed-forms is for text and latex.")
    check_body(body, kind)
    problem = None if file is None else read_problem(file, changes)
    derivation = de.derive(problem, groups=groups)
    if kind == "python":
        click.echo(derivation.python(), nl=False)
    elif kind == "latex":
        click.echo(derivation.latex(closed_forms=closed_forms, body=body), nl=False)
    else:
        click.echo(derivation.text(closed_forms=closed_forms), nl=False)
