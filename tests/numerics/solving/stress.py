"""Random problems over wide ranges, each solution checked by independent means.

``python stress.py COUNT [--seed S] [--out FILE] [--workers W]`` solves problems S,
S + 1, ... and appends one JSON line for each to FILE; lines that are there are not
solved again. Exit status 1 if any solution is wrong.

The checks share nothing with the solver. Moments are sums over panels in float64, the
equations are those of the matrix form, and derivatives of the Energy come from complex
steps through one linearised iteration of that form. At the minimum over (m, t, r) the
Energy moves with the weight and the penalties alone.
"""

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.special import erf, expit, ndtr

import detequiv as de
from detequiv.theory.errors import DetequivError

Array = NDArray[Any]
# text, twin in NumPy, kinks, largest spike for which squared features are no overflow
ACTIVATIONS: tuple[tuple[str, Any, tuple[float, ...], float], ...] = (
    ("relu", lambda z: np.maximum(z, 0), (0,), 20),
    ("leaky_relu(z, 1/10)", lambda z: np.where(z > 0, z, z / 10), (0,), 20),
    ("abs", np.abs, (0,), 20),
    ("sign", np.sign, (0,), 20),
    ("step", lambda z: (z > 0) * 1.0, (0,), 20),
    ("erf", erf, (), 20),
    ("tanh", np.tanh, (), 20),
    ("sigmoid", expit, (), 20),
    ("softplus", lambda z: np.logaddexp(0, z), (), 20),
    ("gelu", lambda z: z * ndtr(z), (), 20),
    ("silu", lambda z: z * expit(z), (), 20),
    ("sin", np.sin, (), 20),
    ("cos", np.cos, (), 20),
    ("he2", lambda z: z * z - 1, (), 20),
    ("he3", lambda z: z**3 - 3 * z, (), 20),
    ("z + z**2/3", lambda z: z + z * z / 3, (), 20),
    ("gaussian", lambda z: np.exp(-z * z / 2), (), 20),
    ("exp(z/4)", lambda z: np.exp(z / 4), (), 5),
)
TARGETS: tuple[tuple[str, Any, tuple[float, ...]], ...] = (
    ("z", lambda z: z, ()),
    ("z + (z**2 - 1)/2", lambda z: z + (z * z - 1) / 2, ()),
    ("sin(2*z)", lambda z: np.sin(2 * z), ()),
    ("sign", np.sign, (0,)),
    ("relu", lambda z: np.maximum(z, 0), (0,)),
    ("He(3, z)", lambda z: z**3 - 3 * z, ()),
    ("tanh", np.tanh, ()),
)
PLANE_WAVES = np.sin, np.cos  # averages in proportion whatever the bulk
DEPENDENT, INDEPENDENT = 1e-13, 1e-6  # what float64 leaves of a unit vector
ILL_CONDITIONED = 1e6  # of the response, which the errors of the moments are times
EXACT = 1e-6  # relative error that the oracle can tell
RADIUS = 11.0  # of the averages, in standard deviations


@dataclass(frozen=True)
class Drawn:
    """A random problem, as text for the solver and as numbers for the oracle."""

    problem: de.Problem
    activation: Any
    kinks: tuple[float, ...]
    target: Any
    target_kinks: tuple[float, ...]
    spike: Array
    bulk: Array
    weights: Array
    alignment: float
    noise: float
    alpha: float
    beta: float
    ridge: float


