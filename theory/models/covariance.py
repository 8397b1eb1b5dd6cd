r"""Spiked features of inputs with a covariance: one potential, averaged over levels.

Inputs ``x ~ N(0, Sigma)``, of which a fraction ``omega`` of the directions has the
variance s, a level; ``(1/d) tr Sigma = 1``. Features as in
:mod:`detequiv.theory.models.spiked`, the spike v and the target w* of norm 1 in the
metric of Sigma. On a level the rows of group q have the scale ``r_q`` in units of
rho_q: 1 but after a gradient step, which multiplies rows by a matrix.

With one coupling matrix a level, ``X_s > 0``, and the sum over levels written out,

.. math::

   \Psi = \sum_q \pi_q (\lambda g_q - \log g_q)
     + \tfrac1\beta \sum_s \omega_s [\log\det V - \log\det X_s
       + \mathrm{tr}\, V^{-1} X_s - K]
     + \tfrac\alpha\beta E_\kappa \log(1+\chi) + \epsilon E_\kappa \chi,

   \chi = \sum_q \pi_q g_q c^*_q + \tfrac1\beta c_1^T A c_1, \qquad
   A = \sum_s \omega_s s\, r X_s r, \qquad V = \mathrm{diag}(\beta \pi_q g_q),

convex along geodesics as that of isotropic inputs is: its stationary point with
``g > 0`` and all ``X_s > 0`` is the only one. A multiplier B for the second equation
eliminates the matrices of all levels, ``X_s^{-1} = V^{-1} + s\, r B r``, and leaves a
saddle in three unknowns, however many levels there are:

.. math::

   \Psi = \sum_q \pi_q (\lambda g_q - \log g_q) + \tfrac1\beta \Bigl[\sum_s \omega_s
     \log\det(V X_s^{-1}) - \mathrm{tr}\, A B\Bigr]
     + \tfrac\alpha\beta E_\kappa \log(1+\chi) + \epsilon E_\kappa \chi .
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import sympy as sp

from detequiv.theory.models.matrices import (
    InverseEntry,
    LogDet,
    matrix_order,
    symmetric,
    upper_triangle,
)
from detequiv.theory.models.potential import (
    energy,
    energy_loss,
    energy_ridge,
    energy_source,
    level_quantities,
    psi_ridge,
)
from detequiv.theory.models.spiked import spiked_model

__all__ = ["CovarianceModel", "covariance_model"]

Symbols = tuple[sp.Symbol, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class CovarianceModel:
    """The two scalars of inputs with a covariance, extremised.

    Attributes
    ----------
    g, coupling, field : tuple of Symbol
        The unknowns of Psi: g, and the upper triangles of A and of its multiplier B.
    coefficients : tuple of Symbol
        The arguments of the Energy: m, what enters the predictor of the components
        along a few directions (T along the spike, P along what the target has beside
        it, Q along the target, the norms' n), and their multipliers.
    means : int
        How many of them, the first, are m: these may be redundant.
    parameters, fields, levels : tuple of Symbol
        Numbers, functions of kappa, functions of the level.
    chi : Symbol
        Stands for the linear form.
    linear_form, psi_local, psi_average, psi_level : Expr
        ``Psi = psi_local + sum_s psi_level + E_kappa psi_average(chi)``.
    matrix : tuple of Symbol
        Upper triangle of ``X_s^-1``, in the scalars of a level.
    precision : tuple of Expr
        What it is.
    energy_local, energy_level, energy_weight, energy_rest : Expr
    energy_residuals, energy_counted : tuple of Expr
        ``Energy = energy_local + sum_s energy_level + E_kappa[energy_weight (sum
        residual^2 - sum counted^2 + energy_rest)]``: of the squares, those that the
        levels' cost has counted already are taken out.
    samples : Expr
        Number of samples over that of units.
    ridge, source : Symbol
        As in `detequiv.theory.models.potential.Model`.
    quantities : dict of str to Expr
        What is reported, of `totals`.
    """

    g: Symbols
    coupling: Symbols
    field: Symbols
    coefficients: Symbols
    means: int
    parameters: Symbols
    fields: Symbols
    levels: Symbols
    chi: sp.Symbol
    linear_form: sp.Expr
    psi_local: sp.Expr
    psi_average: sp.Expr
    psi_level: sp.Expr
    matrix: Symbols
    precision: tuple[sp.Expr, ...]
    energy_local: sp.Expr
    energy_level: sp.Expr
    energy_weight: sp.Expr
    energy_residuals: tuple[sp.Expr, ...]
    energy_counted: tuple[sp.Expr, ...]
    energy_rest: sp.Expr
    samples: sp.Expr
    ridge: sp.Symbol
    source: sp.Symbol
    quantities: dict[str, sp.Expr]

    totals = (energy, energy_source, energy_ridge, energy_loss, psi_ridge)
    """Energy, its derivatives by source, penalty and factor, that of Psi by penalty."""

    @property
    def unknowns(self) -> Symbols:
        """Arguments of Psi in the order in which they are packed into a vector."""
        return self.g + self.coupling + self.field

    @property
    def order(self) -> int:
        """Of a level's matrix, which has ``order (order + 1) / 2`` entries."""
        return matrix_order(len(self.matrix))

    @cached_property
    def form(self) -> list[sp.Expr]:
        """Coefficients of chi in the unknowns."""
        return [sp.diff(self.linear_form, x) for x in self.unknowns]

    @property
    def average(self) -> list[sp.Expr]:
        """Slope and curvature of the averaged part of Psi in chi, the Energy's too."""
        slope = sp.diff(self.psi_average, self.chi)
        weight = self.energy_weight
        return [slope, sp.diff(slope, self.chi), weight, sp.diff(weight, self.chi)]

    @property
    def loss_slope(self) -> sp.Expr:
        """Of the slope in chi, or the weight, by a factor t to the loss.

        ``t/(1 + t chi)`` gives ``1/(1 + chi)^2``: no difference, which would cancel.
        """
        return (self.energy_weight - self.source) ** 2 / self.samples

    def gradient(self, scalar: sp.Expr) -> list[sp.Expr]:
        """Differentiate by the unknowns, on which the levels' matrices depend too."""
        return [self.total(scalar, x) for x in self.unknowns]

    def hessian(self, scalar: sp.Expr) -> list[sp.Expr]:
        """Upper triangle of the second derivatives by the unknowns."""
        slopes, x = self.gradient(scalar), self.unknowns
        return [self.total(slopes[i], x[j]) for i, j in upper_triangle(len(x))]

    def total(self, scalar: sp.Expr, x: sp.Symbol) -> sp.Expr:
        """Differentiate by an unknown, or by the ridge penalty or the source."""
        through = [
            sp.diff(scalar, entry) * slope
            for entry, slope in zip(self.matrix, self._slopes[x], strict=True)
            if slope != 0
        ]
        return sp.Add(sp.diff(scalar, x), *through)

    @cached_property
    def _slopes(self) -> dict[sp.Symbol, list[sp.Expr]]:
        """Derivatives of the levels' matrices."""
        symbols = (*self.unknowns, self.ridge, self.source)
        return {x: [sp.diff(e, x) for e in self.precision] for x in symbols}

    def form_matrix(self, scalar: sp.Expr) -> list[sp.Expr]:
        """Upper triangle of a quadratic form in the coefficients."""
        y = self.coefficients
        slopes = [sp.diff(scalar, s) for s in y]
        return [sp.diff(slopes[i], y[j]) / 2 for i, j in upper_triangle(len(y))]

    def slopes(self, residual: sp.Expr) -> list[sp.Expr]:
        """Minus the coefficients' slopes in a residual."""
        return [-sp.diff(residual, s) for s in self.coefficients]

    def offset(self, residual: sp.Expr) -> sp.Expr:
        """Take a residual where all coefficients vanish."""
        return residual.subs(dict.fromkeys(self.coefficients, 0))


@lru_cache(maxsize=16)
def covariance_model(groups: int, trained: bool = False) -> CovarianceModel:
    r"""Write down Psi and Energy for inputs with a covariance.

    The components ``r_i`` of the units along the directions of a level cost
    ``r^T V^{-1} r``, and what they predict outside the spike ``r^T s r B r r``:
    together ``X_s^{-1}``. Only the sums ``T = sum s v r_i``, ``P = sum s p r_i`` and,
    after a step, ``Q = sum s w* r_i`` over all directions enter the predictor; given
    these the rest costs least at ``r_i = X_s C_i^T y`` with multipliers y, and

    .. math::

       \mathrm{Energy} = E_\kappa\, w\,[(\tau_0 - m\cdot c_0 - h\cdot T - k\cdot Q
         - n\cdot N)^2 - (c_1\cdot T)^2 + \tau_1^2 - 2\tau_1 c_1\cdot P + \tau_2]
         + 2 y \cdot (T, P, Q, n) - y^T G y,
       \qquad G = \sum_s C_s X_s C_s^T .

    The norms of the rows, ``sqrt(d) (w^T D w - E)``, have the covariance
    ``C_q``, and cost ``1/(V_q C_q)``.

    Parameters
    ----------
    groups : int
        K.
    trained : bool
        Whether the units are those of a network after a step: with Q, and with two
        norms instead of one.

    Returns
    -------
    CovarianceModel
        Parameters in the order alpha, beta, lambda, epsilon, Delta, pi_1..pi_K and the
        upper triangles of C_1..C_K; fields in the order c0, c1, cs, h, (k,) N, tau0,
        tau1, tau2; levels in the order s, omega, r_1..r_K, and the level's shares of
        ``v^T Sigma v``, ``v^T Sigma p``, ``p^T Sigma p`` (then of ``v^T Sigma w*``,
        ``p^T Sigma w*``, ``w*^T Sigma w*``), each of which sums to 1 or to 0.
    """
    norms = 2 if trained else 1
    base = spiked_model(groups, 1 + trained + norms)
    alpha, beta, ridge, source, noise, *weights = base.parameters
    g, upper = base.unknowns.positive, base.unknowns.definite
    pairs = upper_triangle(groups)
    everyone = range(groups)

    def vector(name: str) -> Symbols:
        return tuple(sp.Symbol(f"{name}_{q + 1}", real=True) for q in everyone)

    def dot(a: Sequence[sp.Expr], b: Sequence[sp.Expr]) -> sp.Expr:
        return sp.Add(*[p * q for p, q in zip(a, b, strict=True)])

    field = tuple(sp.Symbol(f"B_{i + 1}_{j + 1}", real=True) for i, j in pairs)
    s, omega = sp.Symbol("s", positive=True), sp.Symbol("omega", nonnegative=True)
    scales = vector("r")
    scale = [beta * pi * gq for pi, gq in zip(weights, g, strict=True)]
    matrix = tuple(sp.Symbol(f"M_{i + 1}_{j + 1}", real=True) for i, j in pairs)
    precision = tuple(
        s * scales[i] * scales[j] * b + (1 / scale[i] if i == j else 0)
        for b, (i, j) in zip(field, pairs, strict=True)
    )

    c0, c1 = base.fields[:groups], base.fields[groups : 2 * groups]
    kinds = ["T", "P"] + ["Q"] * trained
    m = base.coefficients[:groups]
    sums = [vector(name) for name in kinds]
    multipliers = [vector(f"y{name}") for name in kinds]
    norm = [vector(f"n^{a + 1}") for a in range(norms)]
    norm_multipliers = [vector(f"yn^{a + 1}") for a in range(norms)]
    tangents = base.fields[3 * groups : -3]
    h, *others = (tangents[k : k + groups] for k in range(0, len(tangents), groups))
    spike, beside, *along_target = sums
    learned = sp.Add(
        dot(m, c0),
        dot(h, spike),
        *[dot(a, b) for a, b in zip(others, along_target + norm, strict=True)],
    )
    names = ("vv", "vp", "pp", "vt", "pt", "tt")
    share = dict(
        zip(
            [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2)],
            sp.symbols(names, real=True),
            strict=True,
        )
    )
    shares = {key: v for key, v in share.items() if trained or 2 not in key}
    rows = [
        [r * y for r, y in zip(scales, dual, strict=True)] if name != "Q" else dual
        for name, dual in zip(kinds, multipliers, strict=True)
    ]
    inner = [
        (1 if a == b else 2)
        * value
        * rows[a][i]
        * rows[b][j]
        * InverseEntry(i, j, *matrix)
        for (a, b), value in shares.items()
        for i in everyone
        for j in everyone
    ]
    covariance = {
        (q, a, b): sp.Symbol(f"C_{q + 1}^{a + 1}{b + 1}", real=True)
        for q in everyone
        for a, b in upper_triangle(norms)
    }
    norm_cost = [
        (1 if a == b else 2)
        * scale[q]
        * value
        * norm_multipliers[a][q]
        * norm_multipliers[b][q]
        for (q, a, b), value in covariance.items()
    ]
    tau0, tau1, tau2 = base.fields[-3:]
    primal, dual = sums + norm, multipliers + norm_multipliers
    couplings = symmetric(upper)
    trace = sp.Add(
        *[
            (1 if i == j else 2) * couplings[i, j] * b
            for b, (i, j) in zip(field, pairs, strict=True)
        ]
    )
    bulk = [pi * (ridge * gq - sp.log(gq)) for pi, gq in zip(weights, g, strict=True)]
    return CovarianceModel(
        g=g,
        coupling=upper,
        field=field,
        coefficients=m + sum(primal, ()) + sum(dual, ()),
        means=groups,
        parameters=(*base.parameters, *covariance.values()),
        fields=base.fields,
        levels=(s, omega, *scales, *shares.values()),
        chi=base.chi,
        linear_form=base.linear_form,
        psi_local=sp.Add(*bulk) - trace / beta,
        psi_average=base.psi_average,
        psi_level=omega / beta * (sp.Add(*map(sp.log, scale)) + LogDet(*matrix)),
        matrix=matrix,
        precision=precision,
        energy_local=2 * sp.Add(*map(dot, primal, dual)) - sp.Add(*norm_cost),
        energy_level=-s * sp.Add(*inner),
        energy_weight=base.energy_weight,
        energy_residuals=(tau0 - learned, tau1 - dot(c1, beside)),
        energy_counted=(dot(c1, spike), dot(c1, beside)),
        energy_rest=tau2,
        samples=alpha / beta,
        ridge=ridge,
        source=source,
        quantities=level_quantities(alpha / beta, ridge, noise),
    )
