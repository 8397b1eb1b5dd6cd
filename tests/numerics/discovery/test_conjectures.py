"""Verdicts: theorems are true, false claims are refuted, records check themselves."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from time import sleep

import flint
import mpmath
import pytest
import sympy as sp

import detequiv as de
from detequiv.numerics.certificates import BoxEnclosure
from detequiv.numerics.discovery import Verdict
from detequiv.numerics.discovery.ranges import covers, split


def problem(activation: str, spike: list[object], **ridge: object) -> de.Problem:
    given = {"samples_per_dim": 2, "width_per_dim": "3/2", "penalty": "1/20", **ridge}
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(**given),
    )


UNTRAINED = problem("relu", [0])
R = sp.Rational


@pytest.mark.parametrize(
    ("case", "box"),
    [
        (UNTRAINED, {"ridge.penalty": (R(1, 20), R(1, 15))}),
        (UNTRAINED, {"ridge.samples_per_dim": (R(2), R(11, 5))}),
        (UNTRAINED, {"ridge.width_per_dim": (R(5, 2), R(27, 10))}),
        (UNTRAINED, {"target.noise": (R(1, 10), R(1))}),
        (
            problem("relu", ["3/2"]),
            {
                "ridge.penalty": (R(1, 20), R(11, 200)),
                "target.noise": (R(1, 10), R(2, 5)),
            },
        ),
        pytest.param(
            problem("tanh", ["3/2", "-4/5"]),
            {"ridge.penalty": (R(1, 20), R(11, 200))},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_box_encloses_values_and_derivatives_within(
    case: de.Problem, box: dict
) -> None:
    found = BoxEnclosure(case).over(box, list(box))
    draw, name = Random(1), next(iter(box))
    for place in [0, 0, 1, 1, *(R(draw.randrange(99), 99) for _ in range(3))]:
        point = {
            n: low + (high - low) * (place if n == name else draw.choice((0, 1)))
            for n, (low, high) in box.items()
        }
        there = case.with_values(point)
        exact = de.solve(there, digits=20)
        for quantity, function in found.quantities.items():
            ball = _at(function, box, point)
            assert ball.contains(_ball(getattr(exact, quantity))), quantity
            assert ball.rad() < 1e-3 * abs(ball)
        for quantity, slope in de.derivatives(there, name, digits=10).items():
            ball = _at(found.derivatives[quantity, name], box, point)
            middle, radius = float(ball.mid()), float(ball.rad())
            assert abs(float(slope) - middle) <= radius * (1 + 1e-9) + 1e-12, quantity


def _ball(value: object) -> object:
    return flint.arb(str(value))


def _at(function: object, box: dict, point: dict) -> object:
    """Enclose the value at a point, from the halves that it lies in."""
    sides = [name for name, (low, high) in box.items() if low < high]
    for axis, name in enumerate(sides):
        low, high = box[name]
        for _ in range(40):
            middle = (low + high) / 2
            side = 1 if point[name] > middle else 0
            function = function.halves(axis)[side]
            low, high = (middle, high) if side else (low, middle)
    return function.range()


def test_what_is_lost_falls_with_the_order_of_the_polynomials() -> None:
    box, lost = BoxEnclosure(UNTRAINED), []
    for width in (R(4, 5), R(2, 5)):
        ends = R(1, 20), R(1, 20) * (1 + width)
        found = box.over({"ridge.penalty": ends}).quantities["training_error"]
        lost.append(float(found.centre.rad()))
    assert lost[0] / lost[1] > 2**8
    assert lost[1] < 1e-6


def test_a_claim_is_proved_and_the_record_checks_itself() -> None:
    verdict = de.check(
        UNTRAINED,
        "training_error < generalization_error and readout_norm > 0",
        over={"ridge.penalty": ("1/10", "1/7")},
    )
    assert verdict.verdict == "proved"
    assert verdict.open == ()
    assert verdict.proved_fraction == pytest.approx(1)
    assert verdict.recheck()
    again = Verdict.from_json(verdict.to_json())
    assert again == verdict
    # a box less, a box that was not proved, another claim
    assert not replace(verdict, proved=verdict.proved[1:]).recheck()
    false = "training_error > generalization_error and readout_norm > 0"
    assert not replace(verdict, claim=false).recheck()
    moved = {**verdict.problems, "": problem("relu", [0], samples_per_dim="3/4")}
    harder = replace(verdict, problems=moved, claim="training_error > 1/2")
    assert not harder.recheck()


def test_a_false_claim_is_refuted_at_an_exact_point() -> None:
    verdict = de.check(
        UNTRAINED,
        "D(generalization_error, ridge.samples_per_dim) < 0",
        over={"ridge.samples_per_dim": ("1/2", 5)},
    )
    assert verdict.verdict == "counterexample"
    point = verdict.counterexample
    assert point is not None
    slope = de.derivatives(UNTRAINED.with_values(point), "ridge.samples_per_dim")
    assert slope["generalization_error"] > 0
    assert verdict.recheck()
    (ball,) = verdict.values.values()
    assert ball.contains(slope["generalization_error"])
    outside = replace(verdict, counterexample={"ridge.samples_per_dim": R(6)})
    assert not outside.recheck()


def test_spikes_can_be_searched_but_not_proved_over() -> None:
    network = problem("relu", ["3/2"])
    verdict = de.check(
        network,
        "generalization_error < 1",
        over={"target.alignment": ("1/2", 1)},
    )
    assert verdict.verdict == "counterexample"
    with pytest.raises(de.InputError, match="proofs over ranges are for"):
        de.check(
            network,
            "generalization_error < 100",
            over={"target.alignment": ("1/2", "9/10")},
            budget=1,
        )


def test_equality_stays_undecided_and_names_the_place() -> None:
    verdict = de.check(
        UNTRAINED,
        "training_error >= training_error[ridge.penalty=1/20]",
        over={"ridge.penalty": ("1/20", "51/1000")},
        budget=4,
    )
    assert verdict.verdict == "undecided"
    assert 0.9 < verdict.proved_fraction < 1
    assert "equality" in verdict.remark
    assert all(
        low < sp.Rational(5001, 100000) for b in verdict.open for low, _ in b.values()
    )


def test_a_stopped_run_goes_on_and_ends_with_the_same_record(tmp_path: Path) -> None:
    claim, over = "training_error < 1", {"ridge.penalty": ("1/20", "1/4")}
    file = tmp_path / "boxes.jsonl"
    whole = de.check(UNTRAINED, claim, over=over, resume=file)
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([*lines[:2], lines[2][:9]]), "utf-8")
    again = de.check(UNTRAINED, claim, over=over, resume=file)
    assert replace(again, seconds=0) == replace(whole, seconds=0)
    with pytest.raises(de.InputError, match="another claim"):
        de.check(UNTRAINED, "training_error < 2", over=over, resume=file)


KILLED = """
import detequiv as de, sys
case = de.Problem.from_tables({tables!r})
de.check(case, "training_error < 1", over={{"ridge.penalty": ("1/20", 1)}},
         resume=sys.argv[1])
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_record(tmp_path: Path) -> None:
    file, over = tmp_path / "boxes.jsonl", {"ridge.penalty": ("1/20", 1)}
    tables = json.loads(_record(UNTRAINED).to_json())["problems"][""]
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(tables=tables), str(file)]
    )
    while run.poll() is None:
        if file.exists() and len(file.read_text("utf-8").splitlines()) > 2:
            run.kill()
        sleep(0.01)
    assert run.wait() != 0
    kept = len(file.read_text("utf-8").splitlines()) - 1
    again = de.check(UNTRAINED, "training_error < 1", over=over, resume=file)
    whole = de.check(UNTRAINED, "training_error < 1", over=over)
    assert 2 <= kept < len(whole.proved)
    assert replace(again, seconds=0) == replace(whole, seconds=0)


