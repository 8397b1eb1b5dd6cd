"""Constants that a problem's closed forms are made of."""

from collections.abc import Iterator
from itertools import combinations_with_replacement

import sympy as sp

from detequiv.theory.gaussian import m, rho
from detequiv.theory.problem import FeatureLaw

__all__ = ["natural_constants"]

MOST = 6  # constants


def natural_constants(law: FeatureLaw) -> tuple[sp.Expr, ...]:
    """Irrational factors of the moments of a problem's features, and their products.

    Of every group's mean and linear coefficient, squared, and of its second moment,
    given kappa = 0 and averaged over kappa. Empty where all of them are rational, or
    have no closed form.

    Examples
    --------
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> from detequiv.theory.problem import feature_law
    >>> relu = Problem(
    ...     features=SpikedFeatures(activation="relu", spike=0),
    ...     target=Target(function="z"),
    ...     ridge=Ridge(samples_per_dim=1, width_per_dim=2, penalty=0),
    ... )
    >>> natural_constants(feature_law(relu))
    (1/pi, pi**(-2))
    """
    first = dict.fromkeys(_factors(law))
    pairs = (sp.Mul(*pair) for pair in combinations_with_replacement(first, 2))
    products = (factor for pair in pairs for factor in _irrational(pair))
    return tuple(dict.fromkeys([*first, *products]))[:MOST]


def _factors(law: FeatureLaw) -> Iterator[sp.Expr]:
    moments = law.activation
    for spike, bulk in zip(law.spikes, law.bulks, strict=True):
        for scale in (bulk, sp.sqrt(bulk**2 + spike**2)):
            for moment, power in (
                (moments.c0, 2),
                (moments.c1, 2),
                (moments.second, 1),
            ):
                if moment is not None:
                    yield from _irrational(moment.subs({m: 0, rho: scale}) ** power)


def _irrational(number: sp.Expr) -> Iterator[sp.Expr]:
    """Yield the terms of a number without their rational factors."""
    for term in sp.Add.make_args(sp.expand(number)):
        _, factor = term.as_coeff_Mul(rational=True)
        if factor != 1:
            yield factor
