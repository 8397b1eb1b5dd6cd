"""Outliers: a classical spiked matrix in closed form, counts, invariances."""

import numpy as np
import pytest
from spectra import law

import detequiv as de
from detequiv.numerics.resolvent import Resolvent
from detequiv.numerics.spectrum import log_determinant
from detequiv.numerics.spectrum.isolated import _agree
from detequiv.numerics.spectrum.outliers import Root
from detequiv.theory.problem import exact_parameters, law_of


@pytest.mark.parametrize(("samples", "units"), [(2, "3/2"), (1, 2)])
@pytest.mark.parametrize("strength", [1.7, 5.0, 300.0])
def test_a_constant_feature_is_a_classical_spike(
    samples: int, units: object, strength: float
) -> None:
    """Noise of variance 6 and a matrix of rank one (Benaych-Georges, Nadakuditi 2012).

    With y = p/n and the spike's squared singular value t (noise 1):
    ``(1 + t)(y + t)/t``, overlap ``1 - y (1 + t) / (t (t + y))``, if ``t > sqrt(y)``.
    """
    width = 900
    mean = float(np.sqrt(6 * strength / width))
    found = law(f"{mean!r} + z**3 - 3*z", 0, alpha=samples, beta=units, width=width)
    y = float(found.problem.ridge.width_per_dim) / samples
    (outlier,) = found.outliers
    place = 6 * (1 + strength) * (y + strength) / strength
    overlap = 1 - y * (1 + strength) / (strength * (strength + y))
    assert outlier.value == pytest.approx(place, rel=1e-10)
    assert outlier.mean_overlaps == pytest.approx((overlap,), rel=1e-8)
    assert outlier.latent_overlaps == (0,)
    assert (outlier.multiplicity, outlier.width) == (1, width)
    growth = (strength - y / strength) / ((1 + strength) * (y + strength) / strength)
    assert outlier.order == ("p" if growth > 1 / 2 else "1")


def test_a_small_outlier_has_as_many_digits() -> None:
    large, small = (law(f"(1 + z**3 - 3*z)/{k}", 0) for k in (1, 10**5))
    (one,), (other,) = large.outliers, small.outliers
    assert 1e10 * other.value == pytest.approx(one.value, rel=1e-10)
    assert other.mean_overlaps == pytest.approx(one.mean_overlaps, abs=1e-8)


def test_overlaps_that_two_rules_give_differently_are_refused() -> None:
    coarse, fine = (
        Root(2.0, 1.0, 1, np.array([0.5, overlap])) for overlap in (0.1, 0.1 + 1e-7)
    )
    with pytest.raises(de.ConvergenceError, match="overlaps of the outlier 2 "):
        _agree([coarse], [fine])


def test_a_weak_spike_stays_in_the_bulk() -> None:
    threshold = np.sqrt(0.75)
    for strength, count in ((0.97 * threshold, 0), (1.03 * threshold, 1)):
        mean = float(np.sqrt(6 * strength / 1000))
        assert len(law(f"{mean!r} + z**3 - 3*z", 0).outliers) == count


@pytest.mark.slow
def test_splitting_a_group_and_the_scale_change_nothing() -> None:
    whole = law("sin", [1, "1/2"], weights=["1/2", "1/2"])
    split = law("sin", [1, "1/2", 1], weights=["3/10", "1/2", "1/5"], scale="p")
    first, second = whole.outliers, split.outliers
    assert len(first) == len(second) > 0
    for a, b in zip(first, second, strict=True):
        assert b.value == pytest.approx(a.value / 0.75, rel=1e-9)
        assert sum(b.mean_overlaps) == pytest.approx(sum(a.mean_overlaps), rel=1e-6)
        assert b.mean_overlaps[1] == pytest.approx(a.mean_overlaps[1], rel=1e-7)


def test_no_width_or_no_outside_is_refused() -> None:
    with pytest.raises(de.InputError, match="width = 0"):
        law("relu", 1, width=0)
    with pytest.raises(de.ConvergenceError, match="reaches infinity"):
        _ = law("he2", 1).outliers


@pytest.mark.parametrize(
    ("activation", "alpha", "beta"),
    [("tanh", "1/10", 1), ("tanh", 1, 10), ("relu", "1/10", 4), ("erf", "1/5", 2)],
)
def test_a_width_is_told_near_a_density_that_vanishes_at_zero(
    activation: str, alpha: object, beta: object
) -> None:
    """Two directions push at most two eigenvalues up past a point; far away none."""
    problem = law(activation, 1, alpha=alpha, beta=beta).problem
    features = law_of(problem)
    parameters = tuple(map(float, exact_parameters(problem, features)))
    resolvent = Resolvent(features.model, features, parameters)
    x = resolvent.mean() * np.array([0.05, 0.25, 1.0])
    above = log_determinant(resolvent, 500, x * (1 + 0.25j))
    far = log_determinant(resolvent, 500, x * 1e9 + 1e9j)
    assert ((0 < above.imag) & (above.imag < 2 * np.pi)).all()
    assert (np.abs(far) < 1e-4).all()
