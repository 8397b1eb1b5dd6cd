"""The figure of what was learned of the projection, beside the target."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from detequiv.figures.style import COLOURS, draw_theory, figure_of, new_axes

__all__ = ["plot_learned"]


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
