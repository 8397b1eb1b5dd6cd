"""``detequiv learned``: the function of the projection that was learned."""

from __future__ import annotations

import click

import detequiv as de
from detequiv.formats.suffixes import FIGURES, TABLES
from detequiv.shell.options import check_suffix, takes_problem, width_option

__all__ = ["command"]


@click.command
@takes_problem
@click.option(
    "--kappa",
    default="-3:3:61",
    show_default=True,
    metavar="START:STOP:COUNT",
    help="Values of the projection, evenly spaced.",
)
@width_option
@click.option("--out", metavar="FILE.csv", help="Write the table here.")
@click.option(
    "--plot",
    metavar="FILE",
    help="Draw learned function and target: .svg, .png or .pdf.",
)
def command(
    problem: de.Problem,
    kappa: str,
    width: int | None,
    out: str | None,
    plot: str | None,
) -> None:
    """Tabulate what the network in FILE has learned of the projection.

    The average of its predictor over inputs with ``<v, x> = kappa``.
    """
    import numpy as np

    from detequiv.figures.learned import plot_learned
    from detequiv.figures.style import save
    from detequiv.numerics.arithmetic import to_float
    from detequiv.shell.values import parse_values
    from detequiv.theory.functions import exact

    table = check_suffix(out, "--out", TABLES)
    figure = check_suffix(plot, "--plot", FIGURES)
    listed = parse_values("--kappa", kappa)
    places = np.array([to_float(exact(v, "--kappa")) for v in listed])
    learned = de.learned_function(de.solve(problem, width=width), places)
    columns = places, learned, de.target_function(problem, places)
    rows = [",".join(f"{v:.10g}" for v in row) for row in zip(*columns, strict=True)]
    text = "\n".join(["kappa,learned,target", *rows]) + "\n"
    if table is None:
        click.echo(text, nl=False)
    else:
        table.write_text(text, "utf-8")
    if figure is not None:
        save(plot_learned(*columns), figure)
    for path in (table, figure):
        if path is not None:
            click.echo(f"wrote {path}", err=True)
