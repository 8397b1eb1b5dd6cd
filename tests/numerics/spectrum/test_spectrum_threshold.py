"""The scale at which an outlier leaves the bulk: in closed form, and by counting."""

import mpmath as mp
import pytest
from spectra import law

import detequiv as de


def spiked_population(alpha: mp.mpf, beta: mp.mpf, width: int) -> tuple[mp.mpf, mp.mpf]:
    """Threshold in u for sigma(z) = z, and the end of the bulk.

    Inputs have then the population covariance ``(W + u 1 v^T)^T (W + u 1 v^T)``: a
    Marchenko-Pastur bulk and, with ``t = u^2 p / beta``, an eigenvalue
    ``a = beta (1 + t)(1/beta + t)/t`` (Benaych-Georges, Nadakuditi 2012). Samples have
    an outlier ``psi(a) = a + a/alpha int x/(a - x)`` if ``psi' > 0`` (Bai, Yao 2012).
    """
    ratio = 1 / beta
    lower, upper = (beta * (1 + s * mp.sqrt(ratio)) ** 2 for s in (-1, 1))

    def psi(a: mp.mpf) -> mp.mpf:
        root = mp.sqrt((a - lower) * (a - upper))
        transform = (beta * (1 - ratio) - a + root) / (2 * ratio * a * beta)
        return a - a / alpha * (1 + a * transform)

    def place(t: mp.mpf) -> mp.mpf:
        return beta * (1 + t) * (ratio + t) / t

    t = mp.findroot(lambda t: mp.diff(psi, place(t)), (1.3, 1.5))
    return mp.sqrt(beta * t / width), psi(place(t))


def test_linear_features_have_the_threshold_of_a_spiked_population() -> None:
    found = law("linear", 1).threshold("1/100", 1, digits=20)
    with mp.workdps(40):
        scale, end = spiked_population(mp.mpf(2), mp.mpf(3) / 2, 1000)
        assert abs(found.scale / scale - 1) < mp.mpf(10) ** -20
        assert abs(found.value / end - 1) < mp.mpf(10) ** -20


def test_the_spike_of_one_group_makes_up_what_the_other_lacks() -> None:
    """Equal linear groups: the entries of one rank-1 term, whose norm alone counts."""
    found = law("linear", ["1/50", 2]).threshold("1/100", "1/10", group=1)
    with mp.workdps(30):
        scale, end = spiked_population(mp.mpf(2), mp.mpf(3) / 2, 1000)
        rest = mp.sqrt(2 * scale**2 - mp.mpf(1) / 2500)
        assert abs(2 * found.scale / rest - 1) < mp.mpf(10) ** -10
        assert abs(found.value / end - 1) < mp.mpf(10) ** -10


def check_counts(activation: str, spike: list[float], low: float, high: float) -> None:
    """One outlier more above the threshold than below, next to the bulk."""
    scale = float(law(activation, spike).threshold(low, high).scale)
    counts = []
    for change in (-1e-3, 1e-3):
        scaled = law(activation, [u * scale * (1 + change) for u in spike])
        outliers, end = scaled.outliers, float(scaled.support[-1].upper.value)
        counts.append(len(outliers))
    assert counts[1] == counts[0] + 1
    assert 0 < outliers[0].value / end - 1 < 1e-4


def test_the_number_of_outliers_changes() -> None:
    check_counts("tanh", [1.0], 0.01, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "spike", "low"),
    [("tanh", [1.5, -0.8], 0.5), ("relu", [0.5, -0.25], 0.01)],
)
def test_the_number_changes_with_two_groups(
    activation: str, spike: list[float], low: float
) -> None:
    check_counts(activation, spike, low, 1.0)


@pytest.mark.slow
def test_an_outlier_of_one_group_comes_and_goes() -> None:
    """The means of the groups span two directions, but not for u = (u, -u)."""
    single, counts = law("tanh", ["3/2", -1]), []
    for low, high in (("0.2", "0.7"), ("0.7", "1")):
        scale = float(single.threshold(low, high, group=1).scale)
        for change in (-1e-3, 1e-3):
            there = law("tanh", [1.5, -scale * (1 + change)])
            counts.append(len(there.outliers))
    assert counts == [1, 2, 2, 1]


def test_no_threshold_is_said_so() -> None:
    with pytest.raises(de.InputError, match="outliers above the bulk are 1 at both"):
        law("linear", 1).threshold(1, 2)
    with pytest.raises(de.ConvergenceError, match="reaches infinity"):
        law("he2", 1).threshold("1/2", 1)
    with pytest.raises(de.InputError, match="digits = 0"):
        law("linear", 1).threshold(1, 2, digits=0)
    with pytest.raises(de.InputError, match=r"group = 2: give one of 0 to 1"):
        law("linear", [1, 1]).threshold(1, 2, group=2)
