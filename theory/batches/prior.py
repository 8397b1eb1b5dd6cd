r"""What a step on a batch leaves in the units' tangents: their joint prior.

Given the batch a unit differs from the others of its group by the component of its row
along the spike ``v = P_r / |P_r|``, and by its norm, ``rho + nu / sqrt(d)``. The two
are correlated with each other and with all linear features, through the vectors

.. math:: P_\psi = \frac1{n_0} \sum_\mu \psi(r_\mu) x_\mu, \qquad \psi = r, r^2, r^3:

``nu`` is ``l . sqrt(d) w_j``, plus what it shares with the higher Hermite parts of the
gradients (the vector ``kappa``), plus noise of variance ``N_2``. Readouts see it as
``n = l . alpha + V kappa . eta + noise``, with (alpha, eta, theta) of the potential.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp

__all__ = [
    "LABELS",
    "POWERS",
    "SLOPES",
    "TangentPrior",
    "special_directions",
    "tangent_prior",
]

POWERS = (1, 2, 3)  # psi = r^k
LABELS = tuple(sp.symbols("r_1:5", real=True))  # E r^k, k = 1..4
# of S, the part of sigma' beyond its second Hermite component: mu_3 = E S z^2,
# mu_4 = E S z He_2, E S^2 He_k for k = 0, 1, 2, E S^3, and the squared norms of what
# Hermite components 0 to 2 leave of S z and S^2, with their product
SLOPES = tuple(sp.symbols("mu_2 mu_3 mu_4 v_3 t_1 t_2 t_s V_zz V_zs V_ss", real=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class TangentPrior:
    """Linear combinations that make the tangents, and the noise of the norm.

    Attributes
    ----------
    parameters : tuple of Symbol
        alpha0, then `SLOPES`, `LABELS` and zeta, the alignment; ``|P_r|``; rates
        ``a_q``, scales ``rho_q``, variances ``V_q``.
    selection : Matrix, shape (12 K, (L + 1) K)
        Columns: theta along v, n, the norm before the step if there are three latents,
        theta along the rest of w*; each of length K. Rows: (alpha, eta, theta) along
        w*, P_r, P_{r^2}, P_{r^3}.
    noise : list of Expr
        Variance that is independent of all else, of each column.
    coupled : list of bool
        Whether a column is a projection of theta, whose prior is what is asked for and
        whose posterior has the precision B in it.
    """

    parameters: tuple[sp.Symbol, ...]
    selection: sp.Matrix
    noise: list[sp.Expr]
    coupled: list[bool]


@lru_cache(maxsize=8)
def tangent_prior(groups: int, latents: int = 2) -> TangentPrior:
    """Write down the tangents of `groups` groups of units.

    Parameters
    ----------
    groups : int
        K.
    latents : int
        L, as for `batch_model`.
    """
    size = sp.Symbol("alpha0", positive=True)
    zeta, length = sp.Symbol("zeta", real=True), sp.Symbol("G", positive=True)
    rates = sp.symbols(f"a_1:{groups + 1}", real=True)
    scales = sp.symbols(f"rho_1:{groups + 1}", positive=True)
    variances = sp.symbols(f"V_1:{groups + 1}", positive=True)
    rest = sp.sqrt(1 - zeta**2)
    columns = (latents + 1) * groups
    selection, noise = sp.zeros(12 * groups, columns), [sp.S.Zero] * columns
    for q, (rate, scale, variance) in enumerate(
        zip(rates, scales, variances, strict=True)
    ):
        linear, shared, left = _norm(rate, size)
        row = {(d, t): (3 * d + t) * groups + q for d in range(4) for t in range(3)}
        along, norm, across = q, groups + q, latents * groups + q
        selection[row[1, 2], along] = 1 / length
        selection[row[0, 2], across] = 1 / rest
        selection[row[1, 2], across] = -zeta / (length * rest)
        for power in POWERS:
            selection[row[power, 0], norm] = linear.get(power, 0) / scale
            selection[row[power, 1], norm] = shared.get(power, 0) * variance / scale
        noise[norm] = variance * left / scale**2
        if latents == 3:  # the row's norm before the step has the variance 1/2d
            noise[2 * groups + q] = variance / 2
    return TangentPrior(
        parameters=(
            size,
            *SLOPES,
            *LABELS,
            zeta,
            length,
            *rates,
            *scales,
            *variances,
        ),
        selection=selection,
        noise=noise,
        coupled=[not groups <= c < latents * groups for c in range(columns)],
    )


def _norm(
    rate: sp.Symbol, size: sp.Symbol
) -> tuple[dict[int, sp.Expr], dict[int, sp.Expr], sp.Expr]:
    r"""Vectors l and kappa of a group by powers of r, and N_2; times rho, rho^2.

    A unit's norm is expanded in Hermite components of its row: those of degree 1 are l,
    and kappa is the covariance with the part of the gradient beyond sigma's second.
    """
    r = sp.Dummy("r")
    mu2, mu3, mu4, v3, t1, t2, ts, vzz, vzs, vss = SLOPES
    bend = rate * mu2

    def mean(polynomial: sp.Expr) -> sp.Expr:
        terms = sp.Poly(polynomial, r).terms()
        moments = (sp.S.One, *LABELS)
        return sp.Add(*[factor * moments[power] for (power,), factor in terms])

    trace = 1 + bend * LABELS[0]
    row = trace + bend * r / size  # H seen by a sample
    linear = {1: rate * mu3 * trace, 2: rate**2 / size * (mu2 * mu3 + t1 / 2)}
    shared = {
        2: rate / size * trace * (bend * mu3 + rate * t1),
        3: rate / (2 * size**2) * (mu3 * bend**2 + 2 * rate * bend * t1 + rate**2 * ts),
    }
    second, third, fourth = (
        bend**k * LABELS[k - 1] / size ** (k - 1) for k in (2, 3, 4)
    )  # free cumulants of H
    curved = rate * mu4 * r * row + rate**2 * t2 * r**2 / (2 * size)
    spread = 2 * (fourth + 4 * third * trace + second**2 + 4 * second * trace**2)
    spread += 4 * mean(curved * (2 * bend * r * trace + bend**2 * r**2 / size)) / size
    spread += 2 * mean(curved**2) / size
    spread += (
        4 * rate**2 * vzz * mean(r**2 * row**2)
        + 4 * rate**3 / size * vzs * mean(r**3 * row)
        + rate**4 / size**2 * vss * LABELS[3]
    ) / size
    spread += 4 * rate**2 * LABELS[1] * v3 * second / size
    spread += 2 * rate**4 * v3**2 * LABELS[1] ** 2 / size**2
    return linear, shared, spread / 4


def special_directions(
    inverse: Any,
    along: Any,
    tilts: list[Any],
    pairs: list[list[Any]],
    means: list[Any],
    moments: list[list[Any]],
    size: Any,
) -> list[list[Any]]:
    r"""Posterior covariance of (alpha, eta, theta) between w* and the P_psi.

    A source on ``P_psi`` tilts every sample. With the energy of one sample at its
    minimum, what is left is a quadratic form in the component along w*, and

    .. math:: \langle\psi, \psi'\rangle = \tfrac1{\alpha_0} (E[\psi\psi'] G
       - \tfrac1{\alpha_0} G\, E[\psi\psi' \hat K] G) + L_\psi G_* L_{\psi'}^T,
       \qquad L_\psi = E[s\psi] - \tfrac1{\alpha_0} G\, E[s \psi \hat K],

    with ``Khat = K_r (1 + Q K_r/alpha0)^{-1}``.

    Parameters
    ----------
    inverse, along : matrix
        G, of a typical direction, and ``G_*``, of w*; of shape (3K, 3K). Any type that
        has ``@``.
    tilts, pairs : list of matrix
        ``E[s psi Khat]`` and ``E[psi psi' Khat]``, zero for theta.
    means, moments : list of number
        ``E[s psi]`` and ``E[psi psi']``.
    size : number
        alpha0.

    Returns
    -------
    list of list of matrix
        Blocks, w* first.
    """

    def tilted(block: Any, n: Any, tilt: Any) -> Any:
        return n * block - block @ tilt @ inverse / size

    row = [along] + [tilted(along, n, t) for n, t in zip(means, tilts, strict=True)]
    blocks = [row]
    for n, tilt in zip(means, tilts, strict=True):
        blocks.append([n * b - inverse @ tilt @ b / size for b in row])
    for i, line in enumerate(pairs, 1):
        for j, pair in enumerate(line, 1):
            own = moments[i - 1][j - 1] * inverse - inverse @ pair @ inverse / size
            blocks[i][j] = blocks[i][j] + own / size
    return blocks
