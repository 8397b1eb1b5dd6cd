"""Figures: labelled axes with normalisations, theory as lines, simulation as points."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from detequiv.formats.suffixes import FIGURES
from detequiv.theory.errors import InputError

__all__ = [
    "COLOURS",
    "draw_limit",
    "draw_simulation",
    "draw_theory",
    "figure_of",
    "log_scale",
    "new_axes",
    "save",
]

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
    if suffix not in FIGURES:
        raise InputError("path", path, f"the name must end in {' or '.join(FIGURES)}")
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


def draw_limit(ax: Axes, x: NDArray[Any], y: NDArray[Any], *, colour: str) -> None:
    """Draw the limit of infinite width beside the theory of a width: a dashed line."""
    ax.plot(x, y, "--", color=colour, linewidth=1.1, alpha=0.6, zorder=1)


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


def log_scale(ax: Axes, direction: Literal["x", "y"], values: NDArray[Any]) -> None:
    """Make an axis logarithmic, with plain numbers where they are short enough."""
    ax.set(**{f"{direction}scale": "log"})
    if values.max() < 1000 * values.min() and 1e-3 < values.max() < 1e4:
        axis = ax.xaxis if direction == "x" else ax.yaxis
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
