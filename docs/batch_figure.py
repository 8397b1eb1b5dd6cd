"""Draw docs/batch.svg, what a finite batch costs: ``python docs/batch_figure.py``."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import detequiv as de
from detequiv.numerics.solving import solve_at_width
from detequiv.validation.trial import simulate

DIMENSION, DRAWS = 200, 12
SIZES = ["1/2", 1, 2, 5, 20, 80]
CASES = {
    "relu, A = (1, -1/2)": ("relu", [1, "-1/2"], 2, "z + He(2, z)/2", "C0"),
    "tanh(z + 1), A = (1, -1)": (
        "tanh(z + 1)",
        [1, -1],
        3,
        "1/2 + z + He(2, z)/2",
        "C1",
    ),
}

figure, axes = plt.subplots(figsize=(6, 3.8), layout="constrained")
for name, (activation, readout, step, target, colour) in CASES.items():
    problem = de.Problem(
        network=de.Network(activation=activation, readout=readout, step=step),
        target=de.Target(function=target, noise="3/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )
    sizes = np.geomspace(0.4, 120, 25)
    curve = de.curve(problem, {"network.batch_per_dim": sizes})
    axes.plot(sizes, curve.values("excess_error"), colour, label=name)
    whole = float(de.solve(problem).excess_error)
    axes.axhline(whole, color=colour, ls=":", lw=1)
    batches = [problem.with_values({"network.batch_per_dim": s}) for s in SIZES]
    places = [float(batch.network.batch_per_dim) for batch in batches]
    width = round(1.5 * DIMENSION)
    at_width = [float(solve_at_width(batch, width).excess_error) for batch in batches]
    axes.plot(places, at_width, "o", color=colour, mfc="none")
    draws = [
        simulate(batch, dimension=DIMENSION, repetitions=DRAWS, rng=0)
        for batch in batches
    ]
    axes.errorbar(
        places,
        [draw.mean["excess_error"] for draw in draws],
        [draw.standard_error["excess_error"] for draw in draws],
        fmt="x",
        color=colour,
        capsize=3,
    )
    for place, draw, theory in zip(places, draws, at_width, strict=True):
        mean = draw.mean["excess_error"]
        error = draw.standard_error["excess_error"]
        print(f"{name} {place:6} {mean:.4f} {error:.4f} {theory:.4f}")
axes.set(xscale="log", xlabel=r"samples of the step, $n_0/d$", ylabel="excess error")
axes.legend(fontsize="small")
figure.savefig(Path(__file__).with_name("batch.svg"), metadata={"Date": None})
