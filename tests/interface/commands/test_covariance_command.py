"""``detequiv covariance``, and [inputs] in problem files."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import detequiv as de
from detequiv.commands.covariance import command
from detequiv.formats.problem_file import dump

PROBLEM = """
[features]
activation = "tanh"
spike = 1
[target]
function = "z"
noise = 0.3
[ridge]
samples_per_dim = 2
width_per_dim = 1.5
penalty = 0.05
"""


def load(folder: Path, inputs: str) -> de.Problem:
    file = folder / "problem.toml"
    file.write_text(PROBLEM + inputs, "utf-8")
    return de.load(file)


def test_a_file_of_eigenvalues_stands_beside_the_problem(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("eigenvalue,target_power\n4,3\n1,1\n1,0\n", "utf-8")
    problem = load(tmp_path, '[inputs]\nfile = "s.csv"\n')
    assert problem.inputs is not None
    assert [float(s) for s in problem.inputs.levels.s] == [2, 0.5, 0.5]
    assert [float(s) for s in problem.inputs.levels.power] == [0.75, 0.25, 0]
    assert problem.inputs.dimension == 3


@pytest.mark.parametrize(
    "inputs",
    [
        "eigenvalues = [2.8, 0.4]\nweights = [0.25, 0.75]\ntarget_power = [0.4, 0.6]",
        'power_law = {exponent = "1/3", levels = 9, target_exponent = 2}',
        "eigenvalues = [3, 1]\ndimension = 40",
    ],
)
def test_a_dumped_problem_is_the_same(tmp_path: Path, inputs: str) -> None:
    problem = load(tmp_path, f"[inputs]\n{inputs}\n")
    (tmp_path / "again.toml").write_text(dump(problem), "utf-8")
    assert de.load(tmp_path / "again.toml") == problem


def test_a_bad_line_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("eigenvalue\n4\nx\n", "utf-8")
    with pytest.raises(de.InputError, match="line 3: eigenvalue 'x' is no number"):
        load(tmp_path, '[inputs]\nfile = "s.csv"\n')


def test_data_become_a_problem(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4000, 5)) * [2, 1, 1, 1, 1]
    y = x[:, 0] + rng.standard_normal(4000)
    np.save(tmp_path / "x.npy", x)
    np.savetxt(tmp_path / "y.csv", y, header="label", comments="")
    out = tmp_path / "inputs.toml"
    arguments = [str(tmp_path / "x.npy"), "--target", str(tmp_path / "y.csv")]
    ran = CliRunner().invoke(command, [*arguments, "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    assert "n = 4000 samples of d = 5 inputs" in ran.output
    assert "would explain 0.00125" in ran.output
    inputs = load(tmp_path, out.read_text("utf-8")).inputs
    assert inputs is not None
    # eigenvalues 4, 1, 1, 1, 1 over their mean: within 5 standard errors of sqrt(2/n)
    found = [float(s) for s in inputs.levels.s]
    assert found == pytest.approx([2.5, *[0.625] * 4], rel=5 * (2 / 4000) ** 0.5)
    assert float(inputs.levels.power[0]) > 0.99


def test_rows_and_labels_must_match() -> None:
    with pytest.raises(de.InputError, match="3 labels"):
        de.measure_inputs(np.eye(4), np.arange(3))
    with pytest.raises(de.InputError, match="no column varies"):
        de.measure_inputs(np.ones((4, 2)))


def test_columns_of_no_use_are_named(tmp_path: Path) -> None:
    file = tmp_path / "levels.csv"
    file.write_text("eigenvalue,\n1,\n2,\n", "utf-8")
    assert len(de.Inputs(file=file).levels.s) == 2
    data = np.array([[1.0, 1], [-1, -1], [1, 1], [-1, -1]])
    with pytest.raises(de.InputError, match="no column explains"):
        de.measure_inputs(data, target=np.array([1.0, 1, -1, -1]))
