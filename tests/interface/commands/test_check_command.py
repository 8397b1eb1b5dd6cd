"""``detequiv check``: statuses, text, JSON, page."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from detequiv.cli import main

FILE = str(Path(__file__).parents[3] / "docs" / "problem.toml")
UNTRAINED = ("--set", "features.spike=[0]", "--set", "features.activation=relu")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["check", *arguments, "--workers", "1"])
    return result.exit_code, result.stdout, result.stderr


def test_a_proof_has_status_0_and_a_page(tmp_path: Path) -> None:
    page = tmp_path / "verdict.html"
    status, text, _ = run(
        FILE,
        *UNTRAINED,
        "--claim",
        "training_error < generalization_error",
        "--over",
        "ridge.penalty=0.1:0.12",
        "--out",
        str(page),
    )
    assert status == 0
    assert text.startswith("proved: training_error < generalization_error\n")
    assert "limit of infinite width" in text
    assert "<svg" in page.read_text("utf-8")


def test_a_counterexample_has_status_1_and_its_values() -> None:
    status, text, _ = run(
        FILE,
        *UNTRAINED,
        "--claim",
        "generalization_error < 1",
        "--over",
        "ridge.penalty=0.1:0.12",
        "--json",
    )
    found = json.loads(text)
    assert status == 1
    assert found["verdict"] == "counterexample"
    assert float(found["values"]["generalization_error"][0]) > 1
    assert found["counterexample"].keys() == {"ridge.penalty"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--claim", "x < 1", "--over", "ridge.penalty=1:2"), "no such quantity"),
        (("--claim", "readout_norm < 1", "--over", "ridge.penalty=1"), "LOW:HIGH"),
        (("--claim", "readout_norm < 1"), "--over"),
    ],
)
def test_bad_input_has_status_2(arguments: tuple[str, ...], says: str) -> None:
    status, _, error = run(FILE, *arguments)
    assert status == 2
    assert says in error
