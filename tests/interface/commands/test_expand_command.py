"""``detequiv expand``: text, JSON, statuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from detequiv.cli import main

FILE = str(Path(__file__).parents[3] / "docs" / "problem.toml")
LEAST_SQUARES = (
    *("--set", "features.spike=[0]", "--set", "features.activation=abs"),
    *("--set", "target.function=z", "--set", "target.noise=0.5"),
    *("--set", "ridge.penalty=0"),
)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["expand", FILE, *LEAST_SQUARES, *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_json_and_text() -> None:
    arguments = ("--in", "ridge.samples_per_dim", "--at", "1.5+", "--digits", "5")
    status, text, _ = run(*arguments, "--json")
    found = json.loads(text)
    assert status == 0
    assert found["terms"] == [["-1", "1.8750"], ["0", "1.2500"]]
    assert found["next_exponent"] == "oo"
    assert (found["at"], found["side"], found["exact"]) == ("3/2", "+", False)
    assert run(*arguments)[1] == (
        "generalization_error = 1.8750*(alpha - 3/2)**(-1) + 1.2500, alpha -> 3/2+\n"
        "of the limit of infinite width\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--in", "ridge.penalti"),
        ("--in", "ridge.penalty", "--at", "-1"),
        ("--in", "ridge.penalty", "--order", "0"),
        (),
    ],
)
def test_bad_input_has_status_2(arguments: tuple[str, ...]) -> None:
    status, text, error = run(*arguments)
    assert (status, text) == (2, "")
    assert len(error.splitlines()) == 1


def test_latex_is_a_proposition() -> None:
    arguments = ("--in", "ridge.samples_per_dim", "--at", "1.5+", "--digits", "5")
    _, body, _ = run(*arguments, "--format", "latex", "--body")
    assert body.count(r"\begin{proposition}") == 1
    assert r"\frac{1.875}{\alpha - \frac{3}{2}} + 1.25" in body
    _, whole, _ = run(*arguments, "--format", "latex")
    assert whole.startswith(r"\documentclass")
    assert body.strip() in whole
