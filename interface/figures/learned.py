"""The figure of what was learned of the projection, beside the target."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from detequiv.figures.style import COLOURS, draw_theory, figure_of, new_axes

__all__ = ["plot_contours", "plot_learned"]

LEVELS = 20  # of contours, about


def plot_learned(
    kappa: NDArray[Any], learned: NDArray[Any], target: NDArray[Any]
) -> Figure:
    """Draw a learned function, and what it is to approach."""
    ax = new_axes()
    ax.plot(kappa, target, "--", color="#333333", label=r"target, $E[y\,|\,\kappa]$")
    draw_theory(ax, kappa, learned, colour=COLOURS[0], label="learned")
    ax.set(
        xlabel=r"projection on the spike, $\kappa=\langle v,x\rangle$",
        ylabel=r"learned function,  $\mathrm{E}\,[f(x)\,|\,\kappa]$",
    )
    ax.legend()
    return figure_of(ax)


def plot_contours(
    kappa: NDArray[Any], learned: NDArray[Any], target: NDArray[Any]
) -> Figure:
    """Draw a learned function of two projections beside what it is to approach.

    Parameters
    ----------
    kappa : (n,) array
        Values of each projection.
    learned, target : (n, n) array
        Rows are values of the first projection.
    """
    size = max(abs(learned).max(), abs(target).max()) or 1.0
    levels = MaxNLocator(LEVELS, symmetric=True).tick_values(-size, size)
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for ax, values, title in zip(
        panels, (learned, target), ("learned", "target"), strict=True
    ):
        drawn = ax.contourf(kappa, kappa, values.T, levels=levels, cmap="RdBu_r")
        ax.set(title=title, xlabel=r"$\kappa_1$", aspect="equal")
    panels[0].set_ylabel(r"$\kappa_2$")
    figure.colorbar(drawn, ax=panels, shrink=0.8)
    return figure
