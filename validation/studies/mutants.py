"""Wrong theories, each of which a trial must reject.

A mutant is one plausible slip in the theory of learned features.
"""

from dataclasses import replace

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import to_float
from detequiv.numerics.losses import ConvexSolution, Found, Rules, outcomes
from detequiv.theory.functions import z
from detequiv.theory.gaussian import Moments, conditional_moments
from detequiv.theory.models import Model, energy, energy_ridge, energy_source
from detequiv.theory.problem import FeatureLaw, c1, c2, kappa
from detequiv.validation.studies.slips import (
    Mutant,
    Names,
    in_fields,
    in_law,
    in_part,
    in_quantity,
    in_ridge,
    in_tangents,
    scaled,
)

__all__ = ["LOSS_MUTANTS", "MUTANTS"]


def _inverted_proportion(model: Model, names: Names) -> Model:
    """Weigh the samples by p/n instead of n/p."""
    swapped = {names.alpha: names.beta, names.beta: names.alpha}
    return replace(
        model,
        psi_average=model.psi_average.subs(swapped, simultaneous=True),
        energy_weight=model.energy_weight.subs(swapped, simultaneous=True),
    )


def _penalised_mean(model: Model, names: Names) -> Model:
    """Give c0 the price of the tangent functions."""
    terms = zip(names.m, names.pi, names.g, strict=True)
    cost = sum(c**2 / (names.beta * pi * g) for c, pi, g in terms)
    return replace(model, energy_local=model.energy_local + cost)


MUTANTS: tuple[Mutant, ...] = (
    Mutant(name="no tangent functions", model=scaled("h", 0)),
    Mutant(name="tangent functions twice as large", model=scaled("h", 2)),
    Mutant(
        name="tangent functions without their factor kappa",
        law=in_law(tangents=in_tangents(lambda h: h.subs(kappa, 1))),
    ),
    Mutant(
        name="trained tangent functions with c2 of the wrong sign",
        law=in_law(tangents=in_tangents(lambda h: sp.expand(h).subs(c2, -c2))),
    ),
    Mutant(
        name="tangent functions of the pure spiked model",
        law=in_law(tangents=in_tangents(lambda h: kappa * c1)),
    ),
    Mutant(
        name="tangent functions without their penalty",
        model=in_part("energy_local", lambda n: dict.fromkeys(n.t, 0)),
    ),
    Mutant(name="c0 penalised like the tangent functions", model=_penalised_mean),
    Mutant(name="no c0: the predictor's mean is not learned", model=scaled("c0", 0)),
    Mutant(name="cs 3 percent too large", model=scaled("cs", sp.Rational(103, 100))),
    Mutant(name="cs 3 percent too small", model=scaled("cs", sp.Rational(97, 100))),
    Mutant(
        name="cs with the linear part",
        model=in_fields(
            lambda n: {s: s + c**2 for s, c in zip(n.cs, n.c1, strict=True)}
        ),
    ),
    Mutant(
        name="cs with the squared mean",
        model=in_fields(
            lambda n: {s: s + c**2 for s, c in zip(n.cs, n.c0, strict=True)}
        ),
    ),
    Mutant(
        name="c1 without rho",
        model=in_fields(lambda n: {c: c / r for c, r in zip(n.c1, n.rho, strict=True)}),
    ),
    Mutant(
        name="c1 in physicists' Hermite polynomials", model=scaled("c1", sp.sqrt(2))
    ),
    Mutant(
        name="groups not coupled by A",
        model=in_part("linear_form", lambda n: dict.fromkeys(n.coupled, 0)),
    ),
    Mutant(
        name="chi without 1/beta before c1 A c1",
        model=in_part("linear_form", lambda n: {n.beta: 1}),
    ),
    Mutant(
        name="n and p swapped",
        problem=in_ridge(
            lambda ridge: {
                "samples_per_dim": ridge.width_per_dim,
                "width_per_dim": ridge.samples_per_dim,
            }
        ),
    ),
    Mutant(name="samples weighed by p/n", model=_inverted_proportion),
    Mutant(
        name="penalty times n/p",
        problem=in_ridge(
            lambda ridge: {
                "penalty": ridge.penalty * ridge.samples_per_dim / ridge.width_per_dim
            }
        ),
    ),
    Mutant(
        name="penalty times n/d",
        problem=in_ridge(
            lambda ridge: {"penalty": ridge.penalty * ridge.samples_per_dim}
        ),
    ),
    Mutant(
        name="test error by the partial derivative: the resolvent held fixed",
        model=in_part("psi_average", lambda n: {n.source: 0}),
    ),
    Mutant(name="noise forgotten", law=in_law(noise_variance=lambda law: sp.S.Zero)),
    Mutant(
        name="noise by its deviation, not its variance",
        law=in_law(noise_variance=lambda law: sp.sqrt(law.noise_variance)),
    ),
    Mutant(
        name="test error without the noise",
        model=in_quantity("generalization_error", lambda n: energy_source - n.noise),
    ),
    Mutant(name="perfect alignment", law=in_law(alignment=lambda law: sp.S.One)),
    Mutant(
        name="linear part of the target not learned",
        model=lambda model, n: replace(
            model, energy_residuals=(model.energy_residuals[0], n.tau1)
        ),
    ),
    Mutant(
        name="target without its nonlinear part across the spike",
        model=lambda model, n: replace(model, energy_rest=n.noise),
    ),
    Mutant(
        name="groups of equal size",
        law=in_law(
            weights=lambda law: (sp.Rational(1, len(law.spikes)),) * len(law.spikes)
        ),
    ),
    Mutant(
        name="no spike", law=in_law(spikes=lambda law: (sp.S.Zero,) * len(law.spikes))
    ),
    Mutant(
        name="spikes 10 percent too strong",
        law=in_law(
            spikes=lambda law: tuple(sp.Rational(11, 10) * u for u in law.spikes)
        ),
    ),
    Mutant(
        name="spikes without their signs",
        law=in_law(spikes=lambda law: tuple(map(sp.Abs, law.spikes))),
    ),
    Mutant(
        name="rho forgotten", law=in_law(bulks=lambda law: (sp.S.One,) * len(law.bulks))
    ),
    Mutant(
        name="training error per unit, not per sample",
        model=in_quantity("training_error", lambda n: energy - n.ridge * energy_ridge),
    ),
    Mutant(
        name="ridge objective per sample, not per unit",
        model=in_quantity("ridge_objective", lambda n: n.beta / n.alpha * energy),
    ),
    Mutant(
        name="resolvent averaged over groups, not units",
        model=in_quantity(
            "resolvent_trace", lambda n: sp.Add(*n.g) / sp.Integer(len(n.g))
        ),
    ),
)
"""The slips. Some show with several groups, noise, or a trained network only."""


