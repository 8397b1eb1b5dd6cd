"""Newton's method in balls, where A is too nearly singular for float64."""

import numpy as np
import pytest

import detequiv as de
from detequiv.numerics.arithmetic.compiled import precision, to_ball
from detequiv.numerics.averages.law_fields import LawFields, float_fields
from detequiv.numerics.equations.balls import BallSystem
from detequiv.numerics.equations.floats import FloatSystem
from detequiv.numerics.iteration.descent import descend
from detequiv.numerics.iteration.newton import minimise
from detequiv.numerics.solving import batch
from detequiv.numerics.solving.solution import QUANTITIES
from detequiv.theory.problem.conditionals import exact_parameters, law_of


def problem(activation: str, spike: list[str], penalty: str, beta: str) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike),
        target=de.Target(function="z + (z**2 - 1)/2", alignment="-1/4", noise=1),
        ridge=de.Ridge(samples_per_dim=33, width_per_dim=beta, penalty=penalty),
    )


def both(case: de.Problem) -> tuple[np.ndarray, float, np.ndarray]:
    """Unknowns by float64 and how far off they are; unknowns in balls."""
    law = law_of(case)
    exact, fields = (
        exact_parameters(case, law),
        float_fields(LawFields(law), 30.0, 0.05),
    )
    numbers = np.array([[float(v) for v in exact]])
    (x,), (accuracy,) = minimise(FloatSystem.of(law.model, fields, numbers))
    with precision(40):
        system = BallSystem(law.model, fields, [to_ball(v) for v in exact])
        balls = descend(system)
    return x, accuracy, np.array([float(v) for v in balls])


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_balls_find_the_minimum_of_float64(activation: str) -> None:
    x, accuracy, balls = both(problem(activation, ["3/2", "-4/5", "0"], "1/20", "2"))
    assert accuracy < 1e-10
    assert balls == pytest.approx(x, rel=1e-8)


def test_similar_strong_spikes_at_the_peak_are_solved() -> None:
    spike = ["-23/2", "-497/50"]
    peak = problem("relu", spike, "1e-10", "33")
    assert both(peak)[1] > 1e-7
    point = de.solve(peak, digits=10)
    # the same units in the other order, from another factor of A
    other = de.solve(problem("relu", spike[::-1], "1e-10", "33"), digits=10)
    for name in QUANTITIES:
        assert getattr(other, name) == pytest.approx(getattr(point, name), rel=2e-10)


def test_balls_go_on_where_a_matrix_is_singular_in_float64(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = problem("tanh", ["3/2", "-4/5"], "1/20", "3/2")
    expected = de.solve(case)

    def singular(*_: object, **__: object) -> None:
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(batch, "minimise", singular)
    assert de.solve(case).generalization_error == pytest.approx(
        expected.generalization_error, rel=2e-15
    )
