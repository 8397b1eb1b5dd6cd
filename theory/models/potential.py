"""A model as two scalar potentials, and the equations they imply.

A deterministic equivalent is written once, as

* ``Psi(x) = local(x) + E_kappa[ average(chi) ]``, where ``chi`` is a linear form
  in the unknowns ``x`` whose coefficients depend on kappa, and
* ``Energy(y; x) = local(x, y) + E_kappa[ weight(chi) (sum of squares) ]``, the
  squares being of residuals linear in the coefficients ``y``.

Everything that is solved or reported is a derivative of one of the two, and
:class:`System` holds these derivatives. It knows no number and no solver.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

__all__ = [
    "Model",
    "System",
    "Unknowns",
    "energy",
    "energy_loss",
    "energy_ridge",
    "energy_source",
    "families",
    "level_quantities",
    "psi_ridge",
    "regression_quantities",
    "units",
]

# the minimal Energy and its total derivatives by the source and the ridge penalty
energy, energy_source, energy_ridge = sp.symbols("E E_source E_ridge", real=True)
# of inputs with a covariance: of the training error alone, and of Psi by the penalty
energy_loss, psi_ridge = sp.symbols("E_loss Psi_lambda", real=True)
units = sp.Symbol("p", positive=True)  # their number, in what is of order 1/p


def families(symbols: Sequence[sp.Symbol]) -> dict[str, slice]:
    """Places of neighbours that share a name, indices left aside.

    Examples
    --------
    >>> families(sp.symbols("c0_1 c0_2 tau"))
    {'c0': slice(0, 2, None), 'tau': slice(2, 3, None)}
    """
    names = [re.split(r"[_^]", symbol.name)[0] for symbol in symbols]
    return {
        name: slice(names.index(name), names.index(name) + names.count(name))
        for name in names
    }


def regression_quantities(
    samples: sp.Expr, ridge: sp.Symbol, noise: sp.Symbol, trace: sp.Expr
) -> dict[str, sp.Expr]:
    """Name what ridge regression reports, sums divided by the number of features.

    Parameters
    ----------
    samples : Expr
        Number of samples over that of features.
    ridge, noise : Symbol
        The penalty, and the variance of the label noise.
    trace : Expr
        The resolvent's, over the number of features.
    """
    return {
        "generalization_error": energy_source,
        "training_error": (energy - ridge * energy_ridge) / samples,
        "excess_error": energy_source - noise,
        "readout_norm": energy_ridge,
        "ridge_objective": energy,
        "resolvent_trace": trace,
    }


def level_quantities(
    samples: sp.Expr, ridge: sp.Symbol, noise: sp.Symbol
) -> dict[str, sp.Expr]:
    """Name what is reported, as `regression_quantities`, in sums that do not cancel."""
    training = {"training_error": energy_loss / samples}
    return regression_quantities(samples, ridge, noise, psi_ridge) | training


@dataclass(frozen=True, kw_only=True)
class Unknowns:
    """Unknowns of Psi: positive numbers, and one positive definite matrix.

    Attributes
    ----------
    positive : tuple of Symbol
        Unknowns in (0, inf).
    definite : tuple of Symbol
        Upper triangle, row by row, of a symmetric positive definite matrix.
    """

    positive: tuple[sp.Symbol, ...]
    definite: tuple[sp.Symbol, ...] = ()

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """All unknowns in the order in which they are packed into a vector."""
        return self.positive + self.definite


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """The two scalars of a deterministic equivalent, and their symbols.

    Attributes
    ----------
    unknowns : Unknowns
        The arguments ``x`` of Psi.
    coefficients : tuple of Symbol
        The arguments ``y`` over which the Energy is minimised.
    parameters : tuple of Symbol
        Numbers that do not depend on kappa.
    fields : tuple of Symbol
        Functions of kappa, by their value at one kappa.
    chi : Symbol
        Stands for the linear form in `psi_average` and `energy_weight`.
    linear_form : Expr
        ``chi`` itself: linear in the unknowns, with fields as coefficients.
    psi_local, psi_average : Expr
        ``Psi = psi_local(x) + E_kappa psi_average(chi)``.
    energy_local, energy_weight : Expr
        See `energy_residuals`. `energy_local` is quadratic in the coefficients.
    energy_residuals : tuple of Expr
        Residuals, linear in the coefficients; their squares are summed.
    energy_rest : Expr
        What is added to the sum of squares, free of the coefficients:
        ``Energy = energy_local + E[energy_weight (sum residual^2 + energy_rest)]``.
    ridge, source : Symbol
        The ridge penalty and the source of the generalisation error among the
        parameters: ``dEnergy/dsource`` is the test error, ``dEnergy/dridge`` the
        squared norm of the predictor's coefficients (total derivatives).
    start : tuple of Expr
        Leading order of the unknowns at large `ridge`: where the physical branch
        begins.
    quantities : mapping of str to Expr
        What is reported, in terms of the parameters, the unknowns and the symbols
        :data:`energy`, :data:`energy_source` and :data:`energy_ridge`.
    width : Symbol
        The number p of units.
    energy_width : Expr
        What is added to the Energy at a finite width: quadratic in the coefficients,
        0 in the limit.
    """

    unknowns: Unknowns
    coefficients: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]
    fields: tuple[sp.Symbol, ...]
    chi: sp.Symbol
    linear_form: sp.Expr
    psi_local: sp.Expr
    psi_average: sp.Expr
    energy_local: sp.Expr
    energy_weight: sp.Expr
    energy_residuals: tuple[sp.Expr, ...]
    energy_rest: sp.Expr
    ridge: sp.Symbol
    source: sp.Symbol
    start: tuple[sp.Expr, ...]
    quantities: Mapping[str, sp.Expr]
    width: sp.Symbol = units
    energy_width: sp.Expr = sp.S.Zero

    @cached_property
    def families(self) -> Mapping[str, slice]:
        """Places of the fields of each name."""
        return families(self.fields)

    @cached_property
    def at_width(self) -> "Model":
        """The model with `energy_width` in its Energy, and p as its last parameter.

        The penalty is of order 1/p but not small beside what the data say of m where
        functions of kappa are nearly dependent.
        """
        return replace(
            self,
            parameters=(*self.parameters, self.width),
            energy_local=self.energy_local + self.energy_width,
            energy_width=sp.S.Zero,
        )

    @property
    def psi_integrand(self) -> sp.Expr:
        """The kappa-averaged part of Psi with the linear form written out."""
        return self.psi_average.subs(self.chi, self.linear_form)

    @property
    def energy_integrand(self) -> sp.Expr:
        """The kappa-averaged part of the Energy with the linear form written out."""
        squares = sum((r**2 for r in self.energy_residuals), self.energy_rest)
        return self.energy_weight.subs(self.chi, self.linear_form) * squares

    @cached_property
    def system(self) -> "System":
        """The derivatives of the two potentials."""
        return System(self)


def _partials(expression: sp.Expr, symbols: Sequence[sp.Symbol]) -> list[sp.Expr]:
    """Differentiate a sum by many symbols, of which each term has few."""
    terms = [(term, term.free_symbols) for term in sp.Add.make_args(expression)]
    return [
        sp.Add(*[sp.diff(term, s) for term, own in terms if s in own]) for s in symbols
    ]


def _upper(rows: Iterable[Sequence[sp.Expr]]) -> list[sp.Expr]:
    """Upper triangle of a matrix, row by row."""
    return [entry for i, row in enumerate(rows) for entry in row[i:]]


def _quadratic_form(form: sp.Expr, y: Sequence[sp.Symbol]) -> list[sp.Expr]:
    """Matrix of a quadratic form in y, upper triangle."""
    return [e / 2 for e in _upper(_partials(slope, y) for slope in _partials(form, y))]


class System:
    """First and second derivatives of Psi and Energy, as SymPy expressions.

    With ``a = d chi / d x`` (a field of vectors) the chain rule gives

    * ``grad Psi = grad local + E[ average'(chi) a ]``,
    * ``Hess Psi = Hess local + E[ average''(chi) a a^T ]``,

    whatever the model; the attributes are the pieces of these two lines and of
    the Energy's. Matrices are stored by their upper triangle, row by row.

    Parameters
    ----------
    model : Model
        The potentials to differentiate.
    """

    def __init__(self, model: Model) -> None:
        x, y, chi = model.unknowns.symbols, model.coefficients, model.chi
        self.model = model
        self.form = _partials(model.linear_form, x)
        self.local_gradient = _partials(model.psi_local, x)
        self.local_hessian = _upper(_partials(row, x) for row in self.local_gradient)
        self.average_slope = sp.diff(model.psi_average, chi)
        self.average_curvature = sp.diff(self.average_slope, chi)

        nothing = dict.fromkeys(y, 0)
        self.residual_offsets = [r.subs(nothing) for r in model.energy_residuals]
        self.residual_slopes = [_partials(-r, y) for r in model.energy_residuals]
        self.penalty = _quadratic_form(model.energy_local, y)
        self.energy_local_gradient = _partials(model.energy_local, x)
        self.weight_slope = sp.diff(model.energy_weight, chi)

    @cached_property
    def width_penalty(self) -> list[sp.Expr]:
        """Matrix of `energy_width` as a quadratic form, upper triangle."""
        return _quadratic_form(self.model.energy_width, self.model.coefficients)

    def source_derivatives(self, source: sp.Symbol) -> "SourceDerivatives":
        """Differentiate by one parameter, as implicit differentiation needs.

        By stationarity of Psi the total derivative of the minimal Energy is
        ``d_s Energy - (d_x Energy)^T (Hess Psi)^{-1} d_s grad Psi``.

        Parameters
        ----------
        source : Symbol
            A parameter on which the linear form does not depend.
        """
        return SourceDerivatives(
            local_gradient=[sp.diff(expr, source) for expr in self.local_gradient],
            average_slope=sp.diff(self.average_slope, source),
            energy_local=sp.diff(self.model.energy_local, source),
            energy_weight=sp.diff(self.model.energy_weight, source),
        )


@dataclass(frozen=True, kw_only=True)
class SourceDerivatives:
    """Partial derivatives by one parameter of the pieces of a :class:`System`."""

    local_gradient: list[sp.Expr]
    average_slope: sp.Expr
    energy_local: sp.Expr
    energy_weight: sp.Expr