def _leverage_for_spread(
    rules: Rules, parameters: NDArray[np.float64], found: ConvexSolution
) -> dict[str, float]:
    """Spread fresh fits by the leverage of the samples."""
    place = replace(found.place, multipliers=found.place.x)
    system = rules.system(parameters)
    return outcomes(system, Found(place, system.moments(place), 0.0, 0.0))


def _fresh_for_fitted(
    rules: Rules, parameters: NDArray[np.float64], found: ConvexSolution
) -> dict[str, float]:
    """Take fresh samples for those that were fitted."""
    fresh = ("generalization_error", "classification_error", "test_loss")
    fitted = ("training_error", "training_classification_error", "training_loss")
    other = {name: found.values[one] for name, one in zip(fitted, fresh, strict=True)}
    return {**found.values, **other}


def _flipped(law: FeatureLaw) -> Moments:
    """Signs that are wrong as often whatever the signal."""
    share = np.sqrt(1 - to_float(law.noise_variance))
    return conditional_moments(sp.Rational(round(share * 10**6), 10**6) * sp.sign(z))


LOSS_MUTANTS: tuple[Mutant, ...] = (
    Mutant(name="leverage in the place of the spread", report=_leverage_for_spread),
    Mutant(name="proximal map forgotten", report=_fresh_for_fitted),
    Mutant(name="c0 penalised like the tangent functions", model=_penalised_mean),
    Mutant(
        name="labels' noise in the wrong place: flips without regard to the signal",
        law=in_law(target=_flipped),
    ),
    Mutant(
        name="half the penalty, as beside |a|^2 / 2",
        problem=in_ridge(lambda ridge: {"penalty": ridge.penalty / 2}),
    ),
)
"""The same for losses other than the square."""