def _record(case: de.Problem) -> Verdict:
    over = {"ridge.penalty": ("1/10", "1/9")}
    return de.check(case, "training_error < 1", over=over)


def test_a_tampered_record_fails() -> None:
    verdict = _record(UNTRAINED)
    assert verdict.recheck()
    record = json.loads(verdict.to_json())
    (box,) = record["proved"]
    other = json.loads(_record(problem("relu", ["3/2"])).to_json())
    for change in (
        {"claim": "training_error < 1/3"},
        {"claim": "training_error < 1 and excess_error < 1/10"},
        {"over": {"ridge.penalty": ["1/10", "1/8"]}},
        {"proved": []},
        {"proved": [{"ridge.penalty": [box["ridge.penalty"][0], "1/10"]}]},
        {"verdict": "counterexample", "counterexample": {"ridge.penalty": "1/10"}},
        {"verdict": "counterexample", "counterexample": None},
        {"problems": other["problems"], "claim": "generalization_error > 6/5"},
        {"claim": "training_error <"},
        {"verdict": "Proved", "claim": "training_error < 0", "proved": []},
        {
            "over": {n: ends[::-1] for n, ends in box.items()},
            "proved": [{n: ends[::-1] for n, ends in box.items()}],
        },
        {"verdict": "undecided", "proved": [box, box]},
        {"verdict": "undecided", "proved": [{"ridge.penalty": ["2", "3"]}]},
    ):
        assert not Verdict.from_json(json.dumps(record | change)).recheck(), change


