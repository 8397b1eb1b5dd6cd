"""``detequiv derive`` as a newcomer meets it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import detequiv as de
from detequiv.cli import main

FILE = """
[features]
activation = "relu"
spike = [1.5, -0.8]
[target]
function = "z"
noise = 0.3
[ridge]
samples_per_dim = 2
width_per_dim = 1.5
penalty = 0.05
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Write a sound problem file."""
    path = tmp_path / "problem.toml"
    path.write_text(FILE, "utf-8")
    return str(path)


def run(*arguments: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, ["derive", *arguments])


def test_text_is_the_default() -> None:
    result = run("--groups", "3")
    assert result.exit_code == 0
    assert result.stdout == de.derive(groups=3).text()


def test_formats_of_a_file(file: str) -> None:
    derivation = de.derive(de.load(file))
    for kind, expected in (
        ("text", derivation.text()),
        ("latex", derivation.latex()),
        ("python", derivation.python()),
    ):
        assert run(file, "--format", kind).stdout == expected
    closed = run(file, "--format", "latex", "--closed-forms").stdout
    assert closed == derivation.latex(closed_forms=True)
    assert closed != derivation.latex()


def test_values_can_be_set(file: str) -> None:
    assert "lambda = 1/7" in run(file, "--set", "ridge.penalty=1/7").stdout


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


def test_a_file_and_a_number_of_groups_are_too_much(file: str) -> None:
    result = run(file, "--groups", "2")
    assert result.exit_code == 2
    assert "either" in result.stderr
