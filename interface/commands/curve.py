"""``detequiv curve``: a product of parameters, theory and simulation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import detequiv as de
from detequiv.formats.suffixes import FIGURES, TABLES
from detequiv.shell.options import (
    changes_option,
    check_suffix,
    do_all,
    is_whole,
    parse_assignments,
    read_problem,
    width_option,
    workers_options,
)
from detequiv.shell.values import parse_values
from detequiv.theory.errors import ConvergenceError, InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from detequiv.results.curves import Curve

__all__ = ["command"]


HELP = """Solve the problem in FILE over a range of parameters.

For example, test error against the number of samples, theory and simulation:

\b
    detequiv curve problem.toml --vary ridge.samples_per_dim=0.2:6:30 \\
        --simulate d=400,reps=20 --out curve.csv --plot curve.svg
"""


@click.command(help=HELP)
@click.argument("file", metavar="FILE")
@changes_option
@click.option(
    "--vary",
    multiple=True,
    metavar="NAME=VALUES",
    help="Parameter to vary: start:stop:count, start:stop:count:log, or v1,v2,... "
    "Repeat for a product; the first is the figure's axis.",
)
@click.option(
    "--digits",
    type=int,
    metavar="D",
    help="Decimal digits, each point solved to them; float64 and its digits otherwise.",
)
@width_option
@click.option(
    "--simulate",
    metavar="d=D,reps=R",
    help="Simulate R draws a point at input dimension D, for example d=400,reps=20.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For --simulate.")
@click.option(
    "--resume",
    metavar="FILE.sqlite",
    help="Keep the draws of --simulate here as they end, and go on from those it has.",
)
@click.option("--out", metavar="FILE.csv", help="Write the table here, not to stdout.")
@click.option("--plot", metavar="FILE", help="Draw a figure: .svg, .png or .pdf.")
@workers_options
def command(
    file: str,
    changes: Sequence[str],
    vary: Sequence[str],
    digits: int | None,
    width: int | None,
    simulate: str | None,
    seed: int,
    resume: str | None,
    out: str | None,
    plot: str | None,
    workers: int | None,
    dask: str | None,
) -> None:
    """Solve a problem over a range of parameters; see `HELP`."""
    store = check_suffix(resume, "--resume", (".sqlite",))
    table = check_suffix(out, "--out", TABLES)
    figure = check_suffix(plot, "--plot", FIGURES)
    draws = None if simulate is None else Draws.parse(simulate, seed, store)
    if draws is None and store is not None:
        raise InputError("--resume", resume, "keeps what --simulate draws; give both")
    values = {
        name: parse_values(f"--vary {name}", text)
        for name, text in parse_assignments(
            vary, "--vary", "ridge.samples_per_dim=0.2:6:60"
        ).items()
    }
    if not values:
        raise InputError(
            "--vary", "(missing)", "name a parameter, as ridge.samples_per_dim=0.2:6:60"
        )
    problem = read_problem(file, changes)
    if figure is not None:
        _check_axis(*next(iter(values.items())))
    if width is None and draws is not None and problem.readout_law is not None:
        # there is no limit to stand beside the theory of the width drawn
        width = round(draws.dimension * float(problem.ridge.width_per_dim))
    if store is not None:
        _check_store(store)
    from detequiv.shell.parallel import workers as open_workers

    with open_workers(workers, dask) as executor:
        theory = {"digits": digits, "width": width}
        failure = _compute(problem, values, theory, draws, executor, table, figure)
    if failure is not None:
        raise ConvergenceError(f"{failure}; the other points are in the table")


@dataclass(frozen=True)
class Draws:
    """What ``--simulate`` asks for."""

    dimension: int
    repetitions: int
    seed: int
    store: Path | None = None

    @classmethod
    def parse(cls, text: str, seed: int, store: Path | None = None) -> Draws:
        """Read ``d=D,reps=R``."""
        given = parse_assignments(text.split(","), "--simulate", "d=400,reps=20")
        if set(given) != {"d", "reps"} or not all(map(is_whole, given.values())):
            raise InputError(
                "--simulate", text, "write d=D,reps=R, whole numbers, as d=400,reps=20"
            )
        draws = cls(int(given["d"]), int(given["reps"]), seed, store)
        if draws.dimension < 2 or draws.repetitions < 2:
            raise InputError(
                "--simulate", text, "d and reps must be at least 2, for an error bar"
            )
        if seed < 0:
            raise InputError("--seed", seed, "must not be negative")
        return draws


def _check_axis(name: str, values: list[Any]) -> None:
    """Refuse a figure whose axis would have no numbers, before anything is solved."""
    from detequiv.theory.functions import exact

    for value in values:
        try:
            exact(
                value[0] if isinstance(value, list) and len(value) == 1 else value, ""
            )
        except InputError:
            raise InputError(
                f"--vary {name}",
                value,
                "is no number for the axis of --plot; vary a number first",
            ) from None


def _check_store(store: Path) -> None:
    """Refuse a file that cannot hold draws, before anything is solved."""
    from detequiv.validation.witness import Store, StoreError

    try:
        Store(store).__exit__(None, None, None)
    except StoreError as error:
        raise InputError("--resume", store, str(error)) from None


def _compute(
    problem: de.Problem,
    values: dict[str, list[Any]],
    theory: dict[str, int | None],
    draws: Draws | None,
    executor: Executor,
    table: Path | None,
    figure: Path | None,
) -> ConvergenceError | None:
    """Solve, simulate and write; return the error of points that failed."""
    from detequiv.shell.progress import progress_bars

    failure = None
    alone = any(theory.values())
    together = not alone and all(name.startswith("ridge.") for name in values)
    with progress_bars() as bar:
        try:
            curve = de.curve(
                problem,
                vary=values,
                **theory,
                executor=None if together else executor,
                progress=bar("theory"),
            )
        except de.IncompleteCurveError as error:
            curve, failure = error.curve, error
        if draws is not None:
            try:
                curve = _simulated(curve, draws, executor, bar("simulation"))
            except (OSError, KeyboardInterrupt) as stopped:
                _write(curve, table, figure)  # theory, which is there already
                if isinstance(stopped, KeyboardInterrupt):
                    click.echo(_how_to_go_on(draws), err=True)
                raise
    _write(curve, table, figure)
    return failure


def _simulated(curve: Curve, draws: Draws, executor: Executor, progress: Any) -> Curve:
    """Simulate at every point."""
    return curve.simulate(
        dimension=draws.dimension,
        repetitions=draws.repetitions,
        rng=draws.seed,
        executor=executor,
        progress=progress,
        store=draws.store,
    )


def _how_to_go_on(draws: Draws) -> str:
    """Say where finished draws are."""
    if draws.store is None:
        return "the draws are lost; with --resume FILE.sqlite they are kept as they end"
    return f"finished draws are in {draws.store}; the same command goes on from them"


def _write(curve: Curve, table: Path | None, figure: Path | None) -> None:
    """Write the table to its file or to standard output, and the figure."""

    def write_table() -> None:
        if table is None:
            sys.stdout.write(curve.to_csv() or "")
            sys.stdout.flush()
            return
        try:
            curve.to_csv(table)
        except OSError:  # what was computed is not lost
            click.echo(curve.to_csv(), nl=False)
            raise
        click.echo(f"wrote {table}", err=True)

    def draw_figure() -> None:
        if figure is not None:
            from detequiv.figures.style import save

            save(curve.plot(), figure)
            click.echo(f"wrote {figure}", err=True)

    do_all(write_table, draw_figure)
