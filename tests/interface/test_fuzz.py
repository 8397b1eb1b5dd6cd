"""Hostile input, to every command and entry point: refused in one line, and soon.

Never a traceback, never the status that means a disagreement, and what a value became
is what was given. `make slow` runs many more examples than `make test`.
"""

import json
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import detequiv as de
from detequiv.cli import main

SECONDS = 60.0  # for one example, on a machine that does other things too
FILE = """
[features]
activation = "relu"
spike = 1
[target]
function = "z"
[ridge]
samples_per_dim = 2
width_per_dim = 1
penalty = 1
"""
PROBLEM = de.Problem(
    features=de.SpikedFeatures(activation="relu", spike=1),
    target=de.Target(function="z"),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
)
few = settings(max_examples=60, suppress_health_check=list(HealthCheck))
many = settings(max_examples=1500, suppress_health_check=list(HealthCheck))

# texts that look like values, and texts that look like nothing
WORDS = [
    *("", " ", "nan", "-inf", "1e999", "1e-999", "0x10", "1/0", "½", "²", "0,1", "--"),
    *("None", "true", "[", "]", "[]", "[1", "[[1]]", "{}", '"', "'", "=", ":", "::1:"),
    *("\x00", "\n", "\ud800", "é", "1:2", "1:2:3:log", "../..", "/dev/null", "~"),
    *("ridge.penalty", "features", "features.spike[0]", "z" * 600, "9" * 5000),
    *(
        "__import__('os')",
        "${HOME}",
        "%s%n",
        "<b>",
        "[bold]",
        "1e5000",
        "z**z",
        "(" * 99,
    ),
]
texts = st.sampled_from(WORDS) | st.text(max_size=12)
names = (
    st.sampled_from(
        [
            *(
                "ridge.penalty",
                "ridge.samples_per_dim",
                "target.noise",
                "features.spike",
            ),
            *(
                "features.spike[0]",
                "target.function",
                "features.weights",
                "network.step",
            ),
        ]
    )
    | texts
)
assignments = st.builds("{}={}".format, names, texts)
COMMANDS = {
    "solve": ["--set", "--digits", "--width", "--json"],
    "curve": [
        "--set",
        "--vary",
        "--digits",
        "--width",
        "--simulate",
        "--seed",
        "--out",
    ],
    "spectrum": ["--set", "--scale", "--points", "--width", "--simulate", "--plot"],
    "derive": ["--set", "--groups", "--format"],
    "validate": ["--set", "--budget", "--seed", "--out"],
    "check": ["--set", "--claim", "--over", "--budget", "--out", "--resume"],
}
NEEDED = {
    "curve": ["--vary", "ridge.penalty=0"],
    "check": ["--claim", "training_error <= 1", "--over", "ridge.penalty=2:1"],
    "validate": ["--budget", "0"],
}


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Draw a command with options whose values are hostile."""
    command = draw(st.sampled_from(sorted(COMMANDS)))
    line = [command, "{file}"]
    for option in draw(st.lists(st.sampled_from(COMMANDS[command]), max_size=2)):
        named = option in ("--set", "--vary", "--over")
        line += [option, draw(assignments if named else texts)]
    # solvable or not, these alone are refused: no example takes long
    return [*line, *NEEDED.get(command, ["--no-such-option"] * (len(line) == 2))]


def check_command(line: list[str], path: Path) -> None:
    """Run a command, and see that it ends as commands do."""
    arguments = [str(path) if word == "{file}" else word for word in line]
    began = time.perf_counter()
    result = CliRunner().invoke(main, arguments)
    assert time.perf_counter() - began < SECONDS
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in (0, 2, 3, 4), result.output
    if result.exit_code:
        assert "Traceback" not in result.output
        assert result.stderr.startswith(("detequiv: ", "Usage", "wrote"))
    elif "--json" in line:
        json.loads(result.stdout)


def refusal(call: Callable[[], object]) -> str | None:
    """Call, in time; the one line with which it refuses, or None."""
    began = time.perf_counter()
    says = None
    try:
        call()
    except de.DetequivError as error:
        says = str(error)
    assert time.perf_counter() - began < SECONDS
    assert "\n" not in (says or "")
    return says


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder in which hostile names of files may be written."""
    return tmp_path_factory.mktemp("hostile")


@few
@given(command_lines())
def test_commands_end_as_commands_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    monkeypatch.chdir(folder)
    path = folder / "problem.toml"
    path.write_text(FILE, "utf-8")
    check_command(line, path)


