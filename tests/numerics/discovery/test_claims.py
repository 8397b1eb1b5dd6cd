"""The grammar of claims: what is read, and where it stops."""

import pytest
import sympy as sp

import detequiv as de
from detequiv.numerics.discovery import read_claim

PROBLEM = de.Problem(
    features=de.SpikedFeatures(activation="relu", spike=[0]),
    target=de.Target(function="z", noise="3/10"),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)


def test_a_margin_is_what_the_claim_says_is_positive() -> None:
    claim = read_claim(
        "2*training_error**2 - 1/3 <= -(ridge.penalty + 0.5)*readout_norm",
        {"": PROBLEM},
    )
    (comparison,) = claim.comparisons
    named = {symbol: sp.Symbol(str(atom)) for symbol, atom in claim.atoms.items()}
    train, penalty, norm = sp.symbols("training_error ridge.penalty readout_norm")
    expected = -(penalty + sp.Rational(1, 2)) * norm - 2 * train**2 + sp.Rational(1, 3)
    assert sp.expand(comparison.margin.xreplace(named) - expected) == 0
    assert not comparison.strict


def test_atoms_carry_changes_derivatives_and_problems() -> None:
    claim = read_claim(
        "a.excess_error[ridge.penalty=1/2, target.noise=0] > "
        "D(b.excess_error, target.noise) and b.training_error < 1",
        {"a": PROBLEM, "b": PROBLEM},
    )
    texts = [str(atom) for atom in claim.atoms.values()]
    assert texts == [
        "a.excess_error[ridge.penalty=1/2, target.noise=0]",
        "D(b.excess_error, target.noise)",
        "b.training_error",
    ]
    assert [c.strict for c in claim.comparisons] == [True, True]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "the end"),
        ("training_error", "expected one of"),
        ("1 < 2", "names no quantity"),
        ("training_eror < 1", "training_eror"),
        ("training_error < ", "the end"),
        ("training_error < 1 or readout_norm < 1", "'or readout_norm"),
        ("training_error << 1", "'< 1'"),
        ("training_error < 1/0", "division by zero"),
        ("training_error**0.5 < 1", "whole number"),
        ("training_error[ridge.penalty] < 1", "expected '='"),
        ("D(training_error, features.spike) < 1", "derivatives are by"),
        ("__import__(1) < training_error", "__import__"),
        ("training_error < 1e999999999", "out of range"),
        ("(" * 100 + "training_error < 1", "too deeply"),
        ("c.training_error < 1", "written before a dot"),
        ("training_error < 1; readout_norm", "no part of a claim"),
    ],
)
def test_what_is_outside_the_grammar_is_refused(text: str, place: str) -> None:
    with pytest.raises(de.InputError, match=r"claim") as refusal:
        read_claim(text, {"": PROBLEM})
    assert place in str(refusal.value) or "problem" in str(refusal.value)
    assert place in f"{refusal.value.problem} {refusal.value}"


def test_a_bad_changed_value_is_refused_by_its_field() -> None:
    with pytest.raises(de.InputError, match=r"ridge\.penalty"):
        read_claim("training_error[ridge.penalty=0-1] < 1", {"": PROBLEM})
