"""The command line as a newcomer meets it."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import mpmath
import pytest
from click.testing import CliRunner, Result

import detequiv as de
from detequiv.cli import main

FILE = (Path(__file__).parents[2] / "docs" / "problem.toml").read_text("utf-8")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Write a sound problem file."""
    path = tmp_path / "problem.toml"
    path.write_text(FILE, "utf-8")
    return str(path)


def run(*arguments: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, arguments)


def test_solve_json_is_the_contract(file: str) -> None:
    result = run("solve", file, "--digits", "20", "--json")
    assert result.exit_code == 0
    assert result.stderr == ""
    answer = json.loads(result.stdout)
    point = de.solve(de.load(file), digits=20)
    for name in (
        "generalization_error",
        "training_error",
        "excess_error",
        "readout_norm",
        "ridge_objective",
        "resolvent_trace",
    ):
        assert answer.pop(name) == point.text(name)
    for name, size in (("g", 2), ("A", 2)):
        assert len(answer.pop(name)) == size
    assert {k: len(v) for k, v in answer.pop("learned").items()} == {"m": 2, "t": 2}
    assert answer.pop("digits") == 20
    assert abs(Decimal(answer.pop("residual"))) < Decimal("1e-20")
    usual = de.solve(de.load(file), width=1000, digits=4)
    errors = ("generalization_error", "training_error")
    assert answer.pop("at_width_1000") == {name: usual.text(name) for name in errors}
    assert answer == {"equations": "spiked", "width": None}


def test_numbers_keep_their_digits(file: str) -> None:
    answer = json.loads(run("solve", file, "--digits", "40", "--json").stdout)
    with mpmath.workdps(50):
        gap = mpmath.mpf(answer["A"][0][1]) - mpmath.mpf(answer["A"][1][0])
        assert gap == 0
        trace = mpmath.mpf(answer["resolvent_trace"])
        mean = (mpmath.mpf(answer["g"][0]) + mpmath.mpf(answer["g"][1])) / 2
        assert abs(trace / mean - 1) < mpmath.mpf(10) ** -39


def test_set_replaces_values(file: str) -> None:
    changed = run(
        "solve",
        file,
        "--json",
        "--set",
        "ridge.penalty=1/10",
        "--set",
        "features.spike=[1, 0.25]",
    )
    problem = de.load(file).with_values(
        {"ridge.penalty": "1/10", "features.spike": [1, "1/4"]}
    )
    answer = json.loads(changed.stdout)["generalization_error"]
    assert answer == de.solve(problem).text("generalization_error")


def test_people_get_a_table(file: str) -> None:
    result = run("solve", file)
    assert result.exit_code == 0
    assert "generalization_error   0.789076102109537" in result.stdout
    assert "15 digits vouched for" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["solve"], "Missing argument 'FILE'"),
        (["solv"], "No such command 'solv'"),
        (["solve", "{file}", "--digits", "ten"], "'--digits': 'ten'"),
        (["solve", "{file}", "--digits", "0"], "digits = 0: "),
        (["solve", "{file}", "--wrong"], "No such option '--wrong'"),
        (["solve", "nowhere.toml"], "file = nowhere.toml: no such file"),
        (["solve", "{file}", "--set", "ridge.penalty"], "--set = ridge.penalty: "),
        (["solve", "{file}", "--set", "ridge.penalty=-1"], "ridge.penalty = -1: "),
        (["solve", "{file}", "--set", "penalty=1"], "penalty = 1: no such field"),
        (
            ["solve", "{file}", "--set", "target=1"],
            "target = 1: a table; give target.function",
        ),
        (["solve", "{file}", "--set", "target.noise=\n"], "--set = target.noise=: "),
        (
            ["solve", "{file}", "--set", "features.activation=exp(z**2)"],
            "features.activation = exp(z**2): is not square integrable",
        ),
        (
            ["solve", "{file}", "--set", "features.activation=1/z"],
            "features.activation = 1/z: 1/z has a pole at z = 0",
        ),
        (
            ["solve", "{file}", "--set", "target.function=tan(z)"],
            "target.function = tan(z): tan(z) has a pole near z = 1.571",
        ),
        (
            ["solve", "{file}", "--set", "target.function=log(z)"],
            "target.function = log(z): log(z) is not finite at z = 0",
        ),
    ],
)
def test_bad_arguments_get_one_line(arguments: list[str], says: str, file: str) -> None:
    result = run(*(argument.format(file=file) for argument in arguments))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert says in result.stderr


def test_what_cannot_be_reached_is_status_3(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*_: object, **__: object) -> None:
        raise de.ConvergenceError("7 of 15 digits can be vouched for; ask for fewer")

    monkeypatch.setattr(de, "solve", give_up)
    result = run("solve", file, "--json")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert (
        result.stderr == "detequiv: 7 of 15 digits can be vouched for; ask for fewer\n"
    )


def test_too_large_a_matrix_is_status_3(file: str) -> None:
    size = "d=4000000"
    result = run("spectrum", file, "--simulate", size, "--points", "2", "--json")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.startswith("detequiv: not enough memory")
    assert result.stderr.count("\n") == 1


def test_an_interrupt_is_clean(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(de, "solve", interrupt)
    result = run("solve", file)
    assert result.exit_code == 130
    assert result.stderr.strip() == "detequiv: interrupted"


def test_training_that_makes_no_spike_is_noted(file: str) -> None:
    network = '[network]\nactivation = "tanh"\nreadout = 1\nstep = 2\n[target]'
    text = network + FILE.partition("[target]")[2].replace("z + ", "")
    Path(file).write_text(text, "utf-8")
    result = run("solve", file, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["equations"] == "network"
    assert result.stderr.startswith("note: the step makes no spike")
    assert run("solve", file, "--set", "target.function=z", "--json").stderr == ""


def test_help_lists_commands_without_sympy() -> None:
    script = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from detequiv.cli import main\n"
        "print(CliRunner().invoke(main, ['--help']).output)\n"
        "print({'sympy', 'scipy', 'matplotlib', 'flint'} & set(sys.modules))\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    ).stdout
    assert "\n  solve " in shown
    assert shown.endswith("set()\n")
