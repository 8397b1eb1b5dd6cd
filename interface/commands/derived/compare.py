"""``detequiv compare``: which of two problems has the larger error, with proof."""

from __future__ import annotations

import click

import detequiv as de
from detequiv.shell.options import json_option, print_json, read_problem

__all__ = ["command"]

UNDECIDED = 3  # exit status


@click.command
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--quantity",
    default="generalization_error",
    show_default=True,
    help="What is compared.",
)
@click.option(
    "--digits",
    type=int,
    default=40,
    show_default=True,
    metavar="D",
    help="Relative accuracy up to which the two are told apart.",
)
@json_option
def command(first: str, second: str, quantity: str, digits: int, as_json: bool) -> int:
    """Compare a quantity of the problems in two files, with proof.

    Exit status: 0 if one is proved to be larger, 3 if that could not be decided.
    """
    a, b = read_problem(first), read_problem(second)
    order = de.compare(a, b, quantity=quantity, digits=digits)
    if as_json:
        print_json({"quantity": quantity, "order": order})
    elif order == "undecided":
        click.echo(f"{quantity}: equal to {digits} digits, or not told apart")
    else:
        click.echo(
            f"{quantity} of {first} is {order} than that of {second}: proved, in the "
            "limit of infinite width"
        )
    return UNDECIDED if order == "undecided" else 0
