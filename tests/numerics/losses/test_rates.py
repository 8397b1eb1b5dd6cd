"""Classification by the sign of a ridge fit."""

from typing import Any

import mpmath
import numpy as np
import pytest

import detequiv as de

# of the target, which untrained features do not see, and the noise of its sign
ROTATIONS = [("1", "0"), ("3/5", "1/2"), ("0", "0")]


def problem(
    spike: Any = ("3/2", "-4/5"), penalty: Any = "1/20", **target: Any
) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=spike),
        target=de.Target(**{"function": "z", "labels": "sign"} | target),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=penalty),
    )


@pytest.mark.parametrize(("alignment", "noise"), ROTATIONS)
def test_untrained_features_err_by_the_angle_to_the_target(
    alignment: str, noise: str
) -> None:
    """P(y f < 0) = arccos(cos of the angle) / pi, f being Gaussian with the target."""
    along = de.solve(problem(spike=0, noise=noise), digits=20)
    with mpmath.workdps(20):
        # tanh has c0 = 0 without a spike; h = kappa c1
        slope = along.t[0] * mpmath.quad(
            lambda x: x * mpmath.tanh(x) * mpmath.npdf(x), [-14, 0, 14]
        )
        scale = 1 + mpmath.mpf(noise.replace("1/2", "0.25"))
        overlap = mpmath.sqrt(2 / (mpmath.pi * scale)) * slope  # E y f
        square = along.generalization_error - 1 + 2 * overlap  # E f^2
        expected = mpmath.acos(slope / mpmath.sqrt(square * scale)) / mpmath.pi
    found = de.solve(problem(spike=0, noise=noise, alignment=alignment), digits=15)
    assert found.classification_error is not None
    assert abs(found.classification_error - expected) < 1e-14
    assert found.text("training_classification_error") == mpmath.nstr(
        along.training_classification_error, 15, strip_zeros=False
    )


def test_both_laws_of_labels_agree_where_they_are_one() -> None:
    """Steep logit labels are the signs of the target, and little noise is none."""
    sign = de.solve(problem(), digits=6)
    for target in (
        {"labels": "logit", "slope": 40},
        {"noise": "1/25"},
    ):
        other = de.solve(problem(**target), digits=6)
        for name in ("generalization_error", "classification_error"):
            gap = getattr(other, name) - getattr(sign, name)
            assert 0 < abs(gap) < 0.1


def test_labels_shift_the_square_error_by_their_variance() -> None:
    found = de.solve(problem(noise="1/2"))
    with mpmath.workdps(20):
        mean_square = mpmath.quad(
            lambda x: mpmath.erf(x * mpmath.sqrt(2)) ** 2 * mpmath.npdf(x), [-14, 0, 14]
        )
        delta = 1 - mean_square
        assert abs(found.generalization_error - delta - found.excess_error) < 1e-14
    assert found.test_loss == found.generalization_error
    assert found.training_loss == found.training_error


def test_interpolated_samples_have_the_sign_of_their_labels() -> None:
    ridge = {"ridge.samples_per_dim": 1, "ridge.penalty": 0}
    found = de.solve(problem(noise="1/2").with_values(ridge), digits=8)
    assert found.training_classification_error == 0
    small = de.solve(
        problem(noise="1/2").with_values(ridge | {"ridge.penalty": "1e-9"}), digits=8
    )
    assert found.classification_error is not None
    assert abs(found.classification_error - small.classification_error) < 1e-7


@pytest.mark.slow
@pytest.mark.parametrize(
    "target",
    [
        {"labels": "logit", "slope": 3, "alignment": "7/10"},
        {"labels": "sign", "alignment": "7/10"},
        {"labels": "logit", "slope": 2},
    ],
)
def test_a_simulation_finds_the_rates(target: dict[str, Any]) -> None:
    """Six comparisons, 4 standard errors: a right theory fails once in 2600 seeds.

    An allowance of 0.002 is for corrections of order 1/d that a width does not hold.
    """
    dimension, repetitions = 300, 20
    case = problem(**target)
    width = round(1.5 * dimension)
    theory = de.solve(case, width=width, digits=5)
    rng = np.random.default_rng(5)
    along = float(case.target.alignment)
    direction = np.zeros(dimension)
    direction[:2] = along, np.sqrt(1 - along**2)

    def draw(inputs: np.ndarray) -> np.ndarray:
        projection = inputs @ direction
        if case.target.labels == "sign":
            return np.sign(projection)
        assert case.target.slope is not None
        share = 1 / (1 + np.exp(-float(case.target.slope) * projection))
        return np.where(rng.random(len(inputs)) < share, 1.0, -1.0)

    seen = []
    for _ in range(repetitions):
        rows = rng.standard_normal((width, dimension))
        rows /= np.linalg.norm(rows, axis=1)[:, None]
        rows[:, 0] += np.repeat([1.5, -0.8], width // 2)
        inputs, fresh = (
            rng.standard_normal((2 * k * dimension, dimension)) for k in (1, 4)
        )
        labels, new = draw(inputs), draw(fresh)
        features = np.tanh(inputs @ rows.T) / np.sqrt(width)
        gram = features.T @ features + 0.05 * np.eye(width)
        readout = np.linalg.solve(gram, features.T @ labels)
        fit = features @ readout
        test = np.tanh(fresh @ rows.T) @ readout / np.sqrt(width)
        seen.append([np.mean(new * test < 0), np.mean(labels * fit < 0)])
    mean, error = np.mean(seen, 0), np.std(seen, 0) / np.sqrt(repetitions)
    expected = [theory.classification_error, theory.training_classification_error]
    assert np.all(np.abs(mean - np.array(expected, float)) < 4 * error + 0.002)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ({"labels": "probit"}, r"target.labels = probit: give one of 'none', 'sign'"),
        ({"labels": "logit"}, r"target.slope = \(missing\)"),
        ({"labels": "logit", "slope": -1}, r"target.slope = -1: must be positive"),
        ({"labels": "sign", "slope": 1}, r"target.slope = 1: is that of"),
        ({"labels": "none", "slope": 1}, r"target.slope = 1: is that of"),
        ({"labels": "logit", "slope": 1, "noise": 1}, r"target.noise = 1: must be 0"),
        ({"function": "max(z, 0)"}, r"target.function = .*: vanishes on an interval"),
        ({"function": "0"}, r"target.function = 0: vanishes on an interval"),
    ],
)
def test_labels_that_make_no_sense_are_refused(
    target: dict[str, Any], says: str
) -> None:
    with pytest.raises(de.InputError, match=says):
        problem(**target)


def test_what_knows_no_labels_says_so() -> None:
    for act in (de.certify, de.derive):
        with pytest.raises(de.InputError, match=r"target.labels = sign: .* knows"):
            act(problem())


def test_a_curve_has_the_rates() -> None:
    curve = de.curve(problem(), vary={"target.noise": [0, "1/2"]})
    single = de.solve(problem(noise="1/2"), digits=10)
    assert (
        abs(
            curve.values("classification_error")[1] - float(single.classification_error)
        )
        < 1e-9
    )
    assert "classification_error" in (curve.to_csv() or "").splitlines()[0]
    assert "test_loss" in curve.to_xarray()
