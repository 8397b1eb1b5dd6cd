r"""Features whose leverage is one number: what makes the equations close.

Where neither ``c1_q`` nor ``cs_q`` depends on the projection kappa, as without a spike
or for an affine activation, ``chi`` is a number and every average over kappa is a sum of
squares. Labels and mean features are then vectors of few components: along 1 and kappa,
which the tangents and the means see, and along the rest of the target's direction. What
the means express is free of charge and is projected out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.gaussian import GaussianMean, Moments, hermite_coefficient, m, rho
from detequiv.theory.models import anisotropic_model, ridge_model
from detequiv.theory.problem import (
    FeatureLaw,
    Problem,
    c1,
    c2,
    check_limit,
    feature_law,
    interpolates,
    kappa,
)

__all__ = ["Untrained", "of_problem", "of_ridge", "of_symbols"]

alpha, beta, ridge = sp.symbols("alpha beta lambda", positive=True)
noise = sp.Symbol("Delta", nonnegative=True)
_PI = sp.Symbol("pi", positive=True)
Matrix = sp.ImmutableDenseMatrix
PARAMETERS = {
    "ridge.samples_per_dim": alpha,
    "ridge.width_per_dim": beta,
    "ridge.penalty": ridge,
    "target.noise": sp.sqrt(noise),
}


@dataclass(frozen=True, kw_only=True)
class Untrained:
    """Numbers and symbols of features with one leverage.

    Attributes
    ----------
    weights, linear, rest : tuple of Expr
        ``pi_q``, ``c1_q^2`` and ``cs_q``, length K.
    samples, units : Expr
        Samples and features per input dimension, ``alpha`` and ``beta``; both over the
        number of features for ridge regression, where `units` is 1.
    penalty : Expr
        lambda.
    metric : Matrix
        Gram matrix of the label's components that features can learn, R x R.
    label : Matrix
        Products of the label along these components, R x R.
    grams : tuple of Matrix
        Products of the functions of each group along them, R x R.
    prior : str
        Variance of a function's coefficient: "V", ``beta pi_q g_q``, or "ridge",
        ``1/lambda``.
    unseen : Expr
        Variance of the label outside, noise included.
    noise : Expr
        Delta.
    interpolating : bool
        Whether this is the limit of a vanishing penalty with n < p; g then stands for
        the limit of lambda g.
    values : mapping of Symbol to Expr
        Exact numbers that symbols stand for.
    """

    weights: tuple[sp.Expr, ...]
    linear: tuple[sp.Expr, ...]
    rest: tuple[sp.Expr, ...]
    samples: sp.Expr
    units: sp.Expr
    penalty: sp.Expr
    metric: sp.ImmutableDenseMatrix
    label: sp.ImmutableDenseMatrix
    grams: tuple[sp.ImmutableDenseMatrix, ...]
    unseen: sp.Expr
    noise: sp.Expr
    prior: str = "V"
    interpolating: bool = False
    values: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)

    @property
    def free(self) -> tuple[sp.Symbol, ...]:
        """Symbols without a number, in alphabetical order."""
        found = {s for e in self._expressions() for s in e.free_symbols}
        return tuple(sorted(found - set(self.values), key=str))

    def _expressions(self) -> list[Any]:
        entries = [getattr(self, f.name) for f in fields(self)]
        flat: list[Any] = []
        for entry in entries:
            flat += entry if isinstance(entry, tuple) else [entry]
        return [e for e in flat if isinstance(e, sp.Basic | sp.MatrixBase)]

    def at(self, numbers: Mapping[sp.Symbol, sp.Expr]) -> "Untrained":
        """Put numbers in the place of symbols."""

        def put(entry: Any) -> Any:
            if isinstance(entry, tuple):
                return tuple(map(put, entry))
            if isinstance(entry, sp.Basic | sp.MatrixBase):
                return entry.subs(numbers)
            return entry

        return replace(self, **{f.name: put(getattr(self, f.name)) for f in fields(self)})


class _Names:
    """Keeps rational numbers and rational functions of pi, and names the others."""

    def __init__(self) -> None:
        self.values: dict[sp.Symbol, sp.Expr] = {}

    def __call__(self, value: sp.Expr, name: str) -> sp.Expr:
        value = sp.sympify(value)
        if value.free_symbols:
            return value
        value = sp.expand(value)
        if value.is_Rational:
            return value
        for symbol, known in self.values.items():
            if known == value:
                return symbol
        inside = value.xreplace({sp.pi: _PI})
        if inside.is_rational_function(_PI) and not inside.atoms(sp.Pow) - {
            p for p in inside.atoms(sp.Pow) if p.base == _PI
        } and inside.free_symbols == {_PI}:
            self.values[_PI] = sp.pi
            return inside
        symbol = sp.Symbol(name, real=True)
        self.values[symbol] = value
        return symbol

    def matrix(self, matrix: sp.Matrix, name: str) -> sp.ImmutableDenseMatrix:
        """Name the entries of a symmetric matrix."""
        return Matrix(
            *matrix.shape,
            lambda i, j: self(
                matrix[min(i, j), max(i, j)], f"{name}_{min(i, j) + 1}{max(i, j) + 1}"
            ),
        )


def of_symbols() -> Untrained:
    """One group without spike, all of whose numbers are symbols.

    ``c1`` and ``cs`` are the activation's, ``mu_1`` the linear coefficient of the target
    and ``mu_rest`` the norm of what is neither constant nor linear in it. The mean c0 of
    the activation does not vanish, so that the target's is learned for nothing.
    """
    slope, linear = sp.symbols("c1 mu_1", real=True)
    rest, other = sp.symbols("cs mu_rest", nonnegative=True)
    return Untrained(
        weights=(sp.S.One,),
        linear=(slope**2,),
        rest=(rest,),
        samples=alpha,
        units=beta,
        penalty=ridge,
        metric=Matrix([[1]]),
        label=Matrix([[linear**2]]),
        grams=(Matrix([[slope**2]]),),
        unseen=other**2 + noise,
        noise=noise,
    )


def of_ridge(levels: int = 0) -> Untrained:
    """Ridge regression on Gaussian data: isotropic, or with so many eigenvalues."""
    if not levels:
        signal = ridge_model().parameters[-1]
        scales, weights, signals = [sp.S.One], [sp.S.One], [signal]
    else:
        parameters = anisotropic_model(levels).parameters[4:]
        weights, scales, signals = (
            list(parameters[k * levels : (k + 1) * levels]) for k in range(3)
        )
    ends = range(len(scales))
    return Untrained(
        weights=tuple(weights),
        linear=(sp.S.Zero,) * len(scales),
        rest=tuple(scales),
        samples=alpha,
        units=sp.S.One,
        penalty=ridge,
        metric=Matrix.eye(len(scales)),
        label=Matrix.diag(*[s * t**2 for s, t in zip(scales, signals, strict=True)]),
        grams=tuple(
            Matrix(len(scales), len(scales), lambda i, j, q=q: scales[q] * (i == j == q))
            for q in ends
        ),
        unseen=noise,
        noise=noise,
        prior="ridge",
    )


def of_problem(problem: Problem, symbols: Sequence[str] = ()) -> Untrained:
    """Describe a problem whose features have one leverage.

    Parameters
    ----------
    problem : Problem
        Without a spike, or with an affine activation.
    symbols : sequence of str
        Dotted names of numbers to leave as symbols: those of [ridge], and the noise.

    Raises
    ------
    InputError
        The leverage depends on kappa, and the average over it does not close; or the
        limit of a vanishing penalty diverges.
    """
    for name in symbols:
        if name not in PARAMETERS:
            known = f"cannot be left as a symbol; known: {', '.join(PARAMETERS)}"
            raise InputError("symbols", name, known)
    law = feature_law(problem)
    regression = problem.ridge
    limit = regression.penalty.is_zero and "ridge.penalty" not in symbols
    if limit:
        check_limit(problem, law)
    groups = _merged(law)
    weights, spikes, bulks, tangents = zip(*groups, strict=True)
    seen = [_Group(law.activation, u, r) for u, r in zip(spikes, bulks, strict=True)]
    for group in seen:
        group.check(problem)
    means, functions = [], []
    for group, latents in zip(seen, tangents, strict=True):
        means.append([*group.mean, sp.S.Zero])
        rows = [sp.Matrix([*group.along(h), 0]) for h in latents]
        rows.append(sp.Matrix([0, 0, group.c1]))  # the coupled linear part
        functions.append(sum((v * v.T for v in rows), start=sp.zeros(3, 3)))
    label, unseen = _label(law)
    free = [sp.Matrix(v) for v in means if any(not _zero(e) for e in v)]
    basis = sp.Matrix.hstack(*free).T.nullspace() if free else sp.eye(3).columnspace()
    learned = sp.Matrix.hstack(*basis) if basis else sp.zeros(3, 0)
    name = _Names()

    def number(key: str, value: sp.Expr) -> sp.Expr:
        symbol = PARAMETERS[key]
        return symbol if key in symbols else name(value, str(symbol))

    delta = noise if "target.noise" in symbols else name(law.noise_variance, "Delta")
    count = range(len(groups))
    return Untrained(
        weights=tuple(name(weights[q], f"pi_{q + 1}") for q in count),
        linear=tuple(name(seen[q].c1 ** 2, f"c1_{q + 1}^2") for q in count),
        rest=tuple(name(seen[q].cs, f"cs_{q + 1}") for q in count),
        samples=number("ridge.samples_per_dim", regression.samples_per_dim),
        units=number("ridge.width_per_dim", regression.width_per_dim),
        penalty=number("ridge.penalty", regression.penalty),
        metric=name.matrix(learned.T * learned, "n"),
        label=name.matrix((label.T * learned).T * (label.T * learned), "y"),
        grams=tuple(
            name.matrix(learned.T * functions[q] * learned, f"h{q + 1}") for q in count
        ),
        unseen=name(unseen, "mu_rest^2") + delta,
        noise=delta,
        interpolating=bool(limit and interpolates(problem)),
        values=name.values,
    )


class _Group:
    """One group of units, its averages over g at the spike's slope in kappa."""

    def __init__(self, activation: Moments, spike: sp.Expr, bulk: sp.Expr) -> None:
        self.activation, self.spike = activation, spike
        point = {m: spike * kappa, rho: bulk}
        function, square = activation.function, activation.function**2

        def average(closed: sp.Expr | None, f: sp.Expr, k: int) -> sp.Expr:
            if closed is None:
                from detequiv.theory.functions import z

                return GaussianMean(sp.Lambda(z, f), spike * kappa, bulk, k)
            return sp.expand(closed.subs(point, simultaneous=True))

        odd = spike.is_zero and bulk == 1
        self.c0 = (
            hermite_coefficient(function, 0)
            if odd
            else average(activation.c0, function, 0)
        )
        self.c1 = average(activation.c1, function, 1)
        self.c2 = average(activation.c2, function, 2)
        second = average(activation.second, square, 0)
        self.cs = sp.expand(second - sp.expand(self.c0**2) - self.c1**2)

    def check(self, problem: Problem) -> None:
        """Refuse a leverage that depends on kappa."""
        for name, value in (("c1", self.c1), ("cs", self.cs)):
            if value.has(kappa):
                field = "features.spike" if problem.features else "network.step"
                term = sp.sstr(value)
                term = term if len(term) < 60 else f"{name}(kappa)"
                raise InputError(
                    field,
                    self.spike,
                    "the average over kappa of 1/(1 + chi(kappa)) does not close, for "
                    f"chi depends on kappa through {name} = {term}; only a spike of 0 "
                    "or an affine activation makes it a number",
                )

    @property
    def mean(self) -> list[sp.Expr]:
        """``c0`` along 1 and kappa."""
        return [self.c0.coeff(kappa, 0), self.c0.coeff(kappa, 1)]

    def along(self, tangent: sp.Expr) -> list[sp.Expr]:
        """Write a tangent function along 1 and kappa."""
        h = sp.expand(tangent.subs({c1: self.c1, c2: self.c2}))
        return [h.coeff(kappa, 0), h.coeff(kappa, 1)]


def _merged(law: FeatureLaw) -> list[tuple[Any, ...]]:
    """Groups, those with equal spikes, bulks and tangents as one."""
    merged: dict[tuple[Any, ...], sp.Expr] = {}
    for q, weight in enumerate(law.weights):
        key = (law.spikes[q], law.bulks[q], tuple(h[q] for h in law.tangents))
        merged[key] = merged.get(key, sp.S.Zero) + weight
    return [(weight, *key) for key, weight in merged.items()]


def _label(law: FeatureLaw) -> tuple[sp.Matrix, sp.Expr]:
    """Label along 1, kappa and s, and the variance of what is left of it."""
    function = law.target.function
    mean, slope = (hermite_coefficient(function, k) for k in (0, 1))
    second = hermite_coefficient(function**2, 0)
    across = sp.sqrt(1 - law.alignment**2)
    label = sp.Matrix([mean, law.alignment * slope, across * slope])
    return label, second - mean**2 - slope**2


def _zero(number: sp.Expr) -> bool:
    return bool(number.is_zero) or number.equals(0) is True
