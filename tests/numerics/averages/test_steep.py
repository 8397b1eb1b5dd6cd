"""Functions that rise steeply: panels about that place against rules without any."""

import mpmath
import pytest

import detequiv as de
from detequiv.numerics.averages.law_fields import float_fields
from detequiv.theory.gaussian.smoothing import Moments

STEEP = ["tanh(50*z)", "1/(1 + exp(20 - 100*z))", "1/(1 + 900*(z - 2/5)**2)"]


def solve(function: str, alignment: str, digits: int) -> de.Solution:
    return de.solve(
        de.Problem(
            features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
            target=de.Target(function=function, noise="3/10", alignment=alignment),
            ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
        ),
        digits=digits,
    )


@pytest.mark.parametrize("alignment", ["1", "3/5"])
@pytest.mark.parametrize("function", STEEP)
def test_panels_against_plain_rules(
    function: str, alignment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    panels = solve(function, alignment, 15)
    monkeypatch.setattr(Moments, "marks", property(lambda moments: moments.kinks))
    float_fields.cache_clear()
    plain = solve(function, alignment, 18)
    float_fields.cache_clear()
    for name in ("generalization_error", "training_error", "readout_norm"):
        ratio = getattr(panels, name) / getattr(plain, name)
        assert abs(ratio - 1) < 2e-15


def test_a_step_of_a_thousandth() -> None:
    few, many = (solve("tanh(1000*z - 400)", "1", d) for d in (15, 30))
    with mpmath.workdps(30):
        ratio = few.generalization_error / many.generalization_error
    assert 0 < abs(ratio - 1) < 1e-15
