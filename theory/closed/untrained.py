r"""Features whose leverage is one number: what makes the equations close.

Where neither ``c1_q`` nor ``cs_q`` depends on the projection kappa, as without a spike
or for an affine activation, ``chi`` is a number and every average over kappa is a sum
of squares. Labels and mean features are then vectors of few components: along 1 and
kappa, which the tangents and the means see, and along the rest of the target's
direction. What the means express is free of charge and is projected out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import sympy as sp

from detequiv.theory.models import anisotropic_model, ridge_model

__all__ = [
    "Matrix",
    "Untrained",
    "alpha",
    "beta",
    "noise",
    "of_ridge",
    "of_symbols",
    "ridge",
]

alpha, beta, ridge = sp.symbols("alpha beta lambda", positive=True)
noise = sp.Symbol("Delta", nonnegative=True)
Matrix = sp.ImmutableDenseMatrix


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
        Products of the functions of each group along them, R x R; none are needed for
        ridge regression, whose groups are the directions.
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
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """All symbols, in alphabetical order."""
        found = {s for e in self._expressions() for s in e.free_symbols}
        return tuple(sorted(found, key=str))

    @property
    def free(self) -> tuple[sp.Symbol, ...]:
        """Symbols without a number, in alphabetical order."""
        return tuple(s for s in self.symbols if s not in self.values)

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

        return replace(
            self, **{f.name: put(getattr(self, f.name)) for f in fields(self)}
        )


def of_symbols() -> Untrained:
    """One group without spike, all of whose numbers are symbols.

    ``c1`` and ``cs`` are the activation's, ``mu_1`` the linear coefficient of the
    target and ``mu_rest`` the norm of what is neither constant nor linear in it. The
    mean c0 of the activation does not vanish, so that the target's is learned for
    nothing.
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
    return Untrained(
        weights=tuple(weights),
        linear=(sp.S.Zero,) * len(scales),
        rest=tuple(scales),
        samples=alpha,
        units=sp.S.One,
        penalty=ridge,
        metric=Matrix.eye(len(scales)),
        label=Matrix.diag(*[s * t**2 for s, t in zip(scales, signals, strict=True)]),
        grams=(),
        unseen=noise,
        noise=noise,
        prior="ridge",
    )
