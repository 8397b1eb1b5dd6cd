"""Gaussian averages of Moreau envelopes, against differences and other rules."""

import numpy as np
import pytest
import sympy as sp

from detequiv.numerics.losses.channel import channel
from detequiv.theory.losses import LOSSES, Loss, named_loss

STEP = 1e-4
PAIRS = [  # of averages, the second the derivative of the first
    ("", "m", "v", 1.0),
    ("v", "m", "vv", 1.0),
    ("vv", "m", "vvv", 1.0),
    ("vvv", "m", "vvvv", 1.0),
    ("", "chi", "c", 1.0),
    ("v", "chi", "vc", 1.0),
    ("vv", "chi", "vvc", 1.0),
    ("c", "chi", "cc", 1.0),
    ("", "Q", "vv", 0.5),
    ("v", "Q", "vvv", 0.5),
    ("vv", "Q", "vvvv", 0.5),
    ("c", "Q", "vvc", 0.5),
]


def loss_of(name: str) -> Loss:
    return named_loss(name, sp.Rational(1, 2) if name == "huber" else None)


@pytest.mark.parametrize("name", LOSSES)
def test_derivatives_are_those_of_the_averages(name: str) -> None:
    rng = np.random.default_rng(3)
    averages = channel(loss_of(name)).averages
    at = {
        "m": rng.normal(size=(6, 3)),
        "Q": rng.uniform(0.05, 3, (6, 1)),
        "chi": rng.uniform(0.02, 3, (6, 1)),
    }
    found = averages(*at.values())
    for by in at:
        sides = [averages(*(at | {by: at[by] + s * STEP}).values()) for s in (1, -1)]
        for first, variable, second, factor in PAIRS:
            if variable == by:
                slope = (sides[0][first] - sides[1][first]) / (2 * STEP)
                # a central difference errs by STEP^2 times a third derivative
                assert np.abs(slope - factor * found[second]).max() < 3e-6


@pytest.mark.parametrize("name", LOSSES)
def test_other_rules_give_the_same_averages(name: str) -> None:
    rng = np.random.default_rng(4)
    mean = rng.normal(size=(5, 4)) * [0.1, 1, 3, 30]
    variance = rng.uniform(1e-3, 4, (5, 1))
    leverage = 10.0 ** rng.uniform(-12, 1, (5, 1))
    fine = channel(loss_of(name), 1.0).averages(mean, variance, leverage)
    rough = channel(loss_of(name), 0.8).averages(mean, variance, leverage)
    for order in ("", "v", "vv", "c"):
        size = 1 + np.abs(fine[order]).max()
        assert np.abs(fine[order] - rough[order]).max() < 1e-11 * size


def test_large_margins_do_not_overflow() -> None:
    mean = np.array([[-500.0, 500.0]])
    one = np.ones((1, 1))
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found = channel(named_loss("logistic")).averages(mean, one, one)
    assert found["v"].round(12).tolist() == [[-1, 0]]
