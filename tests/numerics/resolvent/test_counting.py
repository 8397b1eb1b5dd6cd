"""Shares of the eigenvalues below a point, against integrals of the density."""

import numpy as np
import pytest
from spectra import law

import detequiv as de
from detequiv.numerics.averages import REAL_AXIS
from detequiv.numerics.resolvent import Counting, Resolvent
from detequiv.theory.problem import exact_parameters, law_of


def below(law: de.Law, x: np.ndarray) -> np.ndarray:
    """At x in the scale of the law."""
    problem = law.problem
    features = law_of(problem)
    parameters = tuple(map(float, exact_parameters(problem, features)))
    resolvent = Resolvent(features.model, features, parameters)
    counting = Counting(resolvent.system(REAL_AXIS, 1))
    ridge = problem.ridge
    z = x * float(ridge.samples_per_dim / ridge.width_per_dim)
    return counting.below(resolvent.solve(z + 0j).unknowns, z)


@pytest.mark.parametrize(
    ("activation", "spike", "alpha"),
    [("tanh", ["3/2", "-4/5"], 2), ("tanh", [0, "1"], 1), ("linear", "1/2", 2)],
)
def test_differences_are_integrals_of_the_density(
    activation: str, spike: object, alpha: object
) -> None:
    found = law(activation, spike, alpha=alpha)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    low, high = 0.2, 0.6
    x = (low + high + (high - low) * nodes) / 2
    mass = found.density(x) @ weights * (high - low) / 2
    shares = below(found, np.array([low, high]))
    assert np.diff(shares)[0] == pytest.approx(mass, abs=1e-11)
    assert found.atom_at_zero < shares[0] < shares[1] < 1


def test_gaps_have_the_heights_that_counting_gives() -> None:
    """A linear part of rank d in 3d/2 units, and two groups of a half each."""
    found = law("he3", [0, 0], bulk=[1, "1/5"], weights=["1/20", "19/20"])
    between = [
        float(a.upper.value * b.lower.value) ** 0.5
        for a, b in zip(found.support[:-1], found.support[1:], strict=True)
    ]
    shares = below(found, np.array(between))
    np.testing.assert_allclose(shares, [1 - 2 / 3 - 1 / 20, 19 / 20], atol=1e-14)
