"""Theory with what a finite width costs the mean readout of each group."""

import pytest

import detequiv as de
from detequiv.numerics.solving.solution import QUANTITIES, Solution
from detequiv.numerics.solving.solve import solve_at_width
from detequiv.theory.errors import InputError

PROBLEM = de.Problem(
    features=de.SpikedFeatures(
        activation="tanh", spike=["3/2", "-4/5"], weights=["1/3", "2/3"]
    ),
    target=de.Target(function="z + (z**2 - 1)/2", alignment="4/5", noise="3/10"),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)


def cost(solution: Solution) -> float:
    """``sum_q m_q^2 / (pi_q g_q)``, by hand."""
    terms = zip(solution.m, (1 / 3, 2 / 3), solution.g, strict=True)
    return float(sum(m**2 / (weight * g) for m, weight, g in terms))


def test_it_goes_to_the_limit_by_its_cost() -> None:
    limit, width = de.solve(PROBLEM), 10**8
    found = solve_at_width(PROBLEM, width)
    for name in QUANTITIES:
        expected = float(getattr(limit, name))
        assert float(getattr(found, name)) == pytest.approx(expected, rel=1e-4)
    # at the minimum, moving m costs nothing to first order
    change = float(width * (found.ridge_objective - limit.ridge_objective))
    assert change == pytest.approx(cost(limit), rel=1e-4)


@pytest.mark.parametrize("width", [3, 150])
def test_the_norm_is_the_slope_of_the_objective(width: int) -> None:
    def objective(penalty: str) -> float:
        moved = PROBLEM.with_values({"ridge.penalty": penalty})
        return float(solve_at_width(moved, width).ridge_objective)

    found = solve_at_width(PROBLEM, width)
    slope = (objective("0.050001") - objective("0.049999")) / 2e-6
    assert float(found.readout_norm) == pytest.approx(slope, rel=1e-7)
    # what the features are does not depend on what they are fitted to
    trace = float(de.solve(PROBLEM).resolvent_trace)
    assert float(found.resolvent_trace) == pytest.approx(trace, rel=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("samples", ["1/2", 3])
def test_it_has_a_limit_without_a_penalty(samples: object) -> None:
    sized = PROBLEM.with_values({"ridge.samples_per_dim": samples})
    bare, tiny = (
        solve_at_width(sized.with_values({"ridge.penalty": penalty}), 90, digits=8)
        for penalty in (0, "1e-9")
    )
    assert float(tiny.excess_error) == pytest.approx(float(bare.excess_error), rel=1e-5)


def test_no_units_are_refused() -> None:
    with pytest.raises(InputError, match="width = 0: give a whole number"):
        solve_at_width(PROBLEM, 0)


def test_nodes_of_any_width_have_a_scale() -> None:
    """Of 50 units too, whose nodes are fractions that SymPy does not take roots of."""
    problem = de.Problem(
        features=de.SpikedFeatures(activation="relu", spike=2),
        target=de.Target(function="abs(z)", noise="1/3"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )
    errors = [
        de.solve(problem, width=width, digits=8).generalization_error
        for width in (49, 50, 51)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert abs(errors[0] - 2 * errors[1] + errors[2]) < 2e-6
