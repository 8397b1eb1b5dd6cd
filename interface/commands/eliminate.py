"""``detequiv eliminate``: one polynomial for a problem that closes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

import detequiv as de
from detequiv.shell.options import (
    body_option,
    changes_option,
    check_body,
    decimal,
    json_option,
    parse_assignments,
    print_json,
    read_problem,
)

__all__ = ["command"]


@click.command
@click.argument("file", metavar="[FILE]", required=False)
@click.option(
    "--groups",
    type=int,
    metavar="1",
    help="Untrained features with a symbol for every number, instead of FILE.",
)
@click.option(
    "--levels",
    type=int,
    metavar="L",
    help="Ridge regression on Gaussian data with a symbol for every number: isotropic "
    "for 0, with so many eigenvalues of the covariance otherwise.",
)
@click.option(
    "--unknown",
    default="g_1",
    show_default=True,
    metavar="NAME",
    help="What the polynomial is of: g_1, resolvent_trace, generalization_error, ...",
)
@click.option(
    "--symbol",
    "symbols",
    multiple=True,
    metavar="NAME",
    help="Leave a number of FILE as a symbol, such as ridge.penalty. Repeatable.",
)
@click.option(
    "--at",
    "numbers",
    multiple=True,
    metavar="NAME=VALUE",
    help="A number for a symbol, such as alpha=2. Repeatable.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "latex", "python"]),
    default="text",
    show_default=True,
    help="Plain text, a LaTeX document, or a Python module that needs nothing else.",
)
@click.option(
    "--digits",
    type=int,
    metavar="D",
    help="Significant decimal digits of the root with --json; 50 by default.",
)
@body_option
@json_option
@changes_option
def command(
    file: str | None,
    groups: int | None,
    levels: int | None,
    unknown: str,
    symbols: Sequence[str],
    numbers: Sequence[str],
    kind: str,
    digits: int | None,
    body: bool,
    as_json: bool,
    changes: Sequence[str],
) -> None:
    """Eliminate all unknowns but one, where the average over kappa closes.

    That is without a spike, or for an affine activation: FILE, or any such features
    with --groups 1.
    """
    if sum(given is not None for given in (file, groups, levels)) != 1:
        raise click.UsageError("Give a FILE, or --groups 1, or --levels.")
    check_body(body, kind)
    if file is None and (changes or symbols):
        raise click.UsageError("--set and --symbol need a FILE.")
    if digits is not None and not as_json:
        raise click.UsageError("--digits is for --json; on paper a root has 50.")
    problem = None if file is None else read_problem(file, changes)
    relation = de.eliminate(
        problem, groups=groups, levels=levels, unknown=unknown, symbols=symbols
    )
    if numbers:
        relation = relation.at(parse_assignments(numbers, "--at", "alpha=2"))
    if as_json:
        print_json(_as_json(relation, 50 if digits is None else digits))
        return
    if kind == "latex":
        click.echo(relation.latex(body=body), nl=False)
    else:
        written = relation.python if kind == "python" else relation.text
        click.echo(written(), nl=False)


def _as_json(relation: de.Relation, digits: int) -> dict[str, Any]:
    """Lay out a relation; the root is null where symbols are left."""
    root = None if relation.parameters else relation.root(digits)
    return {
        "unknown": str(relation.unknown),
        "polynomial": str(relation.polynomial.as_expr()),
        "discriminant": str(relation.discriminant()),
        "degree": relation.polynomial.degree(),
        "root": None if root is None else decimal(root, digits),
        "digits": None if root is None else digits,
        "reported": None
        if root is None
        else {
            name: decimal(value, digits)
            for name, value in relation.evaluate(digits).items()
        },
        "quantities": {name: str(value) for name, value in relation.quantities.items()},
        "values": {str(name): str(value) for name, value in relation.values.items()},
    }
