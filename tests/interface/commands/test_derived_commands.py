"""Commands for what follows from a solution, and those to begin with."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import detequiv as de
from detequiv.cli import main
from detequiv.commands.start.init import PRESETS

FILE = str(Path(__file__).parents[3] / "docs" / "problem.toml")
PROBLEM = de.load(FILE)


EASY = """
[features]
activation = "relu"
spike = 1.5
[target]
function = "z"
noise = 0.3
[ridge]
samples_per_dim = 2
width_per_dim = 1.5
penalty = 0.05
"""


@pytest.fixture
def easy(tmp_path: Path) -> Path:
    """Make the file of a problem that is certified in a second."""
    file = tmp_path / "easy.toml"
    file.write_text(EASY, "utf-8")
    return file


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == status, result.output
    return result.stdout


def test_certified_balls_hold_the_solution(easy: Path) -> None:
    found = json.loads(run("certify", str(easy), "--digits", "12", "--json"))
    value = de.solve(de.load(easy), digits=30).training_error
    midpoint, radius = map(float, found["training_error"])
    assert abs(midpoint - float(value)) <= radius < 1e-12
    assert found["digits"] == 12


def test_two_files_are_compared(easy: Path, tmp_path: Path) -> None:
    other = tmp_path / "noisy.toml"
    other.write_text(EASY.replace("0.3", "0.5"), "utf-8")
    ask = ("compare", str(easy), str(other))
    assert json.loads(run(*ask, "--quantity", "readout_norm", "--json")) == {
        "quantity": "readout_norm",
        "order": "less",
    }
    same = ("compare", str(easy), str(easy), "--digits", "5")
    assert "not told apart" in run(*same, status=3)


def test_derivatives_and_parts_are_those_of_python() -> None:
    found = json.loads(
        run("derivatives", FILE, "--in", "ridge.penalty", "--digits", "9", "--json")
    )
    slope = de.derivatives(PROBLEM, "ridge.penalty")["ridge_objective"]
    assert float(found["derivatives"]["ridge_objective"]) == pytest.approx(
        float(slope), rel=2e-9
    )
    parts = json.loads(run("diagnose", FILE, "--digits", "8", "--json"))
    total = sum(float(parts[name]) for name in ("noise", "unreachable", "estimation"))
    assert total == pytest.approx(float(parts["generalization_error"]), rel=1e-7)


def test_derivatives_and_the_optimal_penalty_of_a_width(easy: Path) -> None:
    ask = ("--width", "300", "--digits", "4")
    slope = run("derivatives", str(easy), "--in", "ridge.penalty", *ask, "--json")
    best = run("optimal-penalty", str(easy), *ask)
    assert json.loads(slope)["width"] == 300
    assert best.endswith("of networks of 300 units\n")
    problem, step = de.load(easy), 1e-3
    above, below = (
        de.solve(problem.with_values({"ridge.penalty": 0.05 + s}), width=300)
        for s in (step, -step)
    )
    for name, value in json.loads(slope)["derivatives"].items():
        moved = float((getattr(above, name) - getattr(below, name)) / (2 * step))
        assert float(value) == pytest.approx(moved, rel=2e-3)


def test_what_was_learned_is_a_table_and_a_figure(tmp_path: Path) -> None:
    figure = tmp_path / "learned.svg"
    text = run("learned", FILE, "--kappa=-2:2:5", "--plot", str(figure))
    run("learned", FILE, "--kappa", "a,b", status=2)
    rows = list(csv.DictReader(io.StringIO(text)))
    kappa = [float(row["kappa"]) for row in rows]
    assert kappa == [-2, -1, 0, 1, 2]
    learned = de.learned_function(de.solve(PROBLEM), kappa)
    assert [float(row["learned"]) for row in rows] == pytest.approx(
        learned.tolist(), abs=1e-9
    )
    assert [float(row["target"]) for row in rows] == [-0.5, -1, -0.5, 1, 3.5]
    assert figure.read_text("utf-8").startswith("<?xml")


def test_the_optimal_penalty_is_told() -> None:
    relu = ("--set", "features.activation=relu")
    found = json.loads(run("optimal-penalty", FILE, *relu, "--digits", "6", "--json"))
    there = PROBLEM.with_values(
        {"features.activation": "relu", "ridge.penalty": found["penalty"]}
    )
    best = de.optimal_penalty(there, digits=9)
    assert float(found["penalty"]) == pytest.approx(float(best.penalty), rel=1e-5)
    error = float(de.solve(there).generalization_error)
    assert error == pytest.approx(float(found["generalization_error"]), rel=1e-5)


@pytest.mark.slow
def test_a_threshold_is_a_step(tmp_path: Path) -> None:
    file = tmp_path / "network.toml"
    run("init", str(file))
    ask = ("threshold", str(file), "--between", "0.05:3", "--digits", "4", "--json")
    found = json.loads(run(*ask))
    step = float(found["threshold"])
    assert found["name"] == "network.step"
    problem = de.load(file)
    law = de.spectrum(de.load(file), width=1000)
    scale = float(law.threshold("1/60", 1, digits=6).scale)
    assert step == pytest.approx(3 * scale, rel=1e-3)
    above = [
        len(
            [
                o
                for o in de.spectrum(
                    problem.with_values({"network.step": step * factor}), width=1000
                ).outliers
                if float(o.value) > float(found["end"]) * 0.99
            ]
        )
        for factor in (0.98, 1.02)
    ]
    assert above[1] == above[0] + 1


def test_functions_are_described() -> None:
    assert "max(0, z)" in run("activations").lower()
    about = json.loads(run("activations", "relu", "--json"))
    assert about["mu_1"] == "1/2"
    assert about["mu_0"].startswith("sqrt(2)/(2*sqrt(pi)) = 0.39894228")
    assert run("activations", "1/z", status=2) == ""


@pytest.mark.parametrize("preset", PRESETS)
def test_a_new_file_is_a_problem(preset: str, tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    run("init", "--preset", preset, str(file))
    problem = de.load(file)
    assert (problem.network is not None) == (preset == "network")
    assert file.read_text("utf-8") == run("init", "--preset", preset)
    run("init", str(file), status=2)


def test_the_separability_threshold_is_told() -> None:
    file = FILE.replace("problem", "classification")
    found = json.loads(run("separability", file, "--digits", "6", "--json"))
    assert found == {"samples_per_dim": "2.61299", "digits": 6}
    assert "2.6130: labels" in run("separability", file, "--digits", "5")
    run("separability", FILE, status=2)
