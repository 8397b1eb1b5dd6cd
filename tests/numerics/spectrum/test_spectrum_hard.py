"""Laws on which naive solvers fail: masses of intervals where counting knows them."""

import numpy as np
import pytest
from spectra import law

import detequiv as de
from detequiv.numerics.equations.resolvent_floats import ResolventSystem
from detequiv.numerics.resolvent import floats, real_branch


def masses(law: de.Law, points: int = 400) -> list[float]:
    """Mass of each interval; square roots at its ends are smooth in the angle."""
    found = []
    for interval in law.support:
        low, high = float(interval.lower.value), float(interval.upper.value)
        angle = np.linspace(0, np.pi / 2, points + 1)[1:-1]
        stretch = np.log(high / low)
        x = low * np.exp(stretch * np.sin(angle) ** 2)
        weight = x * stretch * np.sin(2 * angle) * np.pi / (2 * points)
        found.append(float(law.density(x) @ weight))
    return found


@pytest.mark.parametrize(
    ("activation", "spike", "features", "expected"),
    [
        # the group of 1 unit in 10,000 is in one bulk with the others
        ("tanh", ["3/2", "-4/5"], {"weights": ["1/10000", "9999/10000"]}, [1]),
        ("tanh", [0, 0], {}, [1]),
        # no more than d of 3d/2 units are seen in the linear part, 1e6 times larger
        ("tanh", 0, {"bulk": "1/20"}, [1 / 3, 2 / 3]),
        # a gap of a thousandth of its place; each group is a half
        ("he3", [0, 0], {"bulk": [1, "0.23125"]}, [1 / 2, 1 / 2]),
        # skewed: 1 unit in 20 has most of the mean; d in 3d/2 carry the linear part
        (
            *("he3", [0, 0]),
            {"bulk": [1, "1/5"], "weights": ["1/20", "19/20"]},
            [1 - 2 / 3 - 1 / 20, 2 / 3, 1 / 20],
        ),
    ],
)
def test_masses(
    activation: str, spike: object, features: dict[str, object], expected: list[float]
) -> None:
    found = law(activation, spike, **features)
    assert masses(found) == pytest.approx(expected, abs=1e-10)


def test_gaps_are_not_denied_where_the_resolvent_was_not_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lose(system: ResolventSystem, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return system.start(z), np.full(len(z), np.inf)

    for module in (floats, real_branch):
        monkeypatch.setattr(module, "follow_down", lose)
    with pytest.raises(de.ConvergenceError, match="was reached to inf only"):
        _ = law("he3", [0, 0], bulk=[1, "1/5"]).support


def test_a_gap_that_has_just_closed() -> None:
    found = law("he3", [0, 0], bulk=[1, "0.23438"])
    (interval,) = found.support
    x = np.linspace(1.15, 1.2, 100)
    density = found.density(x)
    assert interval.lower.kind == interval.upper.kind == "regular"
    assert 0 < density.min() < 0.02 < 2 * density[0]
    assert masses(found, 4000) == pytest.approx([1], abs=1e-6)


def test_as_many_samples_as_units() -> None:
    """Hard at zero, where the density in the angle of ``x = b sin^2`` is finite."""
    found = law("tanh", ["3/2", 0], alpha="3/2")
    (interval,) = found.support
    assert interval.lower.kind == "hard"
    end = float(interval.upper.value)
    angle = np.arange(0.5, 300) * np.pi / 600
    mass = found.density(end * np.sin(angle) ** 2) @ np.sin(2 * angle)
    assert mass * end * np.pi / 600 == pytest.approx(1, abs=1e-9)


def test_a_wide_gap_is_one_gap_and_empty() -> None:
    found = law("tanh", 0, bulk="1/20")
    below, above = found.support
    assert above.lower.value > 1000 * below.upper.value
    between = np.geomspace(float(below.upper.value), float(above.lower.value), 20)
    assert (found.density(between[1:-1]) < 1e-12).all()


def test_spikes_far_larger_than_the_bulk() -> None:
    """At u/rho = 4 four decades in one interval, with a gap that is all but open."""
    found = law("tanh", 1, bulk="1/4")
    assert masses(found, 6000) == pytest.approx([1], abs=1e-8)


def test_groups_that_are_alike_count_as_one() -> None:
    """Against the equations that keep them apart."""
    x = np.linspace(0.05, 1.5, 20)
    one = law("tanh", "1/2").density(x)
    alike = law("tanh", ["1/2", "1/2"], weights=["1/3", "2/3"])
    apart = law("tanh", ["1/2", "-1/2"], weights=["1/3", "2/3"])
    np.testing.assert_array_equal(alike.density(x), one)
    np.testing.assert_allclose(apart.density(x), one, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("spike", [20, 25])
def test_the_small_end_of_a_spike_of_twenty(spike: int) -> None:
    """More digits, with their own fields and rules, confirm fewer."""
    few, many = (law("tanh", spike, digits=d).support[0].lower.value for d in (10, 20))
    assert abs(few / many - 1) < 1e-10
