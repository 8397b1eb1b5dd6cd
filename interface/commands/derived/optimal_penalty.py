"""``detequiv optimal-penalty``: the penalty of least error."""

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
from detequiv.shell.usual_width import at_usual_width, say_usual_width

__all__ = ["command"]


@click.command
@takes_problem
@digits_option
@width_option
@json_option
def command(problem: de.Problem, digits: int, width: int | None, as_json: bool) -> None:
    """Find the ridge penalty of least generalisation error for FILE.

    The penalty that stands there does not matter.
    """
    found = de.optimal_penalty(problem, digits=digits, width=width)
    penalty = decimal(found.penalty, digits)
    error = decimal(found.generalization_error, digits)
    if as_json:
        print_json(
            {
                "penalty": penalty,
                "generalization_error": error,
                "digits": digits,
                "width": width,
            }
        )
        return
    click.echo(f"ridge.penalty = {penalty}\ngeneralization_error = {error}")
    say_width(width)
    if width is None and (usual := at_usual_width(found.problem)) is not None:
        say_usual_width(de.solve(found.problem), usual)
