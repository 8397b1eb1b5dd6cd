"""The figure of a spectrum: density, ends and outliers, and one simulated matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from detequiv.figures.style import COLOURS, draw_theory, figure_of, new_axes
from detequiv.numerics.spectrum import Spectrum
from detequiv.theory.errors import ConvergenceError

__all__ = ["plot_spectrum"]

BINS = 60
MARGIN = 0.04  # of the bulk's width, left free on both sides
WIDE = 50.0  # ratio of the ends from which the axis is logarithmic
FAR = 2.0  # how many times the end of the bulk an outlier is from which it is, too
ROOM = 1.3  # left free on both sides of what a logarithmic axis shows


def plot_spectrum(
    law: Spectrum,
    x: NDArray[np.float64],
    eigenvalues: NDArray[np.float64] | None,
    ax: Axes | None,
    label: str | None,
) -> Figure:
    """Draw a spectrum; see `detequiv.results.law.Law.plot`."""
    ax = new_axes() if ax is None else ax
    lines = sum(line.get_linestyle() == "-" for line in ax.lines)
    notes = [f"mass {law.atom_at_zero:.4g} at zero"] if law.atom_at_zero else []
    try:
        outliers = [outlier.value for outlier in law.outliers]
    except ConvergenceError:  # where the support reaches infinity
        outliers = []
        notes.append("outliers not known")
    seen = [float(x[0]), float(x[-1]), *outliers]
    wide = max(seen) > min(WIDE * x[0], FAR * x[-1])
    if wide:
        ax.set_xscale("log")
        ax.set_xlim(min(seen) / ROOM, max(seen) * ROOM)
    # on a logarithmic axis the area that is seen is the density of log x
    height = law.density(x) * (x if wide else 1)
    if eigenvalues is not None:
        edges = _bins(x, wide)
        _draw_histogram(ax, eigenvalues, edges, wide)
        notes += _mark_single(ax, eigenvalues, edges)
    colour = COLOURS[1 + lines % (len(COLOURS) - 1)]
    draw_theory(ax, x, height, colour=colour, label=label or "limit law")
    _mark_ends(ax, law, colour)
    of = f"{label}: " if label else ""
    name = f"{of}outliers at $p$ = {law.width}"
    _mark(ax, outliers, "D", colour if lines else COLOURS[2], name, markersize=5)
    ax.set_ylim(bottom=0)
    scale = law.scale.replace("Phi^T Phi", r"\Phi^\top\Phi\,")
    ax.set_xlabel(f"eigenvalue $x$ of ${scale}$")
    ax.set_ylabel(
        f"density of all $p$ eigenvalues{', times $x$' if wide else ''}",
    )
    if notes:
        ax.set_title("; ".join(notes), loc="left", fontsize=8.5, color="#777777")
    ax.legend(frameon=False)
    return figure_of(ax)


def _mark_ends(ax: Axes, law: Spectrum, colour: str) -> None:
    """Mark the ends of the support on the axis; soft ends are hollow."""
    low, high = ax.get_xlim()
    ends = [end for i in law.support for end in (i.lower, i.upper)]
    for soft in (False, True):
        places = [
            float(end.value)
            for end in ends
            if (end.kind == "soft") == soft and low <= end.value <= high
        ]
        label = f"{'soft ' if soft else ''}ends of the support"
        face = "white" if soft else colour
        _mark(ax, places, "^", colour, label, markersize=6, markerfacecolor=face)


def _mark(
    ax: Axes,
    places: Sequence[float],
    marker: str,
    colour: str,
    label: str,
    **style: Any,
) -> None:
    """Mark places on the axis, under one entry of the legend."""
    if places:
        ax.plot(
            places,
            np.zeros(len(places)),
            marker,
            color=colour,
            label=label,
            clip_on=False,
            zorder=4,
            **style,
        )


def _bins(x: NDArray[np.float64], wide: bool) -> NDArray[np.float64]:
    """Bins a little beyond the bulk on both sides, equal on the axis."""
    low, high = (float(np.log(v)) if wide else float(v) for v in (x[0], x[-1]))
    margin = MARGIN * (high - low)
    edges = np.linspace(low - margin, high + margin, BINS + 1)
    return np.exp(edges) if wide else edges[edges >= 0]


def _draw_histogram(
    ax: Axes, eigenvalues: NDArray[np.float64], edges: NDArray[np.float64], wide: bool
) -> None:
    """Draw a histogram normalised by all eigenvalues."""
    counts, _ = np.histogram(eigenvalues, edges)
    widths = np.diff(np.log(edges)) if wide else np.diff(edges)
    ax.stairs(
        counts / (len(eigenvalues) * widths),
        edges,
        fill=True,
        color=COLOURS[5],
        alpha=0.45,
        label=f"one matrix, $p$ = {len(eigenvalues)}",
    )


def _mark_single(
    ax: Axes, eigenvalues: NDArray[np.float64], edges: NDArray[np.float64]
) -> list[str]:
    """Mark eigenvalues right of the histogram, and say what the axis leaves out."""
    right = eigenvalues[eigenvalues > edges[-1]]
    end = ax.get_xlim()[1]
    shown = right[right <= end]
    if len(shown):
        ax.plot(
            *(shown, 0 * shown, "|"),
            color=COLOURS[0],
            markersize=18,
            zorder=3,
            label="its largest eigenvalues",
        )
    outside = int(np.sum(right > end))
    if not outside:
        return []
    what = "eigenvalue" if outside == 1 else "eigenvalues"
    return [f"{outside} {what} to the right, up to {right.max():.3g}"]
