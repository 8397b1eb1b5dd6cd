r"""A network after a step on a finite batch, by exact numbers.

The mean of a group's updates is ``a_q mu_1(sigma) P_r`` with
``P_r = (1/n0) sum_mu r_mu x_mu``, the spike: of length
``|P_r|^2 = mu_1(g)^2 + E r^2 / alpha0``, at the angle ``zeta = mu_1(g) / |P_r|`` with
the target's direction. The scale of a group is that of its rows' covariance,

.. math:: \rho_q^2 = \tfrac1d \mathrm{tr}\, \Sigma_q = (1 + a_q \mu_2 E r)^2
   + a_q^2 (\mu_2^2 + v_3) E r^2 / \alpha_0 .
"""

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.gaussian import conditional_moments, hermite_coefficient
from detequiv.theory.problem.conditionals import FeatureLaw, c1, c2, kappa
from detequiv.theory.problem.problem import Problem
from detequiv.theory.problem.step import sampled_slope

__all__ = ["BatchLaw", "batch_law"]


@dataclass(frozen=True, kw_only=True)
class BatchLaw:
    """Exact data of a network after its step on a batch.

    Attributes
    ----------
    law : FeatureLaw
        Features and target given the projection on the spike. Its tangents are those
        of the component of a row along the spike, ``kappa c1/rho``, of its norm after
        the step, ``dc0/drho``, and, of Gaussian rows, of the norm before.
    size : Expr
        alpha0.
    rates : tuple of Expr
        ``a_q = eta A_q``, length K.
    slopes : tuple of Expr
        The numbers `detequiv.theory.batches.prior.SLOPES`.
    output : Expr
        The network's mean output at initialisation: residuals are labels less this.
    length : Expr
        ``|P_r|``.
    """

    law: FeatureLaw
    size: sp.Expr
    rates: tuple[sp.Expr, ...]
    slopes: tuple[sp.Expr, ...]
    output: sp.Expr
    length: sp.Expr


@lru_cache(maxsize=64)
def batch_law(problem: Problem) -> BatchLaw:
    """Describe features and target of a network with a batch.

    Raises
    ------
    InputError
        The activation jumps; or there is nothing to learn from, for the target is the
        network's output and has no noise.
    """
    problem.require_regression("a step on a batch")
    network, target = problem.network, problem.target
    assert network is not None
    assert network.batch_per_dim is not None
    size = network.batch_per_dim
    slopes = _slopes(network.activation)
    mean = sp.Add(
        *[a * w for a, w in zip(network.vocabulary, network.weights, strict=True)]
    )
    output = mean * hermite_coefficient(network.activation, 0)
    centre, linear = (hermite_coefficient(target.function, k) for k in (0, 1))
    square = hermite_coefficient(sp.expand(target.function**2), 0)
    r1 = centre - output
    r2 = square - 2 * output * centre + output**2 + target.noise**2
    length = sp.sqrt(linear**2 + r2 / size)
    if length.is_zero:
        raise InputError(
            "target.function",
            target.function,
            "is the network's own output, and a step on a batch learns nothing",
        )
    bend, third, fourth, rest, _, curved, *_ = slopes
    rates = tuple(network.step * a for a in network.vocabulary)
    share = r2 / size
    traces = [1 + a * bend * r1 for a in rates]
    scales = tuple(
        sp.sqrt(h**2 + a**2 * (bend**2 + rest) * share)
        for a, h in zip(rates, traces, strict=True)
    )
    tangents = [
        tuple(kappa * c1 / scale for scale in scales),
        tuple(c2 / scale for scale in scales),
    ]
    if network.rows == "gaussian":
        # what the norm of a row before the step adds to its strength and its scale
        bent = bend**2 + bend * fourth + curved / 2
        tangents.append(
            tuple(
                a * third * length * first
                + (h**2 + a * fourth * r1 * h + a**2 * share * bent) / scale * second
                for a, h, scale, first, second in zip(
                    rates, traces, scales, *tangents, strict=True
                )
            )
        )
    slope = hermite_coefficient(network.activation, 1)
    law = FeatureLaw(
        activation=conditional_moments(network.activation),
        target=conditional_moments(target.function),
        weights=network.weights,
        spikes=tuple(a * slope * length for a in rates),
        bulks=scales,
        tangents=tuple(tangents),
        alignment=linear / length,
        noise_variance=target.noise**2,
        equations="network",
    )
    return BatchLaw(
        law=law, size=size, rates=rates, slopes=slopes, output=output, length=length
    )


@lru_cache(maxsize=64)
def _slopes(activation: sp.Expr) -> tuple[sp.Expr, ...]:
    """Moments of S, what sigma' is beyond its Hermite components of degree 0 and 1."""
    mu = [hermite_coefficient(activation, k) for k in range(5)]
    slope = sampled_slope(activation)
    tail, power = sp.symbols("sigma' z", real=True)
    raw = {
        (k, j): value
        for k in range(5)
        for j, value in enumerate(_raw(sp.expand(slope**k), 5 - k))
    }

    def mean(polynomial: sp.Expr) -> sp.Expr:
        terms = sp.Poly(sp.expand(polynomial), tail, power).terms()
        return sp.Add(*[factor * raw[powers] for powers, factor in terms])

    rest = tail - mu[1] - mu[2] * power
    v3, t1, ts = (mean(f) for f in (rest**2, rest**2 * power, rest**3))
    t2 = mean(rest**2 * (power**2 - 1))
    vzz = mean((rest * power) ** 2) - mu[3] ** 2 - mu[4] ** 2 / 2
    vzs = mean(rest**3 * power) - mu[3] * t1 - mu[4] * t2 / 2
    vss = mean(rest**4) - v3**2 - t1**2 - t2**2 / 2
    return mu[2], mu[3], mu[4], v3, t1, t2, ts, vzz, vzs, vss


def _raw(function: sp.Expr, count: int) -> list[sp.Expr]:
    """``E f z^j`` for j below `count`, at most 5."""
    mu = [hermite_coefficient(function, k) for k in range(count)]
    in_hermite = ({0: 1}, {1: 1}, {2: 1, 0: 1}, {3: 1, 1: 3}, {4: 1, 2: 6, 0: 3})
    return [
        sp.Add(*[factor * mu[k] for k, factor in parts.items()])
        for parts in in_hermite[:count]
    ]
