"""``detequiv solve``: one point, to as many digits as asked for."""

from __future__ import annotations

from typing import Any

import click

import detequiv as de
from detequiv.formats.quantities import DEFINITIONS
from detequiv.shell.options import (
    decimal,
    digits_option,
    json_option,
    print_json,
    takes_problem,
)

__all__ = ["command"]


@click.command
@takes_problem
@digits_option
@json_option
def command(problem: de.Problem, digits: int, as_json: bool) -> None:
    """Solve the problem in FILE."""
    from detequiv.theory.problem import remark

    solution = de.solve(problem, digits=digits)
    if as_json:
        print_json(_as_json(solution))
    else:
        _print_table(solution)
    if note := remark(problem):
        click.echo(f"note: {note}", err=True)


def _as_json(solution: Any) -> dict[str, Any]:
    """Lay out a solution as the contract of ``solve --json`` has it."""

    def text(value: Any) -> str:
        return decimal(value, solution.digits)

    return {
        **{name: solution.text(name) for name in DEFINITIONS},
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
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False, title_justify="left")
    table.add_column("quantity", no_wrap=True)
    table.add_column("value", no_wrap=True)
    table.add_column("definition", style="dim")
    for name, definition in DEFINITIONS.items():
        table.add_row(name, solution.text(name), definition)
    console = Console(soft_wrap=True) if solution.digits > 40 else Console()
    console.print(table)
    console.print(
        f"{solution.digits} digits vouched for; residual of the {solution.equations} "
        f"equations {decimal(solution.residual, 2)}",
        style="dim",
        highlight=False,
    )
