"""Draw docs/directions.svg, one step against two: ``docs/directions_figure.py``."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import detequiv as de
from detequiv.numerics.solving import solve_at_width
from detequiv.validation.trial import simulate

DIMENSION, DRAWS = 150, 16
STAIR = "z1 + z1*z2"
SAMPLES = [1, 3, 8, 16]
EDGE = np.linspace(-2.5, 2.5, 61)


def network(steps: int) -> de.Problem:
    """Three groups of relu units after so many steps on the staircase."""
    return de.Problem(
        network=de.Network(
            activation="relu",
            readout=[1, "-1/2", 2],
            weights=["3/10", "3/10", "2/5"],
            step=1,
            steps=steps,
        ),
        target=de.Target(function=STAIR, noise="3/10"),
        ridge=de.Ridge(samples_per_dim=8, width_per_dim=2, penalty="1/10"),
    )


figure = plt.figure(figsize=(8, 6.2), layout="constrained")
upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.15])
panels = upper.subplots(1, 3, sharey=True)
grid = np.stack(np.meshgrid(EDGE, EDGE, indexing="ij"), -1)
maps = {
    "one step": de.learned_function(de.solve(network(1)), grid),
    "two steps": de.learned_function(de.solve(network(2)), grid),
    "target": de.target_function(network(1), grid),
}
for ax, (name, values) in zip(panels, maps.items(), strict=True):
    drawn = ax.contourf(
        EDGE,
        EDGE,
        values.T,
        levels=np.linspace(-8, 8, 17),
        cmap="RdBu_r",
        extend="both",
    )
    ax.set(title=name, xlabel="$z_1$", aspect="equal")
panels[0].set_ylabel("$z_2$")
upper.colorbar(drawn, ax=panels, shrink=0.8)

axes = lower.subplots()
for steps, colour in ((1, "C0"), (2, "C1")):
    problem = network(steps)
    name = "ridge.samples_per_dim"
    samples = np.geomspace(0.8, 20, 25)
    curve = de.curve(problem, {name: samples})
    label = "one step" if steps == 1 else "two steps"
    axes.plot(samples, curve.values("excess_error"), colour, label=label)
    points = [problem.with_values({name: s}) for s in SAMPLES]
    width = 2 * DIMENSION
    at_width = [float(solve_at_width(p, width).excess_error) for p in points]
    axes.plot(SAMPLES, at_width, "o", color=colour, mfc="none")
    draws = [simulate(p, dimension=DIMENSION, repetitions=DRAWS, rng=0) for p in points]
    means = [draw.mean["excess_error"] for draw in draws]
    errors = [draw.standard_error["excess_error"] for draw in draws]
    axes.errorbar(SAMPLES, means, errors, fmt="x", color=colour, capsize=3)
    for row in zip(SAMPLES, means, errors, at_width, strict=True):
        print(label, *(f"{v:.4f}" for v in row))
axes.set(xscale="log", xlabel=r"samples of the fit, $n/d$", ylabel="excess error")
axes.legend()
figure.savefig(Path(__file__).with_name("directions.svg"), metadata={"Date": None})