def draw(seed: int) -> Drawn:
    """Draw the problem of a seed."""
    rng = np.random.default_rng(seed)

    def spread(lower: float, upper: float) -> str:
        return f"{10 ** rng.uniform(np.log10(lower), np.log10(upper)):.4g}"

    name, activation, kinks, largest = ACTIVATIONS[rng.integers(len(ACTIVATIONS))]
    label, target, target_kinks = TARGETS[rng.integers(len(TARGETS))]
    groups = int(rng.integers(1, 9))
    spike = [
        f"{rng.choice([-1, 1]) * largest * rng.random() ** 3:.3g}"
        for _ in range(groups)
    ]
    for q in range(groups):
        kind = rng.random()
        if kind < 0.15:
            spike[q] = "0"
        elif kind < 0.3:
            spike[q] = spike[0]
    equal = rng.random() < 0.5
    bulk = ["1" if equal else f"{rng.uniform(0.3, 2):.3g}" for _ in range(groups)]
    shares = [int(10 ** rng.uniform(0, 6)) for _ in range(groups)]
    weights = [f"{share}/{sum(shares)}" for share in shares]
    alpha = spread(1e-2, 1e2)
    beta = alpha if rng.random() < 0.15 else spread(1e-2, 1e2)
    ridge, noise = spread(1e-10, 1e6), rng.choice(["0", "1/10", "1"])
    alignment = "1" if rng.random() < 0.5 else f"{rng.uniform(-1, 1):.3g}"
    problem = de.Problem(
        features=de.SpikedFeatures(
            activation=name, spike=spike, bulk=bulk, weights=weights
        ),
        target=de.Target(function=label, alignment=alignment, noise=str(noise)),
        ridge=de.Ridge(samples_per_dim=alpha, width_per_dim=beta, penalty=ridge),
    )
    return Drawn(
        problem, activation, kinks, target, target_kinks,
        np.array(spike, float), np.array(bulk, float), np.array(shares) / sum(shares),
        float(alignment), {"0": 0.0, "1/10": 0.1, "1": 1.0}[str(noise)],
        float(alpha), float(beta), float(ridge),
    )  # fmt: skip


