"""Figures: labelled axes with normalisations, theory as lines, simulation as points."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from detequiv.formats.quantities import PARAMETER_LABELS, QUANTITY_LABELS, TITLES
from detequiv.theory.errors import InputError
from detequiv.theory.functions import value_text

if TYPE_CHECKING:
    from detequiv.results.curves import Curve

__all__ = [
    "COLOURS",
    "SUFFIXES",
    "draw_simulation",
    "draw_theory",
    "figure_of",
    "log_scale",
    "new_axes",
    "plot_curve",
    "save",
]

SUFFIXES = (".svg", ".png", ".pdf")
# Okabe and Ito's palette, told apart with every kind of colour vision.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#333333")
STYLE: Any = {  # matplotlib types its keys as literals
    "axes.axisbelow": True,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.labelsize": 10.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "figure.dpi": 150,
    "figure.facecolor": "white",
    "font.size": 10,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "svg.hashsalt": "detequiv",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}


def new_axes(width: float = 6.4, height: float = 4.2) -> Axes:
    """Make a figure with one pair of axes, in inches."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure.add_subplot()


def figure_of(ax: Axes) -> Figure:
    """Figure that holds these axes."""
    figure = ax.figure
    while isinstance(figure, SubFigure):
        figure = figure.figure
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as SVG, PNG or PDF, by the suffix; the same bytes every time.

    Raises
    ------
    InputError
        Another suffix.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError("path", path, f"the name must end in {' or '.join(SUFFIXES)}")
    dated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with mpl.rc_context(STYLE):
        figure.savefig(path, dpi=150, metadata=dated.get(suffix))


def draw_theory(
    ax: Axes,
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    colour: str,
    label: str,
    style: str = "-",
) -> None:
    """Draw theory: a line."""
    ax.plot(x, y, style, color=colour, label=label, linewidth=1.8, zorder=2)


def draw_simulation(
    ax: Axes,
    x: NDArray[Any],
    mean: NDArray[Any],
    error: NDArray[Any],
    *,
    colour: str,
    label: str | None = None,
) -> None:
    """Draw simulation: points with one standard error."""
    ax.errorbar(
        x,
        mean,
        error,
        fmt="o",
        color=colour,
        markerfacecolor="white",
        markersize=4.5,
        markeredgewidth=1.2,
        elinewidth=1.2,
        capsize=2.5,
        label=label,
        zorder=3,
    )


def plot_curve(curve: Curve, names: Sequence[str], ax: Axes | None = None) -> Figure:
    """Draw quantities of a curve; see `detequiv.results.curves.Curve.plot`."""
    first, *others = curve.vary
    x = curve.coordinate(first)
    if x.dtype.kind != "f":
        raise InputError(
            "plot", first, "is not a number; name a varied number first to plot along"
        )
    ax = new_axes() if ax is None else ax
    colours, styles = cycle(COLOURS), ("-", "--", ":", "-.")
    rows = list(product(*(curve.vary[other] for other in others)))
    for column, (row, colour) in enumerate(zip(rows, colours, strict=False)):
        for name, style in zip(names, cycle(styles), strict=False):
            if len(rows) == 1:
                colour = COLOURS[list(names).index(name) % len(COLOURS)]
            label = _label(others, row, TITLES[name] if len(names) > 1 else "")
            draw_theory(
                ax,
                x,
                curve.values(name).reshape(len(x), -1)[:, column],
                colour=colour,
                label=label or "theory",
                style="-" if len(rows) == 1 else style,
            )
            if curve.simulation is not None:
                mean, error = (
                    v.reshape(len(x), -1)[:, column] for v in curve.simulated(name)
                )
                draw_simulation(ax, x, mean, error, colour=colour)
    ax.set_xlabel(PARAMETER_LABELS.get(first, first))
    name = names[0]
    ax.set_ylabel(
        f"{TITLES[name]},  {QUANTITY_LABELS[name]}" if len(names) == 1 else "value"
    )
    _scale_axes(ax, x, [curve.values(name) for name in names])
    if curve.simulation is not None:
        done = curve.simulation
        draw_simulation(
            ax, x[:0], x[:0], x[:0], colour="#777777", label="simulation, ±1 s.e."
        )
        ax.set_title(
            f"lines: theory; points: simulation, d = {done.dimension}, "
            f"{done.repetitions} draws a point, seed {done.seed}",
            loc="left",
            fontsize=8.5,
            color="#777777",
        )
    ax.legend(frameon=False)
    return figure_of(ax)


def _label(names: Sequence[str], values: Sequence[Any], title: str) -> str:
    """Name a line by its quantity and the parameters that tell it from the others."""
    parts = [title] if title else []
    for name, value in zip(names, values, strict=True):
        short = name.partition(".")[2].replace("_", " ")
        parts.append(f"{short} = {value_text(value)}")
    return ", ".join(parts)


def _scale_axes(ax: Axes, x: NDArray[Any], curves: Sequence[NDArray[Any]]) -> None:
    """Use a logarithmic axis where numbers are spread that way."""
    if len(x) > 2 and x.min() > 0:
        steps = np.diff(np.log(np.sort(x)))
        if np.ptp(steps) < np.ptp(np.diff(np.sort(x)) / np.ptp(x)):
            log_scale(ax, "x", x)
    values = np.concatenate([y.ravel() for y in curves])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > 30 * values.min():
        log_scale(ax, "y", values)


def log_scale(ax: Axes, direction: Literal["x", "y"], values: NDArray[Any]) -> None:
    """Make an axis logarithmic, with plain numbers where they are short enough."""
    ax.set(**{f"{direction}scale": "log"})
    if values.max() < 1000 * values.min() and 1e-3 < values.max() < 1e4:
        axis = ax.xaxis if direction == "x" else ax.yaxis
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
