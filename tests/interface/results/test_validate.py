"""``detequiv validate`` and its report: the verdict, and how it is told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

import detequiv as de
from detequiv.cli import main
from detequiv.formats.mathml import sections_html
from detequiv.results import report
from detequiv.shell import parallel
from detequiv.validation.trial.trial import predict, try_theory

FILE = str(Path(__file__).parents[3] / "docs" / "problem.toml")
BUDGET = ("--budget", "0.5")  # the fewest draws there can be


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def nowhere(count: int | None, dask: str | None) -> Iterator[None]:
        yield None

    monkeypatch.setattr(parallel, "workers", nowhere)


@pytest.fixture
def wrong_theory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a theory on trial whose resolvent is three times too large."""

    def wrong(problem: de.Problem, width: int | None) -> dict[str, float]:
        right = predict(problem, width)
        return right | {"resolvent_trace": 3 * right["resolvent_trace"]}

    monkeypatch.setattr(report, "try_theory", partial(try_theory, theory=wrong))


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["validate", FILE, *arguments])


def test_json_has_what_the_contract_says() -> None:
    result = run(*BUDGET, "--seed", "7", "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["verdict"] == "undecided"
    assert (said["level"], said["seed"]) == (0.01, 7)
    names = [one["name"] for one in said["quantities"]]
    assert names[:2] == ["generalization_error", "training_error"]
    solution = de.solve(de.load(FILE))
    for one in said["quantities"]:
        assert set(one) >= {"theory", "simulation", "standard_error", "z", "dimensions"}
        difference = one["simulation"] - one["theory"]
        assert one["z"] == pytest.approx(difference / one["standard_error"])
        assert one["dimensions"] == [100, 150, 200, 300]
    assert said["quantities"][1]["theory"] == pytest.approx(
        float(solution.training_error)
    )


def test_a_disagreement_is_exit_status_1(wrong_theory: None) -> None:
    result = run("--budget", "2", "--set", "ridge.penalty=1")
    assert result.exit_code == 1
    assert "Verdict: disagree" in result.stdout
    assert "seed 0" in " ".join(result.stdout.split())


def test_the_report_stands_alone(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    result = run(*BUDGET, "--out", str(page))
    assert result.exit_code == 0
    assert result.stderr == f"wrote {page}\n"
    text = page.read_text("utf-8")
    # nothing is loaded: addresses appear as names of XML vocabularies alone
    for loader in ("<script", "<link", "<img", "@import", "url(http"):
        assert loader not in text
    assert text.count("<svg") == 2
    for svg in text.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + svg.split("</svg>")[0] + "</svg>")
    for said in ("undecided", "[features]", "seed", "python-flint"):
        assert said in text, said
    derivation = de.derive(de.load(FILE)).sections()
    for section in derivation:
        assert sections_html([section]) in text, section.title


def test_what_has_no_printed_derivation_has_a_report(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    wide = ("--set", "ridge.loss=huber", "--set", "ridge.delta=1")
    result = run(*BUDGET, *wide, "--out", str(page))
    assert result.exit_code == 0, result.stderr
    assert "not printed: ridge.loss = huber" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--budget", "0"), "budget = 0.0: give a positive number"),
        (("--seed", "-1"), "--seed = -1: must not be negative"),
        (("--out", "report.txt"), "the name must end in .html"),
        (("--set", "ridge.penalty=0"), "ridge.penalty = 0: "),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_same_seed_gives_the_same_draws() -> None:
    problem = de.load(FILE)
    one, other = (de.validate(problem, budget=0.1, rng=3) for _ in range(2))
    assert one.trial.draws == other.trial.draws
    assert [q.simulation for q in one.quantities] == [
        q.simulation for q in other.quantities
    ]
    assert one.seed == 3
    shown = repr(one).splitlines()
    assert shown[0].startswith(f"{one.verdict}, with an error probability of ")
    assert shown[2].split()[0] == one.quantities[0].name
