"""``detequiv solve``: one point, to as many digits as asked for."""

from __future__ import annotations

from typing import Any

import click

import detequiv as de
from detequiv.formats.quantities import DEFINITIONS
from detequiv.shell.options import (
    decimal,
    json_option,
    print_json,
    takes_problem,
    width_option,
)
from detequiv.shell.usual_width import USUAL, at_usual_width, say_usual_width

__all__ = ["command"]


@click.command
@takes_problem
@click.option(
    "--digits",
    type=int,
    metavar="D",
    help="Significant decimal digits, every one vouched for; 15 by default, and those "
    "that float64 gives after a step on a batch or with a loss other than the square.",
)
@width_option
@json_option
def command(
    problem: de.Problem, digits: int | None, width: int | None, as_json: bool
) -> None:
    """Solve the problem in FILE."""
    from detequiv.theory.problem import remark

    solution = de.solve(problem, digits=digits, width=width)
    usual = at_usual_width(problem) if as_json or width is None else None
    if as_json:
        print_json(_as_json(solution) | {"width": width, f"at_width_{USUAL}": usual})
    else:
        _print_table(solution)
        if width is None and usual is not None:
            say_usual_width(solution, usual)
    if note := remark(problem):
        click.echo(f"note: {note}", err=True)


def _as_json(solution: Any) -> dict[str, Any]:
    """Lay out a solution as the contract of ``solve --json`` has it."""
    from detequiv.numerics.solving import reported

    def text(value: Any) -> str:
        return decimal(value, solution.digits)

    return {
        **{name: solution.text(name) for name in reported(solution.problem)},
        "g": [text(v) for v in solution.g],
        "A": [[text(v) for v in row] for row in solution.A],
        "learned": {
            "m": [text(v) for v in solution.m],
            "t": [text(v) for v in solution.t],
        },
        "digits": solution.digits,
        "residual": decimal(solution.residual, 2),
        "equations": solution.equations,
    }


def _print_table(solution: Any) -> None:
    """Print the quantities with what they mean."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from detequiv.numerics.solving import reported

    table = Table(box=SIMPLE, pad_edge=False, title_justify="left")
    table.add_column("quantity", no_wrap=True)
    table.add_column("value", no_wrap=True)
    table.add_column("definition", style="dim")
    for name in reported(solution.problem):
        table.add_row(name, solution.text(name), escape(DEFINITIONS[name]))
    console = Console(soft_wrap=True) if solution.digits > 40 else Console()
    console.print(table)
    what = "the limit" if solution.width is None else f"{solution.width} units"
    console.print(
        f"{solution.digits} digits vouched for, of {what}; residual of the "
        f"{solution.equations} "
        f"equations {decimal(solution.residual, 2)}",
        style="dim",
        highlight=False,
    )
