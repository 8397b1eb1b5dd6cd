"""Draw docs/scaling.svg: ``python docs/scaling_figure.py``."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import detequiv as de

DIRECTIONS, SINGLE, BINS = 1e9, 300, 400
COUNTS = np.geomspace(10, 1e5, 17)  # of samples, or of units
PENALTIES = np.geomspace(1e-2, 1e4, 49)
NOISE = 0.3
CASES = [(2, 2), (2, 3.5), (2, 6)]  # exponents of the eigenvalues and of the power


def power_law(capacity: float, source: float) -> de.Inputs:
    """Take the first levels one by one, the others together by the percent."""
    i = np.arange(1, SINGLE + 1.0)
    ends = np.geomspace(SINGLE + 0.5, DIRECTIONS, BINS + 1)
    sizes = np.diff(ends)

    def levels(exponent: float) -> np.ndarray:
        tail = np.diff(ends ** (1 - exponent)) / (1 - exponent) / sizes
        return np.concatenate([i**-exponent, tail])

    weights = np.concatenate([np.ones(SINGLE), sizes])
    power = weights * levels(source)
    return de.Inputs(
        eigenvalues=levels(capacity),
        weights=weights / weights.sum(),
        target_power=power / power.sum(),
    )


def errors(problem: de.Problem, vary: dict[str, list[float]]) -> np.ndarray:
    """Excess errors along a curve."""
    return np.array(de.curve(problem, vary).values("excess_error"), float)


def local(values: np.ndarray) -> np.ndarray:
    """Minus the slope between neighbours, in logarithms."""
    return -np.diff(np.log(values)) / np.diff(np.log(COUNTS))


figure, axes = plt.subplots(
    2, 3, figsize=(9.5, 5.6), sharex=True, sharey="row", layout="constrained"
)
middles = np.sqrt(COUNTS[1:] * COUNTS[:-1])
shares = list(COUNTS / DIRECTIONS)
for capacity, source in CASES:
    r = (source - 1) / (2 * capacity)
    inputs = power_law(capacity, source)
    itself = de.Problem(
        inputs=inputs,
        target=de.Target(function="z"),
        ridge=de.Ridge(samples_per_dim=1, width_per_dim=1, penalty=1e-14),
    )
    linear = de.Problem(
        features=de.SpikedFeatures(activation="z", spike=0),
        inputs=inputs,
        target=de.Target(function="z"),
        ridge=de.Ridge(samples_per_dim=0.5, width_per_dim=0.5, penalty=1e-14),
    )
    noisy = itself.with_values({"target.noise": NOISE})
    samples, units = "ridge.samples_per_dim", "ridge.width_per_dim"
    tuned = errors(noisy, {samples: shares, "ridge.penalty": list(PENALTIES)})
    plateau = 2 * capacity * min(r, 1)
    panels = [
        (errors(itself, {samples: shares}), plateau),
        (errors(linear, {units: shares}), 2 * capacity * min(r, 0.5)),
        (tuned.min(1), plateau / (1 + plateau)),
    ]
    for (above, below), (values, published) in zip(axes.T, panels, strict=True):
        (line,) = above.loglog(COUNTS, values, label=f"$r = {r:g}$")
        below.semilogx(middles, local(values), color=line.get_color())
        below.axhline(published, color=line.get_color(), ls=":", lw=1)
        print(f"r = {r:g}: {published:.4f}, {local(values)[10:13].round(4)}")
titles = (
    "samples, no noise",
    "linear features, no noise",
    "samples, noise, best penalty",
)
for ax, title in zip(axes[0], titles, strict=True):
    ax.set(title=title)
for ax, label in zip(axes[1], ("n", "p", "n"), strict=True):
    ax.set(xlabel=f"${label}$")
axes[0, 0].set_ylabel("excess error")
axes[1, 0].set_ylabel("local exponent")
axes[0, 0].legend(fontsize="small")
figure.savefig(Path(__file__).with_name("scaling.svg"), metadata={"Date": None})
