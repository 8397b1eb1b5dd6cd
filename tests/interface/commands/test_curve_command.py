"""``detequiv curve``: what it accepts, writes, and refuses before computing."""

import csv
import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import detequiv as de
from detequiv.cli import main
from detequiv.commands.curve import Draws
from detequiv.shell.values import parse_values
from detequiv.validation.witness.store import Store

FILE = str(Path(__file__).parents[3] / "docs" / "problem.toml")
VARY = ("--vary", "ridge.samples_per_dim=1:3:3")


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["curve", FILE, *arguments])


def test_the_table_goes_to_standard_output() -> None:
    result = run(*VARY, "--set", "target.noise=0")
    assert result.exit_code == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["ridge.samples_per_dim"] for row in rows] == ["1", "2", "3"]
    alone = de.solve(de.load(FILE).with_values({"target.noise": 0}))
    assert float(rows[1]["training_error"]) == pytest.approx(
        float(alone.training_error), rel=1e-10
    )


def test_simulation_table_and_figure_are_written(tmp_path: Path) -> None:
    table, figure = tmp_path / "curve.csv", tmp_path / "curve.svg"
    result = run(
        *VARY,
        *("--vary", "ridge.penalty=0.1,1"),
        *("--simulate", "d=20,reps=2", "--seed", "5", "--workers", "1"),
        *("--out", str(table), "--plot", str(figure)),
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8"))))
    assert len(rows) == 6
    assert {row["seed"] for row in rows} == {"5"}
    assert all(float(row["training_error_standard_error"]) > 0 for row in rows)
    assert figure.read_text("utf-8").startswith("<?xml")
    assert result.stderr == f"wrote {table}\nwrote {figure}\n"


def test_digits_are_exact_in_the_table() -> None:
    result = run("--vary", "ridge.penalty=1/3,2", "--digits", "20", "--workers", "1")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    alone = de.solve(de.load(FILE).with_values({"ridge.penalty": "1/3"}), digits=20)
    assert rows[0]["ridge.penalty"] == "1/3"
    assert rows[0]["readout_norm"] == alone.text("readout_norm")


def test_the_figure_shows_what_is_asked_for(tmp_path: Path) -> None:
    figure = tmp_path / "curve.svg"
    result = run(
        *VARY,
        *("--quantity", "training_error", "--quantity", "readout_norm", "--logy"),
        *("--label", "two groups", "--title", "Half a network"),
        *("--plot", str(figure), "--out", str(tmp_path / "curve.csv")),
    )
    assert result.exit_code == 0, result.stderr
    drawn = figure.read_text("utf-8")
    for words in ("two groups, training error", "two groups, readout norm", "Half a"):
        assert f"<!-- {words}" in drawn


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*VARY, "--logy"), "--logy = True: is for a figure; give --plot FILE"),
        ((*VARY, "--quantity", "error"), "quantity = error: give one of"),
        ((), "--vary = (missing): name a parameter"),
        (("--vary", "ridge.penalty"), "--vary = ridge.penalty: write NAME=VALUE"),
        (("--vary", "ridge.penalty=1:2"), "write start:stop:count"),
        (("--vary", "ridge.penalty=1:2:3:lin"), "write start:stop:count"),
        (("--vary", "ridge.penalty=1:2:1"), "at least 2 points"),
        (("--vary", "ridge.penalty=1:1:5"), "two different ends"),
        (("--vary", "ridge.penalty=0:1:5:log"), "needs positive ends"),
        (("--vary", "ridge.penalty=a:1:5"), "--vary ridge.penalty = a: "),
        (("--vary", "ridge.penalty=1,-1"), "ridge.penalty = -1: must not be negative"),
        (("--vary", "ridge.penaltie=1,2"), "did you mean penalty?"),
        ((*VARY, *VARY), "ridge.samples_per_dim is already given"),
        ((*VARY, "--plot", "curve.jpg"), "--plot = curve.jpg: the name must end in"),
        ((*VARY, "--out", "curve.txt"), "--out = curve.txt: the name must end in .csv"),
        ((*VARY, "--out", "no/where.csv"), "there is no folder no"),
        ((*VARY, "--simulate", "400"), "--simulate = 400: write NAME=VALUE"),
        ((*VARY, "--simulate", "d=4e2,reps=2"), "write d=D,reps=R, whole numbers"),
        ((*VARY, "--simulate", "d=400"), "write d=D,reps=R, whole numbers"),
        ((*VARY, "--simulate", "d=400,reps=1"), "at least 2, for an error bar"),
        ((*VARY, "--simulate", "d=9,reps=9", "--seed", "-1"), "--seed = -1: must not"),
        ((*VARY, "--resume", "a.sqlite"), "keeps what --simulate draws; give both"),
        ((*VARY, "--resume", "draws.db"), "the name must end in .sqlite"),
        ((*VARY, "--workers", "0"), "--workers = 0: give a whole number"),
        ((*VARY, "--digits", "0"), "digits = 0: give a whole number"),
        ((*VARY, "--workers", "2", "--dask", "x"), "give either --workers or --dask"),
        ((*VARY, "--dask", "nonsense://here"), "no scheduler answers"),
    ],
)
def test_what_cannot_be_used_is_one_line(arguments: tuple[str, ...], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert says in result.stderr


def test_a_failed_point_is_status_3_after_the_table_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    def incomplete(*arguments: object, **options: object) -> de.Curve:
        found = whole(*arguments, **options)  # type: ignore[arg-type]
        lost = replace(
            found.points[1], values={}, digits=0, failure=de.ConvergenceError("lost")
        )
        points = (found.points[0], lost, found.points[2])
        raise de.IncompleteCurveError(replace(found, points=points))

    whole = de.curve
    monkeypatch.setattr(de, "curve", incomplete)
    table = tmp_path / "curve.csv"
    result = run(*VARY, "--out", str(table), "--plot", str(tmp_path / "curve.svg"))
    assert result.exit_code == 3
    last = result.stderr.splitlines()[-1]
    assert "1 of 3 points could not be solved: ridge.samples_per_dim = 2: lost" in last
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8"))))
    assert [row["readout_norm"] != "" for row in rows] == [True, False, True]


def test_ranges_name_the_numbers_they_solve() -> None:
    assert parse_values("x", "-1/2 : 1 : 4") == ["-0.5", "0", "0.5", "1"]
    inner = parse_values("x", "1:1000:7:log")
    assert inner == ["1", "3.16227766017", "10", "31.6227766017", "100", *inner[5:]]
    assert inner[-1] == "1000"


def test_lists_are_values_of_the_problem_file() -> None:
    assert parse_values("x", "tanh,relu") == ["tanh", "relu"]
    assert parse_values("x", '"max(z, 0)", "z"') == ["max(z, 0)", "z"]
    assert parse_values("x", "0.1, 1e-3") == ["0.1", "1e-3"]


def test_draws_are_read() -> None:
    assert Draws.parse("reps=20, d=400", 3) == Draws(400, 20, 3)


def test_a_stopped_simulation_goes_on(tmp_path: Path) -> None:
    store = tmp_path / "draws.sqlite"
    tables = []
    for reps, resume in ((2, store), (4, store), (4, None)):
        result = run(
            *("--vary", "ridge.penalty=0.1,1", "--workers", "1"),
            *("--simulate", f"d=20,reps={reps}"),
            *(() if resume is None else ("--resume", str(resume))),
        )
        assert result.exit_code == 0, result.stderr
        tables.append(result.stdout)
    assert tables[1] == tables[2] != tables[0]
    with Store(store) as file:
        assert file.count() == 8


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_workers_go_with_a_command_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from detequiv.shell.parallel import workers\n"
        "if __name__ == '__main__':\n"
        "    with workers(1) as executor:\n"
        "        executor.submit(os.getpid).result()\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    script = tmp_path / "killed.py"
    script.write_text(code)
    # The worker holds the other end of the pipe, which ends only when both are gone.
    done = subprocess.run(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
