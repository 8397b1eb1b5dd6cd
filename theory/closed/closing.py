"""A problem whose leverage is one number, which makes its equations close."""

from collections.abc import Sequence

import sympy as sp

from detequiv.theory.closed.groups import groups_of
from detequiv.theory.closed.untrained import (
    Matrix,
    Untrained,
    alpha,
    beta,
    noise,
    ridge,
)
from detequiv.theory.errors import InputError
from detequiv.theory.gaussian import hermite_coefficient
from detequiv.theory.problem import (
    FeatureLaw,
    Problem,
    check_limit,
    feature_law,
    interpolates,
)

__all__ = ["of_problem"]

_PI = sp.Symbol("pi", positive=True)
PARAMETERS = {
    "ridge.samples_per_dim": alpha,
    "ridge.width_per_dim": beta,
    "ridge.penalty": ridge,
    "target.noise": noise,
}


class _Names:
    """Keeps rational numbers and rational functions of pi, and names the others."""

    def __init__(self) -> None:
        self.values: dict[sp.Symbol, sp.Expr] = {}
        self._known: dict[sp.Expr, sp.Expr] = {}

    def __call__(self, value: sp.Expr, name: str, square: bool = False) -> sp.Expr:
        """Write a number by what is named; `square` is one of a number to be named."""
        value = sp.expand(value)
        if value.is_Rational:
            return value
        inside = value.xreplace({sp.pi: _PI})
        if (
            inside.free_symbols == {_PI}
            and inside.is_rational_function(_PI)
            and all(power.exp.is_Integer for power in inside.atoms(sp.Pow))
            and not inside.atoms(sp.NumberSymbol)
        ):
            self.values[_PI] = sp.pi
            return inside
        if value not in self._known:
            symbol = sp.Symbol(name, real=True)
            self.values[symbol] = sp.sqrt(value) if square else value
            self._known[value] = symbol**2 if square else symbol
        return self._known[value]

    def matrix(self, matrix: sp.Matrix, name: str) -> sp.ImmutableDenseMatrix:
        """Name the entries of a symmetric matrix."""
        return Matrix(
            *matrix.shape,
            lambda i, j: self(
                matrix[min(i, j), max(i, j)], f"{name}_{min(i, j) + 1}{max(i, j) + 1}"
            ),
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
        for key in ("ridge.samples_per_dim", "ridge.width_per_dim"):
            if key in symbols:
                raise InputError(
                    "symbols", key, "without a penalty n < p and n > p differ; leave it"
                )
    merged = law.merged
    weights, tangents = merged.weights, list(zip(*merged.tangents, strict=True))
    seen = groups_of(merged)
    for group in seen:
        group.check(*_spike_field(problem, law.spikes.index(group.spike)))
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
    metric, label, grams, unlearned = _compact(
        learned.T * learned,
        learned.T * label,
        [learned.T * gram * learned for gram in functions],
        [group.c1**2 for group in seen],
    )
    named = _Names()

    def number(key: str, value: sp.Expr) -> sp.Expr:
        symbol = PARAMETERS[key]
        return symbol if key in symbols else named(value, str(symbol))

    def indexed(letter: str, q: int) -> str:
        return letter if len(seen) == 1 else f"{letter}_{q + 1}"

    count = range(len(seen))
    delta = number("target.noise", law.noise_variance)
    return Untrained(
        weights=tuple(named(weights[q], indexed("pi", q)) for q in count),
        linear=tuple(named(seen[q].c1 ** 2, indexed("c1", q), True) for q in count),
        rest=tuple(named(seen[q].cs, indexed("cs", q)) for q in count),
        samples=number("ridge.samples_per_dim", regression.samples_per_dim),
        units=number("ridge.width_per_dim", regression.width_per_dim),
        penalty=number("ridge.penalty", regression.penalty),
        metric=named.matrix(metric, "n"),
        label=named.matrix(label, "y"),
        grams=tuple(named.matrix(grams[q], indexed("h", q)) for q in count),
        unseen=named(unseen + unlearned, "mu_rest", True) + delta,
        noise=delta,
        interpolating=bool(limit and interpolates(problem)),
        values=named.values,
    )


def _compact(
    metric: sp.Matrix, label: sp.Matrix, grams: list[sp.Matrix], linear: list[sp.Expr]
) -> tuple[sp.Matrix, sp.Matrix, list[sp.Matrix], sp.Expr]:
    """Products of the label, and fewer directions where they are alike.

    And the label's square along those that no function has a part of.
    """
    products, unlearned = label * label.T, sp.S.Zero
    if all(matrix.is_diagonal() for matrix in (metric, *grams)):
        products = sp.diag(*products.diagonal())
        seen = [i for i in range(metric.rows) if any(g[i, i] != 0 for g in grams)]
        for i in set(range(metric.rows)) - set(seen):
            unlearned += products[i, i] / metric[i, i]
        seen = [i for i in seen if products[i, i] != 0]
        metric, products, *grams = (
            matrix.extract(seen, seen) for matrix in (metric, products, *grams)
        )
    if metric.rows and all(
        (gram - a * metric).expand().is_zero_matrix
        for gram, a in zip(grams, linear, strict=True)
    ):
        one = sp.Matrix([[(metric.inv() * products).trace()]])
        return sp.eye(1), one, [sp.Matrix([[a]]) for a in linear], unlearned
    return metric, products, grams, unlearned


def _spike_field(problem: Problem, q: int) -> tuple[str, sp.Expr]:
    """Name the field that a group's spike comes from, and its value."""
    if problem.network is not None:
        return "network.step", problem.network.step
    assert problem.features is not None
    return f"features.spike[{q}]", problem.features.spike[q]


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
