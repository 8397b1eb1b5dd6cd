"""Draw docs/digits.svg: ``python docs/digits_figure.py``; needs scikit-learn."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import detequiv as de

DRAWS = 60
COUNTS = np.array([20, 32, 48, 64, 96, 128, 192, 320, 500, 800])
WIDTH, PENALTIES = 128, {"0.05": 0.05, "2": 2.0}

images, digit = load_digits(return_X_y=True)
x = images - images.mean(0)
dimension = x.shape[1]
x *= np.sqrt(dimension * len(x)) / np.linalg.norm(x)  # (1/d) tr Sigma = 1
targets = {
    "even or odd": np.where(digit % 2, -1.0, 1.0),
    "0 or another": np.where(digit == 0, 1.0, -1.0),
}


def features(name: str, rng: np.random.Generator) -> np.ndarray:
    """Features of all images, over the square root of their number."""
    if name == "inputs":
        return x / np.sqrt(dimension)
    rows = rng.standard_normal((WIDTH, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    seen = x @ rows.T
    return (np.tanh(seen) if name == "tanh" else seen) / np.sqrt(WIDTH)


def drawn(name: str, y: np.ndarray, count: int, penalty: float) -> np.ndarray:
    """Errors on the images that were not fitted."""
    errors = []
    for seed in range(DRAWS):
        rng = np.random.default_rng([seed, count])
        phi = features(name, rng)
        order = rng.permutation(len(y))
        train, test = order[:count], order[count:]
        kernel = phi[train] @ phi[train].T + penalty * np.eye(count)
        a = phi[train].T @ np.linalg.solve(kernel, y[train])
        errors.append(np.mean((y[test] - phi[test] @ a) ** 2))
    return np.array(errors)


figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.4), sharey=True, layout="constrained")
titles = ("the pixels", "linear features, $p = 2d$", "tanh features, $p = 2d$")
for ax, name, title in zip(axes, ("inputs", "z", "tanh"), titles, strict=True):
    colour = 0
    for label, y in targets.items():
        y = (y - y.mean()) / y.std()
        found = de.measure_inputs(x, y)
        explained = found.explained
        assert explained is not None
        inputs = de.Inputs(
            eigenvalues=found.inputs.eigenvalues,
            target_power=found.inputs.target_power,
            # without it a largest eigenvalue above sqrt(d) is not refused
            dimension=None if name == "tanh" else found.dimension,
        )
        for text, penalty in PENALTIES.items():
            layer = (
                {}
                if name == "inputs"
                else {"features": de.SpikedFeatures(activation=name, spike=0)}
            )
            problem = de.Problem(
                **layer,
                inputs=inputs,
                target=de.Target(
                    function=f"{explained**0.5}*z", noise=(1 - explained) ** 0.5
                ),
                ridge=de.Ridge(
                    samples_per_dim=1,
                    width_per_dim=1 if name == "inputs" else WIDTH / dimension,
                    penalty=text,
                ),
            )
            alphas = list(np.geomspace(COUNTS[0], COUNTS[-1], 40) / dimension)
            at = list(COUNTS / dimension)
            curve = de.curve(problem, {"ridge.samples_per_dim": alphas})
            (line,) = ax.loglog(
                np.array(alphas) * dimension,
                curve.values("generalization_error"),
                color=f"C{colour}",
                label=rf"{label}, $\lambda = {text}$",
            )
            values = [drawn(name, y, n, penalty) for n in COUNTS]
            mean = np.array([v.mean() for v in values])
            error = np.array([v.std(ddof=1) for v in values]) / np.sqrt(DRAWS)
            ax.errorbar(COUNTS, mean, error, fmt="o", ms=3.5, color=line.get_color())
            theory = de.curve(problem, {"ridge.samples_per_dim": at})
            theory = theory.values("generalization_error").astype(float)
            print(f"{name:7} {label:13} {text:5}", (mean / theory - 1).round(3))
            colour += 1
    ax.set(title=title, xlabel="images fitted, $n$")
    ax.minorticks_off()
    ax.set_xticks([20, 50, 100, 200, 500], labels=["20", "50", "100", "200", "500"])
    ax.set_yticks([0.2, 0.3, 0.4, 0.6], labels=["0.2", "0.3", "0.4", "0.6"])
axes[0].set_ylabel("test error over the variance")
axes[0].legend(fontsize="x-small")
figure.savefig(Path(__file__).with_name("digits.svg"), metadata={"Date": None})
