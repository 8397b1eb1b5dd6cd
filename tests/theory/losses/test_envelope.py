"""Moreau envelopes against their definition: a minimum, found by a search."""

from itertools import pairwise

import pytest
import sympy as sp
from scipy.optimize import minimize_scalar

from detequiv.theory.losses import (
    DERIVATIVES,
    LOSSES,
    SEPARATION,
    Loss,
    chi,
    envelope,
    named_loss,
    smooth_envelope,
    u,
    v,
)

PIECEWISE = [name for name in LOSSES if name != "logistic"]
PLACES = (-3.7, -1.1, -0.4, 0.3, 0.8, 0.97, 1.6, 4.2)
LEVERAGES = (0.05, 0.6, 3)


def loss_of(name: str) -> Loss:
    return named_loss(name, sp.Rational(1, 2) if name == "huber" else None)


def searched(loss: Loss, place: float, leverage: float) -> tuple[float, float]:
    """Argmin and minimum of the definition."""
    value = sp.lambdify(u, loss.value)
    found = minimize_scalar(
        lambda x: value(x) + (x - place) ** 2 / leverage,
        bracket=(place - 1, place + 1),
        tol=1e-12,
    )
    return float(found.x), float(found.fun)


def piece_at(loss: Loss, place: float, leverage: float) -> int:
    return sum(place > float(b.subs(chi, leverage)) for b in envelope(loss).breaks)


@pytest.mark.parametrize("leverage", LEVERAGES)
@pytest.mark.parametrize("name", PIECEWISE)
def test_the_pieces_are_the_minimum(name: str, leverage: float) -> None:
    loss = loss_of(name)
    found = envelope(loss)
    for place in PLACES:
        piece, at = piece_at(loss, place, leverage), {v: place, chi: leverage}
        argmin, minimum = searched(loss, place, leverage)
        assert float(found.prox[piece].subs(at)) == pytest.approx(argmin, abs=1e-6)
        assert float(found.pieces[piece].subs(at)) == pytest.approx(minimum, abs=1e-9)


@pytest.mark.parametrize("name", PIECEWISE)
def test_identities_of_the_pieces(name: str) -> None:
    loss = loss_of(name)
    found = envelope(loss)
    for value, place in zip(found.pieces, found.prox, strict=True):
        slope = sp.diff(value, v)
        assert sp.simplify(v - chi * slope / 2 - place) == 0
        assert sp.simplify(sp.diff(value, chi) + slope**2 / 4) == 0
        assert value.is_polynomial(v)
        assert sp.degree(value, v) <= 2


@pytest.mark.parametrize("name", PIECEWISE)
def test_value_and_slope_have_no_jumps(name: str) -> None:
    found = envelope(loss_of(name))
    for (left, right), at in zip(pairwise(found.pieces), found.breaks, strict=True):
        for order in (0, 1):
            jump = sp.diff(right - left, v, order).subs(v, at)
            assert sp.simplify(jump) == 0


@pytest.mark.parametrize("name", PIECEWISE)
def test_an_envelope_has_an_envelope_at_the_sum(name: str) -> None:
    # M_gamma of M_chi is M_(gamma + chi): what smoothing a kinked loss relies on
    found, gamma = envelope(loss_of(name)), sp.Rational(3, 10)
    smoothed = Loss(
        "smoothed",
        True,
        tuple(e.subs({chi: gamma, v: u}) for e in found.pieces),
        tuple(b.subs(chi, gamma) for b in found.breaks),
    )
    twice = envelope(smoothed)
    assert len(twice.pieces) == len(found.pieces)
    for one, other in zip(twice.pieces, found.pieces, strict=True):
        assert sp.simplify(one - other.subs(chi, chi + gamma)) == 0
    for one, other in zip(twice.breaks, found.breaks, strict=True):
        assert sp.simplify(one - other.subs(chi, chi + gamma)) == 0


def test_separation_is_a_steep_hinge() -> None:
    steep = sp.Symbol("steep", positive=True)
    hinge = Loss("steep hinge", True, (-steep * u, sp.S.Zero), (sp.S.Zero,))
    known, limit = envelope(hinge), envelope(SEPARATION)
    assert sp.limit(known.breaks[0], steep, sp.oo) == -sp.oo
    assert known.pieces[1:] == limit.pieces == (v**2 / chi, 0)
    assert known.prox[1:] == limit.prox
    assert known.breaks[1:] == limit.breaks


@pytest.mark.parametrize("leverage", LEVERAGES)
@pytest.mark.parametrize("place", PLACES)
def test_the_logistic_root_is_the_minimum(place: float, leverage: float) -> None:
    loss = named_loss("logistic")
    found = smooth_envelope(loss)
    argmin, minimum = searched(loss, place, leverage)
    root = sp.nsolve(found.equation.subs({v: place, chi: leverage}), u, argmin)
    assert float(root) == pytest.approx(argmin, abs=1e-6)
    value = found.derivatives[0].subs({u: root, v: place, chi: leverage})
    assert float(value) == pytest.approx(minimum, abs=1e-9)


def test_derivatives_of_the_logistic_envelope() -> None:
    # each against a difference quotient of the one it is a derivative of
    found = smooth_envelope(named_loss("logistic"))
    table = dict(zip(DERIVATIVES, found.derivatives, strict=True))
    place, leverage, step = sp.Float("0.37", 40), sp.Float("1.9", 40), sp.Float("1e-12")

    def value(name: str, x: sp.Expr, c: sp.Expr) -> sp.Expr:
        root = sp.nsolve(found.equation.subs({v: x, chi: c}), u, 0.5, prec=40)
        return table[name].subs({u: root, v: x, chi: c}).evalf(40)

    for name in DERIVATIVES[1:]:
        dx, dc = (step, 0) if name[-1] == "v" else (0, step)
        ends = [value(name[:-1], place + k * dx, leverage + k * dc) for k in (-1, 1)]
        quotient = (ends[1] - ends[0]) / (2 * step)
        assert float(value(name, place, leverage)) == pytest.approx(
            float(quotient), rel=1e-14
        )
