"""What results show of themselves: one screen, the digits vouched for, and no more."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import detequiv as de

PROBLEM = de.Problem(
    features=de.SpikedFeatures(activation="relu", spike=[2]),
    target=de.Target(function="abs(z)", noise="1/3"),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)
NETWORK = de.Network(
    activation="tanh", readout=[1, "-1/3"], step="sqrt(2)", weights=["1/3", "2/3"]
)
PROBLEMS = {
    "features": PROBLEM,
    "network": replace(PROBLEM, features=None, network=NETWORK),
    "levels": replace(PROBLEM, inputs=de.Inputs(eigenvalues=[1, "1/3"])),
    "power law": replace(
        PROBLEM, inputs=de.Inputs(power_law={"exponent": "3/2", "levels": 5})
    ),
    "labels": replace(
        PROBLEM, target=de.Target(function="He(3, z)", labels="logit", slope=2)
    ),
    "loss": PROBLEM.with_values({"ridge.loss": "huber", "ridge.delta": "1/2"}),
}
NAMES = {
    name: getattr(de, name)
    for name in ("Inputs", "Network", "Problem", "Ridge", "SpikedFeatures", "Target")
}
WIDE, HIGH = 200, 24  # of a screen


class Balanced(HTMLParser):
    """HTML whose elements are all closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.inside == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_written_as_the_call_that_makes_it(name: str) -> None:
    problem = PROBLEMS[name]
    assert eval(repr(problem), NAMES) == problem


def test_a_problem_of_many_numbers_still_fits_a_screen() -> None:
    problem = replace(PROBLEM, inputs=de.Inputs(eigenvalues=range_of(5000)))
    assert len(repr(problem)) < WIDE * HIGH / 2


def range_of(count: int) -> list[int]:
    """Whole numbers from 1."""
    return list(range(1, count + 1))


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """One of each kind of result."""
    easy = replace(PROBLEM, target=de.Target(function="z", noise="1/3"))
    return {
        "problem": PROBLEM,
        "solution": de.solve(PROBLEM, digits=30),
        "width": de.solve(PROBLEM, width=50),
        "curve": de.curve(PROBLEM, {"ridge.penalty": [f"{k}/9" for k in range(1, 41)]}),
        "law": de.spectrum(PROBLEM),
        "derivation": de.derive(PROBLEM),
        "certificate": de.certify(easy, digits=12),
        "verdict": de.check(
            easy.with_values({"features.spike": [0]}),
            "training_error < generalization_error",
            over={"ridge.penalty": ("1/2", "3/5")},
        ),
    }


def test_every_result_shows_itself_on_one_screen(results: dict[str, Any]) -> None:
    for name, result in results.items():
        lines = repr(result).splitlines()
        assert len(lines) <= HIGH, name
        assert name == "problem" or max(map(len, lines)) < WIDE, name
        assert "object at 0x" not in repr(result)
        Balanced(result._repr_html_())


def test_numbers_shown_are_those_vouched_for(results: dict[str, Any]) -> None:
    for name in ("solution", "width"):
        solution = results[name]
        words = Balanced(solution._repr_html_()).words
        for text in (repr(solution).split(), words):
            assert solution.text("excess_error") in text
            assert solution.text("resolvent_trace") in text
        assert f"{solution.digits} digits" in repr(solution)
    certificate = results["certificate"]
    assert str(certificate.balls["training_error"]) in repr(certificate)
    assert repr(results["verdict"]).startswith("proved\n")
    curve = results["curve"]
    shown = repr(curve).splitlines()
    assert curve.points[11].text("training_error") in shown[13]
    assert shown[-1].startswith("and 28 more rows")


def test_equations_are_shown_without_macros(results: dict[str, Any]) -> None:
    derivation = results["derivation"]
    latex, page = derivation._repr_latex_(), derivation._repr_html_()
    assert latex.startswith("$$\\begin{aligned}\n")
    assert latex.count("$") == 4
    assert r"\mathbb{E}_\kappa" in latex
    for text in (latex, page):
        assert not re.search(r"\\(E|tr|diag)(?![a-zA-Z])", text)
    assert r"\operatorname{tr}" in page
    assert page.count("$$") == 2 * page.count(r"\begin{aligned}") > 40


def test_a_frame_has_the_numbers_of_the_table() -> None:
    vary = {"ridge.penalty": ["1/3", 1], "features.activation": ["relu", "tanh"]}
    curve = de.curve(PROBLEM, vary).simulate(dimension=10, repetitions=2, rng=0)
    frame = curve.to_pandas()
    assert list(frame["ridge.penalty"]) == [1 / 3, 1 / 3, 1, 1]
    assert list(frame["features.activation"]) == ["max(0, z)", "tanh(z)"] * 2
    for name in ("generalization_error", "training_error"):
        assert np.allclose(frame[name], curve.values(name).ravel(), rtol=1e-9)
        mean, error = curve.simulated(name)
        assert list(frame[f"{name}_simulated"]) == list(mean.ravel())
        assert list(frame[f"{name}_standard_error"]) == list(error.ravel())
