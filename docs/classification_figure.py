"""Draw docs/classification.svg: ``python docs/classification_figure.py``."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import detequiv as de
from detequiv.figures.style import save

HERE = Path(__file__).parent
SAMPLES = [round(float(v), 3) for v in np.geomspace(0.5, 12, 14)]
NAMES = {
    "classification_error": "classification error",
    "test_loss": "test loss, log(1 + exp(-y f))",
}
LINES = [
    ("logistic", 2, "logistic, one step"),
    ("square", 2, "ridge, one step"),
    ("logistic", 0, "logistic, no step"),
    ("square", 0, "ridge, no step"),
]

problem = de.load(HERE / "classification.toml")
figure, panels = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained")
for loss, step, label in LINES:
    changed = problem.with_values({"ridge.loss": loss, "network.step": step})
    curve = de.curve(changed, vary={"ridge.samples_per_dim": SAMPLES})
    for axes, name in zip(panels, NAMES, strict=True):
        if loss == "square" and name == "test_loss":
            continue
        axes.plot(
            SAMPLES,
            curve.values(name),
            color="C0" if step else "C1",
            linestyle="-" if loss == "logistic" else "--",
            label=label,
        )
for axes, title in zip(panels, NAMES.values(), strict=True):
    axes.set_xscale("log")
    axes.set_xlabel("samples per input dimension, $n/d$")
    axes.set_title(title, loc="left")
    axes.legend(frameon=False)
save(figure, HERE / "classification.svg")
