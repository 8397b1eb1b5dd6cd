"""Draw docs/spectrum.svg, the growing step: ``python docs/spectrum_figure.py``."""

from pathlib import Path

import matplotlib.pyplot as plt

import detequiv as de
from detequiv.figures.style import save

STEPS = ["0", "1/2", "1", "2", "4"]
DIMENSION = 600

problem = de.Problem(
    network=de.Network(activation="relu", readout=[1, -1], step=1),
    target=de.Target(function="z + He(2, z)"),
    ridge=de.Ridge(samples_per_dim=3, width_per_dim="3/2", penalty=1),
)
width = DIMENSION * 3 // 2
figure, panels = plt.subplots(
    len(STEPS), sharex=True, sharey=True, figsize=(6.4, 9), layout="constrained"
)
for axes, step in zip(panels, STEPS, strict=True):
    law = de.spectrum(problem.with_values({"network.step": step}), width=width)
    law.plot(axes, eigenvalues=law.simulate(dimension=DIMENSION, rng=0))
    axes.set_title(rf"step $\eta$ = {step}")
    axes.set_ylabel("density times $x$")
    axes.label_outer()
    if axes is not panels[0]:
        axes.get_legend().remove()
low, high = zip(*[axes.dataLim.intervalx for axes in panels], strict=True)
panels[0].set_xlim(min(low) / 1.3, max(high) * 1.3)
save(figure, Path(__file__).with_name("spectrum.svg"))
