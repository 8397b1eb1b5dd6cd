"""``detequiv separability``: how many samples a readout can separate."""

from __future__ import annotations

import click

import detequiv as de
from detequiv.shell.options import (
    decimal,
    json_option,
    print_json,
    say_width,
    takes_problem,
)

__all__ = ["command"]


@click.command
@takes_problem
@click.option("--digits", type=int, default=8, show_default=True, metavar="D")
@json_option
def command(problem: de.Problem, digits: int, as_json: bool) -> None:
    """Find how many samples a dimension the features in FILE separate.

    Of labels of -1 and 1. The number of samples that stands there, the penalty and the
    loss do not matter.
    """
    threshold = decimal(de.separability_threshold(problem, digits=digits), digits)
    if as_json:
        print_json({"samples_per_dim": threshold, "digits": digits})
        return
    click.echo(f"ridge.samples_per_dim = {threshold}: labels of fewer are separated")
    say_width()
