"""``detequiv diagnose``: what an error is made of."""

from __future__ import annotations

from dataclasses import fields

import click

import detequiv as de
from detequiv.shell.options import (
    decimal,
    digits_option,
    json_option,
    print_json,
    say_width,
    takes_problem,
)

__all__ = ["command"]

MEANS = {
    "degrees_of_freedom": "share of the labels that is fitted, tr H / n",
    "generalized_cross_validation": "estimate of the error from the training set",
    "generalization_error": "what it estimates: the sum of the next three",
    "noise": "variance of the label noise",
    "unreachable": "what no readout of these features expresses",
    "estimation": "the price of finite width, finite data and the penalty",
}


@click.command
@takes_problem
@digits_option
@json_option
def command(problem: de.Problem, digits: int, as_json: bool) -> None:
    """Take the generalisation error of the problem in FILE apart."""
    found = de.diagnose(problem, digits=digits)
    names = [field.name for field in fields(found) if field.name != "digits"]
    values = {name: decimal(getattr(found, name), digits) for name in names}
    if as_json:
        print_json(values | {"digits": found.digits})
        return
    for name, value in values.items():
        click.echo(f"{name:<30}{value:<{digits + 8}}{MEANS[name]}")
    say_width()
