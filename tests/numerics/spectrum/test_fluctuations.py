"""The spread of the resolvent's trace: where it vanishes, symmetry, simulation."""

import numpy as np
import pytest

import detequiv as de
from detequiv.numerics.spectrum.fluctuations import trace_covariance
from detequiv.validation.statistics.extrapolation import fit_trend, p_value
from detequiv.validation.trial.simulate import sampler
from detequiv.validation.witness.draws import Dimensions
from detequiv.validation.witness.spectra import draw_eigenvalues


def problem(spike: object) -> de.Problem:
    return de.Problem(
        features=de.SpikedFeatures(activation="relu", spike=spike),
        target=de.Target(function="z"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    )


def test_without_a_spike_nothing_of_this_order_is_left() -> None:
    (found,) = trace_covariance(problem(0), [0.3 + 0.2j])
    assert np.abs(found).max() < 1e-20


def test_conjugate_points_differ_in_the_sign_of_the_imaginary_part() -> None:
    above, below = trace_covariance(problem(2), [0.3 + 0.2j, 0.3 - 0.2j])
    np.testing.assert_allclose(below, above * np.array([[1, -1], [-1, 1]]), rtol=1e-10)
    assert np.linalg.eigvalsh(above).min() > 0


def test_points_on_the_axis_are_refused() -> None:
    with pytest.raises(de.InputError, match="off the real axis"):
        trace_covariance(problem(2), 1.0)


@pytest.mark.slow
def test_the_spread_of_simulated_matrices() -> None:
    """Carried to infinite d; unlucky with probability 1e-4 over both parts."""
    strong, z, repetitions = problem(3), 0.05 + 0.5j, {100: 800, 200: 400, 400: 200}
    expected = np.diag(trace_covariance(strong, z))
    found = []
    for d, draws in repetitions.items():
        size = Dimensions(d=d, n=2 * d, p=d)
        traces = [
            np.mean(1 / (draw_eigenvalues(sampler(strong), size, rng) - z))
            for rng in map(np.random.default_rng, range(draws))
        ]
        parts = np.array([np.real(traces), np.imag(traces)])
        found.append(size.n * parts.var(axis=1, ddof=1) / expected)
    errors = np.sqrt(2 / (np.array(list(repetitions.values())) - 1))
    for ratios in np.transpose(found):
        trend = fit_trend(list(repetitions), ratios - 1, ratios * errors)
        assert p_value(trend.intercept / trend.error, 199) > 5e-5
        assert trend.error < 0.3  # the spread is seen to be of this order
