r"""What the loss of a fresh sample sees, given kappa, in float64.

A sample is the projection kappa, the part s of the target's projection orthogonal to
it, and its label. The argument of the loss, the margin or the residual, is Gaussian:

.. math:: v = \mathrm{offset} + \mathrm{sign}\,(\mu(\kappa) + \rho(\kappa) s)
   + \sqrt{Q(\kappa) + \mathrm{noise}}\; G.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import FLOATS, compile_expressions, to_float
from detequiv.numerics.losses.channel import REACH, Channel
from detequiv.theory.functions import z
from detequiv.theory.problem import FeatureLaw

__all__ = ["Moments", "Samples", "sample_law"]

Array = NDArray[Any]
SPACING = 0.45  # of a trapezoidal rule in s
BETWEEN = 40  # nodes of a Gauss-Legendre rule between jumps


@dataclass(frozen=True)
class Moments:
    """Average envelope on each node in kappa, and its derivatives.

    By the mean mu, the slope rho, the spread Q and the leverage chi, in this order.

    Attributes
    ----------
    value : (n,) array
    gradient : (4, n) array
    hessian : (4, 4, n) array
    """

    value: Array
    gradient: Array
    hessian: Array


@dataclass(frozen=True)
class Samples:
    """Samples given each of n nodes in kappa, J of them with weights.

    Attributes
    ----------
    s, offset, share : (n, J) array
        Their places in s, what is added to the argument, and their weights.
    sign : (n, J) array
        Of the fit in the argument.
    label : (n, J) array
        y, or its mean where labels have noise.
    noise : float
        Variance that is added to Q.
    binary : bool
        Whether labels are -1 and 1.
    """

    s: Array
    offset: Array
    share: Array
    sign: Array
    label: Array
    noise: float
    binary: bool

    @property
    def mean_square(self) -> Array:
        """Of the label, (n,)."""
        square: Array = (self.share * self.label**2).sum(1) + self.noise
        return square

    def centre(self, mean: Array, slope: Array) -> Array:
        """Mean of the argument, (n, J), for mu and rho of shape (n,)."""
        fit = mean[:, None] + slope[:, None] * self.s
        centre: Array = self.offset + self.sign * fit
        return centre

    def moments(
        self, channel: Channel, mean: Array, slope: Array, spread: Array, chi: Array
    ) -> Moments:
        """Average the envelope, for functions of kappa of shape (n,)."""
        found = channel.averages(
            self.centre(mean, slope), spread[:, None] + self.noise, chi[:, None]
        )
        share, sign, s = self.share, self.sign, self.s

        def over(values: Array, *factors: Array) -> Array:
            product = share
            for factor in factors:
                product = product * factor
            total: Array = (product * values).sum(1)
            return total

        gradient = np.array(
            [
                over(found["v"], sign),
                over(found["v"], sign, s),
                over(found["vv"]) / 2,
                over(found["c"]),
            ]
        )
        hessian = np.empty((4, 4, len(mean)))
        upper = {
            (0, 0): over(found["vv"]),
            (0, 1): over(found["vv"], s),
            (0, 2): over(found["vvv"], sign) / 2,
            (0, 3): over(found["vc"], sign),
            (1, 1): over(found["vv"], s, s),
            (1, 2): over(found["vvv"], sign, s) / 2,
            (1, 3): over(found["vc"], sign, s),
            (2, 2): over(found["vvvv"]) / 4,
            (2, 3): over(found["vvc"]) / 2,
            (3, 3): over(found["cc"]),
        }
        for (i, j), value in upper.items():
            hessian[i, j] = hessian[j, i] = value
        return Moments(over(found[""]), gradient, hessian)


def sample_law(
    law: FeatureLaw, kappa: Array, mean_label: Array, margin: bool, fineness: float
) -> Samples:
    """Write down the samples given kappa.

    Parameters
    ----------
    law : FeatureLaw
        Whose target, or mean label, is evaluated.
    kappa, mean_label : (n,) array
        Nodes, and the mean of the labels there.
    margin : bool
        Whether the loss is of the margin ``y f``; of the residual ``y - f`` else.
    fineness : float
        Of the rule in s: 1, or less where a rough answer serves.
    """
    if (law.alignment**2 - 1).is_zero:
        s = np.zeros((len(kappa), 1))
        weights, target = np.ones_like(s), mean_label[:, None]
    else:
        along = to_float(law.alignment)
        across = float(np.sqrt(1 - along**2))
        jumps = tuple(map(to_float, law.target.kinks))
        s, weights = _rule(kappa, along, across, jumps, fineness)
        place = along * kappa[:, None] + across * s
        target = np.broadcast_to(_compiled(law)(place)[0], s.shape)
    noise = 0.0
    if not law.binary:
        label, share = target, weights
        noise = to_float(law.noise_variance)
    else:
        if (np.abs(target) == 1).all():  # the sign is sure
            label, share = target, weights
        else:
            sides = np.repeat([1.0, -1.0], s.shape[1])
            s, weights, target = (np.tile(a, 2) for a in (s, weights, target))
            label = np.broadcast_to(sides, s.shape)
            share = weights * (1 + label * target) / 2
    return Samples(
        s=s,
        offset=np.zeros_like(s) if margin else label,
        share=share,
        sign=label if margin else -np.ones_like(s),
        label=label,
        noise=noise,
        binary=law.binary,
    )


@lru_cache(maxsize=64)
def _compiled(law: FeatureLaw) -> Any:
    return compile_expressions((z,), [law.target.function], FLOATS)


def _rule(
    kappa: Array,
    along: float,
    across: float,
    jumps: tuple[float, ...],
    fineness: float,
) -> tuple[Array, Array]:
    """Nodes and weights in s, standard normal density included; (n, J) each."""
    if not jumps:
        step = SPACING / fineness
        count = int(np.ceil(REACH / step))
        nodes = np.arange(-count, count + 1) * step
        s = np.broadcast_to(nodes, (len(kappa), len(nodes)))
        lengths = np.full_like(s, step)
    else:
        x, w = leggauss(round(BETWEEN * fineness))
        ends = [np.full_like(kappa, -REACH)]
        for jump in jumps:
            ends.append(np.clip((jump - along * kappa) / across, -REACH, REACH))
        ends.append(np.full_like(kappa, REACH))
        parts, widths = [], []
        for left, right in pairwise(ends):
            half = ((right - left) / 2)[:, None]
            parts.append((left + right)[:, None] / 2 + half * x)
            widths.append(half * w)
        s, lengths = np.concatenate(parts, 1), np.concatenate(widths, 1)
    return s, lengths * np.exp(-(s**2) / 2) / np.sqrt(2 * np.pi)
