"""``detequiv eliminate`` as a newcomer meets it."""

import json

import pytest
from click.testing import CliRunner, Result

import detequiv as de
from detequiv.cli import main

FILE = """
[features]
activation = "abs(z)"
spike = 0
[target]
function = "z"
noise = 0.5
[ridge]
samples_per_dim = 2
width_per_dim = 1
penalty = 0.1
"""


@pytest.fixture
def file(tmp_path: object) -> str:
    """Problem with an even activation and no spike."""
    path = f"{tmp_path}/problem.toml"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(FILE)
    return path


def run(*arguments: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, ["eliminate", *arguments])


def test_formats(file: str) -> None:
    relation = de.eliminate(de.load(file))
    assert run(file).stdout == relation.text()
    for kind in ("text", "latex", "python"):
        assert run(file, "--format", kind).stdout == getattr(relation, kind)()


def test_json(file: str) -> None:
    found = json.loads(run(file, "--json", "--digits", "20").stdout)
    relation = de.eliminate(de.load(file))
    assert found["unknown"] == "g_1"
    assert found["degree"] == 2
    assert found["polynomial"] == str(relation.polynomial.as_expr())
    assert found["root"] == de.solve(de.load(file), digits=20).text("resolvent_trace")


def test_symbols_have_no_root() -> None:
    found = json.loads(run("--groups", "1", "--json").stdout)
    assert found["root"] is None
    assert found["degree"] == 4
    assert run("--groups", "1").stdout == de.eliminate(groups=1).text()


def test_refusals(file: str) -> None:
    assert run().exit_code == 2
    assert run("--groups", "1", "--symbol", "ridge.penalty").exit_code == 2
    spiked = run(file, "--set", "features.spike=1")
    assert spiked.exit_code == 2
    assert "does not close" in spiked.stderr
    assert len(spiked.stderr.splitlines()) == 1


def test_bodies_levels_and_numbers(file: str) -> None:
    body = run(file, "--format", "latex", "--body").stdout
    assert body.startswith("\n\\section") or body.startswith("\\section")
    assert r"\begin{proposition}" in body
    assert "documentclass" not in body
    assert run(file, "--body").exit_code == 2
    numbers = ("--at", "alpha=2", "--at", "lambda=1/10")
    found = json.loads(run("--levels", "0", *numbers, "--json").stdout)
    relation = de.eliminate(levels=0).at({"alpha": 2, "lambda": "1/10"})
    assert found["polynomial"] == str(relation.polynomial.as_expr())
    assert found["discriminant"] == str(relation.discriminant())
    assert run("--levels", "0", "--at", "alpha=-1").exit_code == 2
