r"""Ridge regression from its potentials, against the published risks.

The literature scales the data by 1/n where these models scale it by 1/d: its aspect
ratio is ``gamma = 1/alpha`` and its penalty ``lambda / alpha``.
"""

from random import Random

import sympy as sp

from detequiv.theory.derivation.derivation import Derivation
from detequiv.theory.models.anisotropic import anisotropic_model
from detequiv.theory.models.potential import energy, energy_ridge, energy_source
from detequiv.theory.models.ridge import ridge_model


def total(derivation: Derivation, name: sp.Symbol) -> sp.Expr:
    """Total derivative of the energy by implicit differentiation, without source."""
    derivative = derivation.total_derivatives[name]
    adjoint = derivation.jacobian.LUsolve(sp.Matrix(derivative.mixed))
    value = derivative.direct - sp.Matrix(derivative.gradient).dot(adjoint)
    return value.subs(derivation.model.source, 0)


def test_the_test_error_is_theorem_5_of_hastie_et_al() -> None:
    derivation = Derivation(ridge_model())
    model = derivation.model
    alpha, ridge, _, noise, r = model.parameters
    (g,), (b,) = model.unknowns.positive, model.coefficients

    # Marchenko and Pastur: the Stieltjes transform at -penalty, one root of a quadratic
    gamma, penalty = 1 / alpha, ridge / alpha
    x, m = sp.symbols("x m")
    law = gamma * x * m**2 - (1 - gamma - x) * m + 1
    slope = -(law.diff(x) / law.diff(m)).subs(x, -penalty)
    snr = r**2 / (noise * gamma)
    published = noise * gamma * (m - penalty * (1 - snr * penalty) * slope)

    # alpha parametrises solutions by g; the transform is alpha g
    solution = {alpha: (1 / g - ridge) * (1 + g), model.source: 0}
    assert sp.cancel(derivation.residuals[0].subs(solution)) == 0
    assert sp.cancel(law.subs(x, -penalty).subs(m, alpha * g).subs(solution)) == 0
    fit = r * (1 - ridge * g)
    assert sp.cancel(derivation.energy.diff(b).subs(b, fit).subs(solution)) == 0
    derived = total(derivation, energy_source).subs(b, fit) - noise
    difference = derived - published.subs(m, alpha * g)
    assert sp.cancel(difference.subs(solution)) == 0


def test_the_training_error_is_made_of_traces() -> None:
    """Residuals are ``lambda (X X^T / d + lambda)^{-1} y``."""
    derivation = Derivation(ridge_model())
    model = derivation.model
    alpha, ridge, source, noise, r = model.parameters
    (g,), (b,) = model.unknowns.positive, model.coefficients
    slope = -1 / (1 / g**2 - alpha / (1 + g) ** 2)  # dg/dlambda
    companion = 1 / (ridge * (1 + g))  # (1/n) tr (X X^T / d + lambda)^{-1}
    by_ridge = companion.diff(ridge) + companion.diff(g) * slope
    traces = ridge**2 * (-noise * by_ridge + r**2 * (g + ridge * slope) / alpha)

    reported = derivation.errors["training_error"].subs(
        {
            energy: derivation.energy.subs(source, 0),
            energy_ridge: total(derivation, energy_ridge),
        }
    )
    fit = r * (1 - ridge * g)
    at_solution = {alpha: (1 / g - ridge) * (1 + g)}
    assert sp.cancel((reported - traces).subs(b, fit).subs(at_solution)) == 0


def vanishes(expression: sp.Expr) -> bool:
    """Tell whether a rational function is zero, at random points, in exact arithmetic.

    One that is not vanishes at such a point with a probability below one in a million.
    """
    random = Random(7)
    return all(
        expression.xreplace(
            {s: sp.Integer(random.randrange(1, 10**9)) for s in expression.free_symbols}
        )
        == 0
        for _ in range(3)
    )


def spectrum(
    levels: int,
) -> tuple[Derivation, sp.Symbol, dict[sp.Symbol, sp.Expr], sp.Expr]:
    """Excess error in terms of w = alpha / (1 + chi), which parametrises solutions."""
    derivation = Derivation(anisotropic_model(levels))
    model, w = derivation.model, sp.Symbol("w", positive=True)
    alpha, ridge, _, noise, *groups = model.parameters
    s, theta = groups[levels : 2 * levels], groups[2 * levels :]
    g = model.unknowns.positive
    solution = {x: 1 / (ridge + w * v) for x, v in zip(g, s, strict=True)}
    fit = {
        b: t * w * v / (ridge + w * v)
        for b, t, v in zip(model.coefficients, theta, s, strict=True)
    }
    scale = w * (1 + model.linear_form)

    def on_shell(expression: sp.Expr) -> sp.Expr:
        return expression.subs(model.source, 0).subs(alpha, scale).subs(fit | solution)

    for stationary in (
        *derivation.residuals,
        *[derivation.energy.diff(b) for b in model.coefficients],
    ):
        assert vanishes(on_shell(stationary))
    error = on_shell(total(derivation, energy_source) - noise)
    return derivation, w, solution | {alpha: scale.subs(solution)}, error


def test_any_signal_in_a_spectrum_of_two_levels() -> None:
    """Bias and variance of Hastie et al., at the effective penalty lambda/w."""
    derivation, w, solution, error = spectrum(2)
    alpha, ridge, _, noise, *groups = derivation.model.parameters
    levels = list(zip(groups[:2], groups[2:4], groups[4:], strict=True))
    effective = ridge / w
    freedom = sp.Add(*[p * s**2 / (s + effective) ** 2 for p, s, _ in levels])
    bias = sp.Add(*[t**2 * s / (s + effective) ** 2 for _, s, t in levels])
    published = (effective**2 * bias + noise) / (1 - freedom / alpha) - noise
    assert vanishes(error - published.subs(solution))


def test_random_effects_are_theorem_2_1_of_dobriban_and_wager() -> None:
    derivation, w, solution, error = spectrum(2)
    alpha, ridge, _, noise, *groups = derivation.model.parameters
    pi, s, theta = groups[:2], groups[2:4], groups[4:]
    strength = sp.Symbol(
        "a", positive=True
    )  # of the signal, the same in every direction
    random = {t: strength * sp.sqrt(p) for t, p in zip(theta, pi, strict=True)}

    gamma, penalty, v = 1 / alpha, ridge / alpha, w / ridge
    law = (
        alpha / w
        - 1
        - sp.Add(*[p * x / (ridge + w * x) for p, x in zip(pi, s, strict=True)])
    )
    by_ridge = -law.diff(ridge) / law.diff(w)
    slope = -alpha * (v.diff(ridge) + v.diff(w) * by_ridge)  # v' at minus the penalty
    published = (
        1 + (penalty * strength**2 / gamma - 1) * (1 - penalty * slope / v)
    ) / (penalty * v)
    difference = error.subs(random) + noise - published.subs(solution)
    assert vanishes(difference.subs(noise, 1))
