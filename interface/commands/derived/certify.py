"""``detequiv certify``: balls that provably contain the exact values."""

from __future__ import annotations

import click

import detequiv as de
from detequiv.shell.options import digits_option, json_option, print_json, takes_problem

__all__ = ["command"]


@click.command
@takes_problem
@digits_option
@json_option
def command(problem: de.Problem, digits: int, as_json: bool) -> None:
    """Prove the digits of every quantity of the problem in FILE."""
    found = de.certify(problem, digits=digits)
    if as_json:
        balls = {name: list(ball.texts()) for name, ball in found.balls.items()}
        print_json(
            balls | {"g": [list(b.texts()) for b in found.g], "digits": found.digits}
        )
        return
    for name, ball in found.balls.items():
        click.echo(f"{name:<22}{ball}")
    click.echo("theorems about the equations in the limit of infinite width")
