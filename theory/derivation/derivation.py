r"""What follows from a model's two potentials, as SymPy expressions and on paper.

Every equation is a derivative of the potential Psi, every error one of the minimal
Energy. The latter are total derivatives: the unknowns x move with the parameter s, by
implicit differentiation of ``grad Psi = 0``,

.. math::

   \frac{dE}{ds} = \partial_s E - (\partial_x E)^T (\nabla^2 \Psi)^{-1}
   \partial_s \nabla\Psi .
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import sympy as sp

from detequiv.theory.display import Shown, Tabular
from detequiv.theory.models import (
    KappaMean,
    Model,
    energy,
    energy_ridge,
    energy_source,
    symmetric,
    upper_triangle,
)
from detequiv.theory.paper import (
    Formula,
    Section,
    as_latex,
    as_notebook,
    as_text,
    displayed,
    equation,
    tex,
)

__all__ = ["Derivation", "TotalDerivative"]

_weight = sp.Symbol("w", positive=True)


@dataclass(frozen=True, kw_only=True)
class TotalDerivative:
    """Ingredients of a total derivative of the minimal Energy by a parameter s.

    Attributes
    ----------
    direct : Expr
        ``partial_s Energy`` at fixed unknowns and coefficients.
    gradient : tuple of Expr
        ``partial_x Energy``, length N.
    mixed : tuple of Expr
        ``partial_s grad Psi``, length N.
    """

    direct: sp.Expr
    gradient: tuple[sp.Expr, ...]
    mixed: tuple[sp.Expr, ...]


class Derivation(Shown):
    """The equations of one model.

    Parameters
    ----------
    model : Model
        The two potentials.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    @property
    def title(self) -> str:
        """What is derived."""
        return "Deterministic equivalent"

    @property
    def unknowns(self) -> Mapping[sp.Expr, str]:
        """Unknowns and their domains: symbols, and one symmetric matrix of symbols."""
        unknowns = self.model.unknowns
        domains = dict.fromkeys(unknowns.positive, "positive")
        if unknowns.definite:
            matrix = sp.ImmutableMatrix(symmetric(unknowns.definite))
            domains[matrix] = "symmetric positive definite"
        return MappingProxyType(domains)

    @property
    def potential(self) -> sp.Expr:
        """Psi, stationary at the solution; averages over kappa are left as such."""
        return self.model.psi_local + self._average(self.model.psi_integrand)

    @property
    def energy(self) -> sp.Expr:
        """Energy, to be minimised over the model's coefficients."""
        return self.model.energy_local + self._average(self.model.energy_integrand)

    @cached_property
    def residuals(self) -> tuple[sp.Expr, ...]:
        """Gradient of Psi by the unknowns, length N: zero at the solution."""
        slope = self._written_out(self.model.system.average_slope)
        return self._gradient(self.model.system.local_gradient, slope)

    @cached_property
    def jacobian(self) -> sp.ImmutableMatrix:
        """Hessian of Psi by the unknowns, N x N."""
        system = self.model.system
        curvature = self._written_out(system.average_curvature)
        pairs = upper_triangle(len(system.form))
        upper = [
            local + self._average(curvature * system.form[i] * system.form[j])
            for (i, j), local in zip(pairs, system.local_hessian, strict=True)
        ]
        return sp.ImmutableMatrix(symmetric(tuple(upper)))

    @property
    def errors(self) -> Mapping[str, sp.Expr]:
        """What is reported, by the minimal Energy and its total derivatives.

        These three enter by their symbols in :mod:`detequiv.theory.models.potential`;
        see `total_derivatives` for the latter two.
        """
        return MappingProxyType(dict(self.model.quantities))

    @cached_property
    def total_derivatives(self) -> Mapping[sp.Symbol, TotalDerivative]:
        """The total derivatives of the minimal Energy by the source and the ridge."""
        model, system = self.model, self.model.system
        squares = sum((r**2 for r in model.energy_residuals), model.energy_rest)
        gradient = self._gradient(
            system.energy_local_gradient,
            self._written_out(system.weight_slope) * squares,
        )
        totals = {}
        for name, parameter in (
            (energy_source, model.source),
            (energy_ridge, model.ridge),
        ):
            partial = system.source_derivatives(parameter)
            direct = self._average(self._written_out(partial.energy_weight) * squares)
            totals[name] = TotalDerivative(
                direct=partial.energy_local + direct,
                gradient=gradient,
                mixed=self._gradient(
                    partial.local_gradient, self._written_out(partial.average_slope)
                ),
            )
        return MappingProxyType(totals)

    def latex(self, *, body: bool = False) -> str:
        """Write the derivation as a LaTeX document that compiles, or its body."""
        return as_latex(self.title, self.sections(), body=body)

    def _table(self) -> Tabular:
        rows = [(str(symbol), domain) for symbol, domain in self.unknowns.items()]
        return Tabular(
            self.title,
            rows,
            note="also: potential, residuals, jacobian, errors, text()",
        )

    def _repr_html_(self) -> str:
        """Write the derivation for a notebook, which sets the formulas."""
        return as_notebook(self.title, self.sections())

    def _repr_latex_(self) -> str:
        """Write the equations for a notebook."""
        (equations,) = (s for s in self.sections() if s.title == "Equations")
        return displayed(equations)

    def text(self) -> str:
        """Write the derivation in plain text."""
        return as_text(self.title, self.sections())

    def sections(self) -> list[Section]:
        """Lay out the derivation in the order of reading."""
        model, system = self.model, self.model.system
        names = {
            model.source: r"\varepsilon",
            energy: r"\mathcal{E}",
            energy_source: r"\frac{d\mathcal{E}}{d\varepsilon}",
            energy_ridge: r"\frac{d\mathcal{E}}{d\lambda}",
            _weight: "w",
        }
        averaged = self._average(model.psi_average)
        equations = [
            local + self._average(system.average_slope * form)
            for local, form in zip(system.local_gradient, system.form, strict=True)
        ]
        squares = sum((r**2 for r in model.energy_residuals), model.energy_rest)

        def line(latex: str, text: str, value: sp.Expr) -> Formula:
            return equation(Formula(latex, text), value, names)

        def listed(name: str, symbols: tuple[sp.Symbol, ...]) -> Formula:
            inside = ", ".join(tex(symbol, names) for symbol in symbols)
            plain = ", ".join(map(str, symbols))
            return Formula(f"{name} &= ({inside})", f"{name} = ({plain})")

        return [
            Section(
                "Unknowns",
                [
                    listed("x", model.unknowns.symbols),
                    "The physical solution is the one that begins, at large "
                    r"$\lambda$, as",
                    *[
                        line(tex(symbol, names), str(symbol), start)
                        for symbol, start in zip(
                            model.unknowns.symbols, model.start, strict=True
                        )
                    ],
                ],
            ),
            Section(
                "Potential",
                [
                    line(r"\chi", "chi", model.linear_form),
                    line(r"\Psi(x)", "Psi(x)", model.psi_local + averaged),
                ],
            ),
            Section(
                "Equations",
                [
                    r"The potential is stationary in $x$ where, at vanishing "
                    r"$\varepsilon$,",
                    *[line("0", "0", e.subs(model.source, 0)) for e in equations],
                ],
            ),
            Section(
                "Energy",
                [
                    "At this point, minimise over the coefficients",
                    listed("y", model.coefficients),
                    "the energy",
                    line("w", "w", model.energy_weight),
                    line(
                        r"\mathcal{E}(y; x)",
                        "E(y; x)",
                        model.energy_local + self._average(_weight * squares),
                    ),
                ],
            ),
            Section(
                "Errors",
                [
                    *[
                        line(rf"\text{{{name.replace('_', ' ')}}}", name, value)
                        for name, value in self.errors.items()
                    ],
                    "Total derivatives are taken at the minimum, where $x$ moves with "
                    r"the parameter $s$, which is $\varepsilon$ or $\lambda$:",
                    Formula(
                        r"\frac{d\mathcal{E}}{ds} &= \partial_s \mathcal{E} - "
                        r"(\partial_x \mathcal{E})^\top (\nabla^2 \Psi)^{-1} "
                        r"\partial_s \nabla \Psi",
                        "dE/ds = (partial_s E) - (partial_x E)^T inv(Hess Psi) "
                        "(partial_s grad Psi)",
                    ),
                ],
            ),
        ]

    def _written_out(self, expression: sp.Expr) -> sp.Expr:
        """Write chi as the linear form that it is."""
        return expression.subs(self.model.chi, self.model.linear_form)

    def _average(self, integrand: sp.Expr) -> sp.Expr:
        return KappaMean(integrand) if self.model.fields else integrand

    def _gradient(self, local: list[sp.Expr], slope: sp.Expr) -> tuple[sp.Expr, ...]:
        """Gradient of ``local + E[averaged]``, slope being that of averaged by chi."""
        form = self.model.system.form
        return tuple(
            here + self._average(slope * a) for here, a in zip(local, form, strict=True)
        )
