"""Eliminated polynomials, against the papers, the solver and the spectrum."""

import re
from random import Random
from typing import Any

import mpmath as mp
import pytest
import sympy as sp

import detequiv as de
from detequiv.numerics.discovery import Relation, eliminate
from detequiv.numerics.solving import solve_model
from detequiv.theory.errors import InputError
from detequiv.theory.models import anisotropic_model
from tests.oracles.published import hastie_et_al, mei_montanari, pennington_worah

DIGITS = 50


def slow(*cases: str) -> list[Any]:
    """Mark cases as slow."""
    return [pytest.param(case, marks=pytest.mark.slow) for case in cases]


def rational(random: Random, low: float = 0.2, high: float = 3.0) -> str:
    """Short rational number between two."""
    return f"{random.randint(round(low * 60), round(high * 60))}/60"


def problem(activation: str, random: Random, **features: Any) -> de.Problem:
    """Problem at a random point, labels of all parts."""
    alpha, beta = rational(random), rational(random)
    while alpha == beta:
        beta = rational(random)
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, **features),
        target=de.Target(
            function="1/3 + z + z**2/4",
            alignment=rational(random, 0.1, 0.9),
            noise=rational(random),
        ),
        ridge=de.Ridge(samples_per_dim=alpha, width_per_dim=beta, penalty="1/10"),
    )


def assert_equals_solve(relation: Relation, subject: de.Problem) -> None:
    """Compare every number of a relation with the solver's."""
    solution = de.solve(subject, digits=DIGITS)
    found = relation.evaluate(DIGITS)
    assert "generalization_error" in found
    for name, value in found.items():
        if name.startswith("lambda_"):
            continue
        at = name.startswith("g_")
        exact = solution.g[int(name[2:]) - 1] if at else getattr(solution, name)
        with mp.workdps(DIGITS + 20):
            scale = max(abs(exact), mp.mpf(10) ** -3)
            assert abs(value - exact) < 2 * scale * mp.mpf(10) ** -DIGITS, name


def test_quartic_of_pennington_and_worah() -> None:
    relation = eliminate(groups=1)
    numbers = {s.name: s for s in relation.parameters}
    published = pennington_worah(relation.unknown, numbers)
    ratio = sp.cancel(published / relation.polynomial.as_expr())
    assert relation.polynomial.degree() == 4
    assert not ratio.has(relation.unknown)


@pytest.mark.parametrize(
    "seed", [0, *[pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10)]]
)
def test_error_of_mei_and_montanari(seed: int) -> None:
    random = Random(seed)
    names = ("alpha", "beta", "lambda", "c1", "cs", "mu_1", "mu_rest", "Delta")
    numbers = {name: rational(random) for name in names}
    found = eliminate(groups=1).at(numbers).evaluate(DIGITS)["generalization_error"]
    with mp.workdps(DIGITS + 15):
        values = {name: sp.Rational(value) for name, value in numbers.items()}
        published = mei_montanari(values)
        assert abs(found / published - 1) < mp.mpf(10) ** -DIGITS


@pytest.mark.parametrize("seed", range(3))
def test_ridge_of_hastie_et_al(seed: int) -> None:
    random = Random(seed)
    numbers = {n: rational(random) for n in ("alpha", "lambda", "Delta", "r")}
    relation = eliminate(levels=0)
    assert relation.polynomial.degree() == 2
    found = relation.at(numbers).evaluate(DIGITS)["generalization_error"]
    with mp.workdps(DIGITS + 20):
        exact = hastie_et_al(*[mp.mpf(mp.mpmathify(v)) for v in numbers.values()])
        assert abs(found / exact - 1) < mp.mpf(10) ** -DIGITS


