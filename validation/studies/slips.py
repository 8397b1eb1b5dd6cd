"""One slip in a theory, made at run time, and what is then predicted.

The slip may be in the problem, in the law of its features, or in the two potentials;
they are solved like those of the right theory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.averages import LawFields
from detequiv.numerics.derived import combine_functions
from detequiv.numerics.losses import ConvexSolution, Rules, solve_convex
from detequiv.numerics.solving import solve_floats
from detequiv.theory.models import Model, upper_triangle
from detequiv.theory.problem import FeatureLaw, Problem, exact_parameters, law_of
from detequiv.validation.trial import (
    PROJECTIONS,
    learned_at,
    measured,
    resolvent_of,
    trace_correction,
)

Array = NDArray[np.float64]

__all__ = [
    "Mutant",
    "Names",
    "in_fields",
    "in_law",
    "in_part",
    "in_quantity",
    "in_ridge",
    "in_tangents",
    "scaled",
]


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
Report = Callable[[Rules, Array, ConvexSolution], Mapping[str, float]]
"""Of a loss other than the square: its equations, parameters and solution."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mutant:
    """One slip.

    Attributes
    ----------
    name : str
        What went wrong.
    problem, law, model : callable, optional
        What it does to the problem, to the law of the features, and to the potentials.
    report : callable, optional
        What it makes of the solution for a loss other than the square.
    """

    name: str
    problem: Callable[[Problem], Problem] | None = None
    law: Callable[[FeatureLaw], FeatureLaw] | None = None
    model: ModelSlip | None = None
    report: Report | None = None

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
        moved = 0.0
        if width is not None and problem.ridge.loss == "square":
            moved = trace_correction(resolvent_of(problem), width)
        if width is not None:
            model, numbers = model.at_width, [*numbers, float(width)]
        if problem.ridge.loss == "square":
            found = solve_floats(model, LawFields(law), np.array([numbers]))
            values = dict(zip(model.quantities, found.quantities[0], strict=True))
            values["resolvent_trace"] += moved
            coefficients = found.coefficients[0]
        else:
            parameters, loss = np.array(numbers), problem.ridge.named_loss
            solution = solve_convex(law, model, parameters, loss)
            values, coefficients = solution.values, solution.place.y
            if self.report is not None:
                values = dict(
                    self.report(Rules(law, model, loss), parameters, solution)
                )
        mean = coefficients[: -len(law.spikes)]  # the others are r
        learned = map(float, combine_functions(law, mean, PROJECTIONS))
        return {name: float(values[name]) for name in measured(problem)} | dict(
            zip(map(learned_at, PROJECTIONS), learned, strict=True)
        )


@lru_cache(maxsize=4)
def _slipped(slip: ModelSlip, model: Model, rho: tuple[sp.Expr, ...]) -> Model:
    """Remember the potentials with a slip, whose equations are then compiled once."""
    return slip(model, Names.of(model, rho))


def in_fields(change: Callable[[Names], Mapping[sp.Symbol, Any]]) -> ModelSlip:
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


def scaled(name: str, factor: Any) -> ModelSlip:
    """Multiply fields by a number."""
    return in_fields(lambda names: {s: factor * s for s in getattr(names, name)})


def in_part(name: str, change: Callable[[Names], Mapping[sp.Symbol, Any]]) -> ModelSlip:
    """Replace symbols in one part of the potentials."""

    def slip(model: Model, names: Names) -> Model:
        old = getattr(model, name)
        new: Any = sp.expand(old.subs(dict(change(names)), simultaneous=True))
        return replace(model, **{name: new})

    return slip


def in_quantity(name: str, value: Callable[[Names], sp.Expr]) -> ModelSlip:
    """Report something else under the name of a quantity."""
    return lambda model, names: replace(
        model, quantities={**model.quantities, name: value(names)}
    )


def in_ridge(
    change: Callable[[Any], Mapping[str, sp.Expr]],
) -> Callable[[Problem], Problem]:
    """Change the numbers of the ridge regression."""
    return lambda problem: problem.with_values(
        {f"ridge.{name}": value for name, value in change(problem.ridge).items()}
    )


def in_law(**change: Callable[[FeatureLaw], Any]) -> Callable[[FeatureLaw], FeatureLaw]:
    """Change attributes of the law of the features."""
    return lambda law: replace(law, **{name: new(law) for name, new in change.items()})


def in_tangents(change: Callable[[sp.Expr], sp.Expr]) -> Callable[[FeatureLaw], Any]:
    """Change every tangent function."""
    return lambda law: tuple(tuple(map(change, latent)) for latent in law.tangents)
