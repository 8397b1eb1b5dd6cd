"""``detequiv solve`` and ``curve`` of a problem that classifies."""

import csv
import io
import json
from pathlib import Path

from click.testing import CliRunner, Result

import detequiv as de
from detequiv.cli import main
from detequiv.formats.problem_file import dump

FILE = Path(__file__).parents[3] / "docs" / "classification.toml"
NEW = (
    "classification_error",
    "training_classification_error",
    "test_loss",
    "training_loss",
)


def run(command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, str(FILE), *arguments])


def test_json_has_what_a_loss_reports() -> None:
    result = run("solve", "--json", "--digits", "6")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    point = de.solve(de.load(FILE), digits=6)
    for name in NEW:
        assert answer[name] == point.text(name)
    assert answer["digits"] == 6
    wide = de.solve(de.load(FILE), width=1000)
    for name, value in answer["at_width_1000"].items():
        assert abs(float(value) / float(getattr(wide, name)) - 1) < 1e-3


def test_the_table_names_them_and_digits_are_refused_beyond_float64() -> None:
    result = run("solve", "--set", "ridge.loss=square", "--digits", "5")
    assert result.exit_code == 0, result.stderr
    assert all(name in result.stdout for name in NEW)
    assert run("solve", "--digits", "40").exit_code == 3


def test_a_curve_has_their_columns(tmp_path: Path) -> None:
    figure = tmp_path / "curve.svg"
    result = run("curve", "--vary", "ridge.samples_per_dim=2,3", "--plot", str(figure))
    assert result.exit_code == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    point = de.solve(de.load(FILE), digits=8)
    for name in NEW:
        expected = float(getattr(point, name))
        assert abs(float(rows[1][name]) / expected - 1) < 1e-7
    assert figure.exists()


def test_a_file_of_a_loss_is_written_and_read_again(tmp_path: Path) -> None:
    problem = de.load(FILE).with_values({"ridge.loss": "huber", "ridge.delta": "1/3"})
    path = tmp_path / "problem.toml"
    spiked = de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=1),
        target=problem.target,
        ridge=problem.ridge,
    )
    path.write_text(dump(spiked), "utf-8")
    assert de.load(path) == spiked
