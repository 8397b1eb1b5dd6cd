"""Psi is convex on its cone: where the minimum is found from, and that it is one."""

import numpy as np
import pytest

import detequiv as de
from detequiv.numerics.averages.law_fields import LawFields, float_fields
from detequiv.numerics.equations.cone import Cone
from detequiv.numerics.equations.floats import FloatSystem
from detequiv.numerics.iteration.newton import minimise
from detequiv.numerics.solving.batch import solve_floats
from detequiv.theory.problem.conditionals import exact_parameters, law_of

CONES = {"numbers": (3, 0), "a matrix": (0, 3), "both": (2, 2)}


def point(rng: np.random.Generator, positive: int, order: int) -> Cone:
    factor = rng.normal(size=(order, order)) * 10.0 ** rng.uniform(-3, 3, (order, 1))
    matrix = factor @ factor.T
    upper = matrix[np.triu_indices(order)]
    return Cone(np.concatenate([rng.exponential(size=positive), upper])[None], order)


def system(activation: str, spike: list[object], **ridge: object) -> FloatSystem:
    problem = de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike),
        target=de.Target(function="sign", noise="1/3"),
        ridge=de.Ridge(**ridge),
    )
    law = law_of(problem)
    parameters = np.array([[float(v) for v in exact_parameters(problem, law)]])
    return FloatSystem.of(
        law.model, float_fields(LawFields(law), 20.0, 0.1), parameters
    )


@pytest.mark.parametrize("shape", CONES.values(), ids=CONES)
def test_geodesics_have_the_first_and_second_derivatives_that_are_said(
    shape: tuple[int, int],
) -> None:
    rng = np.random.default_rng(1)
    cone = point(rng, *shape)
    size = cone.points.shape[1]
    change, gradient = rng.normal(size=(2, 1, size))
    h = 1e-4
    ahead, behind = cone.move(h * change)[0], cone.move(-h * change)[0]
    velocity = np.einsum("bij,bj->bi", cone.basis, change)
    scale = np.abs(cone.basis).sum(2)
    assert np.allclose((ahead - behind) / (2 * h) / scale, velocity / scale, atol=1e-6)
    # a linear function's second derivative along the geodesic
    gradient /= scale
    bend = np.vdot(gradient, ahead + behind - 2 * cone.points) / h**2
    expected = np.einsum("bi,bij,bj->", change, cone.curvature(gradient), change)
    assert bend == pytest.approx(expected, abs=1e-5 * size)
    _, speed = cone.move(change)
    later = cone.move((1 + h) * change)[0]
    earlier = cone.move((1 - h) * change)[0]
    assert np.allclose((later - earlier) / (2 * h) / scale, speed / scale, atol=1e-5)


def test_the_inverse_of_a_graded_matrix_keeps_its_small_components() -> None:
    upper = np.array([[1e20, 1.0, 2e-20]])
    inverse = Cone(upper, 2).inverse[0]
    assert inverse == pytest.approx(np.array([[2e-20, -1.0], [-1.0, 1e20]]), rel=1e-12)


@pytest.mark.parametrize("penalty", ["1e-10", "1/20", 1000])
def test_psi_is_convex_along_geodesics(penalty: object) -> None:
    rng = np.random.default_rng(2)
    equations = system(
        "relu", [1, -3], samples_per_dim=1, width_per_dim=1, penalty=penalty
    )
    for _ in range(20):
        cone = point(rng, 2, 2)
        gradient, hessian = equations.derivatives(cone)
        inner = cone.basis.swapaxes(1, 2) @ hessian @ cone.basis
        inner = (inner + cone.curvature(gradient))[0]
        size = np.sqrt(np.diag(inner))
        assert np.linalg.eigvalsh(inner / size / size[:, None]).min() > 0


@pytest.mark.parametrize("penalty", ["1e-10", "1/20", 1000])
def test_every_start_leads_to_the_same_minimum(penalty: object) -> None:
    rng = np.random.default_rng(3)
    equations = system(
        "tanh", [1, -3], samples_per_dim=2, width_per_dim=2, penalty=penalty
    )
    expected, accuracy = minimise(equations)
    assert accuracy[0] < 1e-9
    for _ in range(10):
        found, _ = minimise(equations, point(rng, 2, 2).points)
        assert found == pytest.approx(expected, rel=1e-7)


HARD = {
    "spikes of many sizes": ("exp(z/4)", [1, -2, "1/2", 0, 0, 5], "1/20", 2, 3),
    "no linear part, at the peak": ("He(3, z)", ["1/2"], "1.7e-10", 1, 1),
    "large penalty": ("z + z**2/3", [1, 2, -3, 8, 0], 301, 2, 1),
    "far beyond the peak": ("tanh", ["3/2", "-4/5"], "1e-10", "1/10", 50),
}


@pytest.mark.parametrize("case", HARD.values(), ids=HARD)
def test_hard_problems_are_minimised(
    case: tuple[str, list[object], object, object, object],
) -> None:
    activation, spike, penalty, alpha, beta = case
    equations = system(
        activation, spike, samples_per_dim=alpha, width_per_dim=beta, penalty=penalty
    )
    x, accuracy = minimise(equations)
    assert accuracy[0] < 1e-7
    cone = equations.cone(x)
    gradient, _ = equations.derivatives(cone)
    assert np.abs(np.einsum("bij,bi->bj", cone.basis, gradient)).max() < 1e-8


def test_what_cancels_is_not_vouched_for() -> None:
    """Training errors of 1e-22 on a penalty of 1e-10: few digits in float64."""
    problem = de.Problem(
        features=de.SpikedFeatures(activation="he2", spike="-3.47"),
        target=de.Target(function="He(3, z)", alignment="-0.833", noise="1/10"),
        ridge=de.Ridge(samples_per_dim=1, width_per_dim="8.822", penalty="1.756e-10"),
    )
    law, alphas = law_of(problem), 0.516 * np.geomspace(1 / 3, 3, 70)
    points = [problem.with_values({"ridge.samples_per_dim": a}) for a in alphas]
    parameters = [[float(v) for v in exact_parameters(p, law)] for p in points]
    found = solve_floats(law.model, LawFields(law), np.array(parameters))
    for i in (0, 29, 69):
        truth = float(de.solve(points[i], digits=15).training_error)
        place = list(law.model.quantities).index("training_error")
        assert abs(found.quantities[i, place] / truth - 1) < found.errors[i]


def test_rounding_stays_within_what_is_vouched_for() -> None:
    """The order of the groups changes nothing but rounding, at 300 points."""
    alphas = np.geomspace(0.3, 3, 300)
    sweeps = []
    for spike in (["1/2", "-4/5", "3/2"], ["3/2", "1/2", "-4/5"]):
        law = law_of(
            de.Problem(
                features=de.SpikedFeatures(activation="tanh", spike=spike),
                target=de.Target(function="z + (z**2 - 1)/2", noise="1/10"),
                ridge=de.Ridge(samples_per_dim=1, width_per_dim=1, penalty="1e-6"),
            )
        )
        others = [1, 1e-6, 0, 0.01, *[1 / 3] * 3]
        parameters = np.array([[alpha, *others] for alpha in alphas])
        sweeps.append(solve_floats(law.model, LawFields(law), parameters))
    one, other = sweeps
    gap = np.abs(one.quantities / other.quantities - 1).max(1)
    assert (gap <= one.errors + other.errors).all()
