"""``detequiv spectrum``: the limit law of the eigenvalues of learned features."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from math import floor, log10
from typing import Any

import click
import numpy as np
from click.core import ParameterSource

import detequiv as de
from detequiv.formats.suffixes import FIGURES, TABLES
from detequiv.shell.options import (
    check_suffix,
    decimal,
    digits_option,
    do_all,
    is_whole,
    json_option,
    parse_assignments,
    print_json,
    takes_problem,
)
from detequiv.theory.errors import ConvergenceError, InputError

__all__ = ["command"]

PLACE_DIGITS = 12  # of the points at which the density is given, exactly there
FLOAT_DIGITS = 10  # of the density in float64, where its error leaves so many


@click.command
@takes_problem
@click.option(
    "--scale",
    default="n",
    show_default=True,
    metavar="n|p",
    help="What Phi^T Phi is divided by.",
)
@click.option("--points", type=int, default=1000, show_default=True, metavar="N")
@digits_option
@click.option(
    "--width",
    type=int,
    metavar="P",
    help="Number of units whose outliers to give: by default those of --simulate, or "
    "1000.",
)
@click.option("--simulate", metavar="d=D", help="Draw one matrix at input dimension D.")
@click.option("--seed", type=int, default=0, show_default=True, help="For --simulate.")
@click.option("--out", metavar="FILE.csv", help="Write the table x, density here.")
@click.option("--plot", metavar="FILE", help="Draw a figure: .svg, .png or .pdf.")
@json_option
def command(
    problem: de.Problem,
    scale: str,
    points: int,
    digits: int,
    width: int | None,
    simulate: str | None,
    seed: int,
    out: str | None,
    plot: str | None,
    as_json: bool,
) -> None:
    """Spectrum of Phi^T Phi / n or / p, for the features of the problem in FILE.

    Its atom at zero, its support, and its density. The ends of the support have as many
    digits as asked for, and so has the density that is written; without --digits it is
    that of float64, with the digits vouched for, 10 at most.
    """
    asked = click.get_current_context().get_parameter_source("digits")
    table = check_suffix(out, "--out", TABLES)
    figure = check_suffix(plot, "--plot", FIGURES)
    dimension = None if simulate is None else _dimension(simulate)
    if points < 2:
        raise InputError("--points", points, "give at least 2")
    if seed < 0:
        raise InputError("--seed", seed, "must not be negative")
    if width is None:
        beta = float(problem.ridge.width_per_dim)
        width = 1000 if dimension is None else max(1, round(beta * dimension))
    law = de.spectrum(problem, scale=scale, digits=digits, width=width)
    eigenvalues = (
        None if dimension is None else law.simulate(dimension=dimension, rng=seed)
    )
    x, outliers = law.grid(points), _outliers(law)
    precise = asked is not ParameterSource.DEFAULT
    rows = _rows(law, x, precise) if table is not None or as_json else []

    def draw() -> None:
        if figure is not None:
            from detequiv.figures.style import save

            save(law.plot(points=points, eigenvalues=eigenvalues), figure)
            click.echo(f"wrote {figure}", err=True)

    def write() -> None:
        if table is not None:
            with table.open("w", encoding="utf-8", newline="") as file:
                _write_csv(file, rows)
            click.echo(f"wrote {table}", err=True)

    def show() -> None:
        if as_json:
            print_json(_as_json(law, outliers, rows, eigenvalues))
        else:
            _print_summary(law, outliers, x)

    do_all(write, draw, show)


def _dimension(text: str) -> int:
    """Read ``d=D`` of ``--simulate``."""
    given = parse_assignments([text], "--simulate", "d=1000")
    if set(given) != {"d"} or not is_whole(given["d"]):
        raise InputError("--simulate", text, "write d=D, a whole number, as d=1000")
    return int(given["d"])


def _text(value: float) -> str:
    """Write a float64."""
    return f"{value:.{PLACE_DIGITS}g}"


def _rows(law: de.Law, x: Any, precise: bool) -> list[tuple[str, str]]:
    """Points as they are written, and the density at exactly these."""
    places = [_text(v) for v in x]
    if not precise:
        density, error = law.density_with_error(np.array(places, float))
        texts = map(_float_text, density, error)
        return list(zip(places, texts, strict=True))
    exact = law.density(places, digits=law.digits)
    return [(a, _number(b, law)) for a, b in zip(places, exact, strict=True)]


def _float_text(density: float, error: float) -> str:
    """Write the digits of a density that its error leaves, 10 at most."""
    kept = floor(-log10(max(error, 1e-300) / density)) if density > 0 else 0
    return f"{density:.{min(kept, FLOAT_DIGITS)}g}" if kept > 0 else "0"


def _number(value: Any, law: de.Law) -> str:
    """Write a number with the digits of the law; 0 as 0."""
    return decimal(value, law.digits).removeprefix("+") if value else "0"


def _write_csv(file: Any, rows: list[tuple[str, str]]) -> None:
    """Write the density as a table."""
    csv.writer(file, lineterminator="\n").writerows([("x", "density"), *rows])


def _as_json(
    law: de.Law,
    outliers: Sequence[Any] | None,
    rows: list[tuple[str, str]],
    eigenvalues: Any,
) -> dict[str, Any]:
    """Lay out a spectrum as the contract of ``spectrum --json`` has it."""
    from detequiv.numerics.spectrum import OUTLIER_DIGITS

    values: dict[str, Any] = {
        "scale": law.scale,
        "atom_at_zero": _text(law.atom_at_zero),
        "support": [
            {"lower": _end(i.lower, law), "upper": _end(i.upper, law)}
            for i in law.support
        ],
        "outliers": None
        if outliers is None
        else [
            {
                "value": f"{outlier.value:#.{OUTLIER_DIGITS}g}",
                "order": outlier.order,
                "width": outlier.width,
                "multiplicity": outlier.multiplicity,
                "mean_overlaps": _overlaps(outlier.mean_overlaps),
                "latent_overlaps": _overlaps(outlier.latent_overlaps),
            }
            for outlier in outliers
        ],
        "x": [x for x, _ in rows],
        "density": [density for _, density in rows],
    }
    if eigenvalues is not None:
        values["eigenvalues"] = [_text(v) for v in eigenvalues]
    return values


def _overlaps(values: Sequence[float]) -> list[str]:
    """Write squared overlaps to the decimals vouched for."""
    from detequiv.numerics.spectrum import OVERLAP_DECIMALS

    return [f"{v:.{OVERLAP_DECIMALS}f}" for v in values]


def _end(edge: Any, law: de.Law) -> dict[str, str]:
    """Lay out an end of an interval."""
    return {"value": _number(edge.value, law), "kind": edge.kind}


def _outliers(law: de.Law) -> Sequence[Any] | None:
    """Outliers; None where they are not known, with the reason on standard error."""
    try:
        return law.outliers
    except ConvergenceError as error:
        click.echo(f"outliers not known: {error}", err=True)
        return None


def _print_summary(law: de.Law, outliers: Sequence[Any] | None, x: Any) -> None:
    """Print where the law is, in a few lines."""
    from detequiv.numerics.spectrum import OUTLIER_DIGITS

    density = law.density(x)
    mass = np.sum(np.diff(x) * (density[1:] + density[:-1]) / 2)
    click.echo(f"eigenvalues of {law.scale}, the limit law of all p of them")
    click.echo(f"mass at zero     {_text(law.atom_at_zero)}")
    for interval in law.support:
        ends = [
            f"{_number(e.value, law)} ({e.kind})"
            for e in (interval.lower, interval.upper)
        ]
        click.echo(f"support          {' to '.join(ends)}")
    if outliers is None:
        click.echo("outliers         not known")
    for outlier in outliers or ():
        value = f"{outlier.value:#.{OUTLIER_DIGITS}g}"
        click.echo(
            f"outlier          {value} at p = {law.width}, of order {outlier.order}"
        )
    click.echo(f"density drawn    {x[0]:.6g} to {x[-1]:.6g}, mass {mass:.4g}")
