"""Several directions on the command line: files, answers, tables, and refusals."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import detequiv as de
from detequiv.cli import main
from detequiv.formats.problem_file import dump

SPIKES = """
[features]
activation = "tanh"
spike = [[1.5, 0.2], [-0.8, 1.0]]
[target]
function = "z1 + z1*z2"
alignment = [[1, 0], [0, 1]]
noise = 0.3
[ridge]
samples_per_dim = 3
width_per_dim = 2
penalty = 0.1
"""
HEADS = """
[network]
activation = "tanh"
readout = [[1, 0], [0, 1]]
step = 2.0
steps = 2
[target]
function = "z1 + z1*z2"
functions = ["z1", "z2"]
[ridge]
samples_per_dim = 3
width_per_dim = 2
penalty = 0.1
"""


@pytest.fixture(params=[SPIKES, HEADS], ids=["spikes", "heads"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Write a problem file."""
    path = tmp_path / "problem.toml"
    path.write_text(request.param, "utf-8")
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_solve_prints_what_it_vouches_for(file: str) -> None:
    answer = json.loads(run("solve", file, "--json").stdout)
    solution = de.solve(de.load(file))
    assert answer["digits"] == solution.digits >= 12
    assert answer["generalization_error"] == solution.text("generalization_error")
    assert len(answer["learned"]["t"]) == 4
    assert run("solve", file, "--digits", "40").exit_code == 3


def test_a_problem_is_written_and_read_again(file: str, tmp_path: Path) -> None:
    problem = de.load(file)
    again = tmp_path / "again.toml"
    again.write_text(dump(problem), "utf-8")
    assert de.load(again) == problem


def test_what_was_learned_of_two_projections(file: str, tmp_path: Path) -> None:
    figure = tmp_path / "learned.svg"
    shown = run("learned", file, "--kappa=-1:1:3", "--plot", str(figure))
    rows = list(csv.DictReader(io.StringIO(shown.stdout)))
    places = [[float(row["kappa_1"]), float(row["kappa_2"])] for row in rows]
    assert len(places) == 9
    assert [float(row["target"]) for row in rows] == [a + a * b for a, b in places]
    learned = de.learned_function(de.solve(de.load(file)), places)
    assert np.allclose([float(row["learned"]) for row in rows], learned, atol=1e-8)
    assert figure.stat().st_size > 1000


@pytest.mark.parametrize("command", ["spectrum", "derive", "certify", "validate"])
def test_other_commands_say_that_they_know_one(file: str, command: str) -> None:
    result = run(command, file)
    assert result.exit_code == 2
    assert "several directions" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
