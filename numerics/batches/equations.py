"""The derived equations of a batch, compiled to one arithmetic."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy as sp

from detequiv.numerics.arithmetic import FLOATS, compile_expressions
from detequiv.numerics.batches.determinants import Affine
from detequiv.theory.batches import batch_model, tangent_prior
from detequiv.theory.models import (
    energy,
    energy_ridge,
    energy_source,
    upper_triangle,
)

__all__ = ["BatchEquations", "float_batch"]


class BatchEquations:
    """Compiled derivatives of the potential and the Energy of a batch.

    Attributes
    ----------
    joint, sample : Affine
        The matrices whose determinants the potential has.
    local_gradient, local_hessian : (unknowns, parameters) -> list
        Of what has no average; the latter for the pairs `bent`.
    form : (fields, parameters) -> list
        Coefficients of chi, for the unknowns `moving`.
    average : (chi, parameters) -> slope, curvature of the average over kappa
    offsets, slopes, rest : (fields, parameters) -> list
        Of the Energy's residuals.
    weight : (chi, parameters) -> weight of the Energy, and its slope
    sources : by the source and by the ridge penalty
        (chi, parameters) -> derivatives of the average's slope and of the weight;
        derivatives of the local gradient are numbers: (parameters) -> list.
    selection, noise : (numbers of the prior) -> list
        The former at the places `selected`.
    quantities : (energies, unknowns, parameters) -> list
    width : (unknowns, p, parameters) -> list
        Penalties of the means of the groups at finite width, and their slopes by g.
    """

    def __init__(
        self,
        groups: int,
        latents: int,
    ) -> None:
        batch, prior = batch_model(groups, latents), tangent_prior(groups, latents)
        model = batch.model
        self.batch, self.prior, self.groups = batch, prior, groups
        x, p, f, chi = batch.unknowns, batch.parameters, model.fields, model.chi
        self.size = len(x)

        def make(arguments: Any, expressions: Any) -> Callable[..., list[Any]]:
            return compile_expressions(arguments, list(expressions), FLOATS)

        numbers = (*p, batch.residual)
        self.joint = Affine(batch.joint, x, numbers, FLOATS)
        self.sample = Affine(batch.sample, x, numbers, FLOATS)
        gradient = [sp.diff(batch.local, s) for s in x]
        self.local_gradient = make((*x, *p), gradient)
        second = {
            (i, j): sp.diff(gradient[i], x[j])
            for i, j in upper_triangle(len(x))
            if x[j] in gradient[i].free_symbols
        }
        self.bent = list(second)
        self.local_hessian = make((*x, *p), second.values())

        form = {i: sp.diff(model.linear_form, s) for i, s in enumerate(x)}
        self.moving = [i for i, slope in form.items() if slope != 0]
        self.form = make((*f, *p), [form[i] for i in self.moving])
        slope = sp.diff(model.psi_average, chi)
        self.average = make((chi, *p), [slope, sp.diff(slope, chi)])

        system, weight = model.system, model.energy_weight
        self.offsets = make((*f, *p), system.residual_offsets)
        self.slopes = make((*f, *p), [s for row in system.residual_slopes for s in row])
        self.rest = make((*f, *p), [model.energy_rest])
        self.weight = make((chi, *p), [weight, sp.diff(weight, chi)])
        self.sources = [
            (
                make(p, [sp.diff(g, source) for g in gradient]),
                make((chi, *p), [sp.diff(slope, source), sp.diff(weight, source)]),
            )
            for source in (model.source, model.ridge)
        ]
        self.quantities = make(
            (energy, energy_source, energy_ridge, *x, *p), model.quantities.values()
        )
        own = [
            sp.diff(model.energy_width, m, 2) / 2 for m in model.coefficients[:groups]
        ]
        bent = [sp.diff(c, g) for c, g in zip(own, x[:groups], strict=True)]
        self.width = make((*x, model.width, *p), [*own, *bent])

        entries = prior.selection.todok()
        self.selected = list(entries)
        self.selection = make(prior.parameters, entries.values())
        self.noise = make(prior.parameters, prior.noise)
        upper = {name: k for k, name in enumerate(map(str, x))}
        self.precision = [
            upper[f"B_{i + 1}_{j + 1}"] for i, j in upper_triangle(groups)
        ]
        self.field = [
            upper[f"Qhat_{i + 1}_{j + 1}"] for i, j in upper_triangle(2 * groups)
        ]


@lru_cache(maxsize=16)
def float_batch(groups: int, latents: int) -> BatchEquations:
    """Compile for NumPy arrays."""
    return BatchEquations(groups, latents)
