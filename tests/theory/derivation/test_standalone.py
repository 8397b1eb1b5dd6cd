"""The generated modules, run as they are, against the solver."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detequiv.numerics.solving.solution import QUANTITIES
from detequiv.numerics.solving.solve import solve
from detequiv.theory.derivation.derive import derive
from detequiv.theory.errors import InputError
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
    shown = run(PROBLEMS[name], tmp_path).stdout
    values = dict(line.split() for line in shown.splitlines())
    solution = solve(PROBLEMS[name])
    assert list(values) == list(QUANTITIES)
    for quantity, value in values.items():
        exact = float(getattr(solution, quantity))
        assert float(value) == pytest.approx(exact, rel=1e-10), quantity


def run(problem: Problem, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "equations.py"
    file.write_text(derive(problem).python(), "utf-8")
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", file],
        capture_output=True,
        check=False,
        text=True,
        cwd=folder,
    )


BUMP = "5*exp(-10000*(z - 2/5)**2)"


@pytest.mark.parametrize(
    ("changed", "right"),
    [
        ({"activation": f"z + {BUMP}"}, 1.06814207135),
        *(
            pytest.param(changed, right, marks=pytest.mark.slow)
            for changed, right in (
                ({"function": BUMP}, 0.316279723538),
                ({"function": BUMP, "alignment": "3/5"}, 0.313084944682),
                ({"function": "tanh(1000*z)"}, 0.405604875937),
                ({"activation": "sqrt(abs(z))"}, 1.74169918249),
                ({"spike": [100, -5]}, 0.847671964974),
            )
        ),
    ],
)
def test_narrow_functions_are_resolved(
    changed: dict[str, Any], right: float, tmp_path: Path
) -> None:
    """The values are those of 50 digits."""
    problem = narrow(**changed)
    shown = run(problem, tmp_path).stdout.split()
    assert float(shown[1]) == pytest.approx(right, rel=1e-11)


def narrow(**changed: Any) -> Problem:
    """Take the problem that the documentation begins with, changed in places."""
    features = {"activation": "tanh", "spike": ["3/2", "-4/5"]}
    target = {"function": "z + (z**2 - 1)/2", "noise": "3/10", "alignment": 1}
    return Problem(
        features=SpikedFeatures(**{k: changed.get(k, v) for k, v in features.items()}),
        target=Target(**{k: changed.get(k, v) for k, v in target.items()}),
        ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )


def test_what_no_rule_resolves_is_refused(tmp_path: Path) -> None:
    problem = narrow(activation="relu", spike=[1], function="sin(exp(9*z))")
    refused = run(problem, tmp_path)
    assert refused.returncode != 0
    assert not refused.stdout
    assert refused.stderr.strip() == "two rules do not agree on 4 digits: no results"


def test_without_a_penalty_no_module_is_written() -> None:
    problem = replace(
        narrow(), ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=0)
    )
    with pytest.raises(InputError, match="penalty"):
        derive(problem).python()


def test_equations_vanish_at_the_solution_alone() -> None:
    problem = PROBLEMS["closed"]
    module: dict[str, Any] = {"__name__": "equations"}
    exec(derive(problem).python(), module)
    kappa, weights = module["gaussian_rule"]()
    values = module["functions"](kappa)
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
