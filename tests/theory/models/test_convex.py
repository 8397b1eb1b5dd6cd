"""The potential for convex losses: its first line, and that of the square loss."""

import pytest
import sympy as sp

from detequiv.theory.losses import chi, envelope, named_loss, v
from detequiv.theory.models import InverseEntry, Model, convex_model, spiked_model

MODELS = [(1, 1), (2, 1), (2, 2), (3, 1)]


def directions(model: Model) -> dict[sp.Symbol, sp.Expr]:
    """Multipliers by the norms N_q of the readout and the Gram matrix S."""
    groups = len(model.unknowns.positive)
    weights, beta = model.parameters[-groups:], model.parameters[1]
    multipliers = convex_model(model).multipliers
    norms = {
        multipliers[q]: sp.Symbol(f"N_{q + 1}") / weights[q] for q in range(groups)
    }
    pairs = [(i, j) for i in range(groups) for j in range(i, groups)]
    gram = {
        symbol: beta * sp.Symbol(f"S_{i + 1}_{j + 1}")
        for symbol, (i, j) in zip(multipliers[groups:], pairs, strict=True)
    }
    return norms | gram


@pytest.mark.parametrize(("groups", "latents"), MODELS)
def test_the_first_line_is_that_of_norms_and_overlaps(
    groups: int, latents: int
) -> None:
    model = spiked_model(groups, latents)
    _, beta, penalty, *_ = model.parameters
    weights = model.parameters[-groups:]
    g, upper = model.unknowns.positive, model.unknowns.definite
    y, c1, cs = (
        model.coefficients,
        model.fields[groups : 2 * groups],
        model.fields[2 * groups : 3 * groups],
    )
    norms = sp.symbols(f"N_1:{groups + 1}")
    scale = [beta * w * x for w, x in zip(weights, g, strict=True)]
    expected, spread = sp.S.Zero, sp.S.Zero
    place = 0
    for i in range(groups):
        for j in range(i, groups):
            gram = sp.Symbol(f"S_{i + 1}_{j + 1}") * (1 if i == j else 2)
            diagonal = 1 / scale[i] if i == j else 0
            expected += gram * (diagonal - InverseEntry(i, j, *upper))
            spread += gram * c1[i] * c1[j]
            if i == j:
                norm, size = norms[i], scale[i]
                expected += norm * (
                    penalty - 1 / g[i] + 1 / size - upper[place] / size**2
                )
                spread += norm * cs[i]
            place += 1
    # t and r, K at a time, cost one over V; m costs nothing
    expected += sum(s**2 / scale[k % groups] for k, s in enumerate(y[groups:]))
    phi, known = convex_model(model), directions(model)
    assert sp.expand(phi.local.subs(known) - expected) == 0
    assert sp.expand(phi.spread.subs(known) - spread) == 0


@pytest.mark.parametrize(("groups", "latents"), MODELS)
def test_the_square_loss_gives_psi_and_energy(groups: int, latents: int) -> None:
    model = spiked_model(groups, latents)
    phi = convex_model(model)
    tau0, tau1, tau2 = model.fields[-3:]
    # the residual given kappa has this second moment, and M is quadratic in it
    square = (tau0 - phi.mean) ** 2 + (tau1 - phi.slope) ** 2 + tau2 + phi.spread
    (value,) = envelope(named_loss("square")).pieces
    average = (value / v**2).subs(chi, phi.leverage) * square
    energy = model.energy_local + model.energy_integrand
    psi = model.psi_local + model.psi_integrand
    along = sum(
        direction * sp.diff(psi, s)
        for s, direction in zip(model.unknowns.symbols, phi.multipliers, strict=True)
    )
    expected = (energy + along).subs(model.source, 0)
    difference = phi.local + phi.samples * average - expected
    assert sp.simplify(sp.expand(difference)) == 0


def test_the_spread_is_the_leverage_at_the_multipliers() -> None:
    phi = convex_model(spiked_model(2))
    assert phi.leverage.subs(
        dict(zip(phi.model.unknowns.symbols, phi.multipliers, strict=True))
    ).equals(phi.spread)
