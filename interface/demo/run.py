"""``make demo``: what one gradient step buys, in theory and in simulation.

Three first layers meet one target with even and odd parts: untrained random features,
features trained with one vocabulary value, and with three.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import detequiv as de
from detequiv.demo.page import write_page
from detequiv.demo.size import Size
from detequiv.figures.style import (
    COLOURS,
    draw_limit,
    draw_simulation,
    draw_theory,
    figure_of,
    log_scale,
    new_axes,
    save,
)
from detequiv.results.curves import Curve
from detequiv.shell.parallel import workers
from detequiv.shell.progress import progress_bars
from detequiv.validation.trial import Elementwise, simulate

__all__ = ["CASES", "PROBLEM", "Work", "main", "make"]

Array = NDArray[np.float64]

PROBLEM = de.Problem(
    features=de.SpikedFeatures(activation="relu", spike=[0]),
    target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
    ridge=de.Ridge(samples_per_dim=4, width_per_dim=2, penalty="1/10"),
)
CASES: dict[str, list[int | str]] = {
    "untrained": [0],
    "one vocabulary value": [2],
    "three vocabulary values": [2, -2, 0],
}
SPIKE, SAMPLES = "features.spike", "ridge.samples_per_dim"
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Work:
    """Where simulations run, and ``bar(title)`` for their progress."""

    executor: Executor
    bar: Callable[[str], Callable[[int, int], None]]


def main() -> None:
    """Make the demonstration and say what it shows."""
    begun, folder = perf_counter(), Path("out/demo")
    with workers() as executor, progress_bars() as bar:
        summary = make(folder, Size(), Work(executor=executor, bar=bar))
    print(f"\n{summary}\n\n{perf_counter() - begun:.0f} s. See {folder}/index.html")


def make(folder: Path, size: Size, work: Work) -> str:
    """Compute everything, write figures, tables and page, and return a summary."""
    folder.mkdir(parents=True, exist_ok=True)
    spikes = list(CASES.values())
    steps = [f"{a:.6g}" for a in np.geomspace(0.6, 8, 41)]
    lines, limits = (
        de.curve(
            PROBLEM,
            {SAMPLES: steps, SPIKE: spikes},
            width=width,
            progress=work.bar("theory"),
        )
        for width in (_units(size), None)
    )
    points = de.curve(PROBLEM, {SAMPLES: size.samples, SPIKE: spikes}).simulate(
        dimension=size.dimension,
        repetitions=size.repetitions,
        rng=SEED,
        executor=work.executor,
        progress=work.bar("test errors"),
    )
    figures = {
        "learning-curves": draw_learning_curves(lines, limits, points),
        "learned-function": draw_learned_functions(size, work),
        "spectrum": draw_spectra(size),
    }
    for name, figure in figures.items():
        save(figure, folder / f"{name}.svg")
    points.to_csv(folder / "learning-curves.csv")
    lines.to_csv(folder / "learning-curves-theory.csv")
    summary = summarise(points)
    write_page(folder, PROBLEM, CASES, size, SEED, summary)
    return summary


def summarise(points: Curve) -> str:
    """Test errors of the three cases at the largest n/d, and how well both agree."""
    name = "generalization_error"
    theory, (mean, error) = points.at_width(name), points.simulated(name)
    largest = float(points.vary[SAMPLES][-1])
    rows = [
        f"  {case:<24} theory {theory[-1, k]:.4f}   "
        f"simulation {mean[-1, k]:.4f} ± {error[-1, k]:.4f}"
        for k, case in enumerate(CASES)
    ]
    typical = float(np.median(np.abs(mean / theory - 1)))
    done = points.simulation
    assert done is not None
    return "\n".join(
        [
            "One target with even and odd parts, three first layers.",
            f"Test error E (y - f)^2 with n = {largest:g} d samples, p = "
            f"{float(PROBLEM.ridge.width_per_dim):g} d units (noise alone: "
            f"{float(PROBLEM.target.noise) ** 2:g}):",
            *rows,
            "An untrained layer learns little but the linear part of the target. One",
            "step puts functions of the learned direction within reach: a vocabulary",
            "of one value gives too few of them, one of three almost enough.",
            f"Theory is that of the width simulated, d = {done.dimension}: half of the "
            f"{theory.size} points",
            f"are within {100 * typical:.1f} % of it. Its limit is dashed.",
        ]
    )


def _units(size: Size) -> int:
    """How many units the simulated networks have."""
    return round(float(PROBLEM.ridge.width_per_dim) * size.dimension)


def draw_learning_curves(lines: Curve, limits: Curve, points: Curve) -> Figure:
    """Test error against n/d: theory of the width and its limit, simulated points."""
    name, ax = "generalization_error", new_axes()
    mean, error = points.simulated(name)
    for k, (case, colour) in enumerate(zip(CASES, COLOURS, strict=False)):
        x, y = lines.coordinate(SAMPLES), lines.values(name)[:, k]
        draw_theory(ax, x, y, colour=colour, label=_label(case))
        draw_limit(ax, x, limits.values(name)[:, k], colour=colour)
        x = points.coordinate(SAMPLES)
        draw_simulation(ax, x, mean[:, k], error[:, k], colour=colour)
    log_scale(ax, "x", lines.coordinate(SAMPLES))
    floor = float(PROBLEM.target.noise) ** 2
    ax.axhline(floor, color="#777777", linestyle=":", label="label noise")
    ax.set(
        ylim=(0, None),
        xlabel="samples per input dimension, $n/d$",
        ylabel=r"generalisation error,  $\mathrm{E}\,(y-f)^2$",
    )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=9)
    return figure_of(ax)


def draw_learned_functions(size: Size, work: Work) -> Figure:
    r"""Target and learned functions of the projection kappa."""
    ax, kappa = new_axes(), np.linspace(-2.5, 2.5, 101)
    target = Elementwise(PROBLEM.target.function)
    ax.plot(kappa, target(kappa), "--", color="#333333", label="target $f_\\star$")
    some = kappa[::10]
    for (case, spike), colour in zip(CASES.items(), COLOURS, strict=False):
        problem = PROBLEM.with_values({SPIKE: spike})
        theory = de.learned_function(de.solve(problem, width=_units(size)), kappa)
        drawn = simulate(
            problem,
            dimension=size.dimension,
            repetitions=size.repetitions,
            rng=SEED,
            executor=work.executor,
            progress=work.bar(f"learned function, {case}"),
            projections=tuple(some),
        )
        draw_theory(ax, kappa, theory, colour=colour, label=_label(case))
        draw_simulation(
            ax, some, drawn.learned, drawn.learned_standard_error, colour=colour
        )
    ax.set(
        xlabel=r"projection on the spike, $\kappa=\langle v,x\rangle$",
        ylabel=r"learned function,  $\mathrm{E}\,[f(x)\,|\,\kappa]$",
    )
    ax.legend()
    return figure_of(ax)


def draw_spectra(size: Size) -> Figure:
    """Density of eigenvalues before and after the step, over those of one matrix."""
    ax, last = new_axes(), list(CASES)[-1]
    for case, colour in zip(("untrained", last), (COLOURS[0], COLOURS[2]), strict=True):
        law = de.spectrum(PROBLEM.with_values({SPIKE: CASES[case]}))
        values, x = law.simulate(dimension=size.large, rng=SEED), law.grid(250)
        edges = np.geomspace(x[0], x[-1], 51)
        count, _ = np.histogram(values, edges)
        height = count / len(values) / np.log(edges[1] / edges[0])
        ax.stairs(height, edges, fill=True, alpha=0.25, color=colour)
        draw_theory(ax, x, x * law.density(x), colour=colour, label=_label(case))
    ax.set(
        xscale="log",
        xlabel=r"eigenvalue $x$ of $\Phi^\top\Phi/n$",
        ylabel=r"density of $\log x$,  $x\,\varrho(x)$",
    )
    ax.legend()
    return figure_of(ax)


def _label(case: str) -> str:
    return f"{case}, $u = {', '.join(map(str, CASES[case]))}$"
