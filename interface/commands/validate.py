"""``detequiv validate``: the theory of a problem, judged by simulations of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from detequiv.shell.options import (
    check_suffix,
    do_all,
    json_option,
    print_json,
    takes_problem,
    workers_options,
)
from detequiv.theory.errors import InputError

if TYPE_CHECKING:
    import detequiv as de
    from detequiv.results.report import Report

__all__ = ["command"]

DISAGREEMENT = 1  # exit status


@click.command
@takes_problem
@click.option(
    "--budget",
    type=float,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Wall time to spend.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the draws."
)
@click.option(
    "--out", metavar="FILE.html", help="Write a report: one page, figures inside."
)
@json_option
@workers_options
@click.pass_context
def command(
    context: click.Context,
    problem: de.Problem,
    budget: float,
    seed: int,
    out: str | None,
    as_json: bool,
    workers: int | None,
    dask: str | None,
) -> None:
    """Compare the theory of the problem in FILE with simulations.

    Exit status 0 if they agree or the budget is too small to tell, which the verdict
    says; 1 if they disagree.
    """
    page = check_suffix(out, "--out", (".html",))
    if seed < 0:
        raise InputError("--seed", seed, "must not be negative")
    report = _validate(problem, budget, seed, workers, dask)

    def write() -> None:
        if page is not None:
            report.to_html(page)
            click.echo(f"wrote {page}", err=True)

    def show() -> None:
        if as_json:
            print_json(report.to_dict())
        else:
            _print_table(report)
        sys.stdout.flush()

    do_all(write, show)
    if report.verdict == "disagree":
        context.exit(DISAGREEMENT)


def _validate(
    problem: de.Problem, budget: float, seed: int, workers: int | None, dask: str | None
) -> Report:
    """Validate with a bar on standard error, if that is a terminal."""
    import detequiv as de
    from detequiv.shell.parallel import workers as open_workers
    from detequiv.shell.progress import progress_bars

    with open_workers(workers, dask) as executor, progress_bars() as bar:
        advance = bar("simulating")
        return de.validate(
            problem,
            budget=budget,
            rng=seed,
            executor=executor,
            advance=lambda fraction: advance(round(budget * fraction), round(budget)),
        )


def _print_table(report: Report) -> None:
    """Print the findings, and what they amount to."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("quantity", no_wrap=True)
    headings = ("theory", "simulation", "s.e.", "z", "detectable", "verdict")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for one in report.quantities:
        numbers: list[Any] = [one.theory, one.simulation, one.standard_error]
        table.add_row(
            one.name,
            *(f"{number:.5g}" for number in numbers),
            f"{one.z:+.2f}",
            f"{one.detectable:.2%}",
            one.verdict,
        )
    console = Console()
    if not console.is_terminal:  # a file has room for all columns
        console.width = 120
    console.print(table)
    console.print(_summary(report), highlight=False)


def _summary(report: Report) -> str:
    """Say in one sentence what was found, at which level, from what."""
    trial = report.trial
    draws = ", ".join(f"{count} at d = {d}" for d, count in trial.draws.items())
    return (
        f"Verdict: {report.verdict} (family-wise error probability {report.level:g}; "
        f"to agree, errors of {trial.judgement.resolution:.0%} must be detectable). "
        f"Draws: {draws}; seed {report.seed}; {trial.seconds:.1f} s."
    )
