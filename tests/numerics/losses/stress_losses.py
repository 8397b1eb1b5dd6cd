"""Random fits of all losses over wide ranges, each checked by independent means.

``python stress.py COUNT [--seed S] [--out FILE]`` solves problems S, S + 1, ... and
appends one JSON line for each to FILE; lines that are there are not solved again. Exit
status 1 if any solution is wrong.

The checks share nothing with the solver but its unknowns: proximal maps are written out
or searched, averages are sums over grids in kappa, s and G, and the stationarity
equations are those of the spiked model in matrix form. A fitted loss is no larger than
the envelope, and that no larger than the loss of a fresh sample.
"""

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.special import erf, expit, ndtr

import detequiv as de
from detequiv.numerics.losses import loss_values
from detequiv.theory.errors import DetequivError

Array = NDArray[Any]
ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "erf": erf,
    "sigmoid": expit,
    "softplus": lambda x: np.logaddexp(0, x),
}
LOSSES = ("square", "huber", "logistic", "hinge", "squared_hinge")
ALIGNMENTS = ("1", "7/10", "1/5")
EXACT = 2e-3  # what the grids leave of an equation, in units of its terms
REACH = 8.0


@dataclass(frozen=True)
class Drawn:
    """A random problem and its numbers."""

    problem: de.Problem
    activation: Any
    spike: Array
    bulk: Array
    weights: Array
    alignment: float
    mean: Any
    alpha: float
    beta: float
    ridge: float
    noise: float


def draw(seed: int) -> Drawn:
    """Draw the problem of a seed."""
    rng = np.random.default_rng(seed)

    def spread(low: float, high: float) -> str:
        return f"{np.exp(rng.uniform(np.log(low), np.log(high))):.4g}"

    name = str(rng.choice(list(ACTIVATIONS)))
    loss = str(rng.choice(LOSSES))
    groups = int(rng.integers(1, 5))
    spike = [f"{rng.uniform(-2, 2):.3g}" for _ in range(groups)]
    bulk = [f"{rng.uniform(0.6, 1.4):.3g}" for _ in range(groups)]
    shares = rng.integers(1, 10, groups)
    weights = [f"{share}/{shares.sum()}" for share in shares]
    alignment = str(rng.choice(ALIGNMENTS))
    alpha, beta = spread(0.3, 10), spread(0.3, 5)
    penalty = spread(1e-4, 10)
    kind = "none" if loss == "huber" else str(rng.choice(["sign", "logit"]))
    noise = 0.5 if kind != "logit" else 0.0
    target: dict[str, Any] = {"function": "z", "noise": str(noise), "labels": kind}
    if kind == "logit":
        target["slope"] = 2
    problem = de.Problem(
        features=de.SpikedFeatures(
            activation=name, spike=spike, bulk=bulk, weights=weights
        ),
        target=de.Target(alignment=alignment, **target),
        ridge=de.Ridge(
            samples_per_dim=alpha,
            width_per_dim=beta,
            penalty=penalty,
            loss=loss,
            delta="1/2" if loss == "huber" else None,
        ),
    )
    means = {
        "none": lambda a: a,
        "sign": lambda a: erf(a / noise / np.sqrt(2)),
        "logit": np.tanh,
    }
    return Drawn(
        problem, ACTIVATIONS[name], np.array(spike, float), np.array(bulk, float),
        shares / shares.sum(), float(problem.target.alignment), means[kind],
        float(alpha), float(beta), float(penalty), noise,
    )  # fmt: skip


