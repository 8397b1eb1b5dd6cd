"""Losses other than the square in networks of so many units."""

import pytest
from loss_cases import LABELS, problem, unbalanced

import detequiv as de
from detequiv.numerics.solving import solve_at_width


# Classification error and |a|^2/p at a width, from a code of its own that simulations
# agreed with: the limit separates the labels at no cost, and has no solution.
@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (100, (0.02977, 1.0263)),
        pytest.param(200, (0.02158, 0.8222), marks=pytest.mark.slow),
        pytest.param(400, (0.01558, 0.6566), marks=pytest.mark.slow),
    ],
)
def test_a_width_has_a_solution_where_the_limit_has_none(
    width: int, expected: tuple[float, float]
) -> None:
    case = problem("logistic", {"labels": "sign"}, ridge=(2, 1, "1/10"))
    found = solve_at_width(case, width)
    error = found.classification_error
    assert error is not None
    assert abs(error - expected[0]) < 6e-6
    assert abs(found.readout_norm - expected[1]) < 6e-5


@pytest.mark.slow
def test_known_norms_at_widths_come_out() -> None:
    for width, expected in ((100, 0.1312), (200, 0.1060), (400, 0.0870)):
        found = solve_at_width(unbalanced(1), width).readout_norm
        assert abs(found - expected) < 6e-5


@pytest.mark.slow
def test_all_orders_of_the_overlap_are_near_the_large_one() -> None:
    case = problem("logistic", {"labels": "sign"}, ridge=(2, 1, "1/10"))
    gaps = []
    for width in (100, 400):
        found, whole = solve_at_width(case, width), de.solve(case, width=width)
        assert whole.width == width
        gaps.append(float(abs(whole.readout_norm / found.readout_norm - 1)))
    assert 0 < gaps[1] < gaps[0] / 2 < 1e-3


def test_a_curve_at_a_width_goes_from_point_to_point() -> None:
    case = problem("hinge", LABELS["sign"])
    curve = de.curve(case, vary={"ridge.penalty": [1, "1/20"]}, width=300)
    alone = de.solve(case, width=300, digits=8)
    relative = curve.values("test_loss")[1] / float(alone.test_loss) - 1
    assert abs(relative) < 1e-8
