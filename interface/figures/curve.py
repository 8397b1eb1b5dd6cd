"""The figure of a curve: theory as lines, simulation as points."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import cycle, product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from detequiv.figures.style import (
    COLOURS,
    draw_limit,
    draw_simulation,
    draw_theory,
    figure_of,
    log_scale,
    new_axes,
)
from detequiv.formats.quantities import PARAMETER_LABELS, QUANTITY_LABELS, TITLES
from detequiv.formats.table import Table
from detequiv.theory.errors import InputError
from detequiv.theory.functions import value_text

__all__ = ["plot_curve"]


def plot_curve(
    table: Table,
    names: Sequence[str],
    ax: Axes | None = None,
    *,
    label: str | None = None,
    title: str | None = None,
    logy: bool = False,
) -> Figure:
    """Draw quantities of a curve; see `detequiv.results.curves.Curve.plot`."""
    first, *others = table.vary
    x = table.coordinate(first)
    if x.dtype.kind != "f":
        raise InputError(
            "plot", first, "is not a number; name a varied number first to plot along"
        )
    ax = new_axes() if ax is None else ax
    drawn = len({line.get_color() for line in ax.lines})
    colours = [COLOURS[(drawn + k) % len(COLOURS)] for k in range(len(COLOURS))]
    styles = ("-", "--", ":", "-.")
    both = _has_both(table, names)
    rows = list(product(*(table.vary[other] for other in others)))
    for column, (row, colour) in enumerate(zip(rows, cycle(colours), strict=False)):
        for name, style in zip(names, cycle(styles), strict=False):
            if len(rows) == 1:
                colour = colours[list(names).index(name) % len(colours)]
            parts = [label or "", TITLES[name] if len(names) > 1 else ""]
            line = _label(others, row, ", ".join(filter(None, parts)))
            along = partial(_column, column=column)
            limit = along(table.values(name))
            draw_theory(
                ax,
                x,
                along(table.at_width(name)) if both else limit,
                colour=colour,
                label=line or "theory",
                style="-" if len(rows) == 1 else style,
            )
            if both:
                draw_limit(ax, x, limit, colour=colour)
            if table.simulation is not None:
                mean, error = map(along, table.simulated(name))
                draw_simulation(ax, x, mean, error, colour=colour)
    ax.set_xlabel(PARAMETER_LABELS.get(first, first))
    name = names[0]
    ax.set_ylabel(
        f"{TITLES[name]},  {QUANTITY_LABELS[name]}" if len(names) == 1 else "value"
    )
    _scale_axes(ax, x, [table.values(name) for name in names], logy)
    note = ""
    if table.simulation is not None:
        done = table.simulation
        draw_simulation(
            ax, x[:0], x[:0], x[:0], colour="#777777", label="simulation, ±1 s.e."
        )
        lines = "theory at the width drawn; dashed: its limit" if both else "theory"
        note = (
            f"lines: {lines}; points: simulation,\n"
            f"d = {done.dimension}, {done.repetitions} draws a point, seed {done.seed}"
        )
    if note and not title:
        ax.set_title(note, loc="left", fontsize=8.5, color="#777777")
    elif title:
        ax.set_title("\n".join(filter(None, [title, note])), loc="left")
    ax.legend(frameon=False)
    return figure_of(ax)


def _has_both(table: Table, names: Sequence[str]) -> bool:
    """Whether there is theory of the width drawn beside its limit, for all points."""
    if table.simulation is None or table.width is not None:
        return False
    return all(np.isfinite(table.at_width(name)).all() for name in names)


def _column(values: NDArray[Any], column: int) -> NDArray[Any]:
    """Values along the first parameter, the others flattened to columns."""
    return values.reshape(len(values), -1)[:, column]


def _label(names: Sequence[str], values: Sequence[Any], title: str) -> str:
    """Name a line by its quantity and the parameters that tell it from the others."""
    parts = [title] if title else []
    for name, value in zip(names, values, strict=True):
        short = name.partition(".")[2].replace("_", " ")
        parts.append(f"{short} = {value_text(value)}")
    return ", ".join(parts)


def _scale_axes(
    ax: Axes, x: NDArray[Any], curves: Sequence[NDArray[Any]], logy: bool
) -> None:
    """Use a logarithmic axis where numbers are spread that way, or where asked to."""
    if len(x) > 2 and x.min() > 0:
        steps = np.diff(np.log(np.sort(x)))
        if np.ptp(steps) < np.ptp(np.diff(np.sort(x)) / np.ptp(x)):
            log_scale(ax, "x", x)
    values = np.concatenate([y.ravel() for y in curves])
    values = values[np.isfinite(values)]
    if logy and values.size and values.min() <= 0:
        raise InputError("logy", float(values.min()), "has no place on such an axis")
    if values.size and values.min() > 0 and (logy or values.max() > 30 * values.min()):
        log_scale(ax, "y", values)
