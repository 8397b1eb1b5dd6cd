"""Golden values: what the library answered at the version recorded in the file.

The file is made by `make_golden`; its cases are those of `questions`. Each is answered
again and compared, with what is told beside each tolerance in `answers`.
"""

import json
from difflib import unified_diff
from itertools import islice
from typing import Any

import mpmath
import pytest
from answers import answer
from make_golden import GOLDEN
from questions import cases

CASES: dict[str, dict[str, Any]] = json.loads(GOLDEN.read_text("utf-8"))["cases"]
# one or two of each kind, in less than a second each: run by `make test`
QUICK = (
    "certify/one group",
    "command/curve/grid",
    "command/refused/file/not TOML",
    "command/refused/solve problem.toml --digits ten",
    "command/solve/json",
    "command/solve/table, network",
    "compare/unknown",
    "curve/from no penalty",
    "curve/incomplete",
    "curve/penalty/relu",
    "curve/simulated/tanh",
    "derivatives/spike",
    "derive/expressions/2",
    "derive/latex, closed/erf",
    "derive/python/network",
    "derive/text/3",
    "diagnose/relu",
    "learned_function/relu",
    "load/exact",
    "optimal_penalty/relu",
    "reach/network",
    "refused/explosion",
    "solve/catalogue/gelu/0",
    "solve/kinks/folded",
    "solve/network/documented",
    "solve/peak/tanh",
    "solve/penalty/relu/1e-10",
    "solve/ridgeless/relu/fewer samples",
    "spectrum/he3, wide",
    "spectrum/no scale",
)


def differences(golden: Any, found: Any, place: str = "") -> list[str]:
    """List where an answer is not the golden one, and how.

    Parameters
    ----------
    golden, found : tree
        Answers, as `answers.answer` gives them.
    place : str
        Where they are in a larger answer.
    """
    match golden, found:
        case {"is": str(expected), "within": within}, {"is": str(value)}:
            return _apart(expected, value, within, place)
        case dict(), dict() if golden.keys() == found.keys():
            pairs = [(f"{place}/{k}", v, found[k]) for k, v in golden.items()]
        case list(), list() if len(golden) == len(found):
            places = [f"{place}/{k}" for k in range(len(golden))]
            pairs = list(zip(places, golden, found, strict=True))
        case str(), str() if golden != found and "\n" in golden:
            lines = unified_diff(golden.splitlines(), found.splitlines(), lineterm="")
            return [f"{place}:", *islice(lines, 2, 20)]
        case _:
            same = golden == found and type(golden) is type(found)
            return [] if same else [f"{place}: {golden!r} was expected, not {found!r}"]
    return [line for where, a, b in pairs for line in differences(a, b, where)]


def _apart(expected: str, value: str, within: str, place: str) -> list[str]:
    """Say so if two numbers are farther apart than a distance."""
    # all digits written, and some more
    with mpmath.workdps(max(len(expected), len(value)) + 20):
        gap = abs(mpmath.mpf(expected) - mpmath.mpf(value))
        if gap <= mpmath.mpf(within):
            return []
        far = mpmath.nstr(gap, 3)
    return [f"{place}: {expected} was expected to {within}, not {value}: {far} apart"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in CASES],
)
def test_the_answer_is_the_golden_one(name: str) -> None:
    case = CASES[name]
    # as it is read from a file
    found = json.loads(json.dumps(answer(case["kind"], case["given"])))
    wrong = differences(case["answer"], found)
    assert not wrong, "\n".join(wrong)


def test_the_file_has_the_cases_that_are_asked() -> None:
    asked = {k: [v.kind, json.loads(json.dumps(v.given))] for k, v in cases().items()}
    assert asked == {k: [v["kind"], v["given"]] for k, v in CASES.items()}
    assert CASES.keys() >= set(QUICK)


@pytest.mark.parametrize(
    ("golden", "found"),
    [
        ({"is": "1.5", "within": "1e-3"}, {"is": "1.502", "within": "1"}),
        ({"is": "1.5", "within": "1e-30"}, {"is": "1.5" + "0" * 28 + "2"}),
        ({"is": "1.5", "within": "1"}, "+inf"),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1, 2], [1]),
        (1, 1.0),
        (None, "no"),
        ("one\ntwo", "one\n2"),
    ],
)
def test_a_difference_is_seen(golden: Any, found: Any) -> None:
    assert differences({"x": [golden]}, {"x": [found]})
    assert not differences(golden, golden)
