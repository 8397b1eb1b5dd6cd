"""Draw docs/network.svg, what training buys: ``python docs/network_figure.py``."""

from pathlib import Path

import matplotlib.pyplot as plt

import detequiv as de
from detequiv.numerics.solving import solve_at_width
from detequiv.validation.trial import simulate

DIMENSION, DRAWS = 150, 20
VOCABULARY = [1, -1, 2, -2, 4, -4]


def network(activation, readout, step, target, penalty):
    """Return a network on data that are proportional to d, and so is its width."""
    return de.Problem(
        network=de.Network(activation=activation, readout=readout, step=step),
        target=de.Target(function=target, noise="1/10"),
        ridge=de.Ridge(samples_per_dim=4, width_per_dim=2, penalty=penalty),
    )


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")

problem = network("relu", [1, -1], 1, "z + He(2, z)/2", "1/10")
curve = de.curve(problem, {"network.step": ["1/10", "1/2", 1, "3/2", 2, 3, 4]})
steps = curve.coordinate("network.step")
best = [de.reach(point.problem) for point in curve.points]
left.plot(steps, curve.values("excess_error"), "o-", label="trained network")
left.plot(steps, [b.means for b in best], "s--", label="span of $c_0$")
left.axhline(best[0].linear, color="k", lw=1, label="best linear predictor")
left.set(xlabel=r"step size $\eta$", ylabel="excess error", title="relu, K = 2")

problems = [
    network("tanh(z + 1)", VOCABULARY[:k], 5, "tanh(3*z)", "1/100")
    for k in range(1, len(VOCABULARY) + 1)
]
groups = [problem.network.groups for problem in problems]
errors = [float(de.solve(problem).excess_error) for problem in problems]
at_width = [
    float(solve_at_width(problem, 2 * DIMENSION).excess_error) for problem in problems
]
draws = [
    simulate(problem, dimension=DIMENSION, repetitions=DRAWS, rng=0)
    for problem in problems
]
best = [de.reach(problem) for problem in problems]
right.plot(groups, errors, "o-", label="trained network, theory")
right.plot(groups, at_width, "o", mfc="none", label=f"theory at p = {2 * DIMENSION}")
right.errorbar(
    groups,
    [draw.mean["excess_error"] for draw in draws],
    [draw.standard_error["excess_error"] for draw in draws],
    fmt="kx",
    capsize=3,
    label=f"simulation, d = {DIMENSION}",
)
right.plot(groups, [b.means for b in best], "s--", label="span of $c_0$")
right.plot(groups, [b.features for b in best], "^:", label="infinite data and width")
right.axhline(best[0].linear, color="k", lw=1, label="best linear predictor")
right.set(xlabel="groups K", yscale="log", title="tanh(z + 1)")
for axes in (left, right):
    axes.legend(fontsize="small")
figure.savefig(Path(__file__).with_name("network.svg"), metadata={"Date": None})
