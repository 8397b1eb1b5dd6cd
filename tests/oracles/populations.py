"""The support of a sample covariance matrix of given population eigenvalues."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import mpmath as mp

__all__ = ["support_of_population"]


def support_of_population(
    ratio: mp.mpf, levels: Sequence[mp.mpf], weights: Sequence[mp.mpf]
) -> list[mp.mpf]:
    """Ends of the support of ``T^(1/2) X^T X T^(1/2) / n``, ascending.

    They are the critical values of ``x(m) = -1/m + ratio sum_k w_k t_k / (1 + t_k m)``
    on the real line (Silverstein and Choi, J. Multivariate Anal. 54, 1995), m being the
    Stieltjes transform of ``X T X^T / n``; here with ``q = -1/m``, so that

        x = q + ratio sum_k w_k t_k q / (q - t_k),
        x' = 1 - ratio sum_k w_k t_k^2 / (q - t_k)^2.

    Parameters
    ----------
    ratio : mpf
        p/n, not 1.
    levels, weights : sequence of mpf
        Distinct positive eigenvalues t_k, and their shares w_k.
    """

    def slope(q: mp.mpf) -> mp.mpf:
        return 1 - ratio * mp.fsum(
            w * (t / (q - t)) ** 2 for t, w in zip(levels, weights, strict=True)
        )

    def place(q: mp.mpf) -> mp.mpf:
        return q + ratio * mp.fsum(
            w * t * q / (q - t) for t, w in zip(levels, weights, strict=True)
        )

    order, tiny = sorted(levels), mp.sqrt(mp.eps)
    # beyond the poles the slope rises to 1: one critical point on either side
    reach = 2 * max(1, mp.sqrt(ratio)) * order[-1]
    critical = [
        _root(slope, order[0] * (1 - tiny), order[0] - reach * order[-1] / order[0]),
        _root(slope, order[-1] * (1 + tiny), order[-1] + reach),
    ]
    for low, high in pairwise(order):
        # between two poles it is concave
        peak = _peak(slope, low, high)
        if slope(peak) > 0:
            critical += [
                _root(slope, low + (peak - low) * tiny, peak),
                _root(slope, peak, high - (high - peak) * tiny),
            ]
    return sorted(place(q) for q in critical)


def _root(function: Callable[[mp.mpf], mp.mpf], low: mp.mpf, high: mp.mpf) -> mp.mpf:
    return _bisect(lambda q: function(q) * mp.sign(function(high)), low, high)


def _peak(function: Callable[[mp.mpf], mp.mpf], low: mp.mpf, high: mp.mpf) -> mp.mpf:
    step = (high - low) * mp.mpf(10) ** (-mp.mp.dps // 3)
    return _bisect(
        lambda q: function(q - step) - function(q + step),
        low + 2 * step,
        high - 2 * step,
    )


def _bisect(function: Callable[[mp.mpf], mp.mpf], low: mp.mpf, high: mp.mpf) -> mp.mpf:
    sign = mp.sign(function(high))
    for _ in range(8 * mp.mp.dps):
        middle = (low + high) / 2
        if mp.sign(function(middle)) == sign:
            high = middle
        else:
            low = middle
    return (low + high) / 2
