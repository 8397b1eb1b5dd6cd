"""Problem files: read exactly, written back, and refused with one line."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import detequiv as de
from detequiv.cli import main
from detequiv.formats.problem_file import _toml, dump
from detequiv.theory.functions import exact

SOUND = """
[features]
activation = "tanh"
spike = [1.5, -0.8]
bulk = [1, "sqrt(2)"]
weights = ["1/3", "2/3"]

[target]
function = "z + 0.5*(z**2 - 1)"
alignment = 0.7
noise = 0.3

[ridge]
samples_per_dim = 2
width_per_dim = 1.5
penalty = 5e-2
"""

# what is replaced in the sound file, by what, and what the refusal names
MALFORMED = {
    "not TOML": ("[target]", "[target", "problem.toml"),
    "no table": ("[ridge]", "[rigde]", "rigde"),
    "misspelled field": ("penalty =", "penalti =", "did you mean penalty?"),
    "missing field": ("width_per_dim = 1.5", "", "ridge.width_per_dim"),
    "text for a number": ("0.3", '"loud"', "target.noise = loud"),
    "negative noise": ("0.3", "-0.3", "target.noise = -0.3"),
    "alignment beyond one": ("0.7", "1.7", "target.alignment = 1.7"),
    "negative penalty": ("5e-2", "-5e-2", "ridge.penalty = -5e-2"),
    "no samples": ("samples_per_dim = 2", "samples_per_dim = 0", "= 0"),
    "weights beyond one": ('["1/3", "2/3"]', "[0.5, 0.6]", "features.weights"),
    "lists of two lengths": ('["1/3", "2/3"]', "[1]", "features.weights"),
    "bulk without size": ('[1, "sqrt(2)"]', "[1, 0]", "features.bulk"),
    "empty spike": ("[1.5, -0.8]", "[]", "features.spike"),
    "not a number": ("penalty = 5e-2", "penalty = nan", "ridge.penalty"),
    "infinite": ("samples_per_dim = 2", "samples_per_dim = inf", "samples_per_dim"),
    "a boolean": ("samples_per_dim = 2", "samples_per_dim = true", "samples_per_dim"),
    "unknown activation": ('"tanh"', '"tahn"', "features.activation = tahn"),
    "unknown variable": ('"tanh"', '"tanh(x)"', "features.activation"),
    "Python code": ('"tanh"', '"__import__(1)"', "features.activation"),
    "attribute access": ('"tanh"', '"z.real"', "features.activation"),
    "no second moment": ('"tanh"', '"exp(z**2)"', "features.activation"),
    "a pole": ('"tanh"', '"1/z"', "features.activation"),
    "unbalanced": ('"z + 0.5*(z**2 - 1)"', '"z + (z"', "target.function"),
    "both kinds": (
        "[target]",
        '[network]\nactivation = "relu"\nreadout = [1]\nstep = 1\n[target]',
        "network",
    ),
}


def solve(path: Path) -> tuple[int, str, str]:
    """Run ``detequiv solve`` on a file."""
    result = CliRunner().invoke(main, ["solve", str(path)])
    return result.exit_code, result.stdout, result.stderr


def test_numbers_are_read_exactly(tmp_path: Path) -> None:
    path = tmp_path / "problem.toml"
    path.write_text(SOUND, "utf-8")
    problem = de.load(path)
    assert problem.features is not None
    assert problem.features.bulk == (1, sp.sqrt(2))
    assert problem.features.spike == (sp.Rational(3, 2), sp.Rational(-4, 5))
    assert problem.ridge.penalty == sp.Rational(1, 20)


def test_what_is_written_reads_as_the_same_problem(tmp_path: Path) -> None:
    path = tmp_path / "problem.toml"
    path.write_text(SOUND, "utf-8")
    problem = de.load(path)
    path.write_text(dump(problem), "utf-8")
    assert de.load(path) == problem


@pytest.mark.parametrize("fault", MALFORMED)
def test_malformed_files_are_refused_in_one_line(fault: str, tmp_path: Path) -> None:
    old, new, says = MALFORMED[fault]
    assert old in SOUND
    path = tmp_path / "problem.toml"
    path.write_text(SOUND.replace(old, new, 1), "utf-8")
    status, out, err = solve(path)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
    assert "Traceback" not in err


def test_a_long_path_keeps_its_end(tmp_path: Path) -> None:
    path = tmp_path / ("deep" * 30) / "problem.toml"
    status, _, err = solve(path)
    assert status == 2
    assert "problem.toml" in err


FUNCTIONS = [
    *("gelu", "step", "(z + 1)**30", "He(9, tanh(z))", "max(z, -z/2)**3", "2**z"),
    *("exp(-z)/(1 + exp(-z))", "abs(z)**(1/3)", "(sqrt(2)*z + pi)**3", "-3"),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_written_as_it_is_read(function: str, tmp_path: Path) -> None:
    problem = de.Problem(
        network=de.Network(activation="tanh", readout=[1, "-1/3"], step="1e-400"),
        target=de.Target(function=function),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="sqrt(2)", penalty=1e-9),
    )
    path = tmp_path / "problem.toml"
    path.write_text(dump(problem), "utf-8")
    assert de.load(path) == problem


@given(
    st.one_of(
        st.integers(-(10**30), 10**30),
        st.floats(allow_nan=False, allow_infinity=False),
        st.fractions(),
        st.decimals("-1e200", "1e200"),
        st.sampled_from(["sqrt(2)", "pi/3", "exp(1)", "2**(1/3)", "sin(1)", "1e-400"]),
        st.sampled_from(["erf(1)*e", "(sqrt(2) + pi)**3", "1/(1 + sqrt(3))", "e**pi"]),
        st.sampled_from([np.float32(0.7), sp.sqrt(3) / sp.Float(7), sp.Float("1", 40)]),
    )
)
def test_every_number_is_written_as_it_is_read(number: Any) -> None:
    value = exact(number, "x")
    (written,) = tomllib.loads(f"x = {_toml(value, 'x')}", parse_float=str).values()
    assert exact(written, "x") == value


def test_the_problem_beside_a_dataset_is_one_that_loads(tmp_path: Path) -> None:
    problem = de.Problem(
        network=de.Network(activation="relu", readout=1, step=1),
        target=de.Target(function="z"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty="1e-30"),
    )
    found = de.curve(problem, {"ridge.penalty": [1, 2]}).to_xarray()
    path = tmp_path / "problem.toml"
    path.write_text(found.attrs["problem"], "utf-8")
    assert de.load(path) == problem


def test_a_number_without_words_is_not_written() -> None:
    problem = de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=1),
        target=de.Target(function="z"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty=sp.gamma("1/3")),
    )
    with pytest.raises(de.InputError, match=r"^ridge.penalty = gamma\(1/3\): cannot"):
        dump(problem)
