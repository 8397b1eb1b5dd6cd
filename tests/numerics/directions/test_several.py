"""Several directions: special cases that must be those of one, and rules that agree."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import detequiv as de
from detequiv.numerics.solving import QUANTITIES, solve_at_width

SPIKES = [[1.5, 0.2], [-0.8, 1.0]]
CURVED = "z + (z**2 - 1)/2"


def problem(spike, target, alignment=1, activation="tanh", penalty="1/10", **bulk):
    """Features of several spikes."""
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike, **bulk),
        target=de.Target(function=target, alignment=alignment, noise="3/10"),
        ridge=de.Ridge(samples_per_dim=3, width_per_dim=2, penalty=penalty),
    )


def gap(found: de.Solution, known: de.Solution) -> float:
    """Largest relative difference of a quantity."""
    pairs = ((getattr(found, n), getattr(known, n)) for n in QUANTITIES)
    return float(max(abs(a / b - 1) for a, b in pairs))


def rotated(vectors: list[list[Any]], turn: tuple[Fraction, Fraction]) -> list[Any]:
    """Vectors in another basis, exactly."""
    c, s = turn
    pairs = [map(Fraction, map(str, vector)) for vector in vectors]
    return [[c * a - s * b, s * a + c * b] for a, b in pairs]


@pytest.mark.parametrize(
    ("activation", "penalty"), [("tanh", "1/10"), ("relu", "1e-3"), ("erf", "1e-6")]
)
@pytest.mark.parametrize(
    ("spike", "alignment", "zeta"),
    [
        ([[1.5, 0], [-0.8, 0]], [[1, 0]], 1),
        ([["9/10", "6/5"], ["-12/25", "-16/25"]], [["3/5", "4/5"]], 1),
        ([[1.5, 0], [-0.8, 0]], [["3/5", 0]], "3/5"),
    ],
    ids=["second is zero", "rotated", "misaligned"],
)
def test_one_spike_in_two_directions(
    spike, alignment, zeta, activation, penalty
) -> None:
    found = de.solve(problem(spike, CURVED, alignment, activation, penalty))
    known = problem([1.5, -0.8], CURVED, zeta, activation, penalty)
    assert found.digits >= 12
    assert gap(found, de.solve(known, digits=20)) < 10.0**-found.digits


def test_the_theory_of_a_width_is_that_of_one_spike() -> None:
    found = solve_at_width(problem([[1.5, 0], [-0.8, 0]], CURVED, [[1, 0]]), 300)
    known = solve_at_width(problem([1.5, -0.8], CURVED), 300, digits=20)
    assert gap(found, known) < 10.0**-found.digits


@pytest.mark.parametrize(
    "turn", [(Fraction(3, 5), Fraction(4, 5)), (Fraction(-12, 13), Fraction(5, 13))]
)
def test_the_basis_does_not_matter(turn: tuple[Fraction, Fraction]) -> None:
    """The spikes and w* in rotated coordinates, Z with them."""
    plain = de.solve(problem(SPIKES, "z1 + z1*z2"))
    overlaps = rotated([[1, 0], [0, 1]], turn)
    found = de.solve(problem(rotated(SPIKES, turn), "z1 + z1*z2", overlaps))
    assert min(plain.digits, found.digits) >= 12
    assert gap(found, plain) < 10.0 ** -min(plain.digits, found.digits)


def test_a_direction_that_nothing_sees_changes_nothing() -> None:
    flat = de.solve(problem(SPIKES, "z1 + z1*z2"))
    deep = [[*u, 0] for u in SPIKES]
    found = de.solve(problem(deep, "z1 + z1*z2", [[1, 0, 0], [0, 1, 0]]))
    assert gap(found, flat) < 10.0 ** -min(flat.digits, found.digits)


def test_a_projection_beyond_the_spike() -> None:
    """What is orthogonal and not linear is noise; what is linear is seen by w alone."""
    spikes = [1.5, -0.8]
    found = de.solve(problem(spikes, "z1 + (z2**2 - 1)/2"))
    noisy = de.solve(
        problem(spikes, "z").with_values({"target.noise": "sqrt(59/100)"}), digits=20
    )
    for name in ("generalization_error", "training_error", "readout_norm"):
        assert abs(getattr(found, name) / getattr(noisy, name) - 1) < 1e-12
    assert abs(found.excess_error - noisy.excess_error - 0.5) < 1e-12
    seen = de.solve(problem(spikes, "3/5*z1 + 4/5*z2"))
    known = de.solve(problem(spikes, "z", "3/5"), digits=20)
    assert gap(seen, known) < 10.0**-seen.digits


def test_splitting_a_group_changes_nothing() -> None:
    whole = de.solve(problem(SPIKES, "tanh(z1 + z2)"))
    parts = [SPIKES[0], SPIKES[0], SPIKES[1]]
    found = de.solve(problem(parts, "tanh(z1 + z2)", weights=["1/5", "3/10", "1/2"]))
    assert gap(found, whole) < 10.0 ** -min(whole.digits, found.digits)


def test_curve_is_the_points_of_solve() -> None:
    base = problem(SPIKES, "z1 + z1*z2")
    samples = [1, 2, 5]
    curve = de.curve(base, {"ridge.samples_per_dim": samples})
    for value, point in zip(samples, curve.points, strict=True):
        alone = de.solve(base.with_values({"ridge.samples_per_dim": value}))
        assert point.digits >= 12
        known = alone.generalization_error
        assert abs(point.values["generalization_error"] / known - 1) < 1e-12


@pytest.mark.slow
def test_three_spikes_rotated() -> None:
    spikes = [[1, 0, 0.2], [-0.4, 0.8, 0.1], [0.3, 0.1, -1]]
    plain = de.solve(problem(spikes, "z1*z2*z3 + z1", activation="erf"))
    axis = np.array([1, 2, 2]) / 3
    turn = 2 * np.outer(axis, axis) - np.eye(3)
    moved = np.round(9 * np.array(spikes) @ turn, 12)
    exact = [[f"{v:.12g}/9" for v in row] for row in moved]
    overlaps = [[f"{round(9 * v)}/9" for v in row] for row in turn]
    found = de.solve(problem(exact, "z1*z2*z3 + z1", overlaps, activation="erf"))
    assert min(plain.digits, found.digits) >= 11
    assert gap(found, plain) < 10.0 ** -min(plain.digits, found.digits)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"target.alignment": "1/2"}, "target.alignment"),
        ({"target.alignment": [[1, 0, 0]]}, "target.alignment"),
        ({"target.alignment": [[1, 0]]}, "target.alignment"),
        ({"target.alignment": [[1, 0], [1, 0]]}, "target.alignment"),
        ({"target.labels": "sign"}, "target.labels"),
        ({"target.function": "abs(z1) + z2"}, "target.function"),
        ({"target.function": "z1*z4"}, "target.function"),
        ({"ridge.penalty": 0}, "ridge.penalty"),
        ({"ridge.loss": "huber", "ridge.delta": 1}, "ridge.loss"),
        ({"features.spike": [[1, 2], [3]]}, "features.spike"),
        ({"features.spike": [[1, 2], 3]}, "features.spike"),
        ({"features.spike": [[1, 2, 3, 4]]}, "features.spike"),
    ],
)
def test_what_is_not_covered_is_refused(change, field: str) -> None:
    with pytest.raises(de.InputError) as caught:
        problem(SPIKES, "z1 + z1*z2").with_values(change)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "verb",
    [
        lambda p: de.spectrum(p).support,
        de.certify,
        de.diagnose,
        de.optimal_penalty,
        de.eliminate,
    ],
)
def test_what_knows_one_direction_refuses(verb) -> None:
    with pytest.raises(de.InputError, match="several directions"):
        verb(problem(SPIKES, "z1 + z1*z2"))


def test_more_digits_than_float64_has_are_refused() -> None:
    with pytest.raises(de.ConvergenceError, match="several directions are solved in"):
        de.solve(problem(SPIKES, "z1 + z1*z2"), digits=30)


@pytest.mark.parametrize("target", ["sign(z1 - 1/5)", "z1 + step(z1)"])
def test_targets_that_jump_are_refused(target: str) -> None:
    with pytest.raises(de.InputError, match=r"target\.function = .*jumps"):
        problem(SPIKES, target)


def test_kinks_are_no_jumps() -> None:
    for target in ("abs(z1)", "max(z1, 1)", "z1*sign(z1)", "abs(sign(z1))"):
        problem(SPIKES, target)


def test_a_width_of_no_inputs_is_refused() -> None:
    given = problem([[1.5, 0], [-0.8, 0]], CURVED, [[1, 0]])
    with pytest.raises(de.InputError, match="3 are needed"):
        de.solve(given, width=1)
    assert solve_at_width(given, 1).digits >= 10


def test_learned_function_of_no_places_and_of_far_ones() -> None:
    found = de.solve(problem(SPIKES, "z1 + z1*z2"))
    for empty, shape in (([], (0,)), (np.empty((3, 0, 2)), (3, 0))):
        assert de.learned_function(found, empty).shape == shape
    with pytest.raises(de.InputError, match="at most 1000"):
        de.learned_function(found, [1e4, 0])
