r"""Features and target of inputs with a covariance, given kappa and on every level.

After a step of a network (:mod:`detequiv.theory.problem.step`) Stein's lemma gives

.. math:: E[(y - f)\sigma'(\langle w_j, x\rangle)\,x]
    = E[g'\sigma']\,\Sigma w_* + E[g\,\sigma'']\,\Sigma w_j,

so that the spike is along ``Sigma w*``, not along w*, and the bulk rows are
``(1 + b_q Sigma) w_j``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import mpmath
import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import affine_slope
from detequiv.theory.gaussian import conditional_moments, hermite_coefficient
from detequiv.theory.models import CovarianceModel, covariance_model, level_model
from detequiv.theory.precision import decimal_digits
from detequiv.theory.problem.conditionals import FeatureLaw, c1, c2, kappa
from detequiv.theory.problem.problem import Problem
from detequiv.theory.problem.tables.inputs import PRECISION, Inputs, Levels
from detequiv.theory.problem.tables.parts import Network, SpikedFeatures, Target

__all__ = ["CovarianceLaw", "covariance_law", "covariance_parameters"]

Column = tuple[mpmath.mpf, ...]
LEARNED = 0.1  # of the target's quadratic part, taken for noise nevertheless
Layer = SpikedFeatures | Network | None


@dataclass(frozen=True, kw_only=True, eq=False)
class CovarianceLaw:
    """Data of the features and the target of one problem.

    Attributes
    ----------
    features : FeatureLaw
        What is seen given kappa; a tangent for h, after a step for k, and for each
        norm.
    trained : bool
        Whether of a network after a step.
    levels : tuple of tuple of mpf
        Functions of the level in the order of the model's, one column each.
    norms : tuple of Expr
        Covariances of the norms of a group's units, in the order of the model.
    """

    features: FeatureLaw
    trained: bool
    levels: tuple[Column, ...]
    norms: tuple[sp.Expr, ...]

    @property
    def model(self) -> CovarianceModel:
        """The potentials with as many groups, or those of the inputs themselves."""
        if self.features.equations == "inputs":
            return level_model()
        return covariance_model(len(self.features.spikes), self.trained)


def covariance_law(problem: Problem) -> CovarianceLaw:
    """Describe features and target of a problem with [inputs]; remembered, for sweeps.

    Raises
    ------
    InputError
        An eigenvalue that is too large for the dimension, or a step on a batch.
    """
    problem.require_regression("[inputs]")
    part = problem.network if problem.features is None else problem.features
    assert problem.inputs is not None
    return _law(part, problem.target, problem.inputs)


@lru_cache(maxsize=16)
def _law(part: Layer, target: Target, inputs: Inputs) -> CovarianceLaw:
    if part is None:
        return _inputs_alone(target, inputs.levels)
    _check_range(inputs, part.activation)
    with decimal_digits(PRECISION):
        if isinstance(part, SpikedFeatures):
            return _spiked(part, target, inputs.levels)
        return _trained(part, target, inputs.levels)


def covariance_parameters(problem: Problem, law: CovarianceLaw) -> list[sp.Expr]:
    """Exact parameters of the model, in its order.

    Raises
    ------
    InputError
        No penalty; or a target whose quadratic part the samples begin to show.
    """
    ridge, features = problem.ridge, law.features
    _check_target(problem, law)
    if not ridge.penalty.is_positive:
        raise InputError(
            "ridge.penalty",
            ridge.penalty,
            "must be positive with [inputs]: the limit of a vanishing one is worked "
            "out for isotropic inputs alone",
        )
    return [
        ridge.samples_per_dim,
        ridge.width_per_dim,
        ridge.penalty,
        sp.S.Zero,
        features.noise_variance,
        *features.weights,
        *law.norms,
    ]


def _inputs_alone(target: Target, levels: Levels) -> CovarianceLaw:
    """Ridge on the inputs: linear units, one an input, and no spike."""
    itself = SpikedFeatures(activation="z", spike=0)
    ones = (mpmath.mpf(1),) * len(levels.s)
    nothing = (mpmath.mpf(0),) * len(levels.s)
    return CovarianceLaw(
        features=_features(
            itself,
            target,
            "inputs",
            spikes=itself.spike,
            bulks=itself.bulk,
            # beside the projection: labels have no other function of kappa to learn
            alignment=sp.S.Zero,
            tangents=((kappa * c1,),),
        ),
        trained=False,
        levels=(levels.s, levels.weights, ones, nothing, nothing, levels.power),
        norms=(),
    )


def _spiked(part: SpikedFeatures, target: Target, levels: Levels) -> CovarianceLaw:
    """Rows ``rho_q w_j + u_q v``; the spike's power on levels is the target's."""
    zeta = target.alignment
    ones = (mpmath.mpf(1),) * len(levels.s)
    nothing = (mpmath.mpf(0),) * len(levels.s)
    beside = nothing if (zeta**2 - 1).is_zero else levels.power
    variance = 2 * (_mean(levels, levels.s, levels.s) - 1)
    return CovarianceLaw(
        features=_features(
            part,
            target,
            "spiked",
            spikes=part.spike,
            bulks=part.bulk,
            alignment=zeta,
            tangents=((kappa * c1,) * part.groups, (c2 / 2,) * part.groups),
        ),
        trained=False,
        levels=(
            *(levels.s, levels.weights),
            *(ones,) * part.groups,
            *(levels.power, nothing, beside),
        ),
        norms=(_exact(variance),) * part.groups,
    )


def _trained(part: Network, target: Target, levels: Levels) -> CovarianceLaw:
    """Rows ``(1 + b_q Sigma) w_j + u_q v`` after one step."""
    if part.batch_per_dim is not None:
        raise InputError(
            "network.batch_per_dim",
            part.batch_per_dim,
            "is of isotropic inputs; leave it out with [inputs]: the gradient of the "
            "population loss",
        )
    s, power = levels.s, levels.power
    length = mpmath.sqrt(_sum(power, s, s))
    turned = len({value for value, a in zip(s, power, strict=True) if a}) > 1
    zeta = _sum(power, s) / length if turned else mpmath.mpf(1)
    sigma = [hermite_coefficient(part.activation, k) for k in range(5)]
    g = [hermite_coefficient(target.function, k) for k in range(3)]
    readout = zip(part.vocabulary, part.weights, strict=True)
    g[0] -= sp.Add(*[a * w for a, w in readout]) * sigma[0]
    spherical = part.rows == "spherical"

    spikes, bulks, scales, norms = [], [], [], []
    latents: list[tuple[sp.Expr, ...]] = []
    for rate in (part.step * a for a in part.vocabulary):
        bend = rate * sigma[2] * g[0]
        b = mpmath.mpf(bend.evalf(PRECISION)._mpf_) if bend else mpmath.mpf(0)
        rows = [1 + b * value for value in s]
        bulk = mpmath.sqrt(_mean(levels, s, rows, rows))
        if bulk < mpmath.mpf(10) ** -25:
            raise InputError(
                "network.step", part.step, "leaves a group without bulk; change it"
            )
        rho = _exact(bulk)
        relative = tuple(row / bulk for row in rows)
        by_u = kappa * c1 / rho
        by_b = _exact(_mean(levels, s, s, relative)) * c2 / rho
        spikes.append(rate * sigma[1] * g[1] * _exact(length))
        bulks.append(rho)
        scales.append(relative)
        latents.append(
            (
                kappa * c1,
                rate
                * (sigma[2] * g[2] * _exact(length) * by_u + sigma[3] * g[1] * by_b),
                rate
                * (g[1] * sigma[3] * _exact(length) * by_u + g[0] * sigma[4] * by_b)
                / 2,
                c2 / 2,
            )
        )
        squares = [a * r * r for a, r in zip(s, relative, strict=True)]
        norms += [
            _exact(2 * (_mean(levels, x, y) - spherical))
            for x, y in ((s, s), (s, squares), (squares, squares))
        ]
    return CovarianceLaw(
        features=_features(
            part,
            target,
            "network",
            spikes=tuple(spikes),
            bulks=tuple(bulks),
            alignment=_exact(zeta),
            tangents=tuple(zip(*latents, strict=True)),
        ),
        trained=True,
        levels=(s, levels.weights, *scales, *_shares(levels, length, zeta, turned)),
        norms=tuple(norms),
    )


def _shares(
    levels: Levels, length: mpmath.mpf, zeta: mpmath.mpf, turned: bool
) -> tuple[Column, ...]:
    """Products of v, p and w* in the metric of Sigma, level by level."""
    columns = []
    for s, tt in zip(levels.s, levels.power, strict=True):
        vt = s * tt / length
        vv = s * vt / length
        beside = mpmath.sqrt(1 - zeta**2)
        vp = (vt - zeta * vv) / beside if turned else mpmath.mpf(0)
        pt = (tt - zeta * vt) / beside if turned else mpmath.mpf(0)
        pp = (pt - zeta * vp) / beside if turned else mpmath.mpf(0)
        columns.append((vv, vp, pp, vt, pt, tt))
    return tuple(zip(*columns, strict=True))


def _features(
    part: SpikedFeatures | Network,
    target: Target,
    equations: str,
    *,
    spikes: tuple[sp.Expr, ...],
    bulks: tuple[sp.Expr, ...],
    alignment: sp.Expr,
    tangents: tuple[tuple[sp.Expr, ...], ...],
) -> FeatureLaw:
    return FeatureLaw(
        activation=conditional_moments(part.activation),
        target=conditional_moments(target.function),
        weights=part.weights,
        spikes=spikes,
        bulks=bulks,
        tangents=tangents,
        alignment=alignment,
        noise_variance=target.noise**2,
        equations=equations,
    )


def _check_range(inputs: Inputs, activation: sp.Expr) -> None:
    """Refuse an eigenvalue that is not small beside sqrt(d), unless all is linear."""
    if inputs.dimension is None or affine_slope(activation) is not None:
        return
    largest = max(inputs.levels.s)
    if largest > inputs.dimension ** mpmath.mpf(0.5):
        field = "eigenvalues" if inputs.power_law is None else "power_law"
        raise InputError(
            f"inputs.{field}",
            f"largest eigenvalue {mpmath.nstr(largest, 5)} of mean 1",
            f"is not small beside sqrt(d) = {inputs.dimension**0.5:.4g}, where "
            "nonlinear features of single directions count; give a spectrum that "
            "decays more slowly, or a linear activation",
        )


def _check_target(problem: Problem, law: CovarianceLaw) -> None:
    """Refuse a target in directions so strong that its quadratic part is learned.

    Pairs of directions have features of the eigenvalue ``s_i s_j / d``: min(n, p)
    samples learn ``min(n, p) (sum power s / d)^2`` of the part of ``He_2(<w*, x>)``
    that is no function of kappa, which is nothing in the limit.
    """
    inputs, features = problem.inputs, law.features
    assert inputs is not None
    functions = features.activation.function, features.target.function
    if inputs.dimension is None or any(
        hermite_coefficient(f, 2).is_zero for f in functions
    ):
        return
    levels, ridge = inputs.levels, problem.ridge
    beside = 1.0
    if not all(u.is_zero for u in features.spikes):
        beside = float(1 - features.alignment**2)
    strength = float(_sum(levels.power, levels.s)) * beside
    fewer = float(min(ridge.samples_per_dim, ridge.width_per_dim))
    if fewer * strength**2 > LEARNED * inputs.dimension:
        raise InputError(
            "inputs.target_power",
            f"mean eigenvalue {strength:.5g} along the target",
            f"lets {fewer:.4g} d samples and units learn "
            f"{fewer * strength**2 / inputs.dimension:.2g} of its quadratic part at "
            f"d = {inputs.dimension}, which the theory takes for noise; give fewer "
            "samples, or a target with less power in strong directions",
        )


def _sum(*columns: Sequence[mpmath.mpf]) -> mpmath.mpf:
    """Sum over levels of a product."""
    return mpmath.fsum(mpmath.fprod(row) for row in zip(*columns, strict=True))


def _mean(levels: Levels, *columns: Sequence[mpmath.mpf]) -> mpmath.mpf:
    """Average over directions of a product."""
    return _sum(levels.weights, *columns)


def _exact(number: mpmath.mpf) -> sp.Rational:
    """Write a binary number as the fraction that it is."""
    return sp.Rational(*map(int, mpmath.libmp.to_rational(number._mpf_)))