@cache
def legendre(order: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    nodes, weights = leggauss(order)
    return nodes, weights


def panels(breaks: Array, order: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on the panels between breaks (..., b)."""
    nodes, weights = legendre(order)
    half = np.diff(breaks, axis=-1)[..., None] / 2
    middle = (breaks[..., 1:, None] + breaks[..., :-1, None]) / 2
    shape = (*breaks.shape[:-1], -1)
    return (middle + half * nodes).reshape(shape), (half * weights).reshape(shape)


def moments(f: Any, kinks: tuple[float, ...], means: Array, scale: float) -> Array:
    """Conditional moments c0, c1, cs of f at every mean, shape (3, n)."""
    if scale == 0:
        values = f(means)
        return np.stack([values, np.zeros_like(values), np.zeros_like(values)])
    blocks = np.array_split(means, 1 + len(means) // 128)  # that stay in the cache
    return np.hstack([_moments(f, kinks, block, scale) for block in blocks])


def _moments(f: Any, kinks: tuple[float, ...], means: Array, scale: float) -> Array:
    edges = np.linspace(-RADIUS, RADIUS, 23)
    if kinks:
        inner = [np.clip((k - means) / scale, -RADIUS, RADIUS) for k in kinks]
        breaks = np.stack([*(np.full(len(means), e) for e in edges), *inner], axis=1)
        edges = np.sort(breaks, axis=1)
    g, weights = panels(edges, 12)
    weights = weights * np.exp(-g * g / 2) / np.sqrt(2 * np.pi)
    values = f(scale * g + means[:, None])
    c0, c1 = (weights * values).sum(1), (weights * values * g).sum(1)
    # the variance of what is left: nothing cancels
    rest = values - c0[:, None] - c1[:, None] * g
    return np.stack([c0, c1, (weights * rest * rest).sum(1)])


class Oracle:
    """The equations of one problem in matrix form, complex analytic in everything."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn = drawn
        slope = max(1.0, float(np.max(np.abs(drawn.spike) / drawn.bulk)))
        near = np.concatenate([[0.0], np.geomspace(0.05 / slope, RADIUS, 48)])
        waves = slope if drawn.activation in PLANE_WAVES else 1.0
        count = int(2 * RADIUS * max(1.0, waves))
        edges = [*-near[::-1], *near, *np.linspace(-RADIUS, RADIUS, count)]
        if abs(drawn.alignment) == 1:
            edges += [k / drawn.alignment for k in drawn.target_kinks]
        kappa, weights = panels(np.unique(edges), 12)
        self.kappa = kappa
        self.density = weights * np.exp(-kappa * kappa / 2) / np.sqrt(2 * np.pi)
        pairs = list(zip(drawn.spike, drawn.bulk, strict=True))
        each = {
            (u, rho): moments(drawn.activation, drawn.kinks, u * kappa, rho)
            for u, rho in set(pairs)
        }
        self.c0, self.c1, self.cs = np.stack([each[pair] for pair in pairs], axis=1)
        # whether float64 tells functions from rounding, and dependent ones from others:
        # a mean has no scale of its own: a tiny one is as good a function as any
        keys = [
            (abs(u), rho if u and drawn.activation not in PLANE_WAVES else 0.0)
            for u, rho in pairs
        ]
        polynomial = drawn.problem.features.activation.is_polynomial()
        self.repeats = [polynomial or key in keys[:k] for k, key in enumerate(keys)]
        size = np.sqrt(np.max(self.c0**2 + self.c1**2 + self.cs, axis=1))
        mean = np.max(np.abs(self.c0), axis=1)
        self.told = not np.any((mean > 0) & (mean < INDEPENDENT * size))
        width = np.sqrt(1 - drawn.alignment**2)
        self.tau = moments(
            drawn.target, drawn.target_kinks, drawn.alignment * kappa, width
        )
        self.tau[2] += drawn.noise**2

    def weight(self, g: Array, a: Array, source: complex) -> Array:
        """Weight w(kappa) times the density."""
        d = self.drawn
        quadratic = (self.c1 * (a @ self.c1)).sum(0)
        chi = (d.weights * g) @ self.cs + quadratic / d.beta
        w: Array = (d.alpha / d.beta / (1 + chi) + source) * self.density
        return w

    def iterate(
        self, g: Array, a: Array, source: complex, ridge: complex
    ) -> tuple[Array, Array]:
        """One step of the fixed point."""
        w = self.weight(g, a, source)
        b = (self.c1 * w) @ self.c1.T
        v = self.drawn.beta * self.drawn.weights * g
        # (I + B V)^-1 B and V (I + B V)^-1, columns of like size
        inner = np.linalg.inv(np.eye(len(g)) + b * v)
        new_g = 1 / (ridge + self.cs @ w + np.diag(inner @ b))
        return new_g, v[:, None] * inner

    def minimise(self, g: Array, a: Array) -> tuple[Array, Array, float]:
        """Minimise the Energy: squared residuals (n,), squares t^2 + r^2, value."""
        w = self.weight(g, a, 0)
        root = np.sqrt(w)
        penalty = 1 / (self.drawn.beta * self.drawn.weights * g)
        tau0, tau1, tau2 = self.tau
        tangents = self.kappa * self.c1
        plain, t = self._fit(
            np.vstack([self.c0, tangents]), len(g), tau0, root, penalty
        )
        linear, r = self._fit(self.c1, 0, tau1, root, penalty)
        squares, shrunk = plain**2 + linear**2 + tau2, t**2 + r**2
        return squares, shrunk, float(w @ squares + penalty @ shrunk)

    def _fit(
        self, functions: Array, free: int, values: Array, root: Array, penalty: Array
    ) -> tuple[Array, Array]:
        """Least squares: residuals, and the coefficients that are not free."""
        count, nodes = len(functions), len(root)
        design = np.concatenate([(functions * root).T, np.zeros((count, count))])
        for k in range(free, count):
            design[nodes + k, k] = np.sqrt(penalty[k - free])
        size = np.sqrt((design**2).sum(0))
        # dependent columns are left out, one after the other
        basis = np.zeros((len(design), 0))
        kept = []
        for k, unit in enumerate((design / np.where(size > 0, size, 1)).T):
            left = unit
            for _ in range(2):
                left = left - basis @ (basis.T @ left)
            norm = np.sqrt(left @ left)
            # what looks dependent is so where a spike repeats, but for its sign
            certain = norm <= DEPENDENT and self.repeats[k % len(self.repeats)]
            if 0 < norm < INDEPENDENT and not certain:
                self.told = False
            if norm > DEPENDENT:
                kept.append(k)
                basis = np.column_stack([basis, left / norm])
        rest = np.concatenate([values * root, np.zeros(count)])
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        # the residuals below the nodes are minus the penalised coefficients' roots
        return rest[:nodes] / root, -rest[nodes + free :] / np.sqrt(penalty)

    def energies(self, g: Array, a: Array) -> tuple[float, dict[str, float]]:
        """Minimal Energy, and its total derivatives by "source" and "ridge"."""
        step, ridge = 1e-30, self.drawn.ridge
        groups = len(g)
        upper = np.triu_indices(groups)
        x = np.concatenate([g, a[upper]])
        diagonal = np.sqrt(np.diag(a))
        size = np.concatenate([g, diagonal[upper[0]] * diagonal[upper[1]]])
        squares, shrunk, value = self.minimise(g, a)

        def both(change: Array, source: complex, ridge: complex) -> tuple[Array, float]:
            # slopes of the iteration and of the Energy, by one complex step
            moved = x + change
            a = np.zeros((groups, groups), complex)
            a[upper] = moved[groups:]
            a = a + np.triu(a, 1).T
            new_g, new_a = self.iterate(moved[:groups], a, source, ridge)
            image = np.concatenate([new_g, new_a[upper]]) / size
            penalty = 1 / (self.drawn.beta * self.drawn.weights * moved[:groups])
            energy = self.weight(moved[:groups], a, source) @ squares + penalty @ shrunk
            return image.imag / step, float(energy.imag / step)

        moves = [both(1j * step * size * unit, 0, ridge) for unit in np.eye(len(x))]
        columns, slopes = map(np.array, zip(*moves, strict=True))
        linear = np.eye(len(x)) - columns.T
        if np.linalg.cond(linear) > ILL_CONDITIONED:
            self.told = False
        still = np.zeros(len(x))
        totals = {}
        for by, (force, direct), unit in (
            ("source", both(still, 1j * step, ridge), 1.0),
            ("ridge", both(still, 0, ridge * (1 + 1j * step)), ridge),
        ):
            response = np.linalg.solve(linear, force)
            totals[by] = float(direct + slopes @ response) / unit
        return value, totals


def check(drawn: Drawn, solution: Any) -> tuple[list[str], bool]:
    """What is wrong with a solution, and whether its energies could be checked."""
    oracle = Oracle(drawn)
    g = np.array([float(v) for v in solution.g])
    a = np.array([[float(v) for v in row] for row in solution.A])
    value = {
        name: float(getattr(solution, name))
        for name in (
            "generalization_error", "training_error", "readout_norm", "ridge_objective"
        )
    }  # fmt: skip
    wrong = []
    sizes = np.sqrt(np.diag(a))

    def apart(one: tuple[Array, Array], other: tuple[Array, Array]) -> float:
        (g, a), (new_g, new_a) = one, other
        by_a = (new_a - a) / sizes / sizes[:, None]
        return float(max(np.abs(new_g / g - 1).max(), np.abs(by_a).max()))

    image = oracle.iterate(g, a, 0, drawn.ridge)
    gap = apart((g, a), image)
    # where A is nearly singular, its roundings alone move the image
    signs = np.where(np.add.outer(range(len(g)), range(len(g))) % 2, -1, 1)
    rounded = a * (1 + np.finfo(float).eps * signs)
    rounding = apart(image, oracle.iterate(g, rounded, 0, drawn.ridge))
    if not gap < max(EXACT, 10 * rounding):
        wrong.append(f"fixed point: {gap:.1e}")
    if not (np.all(g > 0) and np.all(g <= (1 + 1e-14) / drawn.ridge)):
        wrong.append("g outside (0, 1/lambda]")
    if not np.linalg.eigvalsh(a / sizes / sizes[:, None]).min() > -1e-12:
        wrong.append("A not positive")
    labels = float(
        oracle.density @ (oracle.tau[0] ** 2 + oracle.tau[1] ** 2 + oracle.tau[2])
    )
    objective, totals = oracle.energies(g, a)
    expected = {
        "generalization_error": totals["source"],
        "readout_norm": totals["ridge"],
        "ridge_objective": objective,
    }
    for name, one in expected.items() if oracle.told else ():
        gap = abs(value[name] - one) / max(abs(one), 1e-9 * labels)
        if not gap < 100 * EXACT:
            wrong.append(f"{name}: {value[name]:.12g}, not {one:.12g}")
    if not 0 <= value["training_error"] <= value["generalization_error"] * (1 + 1e-12):
        wrong.append("training error outside [0, generalisation error]")
    if not value["generalization_error"] >= drawn.noise**2 * (1 - 1e-12):
        wrong.append("generalisation error below the noise")
    return wrong, oracle.told


def rises(drawn: Drawn, solution: Any) -> bool:
    """Whether training error, objective and 1/g rise with the penalty."""
    more = drawn.problem.with_values({"ridge.penalty": f"{drawn.ridge * 1.1:.6g}"})
    other = de.solve(more)
    one_trace, two_trace = solution.resolvent_trace, other.resolvent_trace
    return bool(
        other.training_error >= solution.training_error
        and other.ridge_objective >= solution.ridge_objective
        and other.readout_norm <= solution.readout_norm
        and two_trace <= one_trace
    )


def judge(seed: int) -> dict[str, Any]:
    """Solve one problem and say what came of it."""
    drawn, begin = draw(seed), time.process_time()
    line: dict[str, Any] = {"seed": seed}
    try:
        solution = de.solve(drawn.problem)
    except DetequivError as error:
        line |= {"verdict": "raised", "why": f"{type(error).__name__}: {error}"}
    else:
        line["seconds"] = round(time.process_time() - begin, 2)
        wrong, told = check(drawn, solution)
        if seed % 10 == 0 and not rises(drawn, solution):
            wrong.append("not monotone in the penalty")
        line |= {"verdict": "wrong" if wrong else "solved", "why": "; ".join(wrong)}
        line["energies checked"] = told
    return line


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/stress.jsonl"))
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    text = options.out.read_text().splitlines() if options.out.exists() else []
    lines = {(line := json.loads(t))["seed"]: line for t in text}
    seeds = range(options.seed, options.seed + options.count)
    left = [seed for seed in seeds if seed not in lines]
    with options.out.open("a") as out, Pool(options.workers) as pool:
        for line in pool.imap_unordered(judge, left):
            lines[line["seed"]] = line
            print(json.dumps(line), file=out, flush=True)
            if line["verdict"] != "solved":
                print(json.dumps(line), flush=True)
    done = [lines[seed] for seed in seeds]
    counts = Counter(line["verdict"] for line in done)
    checked = sum(line.get("energies checked", False) for line in done)
    times = np.array([line["seconds"] for line in done if "seconds" in line])
    half, most, largest = np.quantile(times, [0.5, 0.9, 1]) if len(times) else [0.0] * 3
    print(", ".join(f"{counts[v]} {v}" for v in ("solved", "raised", "wrong")))
    print(
        f"energies checked: {checked}; seconds of processor time a solution: ", end=""
    )
    print(f"median {half:.2f}, 90 percent {most:.2f}, largest {largest:.2f}")
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
