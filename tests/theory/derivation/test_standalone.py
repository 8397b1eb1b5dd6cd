"""The generated modules, run as they are, against the solver."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detequiv.numerics.solving.solution import QUANTITIES
from detequiv.numerics.solving.solve import solve
from detequiv.theory.derivation.derive import derive
from detequiv.theory.problem import (
    Network,
    Problem,
    Ridge,
    SpikedFeatures,
    Target,
)

RIDGE = Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/5")


def spiked(activation: str, target: Target, **others: Any) -> Problem:
    features = SpikedFeatures(activation=activation, **others)
    return Problem(features=features, target=target, ridge=RIDGE)


ALIGNED = Target(function="z + (z**2 - 1)/2", noise="3/10")
TILTED = Target(function="sin(z) + abs(z)", alignment="7/10", noise="1/10")
PROBLEMS = {
    "averages": spiked("tanh", ALIGNED, spike=["3/2", "-4/5"], bulk=[1, "5/4"]),
    "closed": spiked("relu", TILTED, spike=[1, "-1/2", 0]),
    "owen": spiked("erf", ALIGNED, spike=["3/2"]),
    "kinked target": spiked(
        "gelu", Target(function="max(z, 0) + sign(z - 1/2)", alignment=-1), spike=[1]
    ),
    "kinked average": spiked("tanh(max(z, 0))", TILTED, spike=[1]),
    "network": Problem(
        network=Network(activation="erf", readout=[1, "-1/2"], step=2),
        target=ALIGNED,
        ridge=RIDGE,
    ),
    "eight groups": spiked(
        "relu", TILTED, spike=[f"{q}/3" for q in range(-4, 4)], bulk=[1] * 7 + ["1/2"]
    ),
    "averaged network": Problem(
        network=Network(activation="softplus", readout=[1], step=1),
        target=ALIGNED,
        ridge=RIDGE,
    ),
    "two latents": Problem(
        network=Network(activation="relu", readout=[1], step=2, rows="gaussian"),
        target=ALIGNED,
        ridge=RIDGE,
    ),
}


LONG = (
    "averaged network",
    "eight groups",
    "kinked average",
    "kinked target",
)  # take seconds


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in PROBLEMS],
)
def test_the_module_finds_what_the_solver_finds(name: str, tmp_path: Path) -> None:
    file = tmp_path / "equations.py"
    file.write_text(derive(PROBLEMS[name]).python(), "utf-8")
    shown = subprocess.run(
        [sys.executable, "-I", "-W", "error", file],
        capture_output=True,
        check=True,
        text=True,
        cwd=tmp_path,
    ).stdout
    values = dict(line.split() for line in shown.splitlines())
    solution = solve(PROBLEMS[name])
    assert list(values) == list(QUANTITIES)
    for quantity, value in values.items():
        exact = float(getattr(solution, quantity))
        assert float(value) == pytest.approx(exact, rel=1e-10), quantity


def test_equations_vanish_at_the_solution_alone() -> None:
    problem = PROBLEMS["closed"]
    module: dict[str, Any] = {"__name__": "equations"}
    exec(derive(problem).python(), module)
    values, weights = module["fields"]()
    numbers = [module[name] for name in ("ALPHA", "BETA", "PENALTY", "PI")]
    solution = solve(problem)
    g = np.array(solution.g, dtype=float)
    a = np.array(solution.A, dtype=float)
    in_g, in_a = module["equations"](g, a, values, weights, *numbers)
    assert np.abs(in_g).max() < 1e-12
    assert np.abs(in_a).max() < 1e-11
    in_g, _ = module["equations"](1.01 * g, a, values, weights, *numbers)
    assert np.abs(in_g).max() > 1e-3


def test_without_a_problem_only_the_functions_are_written() -> None:
    module: dict[str, Any] = {"__name__": "equations"}
    exec(derive(groups=2).python(), module)
    assert {"equations", "solve", "errors"} <= set(module)
    assert "fields" not in module
    ones, pi = np.ones((2, 1)), np.array([0.5, 0.5])
    linear = {"c1": ones, "cs": ones / 10}
    with pytest.raises(RuntimeError, match="in 3 iterations"):
        module["solve"](linear, np.ones(1), 2, 1, 0.01, pi, most=3)
