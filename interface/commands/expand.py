"""``detequiv expand``: how a quantity behaves near a place, in powers."""

from __future__ import annotations

from typing import Any

import click

import detequiv as de
from detequiv.shell.options import (
    body_option,
    check_body,
    decimal,
    json_option,
    print_json,
    say_width,
    takes_problem,
)

__all__ = ["command"]


@click.command
@takes_problem
@click.option(
    "--in",
    "parameter",
    required=True,
    metavar="NAME",
    help="The number that moves, such as ridge.penalty.",
)
@click.option(
    "--at",
    default="0",
    show_default=True,
    metavar="PLACE",
    help="A number, or oo; a + or - after it asks for one side.",
)
@click.option(
    "--order",
    type=int,
    default=3,
    show_default=True,
    metavar="N",
    help="Number of terms that do not vanish.",
)
@click.option(
    "--quantity",
    default="generalization_error",
    show_default=True,
    metavar="Q",
    help="What to expand.",
)
@click.option(
    "--digits",
    type=int,
    default=30,
    show_default=True,
    metavar="D",
    help="Significant digits of every coefficient.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "latex"]),
    default="text",
    show_default=True,
    help="Plain text, or a LaTeX document with the expansion as a proposition.",
)
@body_option
@json_option
def command(
    problem: de.Problem,
    parameter: str,
    at: str,
    order: int,
    quantity: str,
    digits: int,
    kind: str,
    body: bool,
    as_json: bool,
) -> None:
    """Expand a quantity of the problem in FILE in powers of one of its numbers.

    Exponents are found, not assumed, and the expansion is checked at scales from which
    no coefficient was found.
    """
    check_body(body, kind)
    found = de.expand(
        problem, parameter, at=at, order=order, quantity=quantity, digits=digits
    )
    if as_json:
        print_json(_as_json(found))
    elif kind == "latex":
        click.echo(found.document(body=body), nl=False)
    else:
        click.echo(found.text())
        say_width()


def _as_json(found: de.Expansion) -> dict[str, Any]:
    """Lay out exponents and coefficients as text."""
    return {
        "quantity": found.quantity,
        "parameter": found.parameter,
        "at": str(found.at),
        "side": found.side,
        "terms": [[str(e), decimal(c, found.digits)] for e, c in found.numbers],
        "exact_terms": found.closed and [[str(e), str(c)] for e, c in found.terms],
        "next_exponent": str(found.next_exponent),
        "exact": found.exact,
        "digits": found.digits,
        "note": found.note,
    }
