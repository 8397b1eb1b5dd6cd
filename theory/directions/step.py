r"""Steps of population gradient of a network with heads: the map of a row's two parts.

A row is ``s(omega) w + W* b(omega)``, w the row at initialisation and ``omega`` its
overlaps ``W*^T w`` with the k directions that targets depend on. Given ``z = W*^T x``
it sees ``m + std g``, where ``m = (s omega + b) . z``, ``std = |s| sqrt(1 - omega^2)``.
With ``D_n = E_g sigma^(n)(m + std g)`` and residuals ``G = sum_h A^h (g^h - f^h)``, a
step takes

.. math:: s \to (1 + \alpha) s, \qquad b \to (1 + \alpha) b + \beta, \qquad
   \alpha = \eta E_z[G D_2], \qquad \beta_l = \eta E_z[\partial_l G\, D_1],

and ``E[d_l G D_1] = E[G (z_l D_1 - d_l D_1)]`` by parts. Typical rows have
``omega = 0``; the derivatives there, by ``dD_n/dm = D_(n+1)`` and the heat equation
``dD_n/dstd = std D_(n+2)``, are those of tangents.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.core.function import ArgumentIndexError

__all__ = ["StepMap", "higher_moments", "step_map"]


class _Smoothed(sp.Function):
    """``D_n(m, std)``, which knows its derivatives."""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Raise the order by one, or by two."""
        order, mean, std = self.args
        if argindex == 1:
            raise ArgumentIndexError(self, argindex)
        if argindex == 2:
            return _Smoothed(order + 1, mean, std)
        return std * _Smoothed(order + 2, mean, std)


@dataclass(frozen=True, kw_only=True)
class StepMap:
    """One step of one group.

    Attributes
    ----------
    state : tuple of Symbol
        ``s``, its k derivatives by omega, ``b`` and its k * k derivatives, row by row.
    fields : tuple of Symbol
        z_1..z_k, then D_1 .. D_4 at omega = 0, all functions of z, and the sign of s.
    integrands : tuple of Expr
        Their averages with weight ``eta G`` are `increments`: functions of state and
        fields.
    increments : tuple of Symbol
        alpha, its derivatives, beta, its derivatives.
    moved : tuple of Expr
        The state after the step, in state and increments.
    """

    state: tuple[sp.Symbol, ...]
    fields: tuple[sp.Symbol, ...]
    integrands: tuple[sp.Expr, ...]
    increments: tuple[sp.Symbol, ...]
    moved: tuple[sp.Expr, ...]


@lru_cache(maxsize=4)
def step_map(directions: int) -> StepMap:
    """Derive the map for k directions.

    Examples
    --------
    >>> step_map(1).integrands[0], step_map(1).integrands[2]
    (D_2, D_1*z_1 - D_2*b_1)
    """
    k = directions
    omega, z = sp.symbols(f"omega_1:{k + 1}"), sp.symbols(f"z_1:{k + 1}")
    side = sp.Symbol("sign")
    derivatives = sp.symbols("D_1:5")

    def parts(scalar: str, vector: str) -> tuple[list[sp.Symbol], sp.Expr, list[Any]]:
        """Make symbols, and of them a number and a vector to first order in omega."""
        value = [sp.Symbol(scalar), *sp.symbols(f"{scalar}'_1:{k + 1}")]
        entries = sp.symbols(f"{vector}_1:{k + 1}")
        slopes = [sp.symbols(f"{vector}'_{i + 1}_1:{k + 1}") for i in range(k)]
        number = value[0] + _dot(value[1:], omega)
        row = [b + _dot(d, omega) for b, d in zip(entries, slopes, strict=True)]
        return [*value, *entries, *(d for line in slopes for d in line)], number, row

    state, s, b = parts("s", "b")
    increments, alpha, beta = parts("alpha", "beta")
    along = [s * w + c for w, c in zip(omega, b, strict=True)]
    mean = _dot(along, z)
    std = side * s * sp.sqrt(1 - _dot(omega, omega))
    first, second = (_Smoothed(n, mean, std) for n in (1, 2))
    pull = [x * first - a * second for x, a in zip(z, along, strict=True)]
    typical = dict.fromkeys(omega, 0)

    def expanded(number: sp.Expr, row: list[Any]) -> list[sp.Expr]:
        """Values and derivatives at omega = 0, in the order of the symbols."""
        found = [number, *(sp.diff(number, w) for w in omega), *row]
        found += [sp.diff(entry, w) for entry in row for w in omega]
        return [e.subs(typical).replace(_Smoothed, _named) for e in found]

    def _named(order: sp.Expr, *_: sp.Expr) -> sp.Expr:
        return derivatives[int(order) - 1]

    moved = expanded(
        (1 + alpha) * s, [(1 + alpha) * x + y for x, y in zip(b, beta, strict=True)]
    )
    return StepMap(
        state=tuple(state),
        fields=(*z, *derivatives, side),
        integrands=tuple(expanded(second, pull)),
        increments=tuple(increments),
        moved=tuple(moved),
    )


def higher_moments() -> tuple[tuple[sp.Symbol, ...], tuple[sp.Expr, sp.Expr]]:
    r"""Moments ``E He_n(g) f(m + rho g)``, n = 3 and 4, from those of order 2 at most.

    Those of ``x f`` and ``x^2 f`` too, with ``x = m + rho g``.

    Returns
    -------
    symbols : tuple of Symbol
        m, rho, c0, c1, c2 of f, then c2 of ``x f`` and of ``x^2 f``.
    moments : tuple of Expr
        c3 and c4.
    """
    m, rho, c0, c1, c2, first, second = sp.symbols("m rho c0 c1 c2 c2x c2xx")
    c3, c4 = sp.symbols("c3 c4")
    # x He_2 = m He_2 + rho (He_3 + 2 He_1), and once more by x
    one = m * c2 + rho * (c3 + 2 * c1) - first
    two = (
        m**2 * c2
        + 2 * m * rho * (c3 + 2 * c1)
        + rho**2 * (c4 + 5 * c2 + 2 * c0)
        - second
    )
    (found,) = sp.solve([one, two], [c3, c4], dict=True)
    return (m, rho, c0, c1, c2, first, second), (found[c3], found[c4])


def _dot(a: Any, b: Any) -> sp.Expr:
    return sp.Add(*[x * y for x, y in zip(a, b, strict=True)])