def panels(ends: Array, order: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights, standard normal density included."""
    nodes, weights = leggauss(order)
    half, middle = np.diff(ends)[:, None] / 2, (ends[1:, None] + ends[:-1, None]) / 2
    x = (middle + half * nodes).ravel()
    return x, (half * weights).ravel() * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def slope_of(loss: str, y: Array, z: Array, chi: Array) -> tuple[Array, Array]:
    """M'(z) and the fitted value, for labels y."""
    if loss == "square":
        slope = 2 * (z - y) / (1 + chi)
    elif loss == "huber":
        slope = 2 * np.clip((z - y) / (1 + chi), -0.5, 0.5)
    elif loss == "squared_hinge":
        slope = -2 * y * np.maximum(0, 1 - y * z) / (1 + chi)
    elif loss == "hinge":
        slope = -y * np.clip(2 * (1 - y * z) / chi, 0, 1)
    else:
        low, high = y * z, y * z + chi / 2  # of y f
        for _ in range(60):
            middle = (low + high) / 2
            above = middle - chi / 2 * expit(-middle) > y * z
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        slope = -y * expit(-(low + high) / 2)
    return slope, z - chi * slope / 2


def value_of(loss: str, y: Array, f: Array) -> Array:
    """Loss itself."""
    if loss == "square":
        return (y - f) ** 2
    if loss == "huber":
        near = np.minimum(np.abs(y - f), 0.5)
        return near * (2 * np.abs(y - f) - near)
    if loss == "logistic":
        return np.logaddexp(0, -y * f)
    short = np.maximum(0, 1 - y * f)
    return short if loss == "hinge" else short**2


def check(drawn: Drawn, known: Any, edges: int = 49) -> list[str]:
    """Say what is wrong with a solution, by so many panels in kappa."""
    d, loss, place = drawn, drawn.problem.ridge.loss, known.found.place
    k = len(d.spike)
    g, norms = place.x[:k], place.multipliers[:k]
    upper = np.triu_indices(k)
    a, s = np.zeros((k, k)), np.zeros((k, k))
    a[upper], s[upper] = place.x[k:], place.multipliers[k:] / d.beta
    a, s = a + np.triu(a, 1).T, s + np.triu(s, 1).T
    # an entry off the diagonal stands for two
    norms = norms * d.weights
    m, t, r = np.split(place.y, 3)
    kappa, density = panels(np.linspace(-REACH, REACH, edges), 6)
    inner, inner_density = panels(np.linspace(-REACH, REACH, 33), 8)
    shift, scale = d.spike[:, None] * kappa, d.bulk[:, None]
    if d.activation is ACTIVATIONS["relu"]:  # whose kink the panels do not know
        low, bell = ndtr(shift / scale), np.exp(-((shift / scale) ** 2) / 2)
        bell = scale * bell / np.sqrt(2 * np.pi)
        c0, c1 = shift * low + bell, scale * low
        cs = (shift**2 + scale**2) * low + shift * bell - c0**2 - c1**2
    else:
        values = d.activation(shift[..., None] + scale[..., None] * inner)
        c0, c1 = values @ inner_density, values @ (inner_density * inner)
        rest = values - c0[..., None] - c1[..., None] * inner
        cs = rest**2 @ inner_density
    h = kappa * c1
    chi = np.maximum((d.weights * g) @ cs + (c1 * (a @ c1)).sum(0) / d.beta, 1e-13)
    spread = np.maximum(norms @ cs + (c1 * (s @ c1)).sum(0), 1e-13)
    across = np.sqrt(1 - d.alignment**2)
    sides, side_density = (np.zeros(1), np.ones(1))
    if across:
        sides, side_density = panels(np.linspace(-6, 6, 9), 5)
    noises, noise_density = np.zeros(1), np.ones(1)
    if not d.problem.target.binary:
        noises, noise_density = panels(np.linspace(-6, 6, 9), 5)
    gauss = np.linspace(-7, 7, 141)
    gauss_density = np.exp(-(gauss**2) / 2)
    gauss_density /= gauss_density.sum()
    place_ = d.alignment * kappa[:, None] + across * sides
    fit = (m @ c0 + t @ h)[:, None] + (r @ c1)[:, None] * sides
    z = fit[..., None] + np.sqrt(spread)[:, None, None] * gauss
    mean = d.mean(place_)
    total = dict.fromkeys(("w", "e", "v", "vs", "train", "test", "zero"), 0.0)
    outcomes = (
        [(sign, (1 + sign * mean) / 2) for sign in (1.0, -1.0)]
        if d.problem.target.binary
        else [
            (mean + d.noise * x, np.full_like(mean, share))
            for x, share in zip(noises, noise_density, strict=True)
        ]
    )
    for label, share in outcomes:
        y = np.broadcast_to(label, mean.shape)[..., None]
        slope, fitted = slope_of(loss, y, z, chi[:, None, None])
        weight = (share * side_density)[..., None] * gauss_density
        by = {
            "w": slope * gauss / np.sqrt(spread)[:, None, None] / 2,
            "e": slope**2 / 4,
            "v": slope,
            "vs": slope * sides[:, None],
            "train": value_of(loss, y, fitted),
            "test": value_of(loss, y, z),
            "zero": value_of(loss, y, np.zeros_like(z)),
        }
        for name, value in by.items():
            total[name] = total[name] + (weight * value).sum((1, 2))
    ratio = d.alpha / d.beta
    w, e = ratio * density * total["w"], ratio * density * total["e"]
    size = ratio * density * 2 * np.sqrt(total["e"])
    v = d.beta * d.weights * g
    b = (c1 * w) @ c1.T
    equations = {
        "A": (np.linalg.inv(a), np.diag(1 / v) + b),
        "g": (
            1 / g,
            d.ridge + cs @ w + np.diag(b @ np.linalg.inv(np.eye(k) + v[:, None] * b)),
        ),
        "S": (
            s,
            a @ (np.diag(norms / v**2) + (c1 * e) @ c1.T / d.beta) @ a,
        ),
        "N": (
            norms / d.weights / g**2
            + d.beta
            * (
                2 * np.diag(a) * norms / v**3
                - norms / v**2
                - (np.diag(s) + t**2 + r**2) / v**2
            ),
            cs @ e,
        ),
    }
    wrong = []
    for name, (left, right) in equations.items():
        scale = np.abs(left).max() + np.abs(right).max()
        if name == "N":
            scale = (norms / d.weights / g**2).max()
        if not np.abs(left - right).max() < EXACT * scale:
            wrong.append(f"equation {name}: {np.abs(left - right).max() / scale:.1e}")
    for name, functions, own, over in (
        ("m", c0, 0 * m, total["v"]),
        ("t", h, 2 * t / v, total["v"]),
        ("r", c1, 2 * r / v, total["vs"]),
    ):
        gap = own + functions @ (ratio * density * over)
        scale = np.abs(functions) @ size + np.abs(own)
        if not (np.abs(gap) < EXACT * scale.max()).all():
            wrong.append(f"equation {name}: {np.abs(gap).max() / scale.max():.1e}")
    found = {name: float(value) for name, value in known.values.items()}
    second = (found["ridge_objective"] - d.ridge * found["readout_norm"]) / ratio
    expected = {
        "training_loss": float(density @ total["train"]),
        "test_loss": float(density @ total["test"]),
    }
    unfitted = float(density @ total["zero"])
    for name, value in expected.items():
        if not abs(found[name] - value) < EXACT * (value + 0.01 * unfitted):
            wrong.append(f"{name}: {found[name]:.8g}, not {value:.8g}")
    if not abs(found["training_loss"] - second) < 1e-6 * max(unfitted, second):
        wrong.append(f"training loss by the objective: {second:.8g}")
    if not found["training_loss"] <= found["test_loss"] * (1 + 1e-9):
        wrong.append("training loss above that of fresh samples")
    if not 0 <= found["ridge_objective"] <= ratio * unfitted * (1 + 1e-6):
        wrong.append("objective above that without a fit")
    if d.problem.target.binary:
        least = density @ ((1 - np.abs(mean)) / 2 @ side_density)
        if not least - 1e-6 <= found["classification_error"] <= 1:
            wrong.append("fewer wrong signs than labels' noise makes")
    return wrong


def judge(seed: int) -> dict[str, Any]:
    """Solve one problem and say what came of it."""
    drawn, begin = draw(seed), time.process_time()
    line: dict[str, Any] = {"seed": seed, "loss": drawn.problem.ridge.loss}
    line["alignment"] = drawn.alignment
    try:
        known = loss_values(drawn.problem)
    except DetequivError as error:
        line |= {"verdict": "raised", "why": f"{type(error).__name__}: {error}"}
        line["lost"] = round(time.process_time() - begin, 2)
    else:
        line["seconds"] = round(time.process_time() - begin, 2)
        line["digits"] = known.digits
        # steps in kappa may be narrow
        wrong = check(drawn, known) and check(drawn, known, 385)
        line |= {"verdict": "wrong" if wrong else "solved", "why": "; ".join(wrong)}
    return line


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/loss-stress.jsonl"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    text = options.out.read_text().splitlines() if options.out.exists() else []
    lines = {(line := json.loads(t))["seed"]: line for t in text}
    seeds = range(options.seed, options.seed + options.count)
    with options.out.open("a") as out:
        for seed in seeds:
            if seed in lines:
                continue
            line = lines[seed] = judge(seed)
            print(json.dumps(line), file=out, flush=True)
            if line["verdict"] != "solved":
                print(json.dumps(line), flush=True)
    done = [lines[seed] for seed in seeds]
    counts = Counter(line["verdict"] for line in done)
    times = np.array([line["seconds"] for line in done if "seconds" in line])
    half, most, largest = np.quantile(times, [0.5, 0.9, 1])
    print(", ".join(f"{counts[v]} {v}" for v in ("solved", "raised", "wrong")))
    print(
        f"seconds of processor time a solution: median {half:.2f}, 90 percent "
        f"{most:.2f}, largest {largest:.2f}"
    )
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
