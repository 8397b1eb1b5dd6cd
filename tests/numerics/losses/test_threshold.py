"""How many samples can be separated: known cases, linear programmes, refusals."""

from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.special import expit

import detequiv as de


def problem(
    activation: str = "tanh",
    spike: Any = ("3/2", "-4/5"),
    width: Any = 1,
    **target: Any,
) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike),
        target=de.Target(**{"function": "z"} | target),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim=width, penalty=1),
    )


LOGIT = {"labels": "logit", "slope": 2, "alignment": "7/10"}
RANDOM = {"function": "0", "labels": "sign", "noise": 1}


@pytest.mark.parametrize("activation", ["tanh", "relu", "z**2 - 1", "sign"])
@pytest.mark.parametrize("width", [0.75, 1.5])
def test_twice_as_many_random_samples_as_weights(activation: str, width: float) -> None:
    """Cover's count of the sides of hyperplanes in general position."""
    found = de.separability_threshold(problem(activation, width=width, **RANDOM))
    assert abs(found - 2 * width) < 1e-8


def test_labels_that_features_do_not_see_are_random() -> None:
    even = problem(function="z**2 - 1", labels="sign")  # tanh is odd
    assert abs(de.separability_threshold(even) - 2) < 1e-8


# From a code of its own, which linear programmes agreed with.
@pytest.mark.parametrize(
    ("target", "expected"), [(LOGIT, 2.0511), (LOGIT | {"alignment": 1}, 2.3193)]
)
def test_known_thresholds(target: dict[str, Any], expected: float) -> None:
    found = de.separability_threshold(problem(width="4/5", **target))
    assert abs(found - expected) < 6e-5


def test_a_known_threshold_of_labels_that_are_sure() -> None:
    relu = problem(
        "relu",
        (1, -1),
        "4/5",
        function="z + 3/10",
        labels="sign",
        alignment="7/10",
    ).with_values({"features.weights": ["3/5", "2/5"]})
    assert abs(de.separability_threshold(relu) - 2.8838) < 6e-5


def test_small_penalties_tell_the_two_sides_apart() -> None:
    """Below the threshold the hinge loss vanishes with the penalty, above it not."""
    case = problem(width="4/5", **LOGIT | {"alignment": 1})
    threshold = float(de.separability_threshold(case))
    for factor, separable in ((0.8, True), (1.2, False)):
        losses = [
            float(
                de.solve(
                    case.with_values(
                        {
                            "ridge.loss": "squared_hinge",
                            "ridge.samples_per_dim": factor * threshold,
                            "ridge.penalty": penalty,
                        }
                    )
                ).training_loss
            )
            for penalty in (1e-3, 1e-4)
        ]
        # in proportion to the square of a small penalty, or to none of its powers
        assert (losses[1] / losses[0] < 0.3) == separable


@pytest.mark.slow
@pytest.mark.parametrize("alignment", ["1", "7/10"])
def test_linear_programmes_find_the_threshold(alignment: str) -> None:
    """The most samples of a draw that a readout separates, d = 100, 24 draws.

    Two comparisons at 4 standard errors: a right theory fails once in 8000 seeds. An
    allowance of two percent is for corrections of order 1/d.
    """
    dimension, repetitions, width = 100, 24, 80
    case = problem(width="4/5", **LOGIT | {"alignment": alignment})
    threshold = float(de.separability_threshold(case))
    rng = np.random.default_rng(6)
    along = float(case.target.alignment)
    direction = np.zeros(dimension)
    direction[:2] = along, np.sqrt(1 - along**2)
    most = []
    for _ in range(repetitions):
        rows = rng.standard_normal((width, dimension))
        rows /= np.linalg.norm(rows, axis=1)[:, None]
        rows[:, 0] += np.repeat([1.5, -0.8], width // 2)
        inputs = rng.standard_normal((4 * dimension, dimension))
        sure = expit(2 * inputs @ direction)
        labels = np.where(rng.random(len(inputs)) < sure, 1.0, -1.0)
        signed = labels[:, None] * np.tanh(inputs @ rows.T)
        low, high = width, len(inputs)
        while high - low > 1:
            middle = (low + high) // 2
            found = linprog(
                np.zeros(width),
                A_ub=-signed[:middle],
                b_ub=-np.ones(middle),
                bounds=(None, None),
            )
            low, high = (middle, high) if found.status == 0 else (low, middle)
        most.append(low / dimension)
    error = np.std(most) / np.sqrt(repetitions)
    assert abs(np.mean(most) - threshold) < 4 * error + 0.02 * threshold


def test_a_function_without_cost_separates_any_number() -> None:
    sure = problem(labels="sign")
    assert de.separability_threshold(sure) == mpmath.inf
    less_sure = sure.with_values({"target.alignment": "9/10"})
    assert de.separability_threshold(less_sure) < 100


@pytest.mark.parametrize(("samples", "side"), [(2, "below"), ("5/2", "above")])
def test_without_a_penalty_the_side_is_told(samples: Any, side: str) -> None:
    case = problem(width="4/5", **LOGIT | {"alignment": 1}).with_values(
        {
            "ridge.loss": "logistic",
            "ridge.penalty": 0,
            "ridge.samples_per_dim": samples,
        }
    )
    says = rf"ridge.penalty = 0: .* {side} the separability threshold 2\.319"
    with pytest.raises(de.InputError, match=says):
        de.solve(case)


@pytest.mark.parametrize(
    ("case", "digits", "error", "says"),
    [
        (problem(), 8, de.InputError, r"target.labels = none: no sign separates"),
        (problem(**LOGIT), 0, de.InputError, r"digits = 0"),
        (problem(**LOGIT), 20, de.ConvergenceError, r"vouches for \d+ of 20 digits"),
    ],
)
def test_what_has_no_threshold_is_refused(
    case: de.Problem, digits: int, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        de.separability_threshold(case, digits=digits)


def test_a_singular_matrix_is_said_in_one_line() -> None:
    constant = de.Problem(
        features=de.SpikedFeatures(activation="1", spike=["3/2"]),
        target=de.Target(function="z", labels="logit", slope=2),
        ridge=de.Ridge(samples_per_dim=1, width_per_dim="4/5", penalty=1),
    )
    with pytest.raises(de.ConvergenceError, match="float64 met a matrix"):
        de.separability_threshold(constant)
