"""``detequiv check``: a conjecture, refuted or proved over whole ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from detequiv.shell.options import (
    changes_option,
    check_suffix,
    do_all,
    json_option,
    parse_assignments,
    print_json,
    read_problem,
    workers_options,
)
from detequiv.theory.errors import InputError

if TYPE_CHECKING:
    import detequiv as de

__all__ = ["command"]

STATUS = {"proved": 0, "counterexample": 1, "undecided": 3}


@click.command
@click.argument("files", metavar="FILE", nargs=-1, required=True)
@changes_option
@click.option(
    "--claim",
    required=True,
    metavar="CLAIM",
    help="Such as 'training_error <= generalization_error'.",
)
@click.option(
    "--over",
    "ranges",
    multiple=True,
    required=True,
    metavar="NAME=LOW:HIGH",
    help="A closed range, such as ridge.penalty=0.01:1. Repeatable.",
)
@click.option(
    "--budget",
    type=float,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Wall time to spend.",
)
@click.option(
    "--resume",
    metavar="FILE",
    help="Keep proved boxes in this file, and go on from those in it.",
)
@click.option("--out", metavar="FILE.html", help="Write a page with the verdict.")
@json_option
@workers_options
@click.pass_context
def command(
    context: click.Context,
    files: Sequence[str],
    changes: Sequence[str],
    claim: str,
    ranges: Sequence[str],
    budget: float,
    resume: str | None,
    out: str | None,
    as_json: bool,
    workers: int | None,
    dask: str | None,
) -> None:
    """Refute a claim about the problem in FILE, or prove it for all of a range.

    With several problems, each given as NAME=FILE, a claim names them:
    a.training_error < b.training_error. Exit status 0 if it is proved, 1 if there is a
    counterexample, 3 if neither was found.
    """
    import detequiv as de
    from detequiv.shell.parallel import workers as open_workers
    from detequiv.shell.progress import progress_bars

    page = check_suffix(out, "--out", (".html",))
    problems = _problems(files, changes)
    over = {name: _ends(name, text) for name, text in _ranges(ranges).items()}
    with open_workers(workers, dask) as executor, progress_bars() as bar:
        advance = bar("percent proved")
        try:
            verdict = de.check(
                problems,
                claim,
                over=over,
                budget=budget,
                executor=executor,
                resume=resume,
                progress=lambda share: advance(round(100 * share), 100),
            )
        except KeyboardInterrupt:
            kept = resume and f"proved boxes are in {resume}; the same command goes on"
            lost = "proved boxes are lost; with --resume FILE they are kept"
            click.echo(kept or lost, err=True)
            raise

    def write() -> None:
        if page is not None:
            from detequiv.pages.conjecture import page as html

            page.write_text(html(verdict), "utf-8")
            click.echo(f"wrote {page}", err=True)

    def show() -> None:
        if as_json:
            print_json(verdict.to_dict())
        else:
            click.echo(_text(verdict))

    do_all(write, show)
    context.exit(STATUS[verdict.verdict])


def _problems(files: Sequence[str], changes: Sequence[str]) -> dict[str, de.Problem]:
    if len(files) == 1:
        return {"": read_problem(files[0], changes)}
    named = parse_assignments(files, "FILE", "a=first.toml b=second.toml")
    return {name: read_problem(file, changes) for name, file in named.items()}


def _ranges(ranges: Sequence[str]) -> dict[str, str]:
    return parse_assignments(ranges, "--over", "ridge.penalty=0.01:1")


def _ends(name: str, text: str) -> tuple[str, str]:
    low, colon, high = text.partition(":")
    if not colon:
        raise InputError(f"--over {name}", text, "write LOW:HIGH")
    return low.strip(), high.strip()


def _text(verdict: de.Verdict) -> str:
    """Say in words what was found."""
    lines = [f"{verdict.verdict}: {verdict.claim}"]
    ranges = ", ".join(
        f"{name} in [{low}, {high}]" for name, (low, high) in verdict.over.items()
    )
    if verdict.counterexample is not None:
        place = ", ".join(f"{n} = {v}" for n, v in verdict.counterexample.items())
        lines.append(f"false at {place}, where")
        lines += [f"  {name} = {ball}" for name, ball in verdict.values.items()]
    elif verdict.open:
        lines.append(
            f"proved on {verdict.proved_fraction:.1%} of {ranges}; {verdict.remark}"
        )
    else:
        lines.append(f"for all {ranges}, by {len(verdict.proved)} boxes")
    lines.append(
        f"{verdict.seconds:.1f} s; a statement about the limit of infinite width"
    )
    return "\n".join(lines)
