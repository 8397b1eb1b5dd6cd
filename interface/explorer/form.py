"""The explorer's form: a problem as the texts of its controls, and back.

A state of the page is the text of a problem file and what its controls now say. The
file keeps all that has no control, such as weights or a covariance of the inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from detequiv.formats.problem_file import parse_problem
from detequiv.shell.values import parse_values
from detequiv.theory.errors import InputError
from detequiv.theory.functions import value_text
from detequiv.theory.problem import Network, Problem, SpikedFeatures

__all__ = ["form_of", "problem_of", "untrained"]

VALUES = {"features": "features.spike", "network": "network.readout"}
COMMON = (
    "target.function",
    "target.noise",
    "ridge.samples_per_dim",
    "ridge.width_per_dim",
    "ridge.penalty",
)
LONGEST = 20_000  # characters of a problem file that a page may send


def form_of(problem: Problem) -> dict[str, str]:
    """Text of each control: ``layer``, ``activation``, ``values``, and field names.

    Examples
    --------
    >>> form = form_of(parse_problem('''
    ... [network]
    ... activation = "tanh"
    ... readout = [1, -0.5]
    ... step = 2
    ... [target]
    ... function = "z"
    ... [ridge]
    ... samples_per_dim = 2
    ... width_per_dim = 1
    ... penalty = 0.1
    ... '''))
    >>> form["layer"], form["values"], form["step"], form["penalty"]
    ('network', '1, -0.5', '2', '0.1')
    """
    if problem.layer is None:
        raise InputError(
            "inputs", "without a layer", "the page is for a layer of units"
        )
    layer = "features" if problem.network is None else "network"
    values = problem.value(VALUES[layer])
    listed = ", ".join(map(value_text, values)) if isinstance(values, tuple) else values
    return {
        "layer": layer,
        "activation": value_text(problem.value(f"{layer}.activation")),
        "values": str(listed),
        "step": ""
        if layer == "features"
        else value_text(problem.value("network.step")),
        **{_control(name): value_text(problem.value(name)) for name in COMMON},
    }


@lru_cache(maxsize=64)
def problem_of(text: str, controls: tuple[tuple[str, str], ...] = ()) -> Problem:
    """Read a problem file's text, and put in what the controls say.

    Parameters
    ----------
    text : str
        A problem file.
    controls : tuple of (str, str)
        Names and texts as in `form_of`; those that are left out do not change.

    Raises
    ------
    InputError
        As for `detequiv.load`.
    """
    if len(text) > LONGEST:
        raise InputError("file", f"{len(text)} characters", f"give at most {LONGEST}")
    problem, form = parse_problem(text), dict(controls)
    form |= {name: form_of(problem)[name] for name in form_of(problem).keys() - form}
    layer = form["layer"]
    if layer not in VALUES:
        raise InputError("layer", layer, f"give one of {', '.join(VALUES)}")
    before = form_of(problem)
    if layer != before["layer"]:
        problem = _with_layer(problem, form)
        before = form_of(problem)
    names = {_control(name): name for name in COMMON}
    names |= {"activation": f"{layer}.activation", "values": VALUES[layer]}
    if layer == "network":
        names["step"] = "network.step"
    return problem.with_values(
        {
            name: _listed(name, form[control]) if control == "values" else form[control]
            for control, name in names.items()
            if form[control] != before[control]
        }
    )


def untrained(problem: Problem) -> Problem:
    """Return the same problem before the step: no spike."""
    if problem.network is not None:
        return problem.with_values({"network.step": 0})
    return problem.with_values({"features.spike": [0] * problem.groups})


def _control(name: str) -> str:
    """Name of the control of a field."""
    return name.rpartition(".")[2]


def _listed(name: str, text: str) -> Any:
    """Read the values of the groups."""
    values = parse_values(name, text)
    return values[0] if len(values) == 1 else values


def _with_layer(problem: Problem, form: Mapping[str, str]) -> Problem:
    """Change the kind of the first layer, equal shares for its groups."""
    values = _listed(VALUES[form["layer"]], form["values"])
    if form["layer"] == "features":
        features = SpikedFeatures(activation=form["activation"], spike=values)
        return replace(problem, features=features, network=None)
    network = Network(
        activation=form["activation"], readout=values, step=form["step"] or 1
    )
    target = problem.with_values({"target.alignment": 1}).target
    return replace(problem, features=None, network=network, target=target)
