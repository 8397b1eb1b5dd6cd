"""No penalty: against a vanishing one, on both sides of n = p; where it is refused."""

from fractions import Fraction

import mpmath
import pytest

import detequiv as de


def problem(activation: str, spike: list[object], **ridge: object) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike),
        target=de.Target(function="z + (z**2 - 1)/2", alignment="4/5", noise="3/10"),
        ridge=de.Ridge(**ridge),
    )


CASES = {
    "relu, more samples": ("relu", [1, "-1/2"], 2, 1),
    "relu, fewer samples": ("relu", [1, "-1/2"], 1, 2),
    "he3, fewer samples": ("he3", ["1/2"], 1, 3),
    "near the peak": ("relu", ["1/4"], "9/10", 1),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_limit_is_that_of_small_penalties(
    case: tuple[str, list[object], object, object],
) -> None:
    activation, spike, alpha, beta = case
    sizes = {"samples_per_dim": alpha, "width_per_dim": beta}
    limit = de.solve(problem(activation, spike, penalty=0, **sizes), digits=16)
    near, nearer = (
        de.solve(problem(activation, spike, penalty=penalty, **sizes), digits=22)
        for penalty in ("2e-13", "1e-13")
    )
    with mpmath.workdps(40):
        for name in ("generalization_error", "training_error", "readout_norm"):
            # the first order in the penalty is taken away
            expected = 2 * getattr(nearer, name) - getattr(near, name)
            assert abs(getattr(limit, name) - expected) < 1e-15 * (1 + abs(expected))
    share = float(1 - Fraction(alpha) / Fraction(beta))
    if share > 0:
        assert limit.resolvent_trace == mpmath.inf
        assert limit.training_error == 0 == limit.ridge_objective
        trace = nearer.resolvent_trace * mpmath.mpf("1e-13")
        assert float(trace) == pytest.approx(share, rel=1e-8)
    else:
        assert limit.resolvent_trace == pytest.approx(nearer.resolvent_trace, rel=1e-9)


def test_more_digits_of_the_limit_agree_with_fewer() -> None:
    ridge = {"samples_per_dim": 1, "width_per_dim": 2, "penalty": 0}
    few, many = (
        de.solve(problem("relu", ["1/2"], **ridge), digits=n) for n in (12, 25)
    )
    for name in ("generalization_error", "readout_norm", "excess_error"):
        assert getattr(few, name) == pytest.approx(getattr(many, name), rel=1e-12)


def test_a_curve_may_begin_at_no_penalty() -> None:
    base = problem("relu", [1], samples_per_dim=2, width_per_dim=1, penalty=1)
    curve = de.curve(base, vary={"ridge.penalty": [0, "1e-9", 1]})
    errors = curve.to_xarray()["generalization_error"].values
    assert errors[0] == pytest.approx(errors[1], rel=1e-7)


@pytest.mark.parametrize(
    ("activation", "width", "reason"),
    [("relu", 2, "n = p"), ("z/2 + 1", 3, "linear")],
)
def test_a_limit_of_another_kind_is_refused(
    activation: str, width: int, reason: str
) -> None:
    ridge = {"samples_per_dim": 2, "width_per_dim": width, "penalty": 0}
    with pytest.raises(de.InputError, match=reason):
        de.solve(problem(activation, [1], **ridge))


def test_saturated_features_decide_in_the_tails_and_are_refused() -> None:
    # sign: the conditional variance falls as fast as the density
    ridge = {"samples_per_dim": 1, "width_per_dim": 2, "penalty": 0}
    with pytest.raises(de.ConvergenceError, match="samples far out"):
        de.solve(problem("sign", [1], **ridge))


def test_certificates_and_diagnoses_ask_for_a_penalty() -> None:
    limit = problem("relu", ["1/2"], samples_per_dim=2, width_per_dim=1, penalty=0)
    with pytest.raises(de.InputError, match="certificate"):
        de.certify(limit)
    with pytest.raises(de.InputError, match="diagnosis"):
        de.diagnose(limit)


def test_hardly_a_penalty_is_near_its_limit() -> None:
    """Where leading orders at large penalties leave the Hessian flat to rounding."""
    problem = de.Problem(
        features=de.SpikedFeatures(activation="gelu", spike=2),
        target=de.Target(function="z", alignment="1/2", noise=1),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="1.9", penalty="1e-90"),
    )
    assert de.solve(problem).text("generalization_error") == "875.065593481036"


def test_unknowns_beyond_float64_are_refused_with_advice() -> None:
    """A resolvent of some 1e500 is needed to see samples a step hardly tells apart."""
    problem = de.Problem(
        features=de.SpikedFeatures(activation="step", spike="-33.85", bulk="0.019"),
        target=de.Target(function="max(z - 1/2, 0)", alignment=-1),
        ridge=de.Ridge(samples_per_dim="9.9", width_per_dim="0.162", penalty=0),
    )
    with pytest.raises(de.ConvergenceError, match=r"try a larger ridge\.penalty"):
        de.solve(problem)


@pytest.mark.slow
def test_errors_of_the_fields_are_seen_where_they_grow() -> None:
    """Penalties of 1e-60 to 1e-250 agree with each other on the limit."""
    problem = de.Problem(
        features=de.SpikedFeatures(activation="gelu", spike=[20, 6]),
        target=de.Target(function="cos(z)", alignment="3/10"),
        ridge=de.Ridge(samples_per_dim="4.6", width_per_dim="4.57", penalty=0),
    )
    limit = de.solve(problem)
    assert limit.text("generalization_error") == "7.94576355245994e+36"
    assert limit.text("readout_norm") == "1.88653237991690e+39"


@pytest.mark.slow
@pytest.mark.parametrize("factor", ["1", "1e-8", "1e-16", "1e10"])
def test_a_factor_of_the_features_changes_no_error(factor: str) -> None:
    problem = de.Problem(
        features=de.SpikedFeatures(
            activation=f"{factor}*tanh(z)",
            spike=["-1.65267", "-20.0745", "6.97545e-05", "0.896211"],
            bulk=["9.39477", "0.462341", "0.0239419", "0.0985784"],
        ),
        target=de.Target(function="tanh(3*z)", alignment="-0.9"),
        ridge=de.Ridge(samples_per_dim="1.93496", width_per_dim="0.747389", penalty=0),
    )
    assert float(de.solve(problem).generalization_error) == pytest.approx(
        3.7727, rel=1e-4
    )
