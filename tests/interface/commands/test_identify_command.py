"""``detequiv identify``: values, problems, JSON, statuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from detequiv.cli import main

FILE = str(Path(__file__).parents[3] / "docs" / "problem.toml")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["identify", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_value_with_constants() -> None:
    status, text, _ = run("2*pi - atan(1/2)/3", "--constants", "pi,atan(1/2)", "--json")
    found = json.loads(text)
    assert status == 0
    assert found["expression"] == "-atan(1/2)/3 + 2*pi"
    assert found["digits_checked"] == 100
    assert float(found["chance"]) < 1e-80


def test_negative_decimals() -> None:
    status, text, _ = run("-3.14159265358979323846264338327950288419716939937510")
    assert status == 0
    assert text.startswith("-pi (linear; 51 digits agree; by chance")


def test_nothing_found_is_an_answer() -> None:
    value = "0.57721566490153286060651209008240243104215933593992"
    status, text, _ = run(value, "--json")
    assert status == 0
    assert json.loads(text)["expression"] is None
    assert run(value)[1].startswith("nothing found")


def test_a_quantity_of_a_problem() -> None:
    untrained = ["features.spike=[0]", "features.activation=he2", "ridge.penalty=0"]
    changes = [part for change in untrained for part in ("--set", change)]
    status, text, _ = run(
        FILE, *changes, "--quantity", "readout_norm", "--digits", "20"
    )
    assert status == 0
    assert "algebraic; 40 digits agree" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["0.333333333333"],
        ["nothing.toml"],
        ["pi", "--quantity", "excess_error"],
        ["pi", "--set", "ridge.penalty=1"],
        ["pi", "--constants", "tau"],
        ["pi", "--digits", "3"],
    ],
)
def test_bad_input_has_status_2(arguments: list[str]) -> None:
    status, text, error = run(*arguments)
    assert (status, text) == (2, "")
    assert len(error.splitlines()) == 1
