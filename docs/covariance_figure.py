"""Draw docs/covariance.svg: ``python docs/covariance_figure.py``."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import detequiv as de

DIMENSION, DRAWS = 100, 8
THEORY = list(np.geomspace(0.2, 5, 16))
DRAWN = list(np.geomspace(0.2, 5, 5))

spectra = {
    "isotropic": None,
    "two levels": de.Inputs(eigenvalues=[2.8, 0.4], weights=[0.25, 0.75]),
    "power law, $i^{-0.45}$": de.Inputs(
        power_law={"exponent": 0.45, "levels": DIMENSION}
    ),
}
layers = {
    "random features": {"features": de.SpikedFeatures(activation="relu", spike=0)},
    "after one step": {
        "network": de.Network(activation="relu", readout=[1, -1], step=2)
    },
}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, (title, layer) in zip(axes, layers.items(), strict=True):
    for name, inputs in spectra.items():
        problem = de.Problem(
            **layer,
            inputs=inputs,
            target=de.Target(function="z + (z**2 - 1)/2", noise="1/5"),
            ridge=de.Ridge(samples_per_dim=1, width_per_dim=3, penalty="1/20"),
        )
        vary = "ridge.samples_per_dim"
        theory = de.curve(problem, {vary: THEORY})
        (line,) = ax.plot(THEORY, theory.values("generalization_error"), label=name)
        drawn = de.curve(problem, {vary: DRAWN}).simulate(
            dimension=DIMENSION, repetitions=DRAWS, rng=0
        )
        mean, error = drawn.simulated("generalization_error")
        ax.errorbar(
            DRAWN, mean, error, fmt="o", ms=4, capsize=3, color=line.get_color()
        )
    ax.set(xscale="log", title=title, xlabel="samples per dimension, $n/d$")
    ax.set_xticks([0.2, 0.5, 1, 2, 5], labels=["0.2", "0.5", "1", "2", "5"])
axes[0].set_ylabel("generalisation error")
axes[0].legend(fontsize="small")
figure.savefig(Path(__file__).with_name("covariance.svg"), metadata={"Date": None})
