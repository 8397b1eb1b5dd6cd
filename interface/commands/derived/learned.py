"""``detequiv learned``: the function of the projection that was learned."""

from __future__ import annotations

import click

import detequiv as de
from detequiv.formats.suffixes import FIGURES, TABLES
from detequiv.shell.options import check_suffix, say_width, takes_problem, width_option

__all__ = ["command"]


@click.command
@takes_problem
@click.option(
    "--kappa",
    default="-3:3:61",
    show_default=True,
    metavar="START:STOP:COUNT",
    help="Values of the projection, evenly spaced; with two directions, of both.",
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

    from detequiv.figures.learned import plot_contours, plot_learned
    from detequiv.figures.style import save
    from detequiv.numerics.arithmetic import to_float
    from detequiv.shell.values import parse_values
    from detequiv.theory.functions import exact

    table = check_suffix(out, "--out", TABLES)
    figure = check_suffix(plot, "--plot", FIGURES)
    listed = parse_values("--kappa", kappa)
    line = np.array([to_float(exact(v, "--kappa")) for v in listed])
    directions = _directions(problem)
    places = np.stack(np.meshgrid(*[line] * directions, indexing="ij"), -1)
    if not problem.several:
        places = line
    learned = de.learned_function(de.solve(problem, width=width), places)
    target = de.target_function(problem, places)
    columns = [*places.reshape(-1, directions).T, learned.ravel(), target.ravel()]
    rows = [",".join(f"{v:.10g}" for v in row) for row in zip(*columns, strict=True)]
    names = (
        [f"kappa_{i + 1}" for i in range(directions)] if directions > 1 else ["kappa"]
    )
    text = "\n".join([",".join([*names, "learned", "target"]), *rows]) + "\n"
    if table is None:
        click.echo(text, nl=False)
        say_width(width, err=True)
    else:
        table.write_text(text, "utf-8")
    if figure is not None:
        draw = plot_learned if directions == 1 else plot_contours
        save(draw(line, learned.reshape([len(line)] * directions), target), figure)
    for path in (table, figure):
        if path is not None:
            click.echo(f"wrote {path}", err=True)


def _directions(problem: de.Problem) -> int:
    """Count the numbers that kappa has: 1, or 2 that make a grid."""
    from detequiv.numerics.directions import directions_law
    from detequiv.theory.errors import InputError

    count = len(directions_law(problem).spikes[0]) if problem.several else 1
    if count > 2:
        raise InputError(
            "problem", f"{count} directions", "a table has 2; see learned_function"
        )
    return count
