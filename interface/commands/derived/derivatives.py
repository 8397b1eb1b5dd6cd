"""``detequiv derivatives``: how everything reported moves with one number."""

from __future__ import annotations

import click

import detequiv as de
from detequiv.shell.options import (
    decimal,
    digits_option,
    json_option,
    print_json,
    say_width,
    takes_problem,
    width_option,
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
@width_option
@json_option
def command(
    problem: de.Problem, name: str, digits: int, width: int | None, as_json: bool
) -> None:
    """Differentiate every quantity of the problem in FILE by one of its numbers."""
    found = de.derivatives(problem, name, digits=digits, width=width)
    slopes = {quantity: decimal(value, digits) for quantity, value in found.items()}
    if as_json:
        print_json(
            {"in": name, "derivatives": slopes, "digits": digits, "width": width}
        )
        return
    for quantity, value in slopes.items():
        click.echo(f"d {quantity} / d {name} = {value}")
    say_width(width)
