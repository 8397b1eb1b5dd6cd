"""What a newcomer mistypes, and what a machine refuses: one line and its own status."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import detequiv as de
from detequiv.cli import main
from detequiv.results.vary import read_values
from detequiv.validation.witness.store import Store

FILE = """
[features]
activation = "relu"
spike = [1, 2]
[target]
function = "z"
[ridge]
samples_per_dim = 2
width_per_dim = 1
penalty = 1
"""
full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Write a sound problem file."""
    path = tmp_path / "problem.toml"
    path.write_text(FILE, "utf-8")
    return str(path)


def run(*arguments: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("features.activation=ReLU", "did you mean 'relu'?"),
        ("features.activation=wobbly", "docs/activations.md lists the names"),
        ("target.function=x**2", "the variable is z"),
        ("target.function=2z", "write products with *, as 2*z"),
        ("target.function=3(z + 1)", "write products with *"),
        ("target.noise=0,1", "write a decimal point, as 0.1"),
        ("target.function=np.tanh(z)", "write tanh(z), without 'np' before it"),
        ("target.function=nan*z", "nan is not finite"),
        ("target.function=inf", "is not finite"),
        ("ridge.penalty=nan", "is not finite"),
        ("ridge.lambda=1", "did you mean ridge.penalty?"),
        ("alpha=2", "did you mean ridge.samples_per_dim?"),
        ("features.step=2", "features.step = 2: belongs to [network]"),
        ("features.spike[2]=2", "entries are 0 to 1"),
        ("ridge.penalty='0x10'", "write 0x10 in decimals: 16"),
    ],
)
def test_a_slip_is_told_with_what_was_meant(value: str, says: str, file: str) -> None:
    result = run("solve", file, "--set", value)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert says in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["solv", "{file}"], "Did you mean: detequiv solve?"),
        (["{file}"], "Did you mean: detequiv solve"),
        (["spectrum", "{file}", "--simulate", "d=²"], "write d=D, a whole number"),
        (
            ["curve", "{file}", "--vary", "ridge.penalty=1:2:3", "--simulate", "d=²"],
            "write d=D,reps=R",
        ),
        (["curve", "{file}", "--vary", "ridge.penalty=1:2:100000000"], "at most"),
        (["curve", "{file}", "--vary", "features.spike=0,2"], "features.spike[0]"),
        (
            ["curve", "{file}", "--vary", "target.function=z,tanh", "--plot", "a.svg"],
            "is no number for the axis of --plot",
        ),
        (["curve", "{file}", "--vary", "ridge.penalty=1,2", "--out", "d.csv"], "d.csv"),
    ],
)
def test_an_argument_is_refused_before_work(
    arguments: list[str],
    says: str,
    file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("worked before it refused")

    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.csv").mkdir()
    for name in ("sweep",):
        monkeypatch.setattr(f"detequiv.results.curves.{name}", work)
    result = run(*(argument.format(file=file) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_byte_order_mark_is_named(tmp_path: Path) -> None:
    path = tmp_path / "problem.toml"
    path.write_text("\ufeff" + FILE, "utf-8")
    with pytest.raises(de.InputError, match="byte order mark"):
        de.load(path)


def test_the_help_of_curve_shows_its_example() -> None:
    shown = run("curve", "--help").output
    assert "--vary ridge.samples_per_dim=0.2:6:30 \\\n" in shown
    assert "\\b" not in shown


@pytest.mark.parametrize("thing", ["problem.toml", {}, None, 3], ids=range(4))
@pytest.mark.parametrize(
    "entry",
    [
        de.solve,
        lambda p: de.curve(p, {"ridge.penalty": [1]}),
        de.spectrum,
        de.validate,
        de.certify,
        de.optimal_penalty,
        de.reach,
        de.diagnose,
        lambda p: de.derivatives(p, "ridge.penalty"),
        lambda p: de.simulate(p, dimension=9, repetitions=2),
        lambda p: de.check(
            p or 0, "training_error <= 1", over={"ridge.penalty": ("1", "2")}
        ),
    ],
    ids=range(11),
)
def test_what_is_no_problem_is_refused(entry: Any, thing: Any) -> None:
    with pytest.raises(de.InputError):
        entry(thing)


def test_the_parts_of_a_problem_are_parts(file: str) -> None:
    problem = de.load(file)
    for change in (
        {"features": {"activation": "tanh", "spike": 1}},
        {"target": "z"},
        {"ridge": None},
    ):
        parts = {"target": problem.target, "ridge": problem.ridge} | change
        with pytest.raises(de.InputError, match="give a "):
            de.Problem(**({"features": problem.features} | parts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kappa", [np.nan, [0, np.inf], None, "1", [None], [[1], [1, 2]]]
)
def test_the_learned_function_has_finite_places(kappa: Any, file: str) -> None:
    with pytest.raises(de.InputError, match="kappa"):
        de.learned_function(de.solve(de.load(file), digits=5), kappa)


def test_points_without_end_are_refused(file: str) -> None:
    problem = de.load(file)
    for values in (range(10**9), iter(int, 1)):
        with pytest.raises(de.InputError, match="at most"):
            read_values(problem, {"ridge.penalty": values})


def command(*arguments: str) -> list[str]:
    """Arguments of a process of its own."""
    return [sys.executable, "-c", "from detequiv.cli import main; main()", *arguments]


@full
def test_a_full_disk_is_status_4(file: str) -> None:
    with Path("/dev/full").open("w") as device:
        done = subprocess.run(
            command("derive", file), stdout=device, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 4
    assert done.stderr == "detequiv: no space left on device\n"


def test_a_closed_pipe_is_status_4(file: str) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command("derive", file), stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert done.returncode == 4
    assert done.stderr == "detequiv: standard output was closed\n"


@full
def test_a_table_that_cannot_be_written_is_shown(file: str, tmp_path: Path) -> None:
    out = tmp_path / "curve.csv"
    out.symlink_to("/dev/full")
    result = run(
        *("curve", file, "--vary", "ridge.penalty=1,2", "--out", str(out)),
        *("--workers", "1"),
    )
    assert result.exit_code == 4
    assert result.stdout.startswith("ridge.penalty,generalization_error")
    assert result.stdout.count("\n") == 3


def test_theory_outlives_a_store_that_fails(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("draws.sqlite cannot take a draw: database or disk is full")

    monkeypatch.setattr(de.Curve, "simulate", fail)
    store = tmp_path / "draws.sqlite"
    result = run(
        *("curve", file, "--vary", "ridge.penalty=1,2", "--workers", "1"),
        *("--simulate", "d=9,reps=2", "--resume", str(store)),
    )
    assert result.exit_code == 4
    assert result.stdout.count("\n") == 3
    assert "disk is full" in result.stderr


def test_an_interrupt_names_resume(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(de.Curve, "simulate", interrupt)
    arguments = ("curve", file, "--vary", "ridge.penalty=1,2", "--workers", "1")
    result = run(*arguments, "--simulate", "d=9,reps=2")
    assert result.exit_code == 130
    assert "--resume" in result.stderr
    store = str(tmp_path / "draws.sqlite")
    result = run(*arguments, "--simulate", "d=9,reps=2", "--resume", store)
    assert "the same command goes on" in result.stderr


def test_a_malformed_store_is_refused_before_work(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("worked before it refused")

    monkeypatch.setattr(de, "curve", work)
    store = tmp_path / "draws.sqlite"
    store.write_text("junk" * 1000)
    result = run(
        *("curve", file, "--vary", "ridge.penalty=1,2"),
        *("--simulate", "d=9,reps=2", "--resume", str(store)),
    )
    assert result.exit_code == 2
    assert "--resume" in result.stderr


def test_draws_that_cannot_be_read_or_kept_are_told(file: str, tmp_path: Path) -> None:
    problem, path = de.load(file), tmp_path / "draws.sqlite"
    sizes = {"dimension": 9, "repetitions": 2, "rng": 1, "store": path}
    de.simulate(problem, **sizes)  # type: ignore[arg-type]
    with Store(path) as store:
        store._base.execute("UPDATE draw SET quantities = 'junk'")
    with pytest.raises(de.InputError, match="cannot be read"):
        de.simulate(problem, **sizes)  # type: ignore[arg-type]
    with Store(path) as store:
        store._base.execute("DELETE FROM draw")
        store._base.execute(
            "CREATE TRIGGER full BEFORE INSERT ON draw BEGIN "
            "SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
    with pytest.raises(OSError, match="cannot take a draw"):
        de.simulate(problem, **sizes)  # type: ignore[arg-type]


def test_a_law_can_be_pickled_after_its_support(file: str) -> None:
    import pickle

    law = de.spectrum(de.load(file), digits=5)
    assert law.support
    again = pickle.loads(pickle.dumps(law))
    assert [str(i.upper.value) for i in again.support] == [
        str(i.upper.value) for i in law.support
    ]
