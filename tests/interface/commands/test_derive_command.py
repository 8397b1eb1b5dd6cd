"""``detequiv derive`` as a newcomer meets it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import detequiv as de
from detequiv.cli import main

FILE = str(Path(__file__).parents[3] / "docs" / "problem.toml")


def run(*arguments: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, ["derive", *arguments])


def test_text_is_the_default() -> None:
    result = run("--groups", "3")
    assert result.exit_code == 0
    assert result.stdout == de.derive(groups=3).text()


def test_formats_of_a_file() -> None:
    derivation = de.derive(de.load(FILE))
    for kind, expected in (
        ("text", derivation.text()),
        ("latex", derivation.latex()),
        ("python", derivation.python()),
    ):
        assert run(FILE, "--format", kind).stdout == expected
    set_relu = ("--set", "features.activation=relu")
    closed = run(FILE, "--format", "latex", "--closed-forms", *set_relu).stdout
    relu = de.derive(de.load(FILE).with_values({"features.activation": "relu"}))
    assert closed == relu.latex(closed_forms=True)
    assert closed != relu.latex()


def test_values_can_be_set() -> None:
    assert "lambda = 1/7" in run(FILE, "--set", "ridge.penalty=1/7").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "FILE or --groups"),
        (["--groups", "0"], "groups"),
        (["--groups", "two"], "two"),
        (["--groups", "2", "--closed-forms"], "closed_forms"),
        (["--groups", "2", "--set", "ridge.penalty=1"], "--set"),
        (["missing.toml"], "missing.toml"),
        (["--groups", "2", "--format", "word"], "word"),
        (["--groups", "2", "--format", "python", "--closed-forms"], "--closed-forms"),
    ],
)
def test_bad_input_is_status_2_and_one_line(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_and_a_number_of_groups_are_too_much() -> None:
    result = run(FILE, "--groups", "2")
    assert result.exit_code == 2
    assert "either" in result.stderr