def test_a_counterexample_keeps_its_values() -> None:
    """Whatever the precision at which it is written; others are found out."""
    over = {"ridge.penalty": ("1/20", 1)}
    verdict = de.check(UNTRAINED, "training_error > 2*readout_norm", over=over)
    assert verdict.verdict == "counterexample"
    with mpmath.workdps(5):
        text = verdict.to_json()
    again = Verdict.from_json(text)
    assert again.recheck()
    for name, ball in verdict.values.items():
        gap = abs(again.values[name].midpoint - ball.midpoint)
        assert gap + ball.radius <= again.values[name].radius
    record = json.loads(text)
    record["values"]["training_error"] = ["-7", "0"]
    assert not Verdict.from_json(json.dumps(record)).recheck()


def test_boxes_of_other_versions_or_outcomes_are_not_taken(tmp_path: Path) -> None:
    file, over = tmp_path / "boxes.jsonl", {"ridge.penalty": ("1/20", "1/4")}
    claim = "training_error < 1"
    de.check(UNTRAINED, claim, over=over, resume=file)
    header = file.read_text("utf-8").splitlines()[0]
    made_up = [
        {"whatever": {"ridge.penalty": ["1/20", "1/4"]}},
        {"open": {"a": ["x", "1"]}},
    ]
    file.write_text("\n".join([header, *map(json.dumps, made_up)]), "utf-8")
    verdict = de.check(UNTRAINED, claim, over=over, resume=file)
    assert verdict.verdict == "proved"
    assert verdict.recheck()
    old = header.replace(json.loads(header)["versions"]["sympy"], "1.0")
    file.write_text(old + "\n", "utf-8")
    with pytest.raises(de.InputError, match="other versions"):
        de.check(UNTRAINED, claim, over=over, resume=file)


def test_some_of_the_proofs_of_a_record_are_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = {"ridge.penalty": ("1/20", 1)}
    verdict = de.check(UNTRAINED, "training_error < 1", over=over)
    seen = []
    monkeypatch.setattr(
        "detequiv.numerics.discovery.verdict.examine",
        lambda _, box: (seen.append(box) or True, False),
    )
    assert verdict.recheck(most=3)
    assert len(seen) in (2, 3)
    assert not replace(verdict, proved=verdict.proved[1:]).recheck(most=3)


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({}, "over"),
        ({"ridge.penalty": (1, "1/2")}, "smaller"),
        ({"ridge.penalty": ("1/2", "sqrt(2)")}, "rational"),
        ({"ridge.penalty": "1"}, "two ends"),
        ({"ridge.lambda": (1, 2)}, "ridge.lambda"),
        ({"ridge.penalty": (-1, 2)}, "ridge.penalty"),
    ],
)
def test_ranges_that_are_none_are_refused(over: dict, field: str) -> None:
    with pytest.raises(de.InputError, match=field):
        de.check(UNTRAINED, "training_error < 1", over=over)


def test_boxes_that_were_split_cover_the_whole() -> None:
    whole = {"ridge.penalty": (R(1, 100), R(1)), "target.noise": (R(0), R(1))}
    boxes, draw = [whole], Random(0)
    for _ in range(30):
        box = boxes.pop(draw.randrange(len(boxes)))
        boxes += split(box)
    assert covers(boxes, whole)
    assert not covers(boxes[1:], whole)