@pytest.mark.slow
@many
@given(command_lines())
def test_many_commands_end_as_commands_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    test_commands_end_as_commands_do.hypothesis.inner_test(  # type: ignore[attr-defined]
        folder, monkeypatch, line
    )


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Draw a file: noise, or a sound one with some bytes or a value replaced."""
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return draw(st.binary(max_size=60))
    if kind == 1:
        at = draw(st.integers(0, len(FILE)))
        noise = draw(st.binary(min_size=1, max_size=4))
        return FILE.encode()[:at] + noise + FILE.encode()[at + len(noise) :]
    old = draw(
        st.sampled_from(["spike = 1", "penalty = 1", '"relu"', '"z"', "[ridge]"])
    )
    head, equals, _ = old.rpartition("= ")
    value = json.dumps(draw(texts)) if draw(st.booleans()) else draw(texts)
    return FILE.replace(old, head + equals + value).encode("utf-8", "surrogatepass")


@few
@given(files())
def test_files_are_read_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "noise.toml"
    path.write_bytes(content)
    refusal(lambda: de.load(path))


numbers = st.one_of(
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.floats(width=32).map(np.float32),
    st.decimals(),
    st.fractions(),
    st.booleans(),
    st.complex_numbers(),
    texts,
    st.binary(max_size=4),
    st.sampled_from(
        [
            *(None, [], {}, (), object(), np.nan, mpmath.inf, sp.oo, sp.zoo, sp.nan),
            *(np.longdouble("0.1"), np.array(1.5), np.array([1, 2]), np.ones((2, 2))),
            *(Decimal("NaN"), Fraction(1, 3), sp.Symbol("x"), sp.sqrt(2), sp.I, sp.pi),
            *(mpmath.mpf("0.1"), np.datetime64("2020-01-01"), np.str_("1/3")),
            *(mpmath.mpf("1e-99999999"), sp.Float("0.1", 5), sp.true, int, len),
        ]
    ),
)


@few
@given(st.sampled_from(["samples_per_dim", "width_per_dim", "penalty"]), numbers)
def test_a_number_is_what_was_given_or_refused(name: str, value: Any) -> None:
    given_ = {"samples_per_dim": 2, "width_per_dim": 1, "penalty": 1, name: value}
    says = refusal(lambda: de.Ridge(**given_))
    if says is not None:
        assert says.startswith(f"ridge.{name} = ")
        return
    found = getattr(de.Ridge(**given_), name)
    if isinstance(value, int | float | Fraction | Decimal):
        if isinstance(value, float):
            assert float(found) == value
        else:
            assert found == sp.Rational(str(value))


FIELDS: dict[str, Callable[[Any], Any]] = {
    "weights": lambda v: de.SpikedFeatures(activation="relu", spike=[1, 2], weights=v),
    "spike": lambda v: de.SpikedFeatures(activation="relu", spike=v),
    "activation": lambda v: de.SpikedFeatures(activation=v, spike=1),
    "function": lambda v: de.Target(function=v),
    "rows": lambda v: de.Network(activation="relu", readout=1, step=1, rows=v),
    "labels": lambda v: de.Target(function="z", labels=v),
    "loss": lambda v: de.Ridge(samples_per_dim=1, width_per_dim=1, penalty=1, loss=v),
    "readout": lambda v: de.Network(activation="relu", readout=v, step=1),
    "step": lambda v: de.Network(activation="relu", readout=1, step=v),
    "quantity": lambda v: de.compare(PROBLEM, PROBLEM, quantity=v) if v != 0 else None,
    "batch": lambda v: de.Network(
        activation="relu", readout=1, step=1, batch_per_dim=v
    ),
    "tables": lambda v: de.Problem.from_tables(v),
    "table": lambda v: de.Problem.from_tables({"target": v}),
    "values": lambda v: PROBLEM.with_values({"ridge.penalty": v}),
    "name": lambda v: PROBLEM.with_values({v: 1}) if isinstance(v, str | int) else None,
    "load": lambda v: de.load(v) if isinstance(v, str | bytes | None) else None,
    "vary": lambda v: de.curve(PROBLEM, {"ridge.samples_per_dim": v, "no.such": [1]}),
    "whole vary": lambda v: de.curve(PROBLEM, v),
    "scale": lambda v: de.spectrum(PROBLEM, scale=v, digits=3),
    "groups": lambda v: de.derive(groups=v) if v is not None else None,
    "budget": lambda v: de.validate(de.Target, budget=v),  # type: ignore[arg-type]
    "claim": lambda v: de.check(PROBLEM, v, over={"ridge.penalty": (2, 1)}),
    "over": lambda v: de.check(PROBLEM, "training_error <= 1", over=v, budget=0.01),
    "range": lambda v: de.check(
        PROBLEM, "training_error <= 1", over={"ridge.penalty": v}, budget=0.01
    ),
}


@few
@given(st.sampled_from(sorted(FIELDS)), numbers | st.lists(numbers, max_size=3))
def test_entry_points_refuse_by_name(field: str, value: Any) -> None:
    refusal(lambda: FIELDS[field](value))


@pytest.mark.slow
@many
@given(st.sampled_from(sorted(FIELDS)), numbers | st.lists(numbers, max_size=3))
def test_many_values_are_refused_by_name(field: str, value: Any) -> None:
    test_entry_points_refuse_by_name.hypothesis.inner_test(field, value)  # type: ignore[attr-defined]


WHOLE: dict[str, Callable[[Any], Any]] = {
    "digits": lambda v: de.solve(PROBLEM, digits=v),
    "width": lambda v: de.solve(PROBLEM, width=v),
    "curve": lambda v: de.curve(PROBLEM, {"ridge.penalty": [1]}, digits=v),
    "law": lambda v: de.spectrum(PROBLEM, digits=v),
    "units": lambda v: de.spectrum(PROBLEM, width=v),
    "certify": lambda v: de.certify(PROBLEM, digits=v),
    "optimum": lambda v: de.optimal_penalty(PROBLEM, digits=v),
    "derivatives": lambda v: de.derivatives(PROBLEM, "ridge.penalty", digits=v),
    "dimension": lambda v: de.simulate(PROBLEM, dimension=v, repetitions=2),
    "repetitions": lambda v: de.simulate(PROBLEM, dimension=5, repetitions=v),
}


def is_whole(value: Any) -> bool:
    """Whether a value may be what is asked for, and then costs time."""
    return (
        isinstance(value, int)
        or getattr(getattr(value, "dtype", 0), "kind", "") in "iu"
    )


@few
@given(
    st.sampled_from(sorted(WHOLE)),
    numbers.filter(lambda v: not is_whole(v))
    | st.integers(max_value=0)
    | st.booleans(),
)
def test_numbers_that_are_not_whole_are_refused(entry: str, value: Any) -> None:
    if value is None and entry in ("width", "curve"):
        return  # the default
    with pytest.raises(de.InputError):
        WHOLE[entry](value)
