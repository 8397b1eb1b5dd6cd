"""Draw the findings: ``python figures.py [NAME ...]``. Simulation at d = 200."""

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from prove import ASTRAY, IDLE, NOISE, ONE, PENALTY, SAMPLES, TRAINED, UNTRAINED, WIDTH

import detequiv as de
from detequiv.figures.style import COLOURS, STYLE, save
from detequiv.formats.quantities import PARAMETER_LABELS

HERE = Path(__file__).parent
DIMENSION, REPETITIONS = 200, 10
LABELS = {
    "generalization_error": "test error",
    "training_error": "training error",
}


def at(problem: de.Problem, name: str, value: object) -> de.Problem:
    """Change one number."""
    return problem.with_values({name: value})


def lines(
    problem: de.Problem, name: str, values: list[object]
) -> dict[str, de.Problem]:
    """One line for each value of a parameter."""
    return {f"{PARAMETER_LABELS[name]} = {v}": at(problem, name, v) for v in values}


STEPS = {"one step": TRAINED, "no step": UNTRAINED}
WIGGLY = {k: at(p, PENALTY, "1/1000") for k, p in STEPS.items()}
# picture: what moves, from where to where, quantity, lines
PICTURES: dict[str, tuple[str, float, float, str, dict[str, de.Problem]]] = {
    "peak": (
        SAMPLES, 0.4, 6, "generalization_error",
        lines(UNTRAINED, PENALTY, ["1/1000", "1/50"]),
    ),
    "no-peak": (
        SAMPLES, 0.5, 5, "generalization_error",
        lines(UNTRAINED, PENALTY, ["1/10", "1/3", "1"]),
    ),
    "border": (
        SAMPLES, 0.45, 0.8, "generalization_error",
        lines(UNTRAINED, PENALTY, ["1/20", "13/200", "1/10"]),
    ),
    "neurons": (
        WIDTH, 0.5, 5, "generalization_error",
        lines(TRAINED, PENALTY, ["1/1000", "1/5"]),
    ),
    "step-helps": (SAMPLES, 0.5, 5, "generalization_error", STEPS),
    "step-hurts": (
        SAMPLES, 0.5, 5, "generalization_error",
        {"one step astray": ASTRAY, "no step": UNTRAINED},
    ),
    "step-overfits": (SAMPLES, 0.5, 5, "generalization_error", WIGGLY),
    "idle-units": (
        SAMPLES, 0.5, 5, "generalization_error",
        {"all units trained": ONE, "half of them": IDLE},
    ),
    "noise": (
        PENALTY, 0.05, 5, "excess_error",
        lines(UNTRAINED, NOISE, ["0", "3/10", "3/2", "2"]),
    ),
    "training": (
        SAMPLES, 0.5, 5, "training_error",
        lines(TRAINED, PENALTY, ["1/10", "1"]),
    ),
}  # fmt: skip


def draw(name: str) -> None:
    """Theory as lines, simulation as points with three standard errors."""
    moving, low, high, quantity, problems = PICTURES[name]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 3.2), layout="constrained")
        ax: Any = figure.add_subplot()
        for colour, (label, problem) in zip(COLOURS, problems.items(), strict=False):
            fine, few = (
                [float(f"{v:.4g}") for v in np.geomspace(low, high, count)]
                for count in (61, 7)
            )
            values = de.curve(problem, vary={moving: fine}).values(quantity)
            ax.plot(fine, values, color=colour, label=label)
            for k, value in enumerate(few):
                found = de.simulate(
                    at(problem, moving, value),
                    dimension=DIMENSION,
                    repetitions=REPETITIONS,
                    rng=k,
                )
                mean, error = found.mean[quantity], found.standard_error[quantity]
                ax.errorbar(value, mean, 3 * error, fmt=".", color=colour, capsize=2)
        ax.set(xscale="log", xlabel=PARAMETER_LABELS[moving])
        ax.set(ylabel=LABELS.get(quantity, "excess error"))
        if name in ("peak", "step-overfits", "neurons"):
            ax.set(yscale="log")
        ax.legend()
        save(figure, HERE / f"{name}.svg")


if __name__ == "__main__":
    for each in sys.argv[1:] or PICTURES:
        draw(each)
