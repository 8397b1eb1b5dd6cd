"""Wrong theories, each of which a trial must reject.

A mutant is one plausible slip in the theory of learned features, made at run time to
the problem, to the law of its features, or to the two potentials, and then solved like
the right theory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from detequiv.numerics.batch import solve_floats
from detequiv.numerics.learned import combine_functions
from detequiv.numerics.solve import exact_parameters, law_of
from detequiv.theory.features import FeatureLaw, c1, c2, kappa
from detequiv.theory.matrices import upper_triangle
from detequiv.theory.potential import Model, energy, energy_ridge, energy_source
from detequiv.theory.problem import Problem
from detequiv.validation.evidence import PROJECTIONS, QUANTITIES, learned_at

__all__ = ["MUTANTS", "Mutant", "Names"]


@dataclass(frozen=True, kw_only=True)
class Names:
    """Symbols of the potentials for K groups and L latents, under the paper's names.

    Attributes
    ----------
    alpha, beta, ridge, source, noise : Symbol
        Parameters.
    pi, g : tuple of Symbol, length K
        Weights of the groups, and unknowns.
    c0, c1, cs : tuple of Symbol, length K
        Fields of the features, and
    h : tuple of Symbol, length L K
        their tangent functions, latent after latent.
    tau0, tau1, tau2 : Symbol
        Fields of the target.
    t : tuple of Symbol, length L K
        Coefficients of the tangent functions, and
    m, r : tuple of Symbol, length K
        of c0 and c1.
    coupled : tuple of Symbol
        Entries of A off the diagonal.
    rho : tuple of Expr, length K
        The bulk scales: numbers.
    """

    alpha: sp.Symbol
    beta: sp.Symbol
    ridge: sp.Symbol
    source: sp.Symbol
    noise: sp.Symbol
    pi: tuple[sp.Symbol, ...]
    g: tuple[sp.Symbol, ...]
    c0: tuple[sp.Symbol, ...]
    c1: tuple[sp.Symbol, ...]
    cs: tuple[sp.Symbol, ...]
    h: tuple[sp.Symbol, ...]
    tau0: sp.Symbol
    tau1: sp.Symbol
    tau2: sp.Symbol
    m: tuple[sp.Symbol, ...]
    t: tuple[sp.Symbol, ...]
    r: tuple[sp.Symbol, ...]
    coupled: tuple[sp.Symbol, ...]
    rho: tuple[sp.Expr, ...]

    @classmethod
    def of(cls, model: Model, rho: tuple[sp.Expr, ...]) -> "Names":
        """Take the symbols of a model apart."""
        k, fields, y = len(rho), model.fields, model.coefficients
        alpha, beta, ridge, source, noise, *pi = model.parameters
        tau0, tau1, tau2 = fields[-3:]
        pairs = zip(upper_triangle(k), model.unknowns.definite, strict=True)
        return cls(
            alpha=alpha,
            beta=beta,
            ridge=ridge,
            source=source,
            noise=noise,
            pi=tuple(pi),
            g=model.unknowns.positive,
            c0=fields[:k],
            c1=fields[k : 2 * k],
            cs=fields[2 * k : 3 * k],
            h=fields[3 * k : -3],
            tau0=tau0,
            tau1=tau1,
            tau2=tau2,
            m=y[:k],
            t=y[k:-k],
            r=y[-k:],
            coupled=tuple(symbol for (i, j), symbol in pairs if i != j),
            rho=rho,
        )


ModelSlip = Callable[[Model, Names], Model]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mutant:
    """One slip.

    Attributes
    ----------
    name : str
        What went wrong.
    problem, law, model : callable, optional
        What it does to the problem, to the law of the features, and to the potentials.
    """

    name: str
    problem: Callable[[Problem], Problem] | None = None
    law: Callable[[FeatureLaw], FeatureLaw] | None = None
    model: ModelSlip | None = None

    def predict(self, problem: Problem, width: int | None = None) -> dict[str, float]:
        """Wrong values of everything that a trial measures, solved in float64.

        In the limit, or with what a finite width costs the mean readout of each group.

        Raises
        ------
        ConvergenceError
            The wrong equations have no solution to be found.
        """
        if self.problem is not None:
            problem = self.problem(problem)
        law = law_of(problem)
        if self.law is not None:
            law = self.law(law)
        model = law.model
        if self.model is not None:
            model = _slipped(self.model, law.model, law.bulks)
        numbers = [float(v) for v in exact_parameters(problem, law)]
        if width is not None:
            model, numbers = model.at_width, [*numbers, float(width)]
        found = solve_floats(model, law, np.array([numbers]))
        values = dict(zip(model.quantities, found.quantities[0], strict=True))
        mean = found.coefficients[0][: -len(law.spikes)]  # the others are r
        learned = map(float, combine_functions(law, mean, PROJECTIONS))
        return {name: float(values[name]) for name in QUANTITIES} | dict(
            zip(map(learned_at, PROJECTIONS), learned, strict=True)
        )


@lru_cache(maxsize=4)
def _slipped(slip: ModelSlip, model: Model, rho: tuple[sp.Expr, ...]) -> Model:
    """Remember the potentials with a slip, whose equations are then compiled once."""
    return slip(model, Names.of(model, rho))


def _fields(change: Callable[[Names], Mapping[sp.Symbol, Any]]) -> ModelSlip:
    """Put something else in the place of functions of kappa."""

    def slip(model: Model, names: Names) -> Model:
        values = dict(change(names))

        def put(expression: sp.Expr) -> sp.Expr:
            return sp.expand(expression.subs(values, simultaneous=True))

        return replace(
            model,
            linear_form=put(model.linear_form),
            energy_residuals=tuple(map(put, model.energy_residuals)),
            energy_rest=put(model.energy_rest),
        )

    return slip


def _scaled(name: str, factor: Any) -> ModelSlip:
    """Multiply fields by a number."""
    return _fields(lambda names: {s: factor * s for s in getattr(names, name)})


def _part(name: str, change: Callable[[Names], Mapping[sp.Symbol, Any]]) -> ModelSlip:
    """Replace symbols in one part of the potentials."""

    def slip(model: Model, names: Names) -> Model:
        old = getattr(model, name)
        new: Any = sp.expand(old.subs(dict(change(names)), simultaneous=True))
        return replace(model, **{name: new})

    return slip


def _quantity(name: str, value: Callable[[Names], sp.Expr]) -> ModelSlip:
    """Report something else under the name of a quantity."""
    return lambda model, names: replace(
        model, quantities={**model.quantities, name: value(names)}
    )


def _ridge(
    change: Callable[[Any], Mapping[str, sp.Expr]],
) -> Callable[[Problem], Problem]:
    """Change the numbers of the ridge regression."""
    return lambda problem: problem.with_values(
        {f"ridge.{name}": value for name, value in change(problem.ridge).items()}
    )


def _law(**change: Callable[[FeatureLaw], Any]) -> Callable[[FeatureLaw], FeatureLaw]:
    """Change attributes of the law of the features."""
    return lambda law: replace(law, **{name: new(law) for name, new in change.items()})


def _each_tangent(change: Callable[[sp.Expr], sp.Expr]) -> Callable[[FeatureLaw], Any]:
    """Change every tangent function."""
    return lambda law: tuple(tuple(map(change, latent)) for latent in law.tangents)


def _inverted_proportion(model: Model, names: Names) -> Model:
    """Weigh the samples by p/n instead of n/p."""
    swapped = {names.alpha: names.beta, names.beta: names.alpha}
    return replace(
        model,
        psi_average=model.psi_average.subs(swapped, simultaneous=True),
        energy_weight=model.energy_weight.subs(swapped, simultaneous=True),
    )


MUTANTS: tuple[Mutant, ...] = (
    Mutant(name="no tangent functions", model=_scaled("h", 0)),
    Mutant(name="tangent functions twice as large", model=_scaled("h", 2)),
    Mutant(
        name="tangent functions without their factor kappa",
        law=_law(tangents=_each_tangent(lambda h: h.subs(kappa, 1))),
    ),
    Mutant(
        name="trained tangent functions with c2 of the wrong sign",
        law=_law(tangents=_each_tangent(lambda h: sp.expand(h).subs(c2, -c2))),
    ),
    Mutant(
        name="tangent functions of the pure spiked model",
        law=_law(tangents=_each_tangent(lambda h: kappa * c1)),
    ),
    Mutant(
        name="tangent functions without their penalty",
        model=_part("energy_local", lambda n: dict.fromkeys(n.t, 0)),
    ),
    Mutant(
        name="c0 penalised like the tangent functions",
        model=lambda model, n: replace(
            model,
            energy_local=model.energy_local
            + sum(
                c**2 / (n.beta * pi * g)
                for c, pi, g in zip(n.m, n.pi, n.g, strict=True)
            ),
        ),
    ),
    Mutant(name="no c0: the predictor's mean is not learned", model=_scaled("c0", 0)),
    Mutant(name="cs 3 percent too large", model=_scaled("cs", sp.Rational(103, 100))),
    Mutant(name="cs 3 percent too small", model=_scaled("cs", sp.Rational(97, 100))),
    Mutant(
        name="cs with the linear part",
        model=_fields(lambda n: {s: s + c**2 for s, c in zip(n.cs, n.c1, strict=True)}),
    ),
    Mutant(
        name="cs with the squared mean",
        model=_fields(lambda n: {s: s + c**2 for s, c in zip(n.cs, n.c0, strict=True)}),
    ),
    Mutant(
        name="c1 without rho",
        model=_fields(lambda n: {c: c / r for c, r in zip(n.c1, n.rho, strict=True)}),
    ),
    Mutant(
        name="c1 in physicists' Hermite polynomials", model=_scaled("c1", sp.sqrt(2))
    ),
    Mutant(
        name="groups not coupled by A",
        model=_part("linear_form", lambda n: dict.fromkeys(n.coupled, 0)),
    ),
    Mutant(
        name="chi without 1/beta before c1 A c1",
        model=_part("linear_form", lambda n: {n.beta: 1}),
    ),
    Mutant(
        name="n and p swapped",
        problem=_ridge(
            lambda ridge: {
                "samples_per_dim": ridge.width_per_dim,
                "width_per_dim": ridge.samples_per_dim,
            }
        ),
    ),
    Mutant(name="samples weighed by p/n", model=_inverted_proportion),
    Mutant(
        name="penalty times n/p",
        problem=_ridge(
            lambda ridge: {
                "penalty": ridge.penalty * ridge.samples_per_dim / ridge.width_per_dim
            }
        ),
    ),
    Mutant(
        name="penalty times n/d",
        problem=_ridge(
            lambda ridge: {"penalty": ridge.penalty * ridge.samples_per_dim}
        ),
    ),
    Mutant(
        name="test error by the partial derivative: the resolvent held fixed",
        model=_part("psi_average", lambda n: {n.source: 0}),
    ),
    Mutant(name="noise forgotten", law=_law(noise_variance=lambda law: sp.S.Zero)),
    Mutant(
        name="noise by its deviation, not its variance",
        law=_law(noise_variance=lambda law: sp.sqrt(law.noise_variance)),
    ),
    Mutant(
        name="test error without the noise",
        model=_quantity("generalization_error", lambda n: energy_source - n.noise),
    ),
    Mutant(name="perfect alignment", law=_law(alignment=lambda law: sp.S.One)),
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
        law=_law(
            weights=lambda law: (sp.Rational(1, len(law.spikes)),) * len(law.spikes)
        ),
    ),
    Mutant(
        name="no spike", law=_law(spikes=lambda law: (sp.S.Zero,) * len(law.spikes))
    ),
    Mutant(
        name="spikes 10 percent too strong",
        law=_law(spikes=lambda law: tuple(sp.Rational(11, 10) * u for u in law.spikes)),
    ),
    Mutant(
        name="spikes without their signs",
        law=_law(spikes=lambda law: tuple(map(sp.Abs, law.spikes))),
    ),
    Mutant(
        name="rho forgotten", law=_law(bulks=lambda law: (sp.S.One,) * len(law.bulks))
    ),
    Mutant(
        name="training error per unit, not per sample",
        model=_quantity("training_error", lambda n: energy - n.ridge * energy_ridge),
    ),
    Mutant(
        name="ridge objective per sample, not per unit",
        model=_quantity("ridge_objective", lambda n: n.beta / n.alpha * energy),
    ),
    Mutant(
        name="resolvent averaged over groups, not units",
        model=_quantity(
            "resolvent_trace", lambda n: sp.Add(*n.g) / sp.Integer(len(n.g))
        ),
    ),
)
"""The slips. Some show with several groups, noise, or a trained network only."""
