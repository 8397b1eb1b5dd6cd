"""``detequiv derivatives``: how everything reported moves with one number."""

from __future__ import annotations

import click

import detequiv as de
from detequiv.shell.options import (
    decimal,
    digits_option,
    json_option,
    print_json,
    say_limit,
    takes_problem,
)

__all__ = ["command"]


@click.command
@takes_problem
@click.option(
    "--in",
    "name",
    required=True,
    metavar="NAME",
    help="The number to differentiate by, such as ridge.penalty or features.spike[0].",
)
@digits_option
@json_option
def command(problem: de.Problem, name: str, digits: int, as_json: bool) -> None:
    """Differentiate every quantity of the problem in FILE by one of its numbers."""
    found = de.derivatives(problem, name, digits=digits)
    slopes = {quantity: decimal(value, digits) for quantity, value in found.items()}
    if as_json:
        print_json({"in": name, "derivatives": slopes, "digits": digits})
        return
    for quantity, value in slopes.items():
        click.echo(f"d {quantity} / d {name} = {value}")
    say_limit()