@pytest.mark.parametrize("levels", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_anisotropic_ridge(levels: int) -> None:
    random = Random(levels)
    shares = ["1/5", "4/5"] if levels == 2 else ["1/5", "3/10", "1/2"]
    numbers = {"alpha": "3/2", "lambda": rational(random), "Delta": "1/4"}
    for k in range(levels):
        numbers |= {f"pi_{k + 1}": shares[k]}
        numbers |= {f"{n}_{k + 1}": rational(random) for n in ("s", "theta")}
    relation = eliminate(levels=levels)
    assert relation.polynomial.degree() == levels + 1
    solution = solve_model(anisotropic_model(levels), numbers, digits=DIGITS)
    found = relation.at(numbers).evaluate(DIGITS)
    with mp.workdps(DIGITS + 20):
        for name, value in solution.quantities.items():
            assert abs(found[name] / value - 1) < 2 * mp.mpf(10) ** -DIGITS


CASES = {
    "relu": ("relu", {"spike": 0}, 4),
    "polynomial": ("1/2 + z + z**3/3", {"spike": 0}, 4),
    "named numbers": ("tanh", {"spike": 0}, 4),
    "even": ("abs(z)", {"spike": 0}, 2),
    "affine": ("1 + 2*z", {"spike": ["1/2", -1]}, 3),
    "linear": ("z", {"spike": ["1/2", "1/3"], "bulk": [1, 2]}, 5),
    "two groups": ("z + z**3/5", {"spike": [0, 0], "bulk": [1, "3/2"]}, 8),
    "equal groups": ("relu", {"spike": [0, 0]}, 4),
    "even, two groups": ("1 + z**2", {"spike": [0, 0], "bulk": [1, 2]}, 3),
}


@pytest.mark.parametrize("case", ["relu", "affine", "even, two groups"])
def test_relations_equal_the_solver(case: str) -> None:
    activation, features, _ = CASES[case]
    subject = problem(activation, Random(case), **features)
    assert_equals_solve(eliminate(subject), subject)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("case", CASES)
def test_relations_equal_the_solver_anywhere(case: str, seed: int) -> None:
    activation, features, degree = CASES[case]
    random = Random(f"{case} {seed}")
    subject = problem(activation, random, **features)
    subject = subject.with_values({"ridge.penalty": rational(random, 0.05, 1)})
    relation = eliminate(subject)
    assert relation.polynomial.degree() == degree
    assert relation.polynomial.is_irreducible
    assert_equals_solve(relation, subject)


@pytest.mark.parametrize("unknown", ["resolvent_trace", "generalization_error"])
def test_other_unknowns(unknown: str) -> None:
    subject = problem("z + z**3/3", Random(unknown), spike=0)
    relation = eliminate(subject, unknown=unknown)
    assert relation.polynomial.degree() == 4
    assert_equals_solve(relation, subject)
    with mp.workdps(DIGITS + 10):
        value = relation.polynomial.as_expr().subs(
            relation.unknown, relation.root(DIGITS)
        )
        slope = (
            relation.polynomial.diff().as_expr().subs(relation.unknown, relation.root())
        )
        assert abs(value / slope) < mp.mpf(10) ** (2 - DIGITS)


@pytest.mark.parametrize("samples", ["1/2", 3])
@pytest.mark.parametrize(
    "case", ["polynomial", "even", *slow("relu", "two groups", "named numbers")]
)
def test_ridgeless_limits(case: str, samples: Any) -> None:
    activation, features, _ = CASES[case]
    subject = problem(activation, Random(case), **features).with_values(
        {
            "ridge.penalty": 0,
            "ridge.samples_per_dim": samples,
            "ridge.width_per_dim": "3/2",
        }
    )
    assert_equals_solve(eliminate(subject, unknown="readout_norm"), subject)


def test_interpolation_leaves_g_at_its_limit() -> None:
    subject = problem("relu", Random(1), spike=0).with_values(
        {"ridge.penalty": 0, "ridge.samples_per_dim": 1, "ridge.width_per_dim": 3}
    )
    relation = eliminate(subject)
    assert str(relation.unknown) == "lambda_g_1"
    assert relation.polynomial.all_roots() == [sp.Rational(2, 3)]
    assert "readout_norm" not in relation.quantities  # one number does not give it
    assert "Not rational in the unknown" in relation.text()


@pytest.mark.parametrize(
    "case", ["even", *slow("relu", "polynomial", "named numbers", "affine", "linear")]
)
def test_ends_of_the_spectrum_are_roots_of_the_discriminant(case: str) -> None:
    activation, features, _ = CASES[case]
    subject = problem(activation, Random(case), **features).with_values(
        {"ridge.samples_per_dim": 3, "ridge.width_per_dim": "3/2"}
    )
    relation = eliminate(subject, symbols=["ridge.penalty"])
    (penalty,) = relation.parameters
    law = de.spectrum(subject, scale="p", digits=30)
    ends = [
        end.value
        for interval in law.support
        for end in (interval.lower, interval.upper)
    ]
    assert len(ends) >= 2
    discriminant = relation.discriminant()
    with mp.workdps(60):
        values = [*relation.values.items()]
        for end in ends:
            # a simple root lies where the sign changes
            signs = [
                sp.sign(
                    sp.N(
                        discriminant.subs([*values, (penalty, sp.Float(-end * x, 60))]),
                        30,
                    )
                )
                for x in (1 - mp.mpf(10) ** -29, 1 + mp.mpf(10) ** -29)
            ]
            assert sorted(signs) == [-1, 1]


def test_what_does_not_close_is_named() -> None:
    subject = problem("relu", Random(0), spike=[0, 1])
    with pytest.raises(
        InputError, match=r"features.spike\[1\] = 1: .*c1\(kappa\) = Norm"
    ):
        eliminate(subject)
    subject = problem("tanh", Random(0), spike=[0, 0, 1])
    with pytest.raises(InputError, match=r"spike\[2\] = 1: .*c1\(kappa\); it closes"):
        eliminate(subject)
    with pytest.raises(InputError, match=r"spike\[0\] = 2: .*c1\(kappa\) = 4\*kappa;"):
        eliminate(problem("z**2", Random(0), spike=2))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "give one of"),
        ({"groups": 2}, "is 1 where all numbers are symbols"),
        ({"levels": -1}, "levels = -1"),
        ({"groups": 1, "unknown": "g_2"}, "unknown = g_2: is not reported here; known"),
        ({"groups": 1, "symbols": ["ridge.penalty"]}, "need a problem"),
    ],
)
def test_bad_input(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        eliminate(**arguments)


def test_bad_numbers() -> None:
    relation = eliminate(groups=1)
    with pytest.raises(InputError, match=r"alpha = \(a symbol\): has no number"):
        relation.root()
    equations = dict.fromkeys(("alpha", "beta", "lambda", "c1", "cs"), 1)
    assert relation.at(equations).root() > 0
    with pytest.raises(InputError, match=r"Delta = .*has no number"):
        relation.at(equations).evaluate()
    with pytest.raises(InputError, match="gamma = 1: no such symbol"):
        relation.at({"gamma": 1})
    with pytest.raises(InputError, match="lambda = 0: must be > 0"):
        relation.at({"lambda": 0})


def test_python_module_prints_what_is_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    subject = problem("relu", Random(5), spike=0)
    exec(eliminate(subject).python(), {"__name__": "__main__"})
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines())
    solution = de.solve(subject)
    error = float(solution.generalization_error)
    assert float(printed["generalization_error"]) == pytest.approx(error, rel=1e-11)


def test_latex_numbers_every_equation_and_labels_it_once() -> None:
    latex = eliminate(groups=1).latex()
    labels = re.findall(r"\\label\{(.*?)\}", latex)
    assert len(labels) == len(set(labels)) > 10
    assert "eq:polynomial-1" in labels
    assert latex.count("{align}") == 2 * latex.count("\\section")
    outside = re.sub(
        r"\\begin\{align\}.*?\\end\{align\}|\$.*?\$", "", latex, flags=re.S
    )
    assert "_" not in outside
