"""Gaussian averages of Moreau envelopes, against differences and other rules."""

from itertools import pairwise

import numpy as np
import pytest
import sympy as sp
from numpy.polynomial.legendre import leggauss

from detequiv.numerics.losses.channel import channel
from detequiv.theory.losses import LOSSES, Loss, chi, envelope, named_loss, v

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


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "logistic"])
def test_pieces_are_averaged_as_a_sum_averages_them(name: str) -> None:
    rng = np.random.default_rng(4)
    known = envelope(loss_of(name))
    nodes, weights = leggauss(80)
    for scale in (1e-3, 1, 20):
        mean, variance = rng.normal(size=(1, 1)) * scale, rng.uniform(1e-2, 4, (1, 1))
        leverage = 10.0 ** rng.uniform(-9, 1, (1, 1))
        found = channel(loss_of(name)).averages(mean, variance, leverage)
        m, width, c = mean[0, 0], np.sqrt(variance[0, 0]), leverage[0, 0]
        breaks = [float(b.subs(chi, c)) for b in known.breaks]
        for order in ("", "v", "vv", "c", "vc", "cc"):
            total = 0.0
            ends = np.clip([-np.inf, *breaks, np.inf], m - 9 * width, m + 9 * width)
            for piece, left, right in zip(known.pieces, ends, ends[1:], strict=False):
                letters = [{"v": v, "c": chi}[k] for k in order]
                slope = sp.diff(piece, *letters) if letters else piece
                value = sp.lambdify(v, slope.subs(chi, c))
                for a, b in pairwise(np.linspace(left, right, 5)):
                    x = (a + b) / 2 + (b - a) / 2 * nodes
                    density = np.exp(-(((x - m) / width) ** 2) / 2) / width
                    share = (b - a) / 2 * weights * density / np.sqrt(2 * np.pi)
                    total += float((share * value(x)).sum())
            assert abs(found[order][0, 0] - total) <= 1e-10 * (abs(total) + 1e-3)


def test_large_margins_do_not_overflow() -> None:
    mean = np.array([[-500.0, 500.0]])
    one = np.ones((1, 1))
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found = channel(named_loss("logistic")).averages(mean, one, one)
    assert found["v"].round(12).tolist() == [[-1, 0]]
