r"""Moments of the law by counting: the twin of the spectrum that solves no equation.

Given kappa, the bulk of the features is
``Phi_mj = c1_q(kappa_m) sum_i x_mi w_ji + sqrt(cs_q(kappa_m)) xi_mj``, with q the group
of unit j, x and xi standard normal and w of variance 1/d. The moment
``(1/p) E tr (Phi^T Phi / p)^k`` is a sum over the ways of pairing the Gaussian factors
along a closed walk of 2k steps (Wick's theorem); those that leave
``#m + #j + #i - #(pairs of w) = k + 1`` free indices survive as d grows.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, product

import numpy as np
from iteration import DENSITY, GRID, Moments

__all__ = ["planar_moment"]

# of each sample index that is left: the steps there, as (unit index, linear or not)
Diagram = tuple[tuple[tuple[int, bool], ...], ...]


def pairings(items: list[int]) -> Iterator[list[tuple[int, int]]]:
    """All ways to split a list into pairs."""
    if not items:
        yield []
        return
    first, *rest = items
    for k, partner in enumerate(rest):
        for others in pairings(rest[:k] + rest[k + 1 :]):
            yield [(first, partner), *others]


def classes(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Number of the class of each of `count` things, in order of appearance."""
    name = list(range(count))
    for a, b in pairs:
        old, new = name[a], name[b]
        name = [new if v == old else v for v in name]
    order = list(dict.fromkeys(name))
    return [order.index(v) for v in name]


@cache
def diagrams(k: int) -> Counter[Diagram]:
    """Pairings that survive, and how often each pattern of indices occurs."""
    steps = range(2 * k)
    sample = [e // 2 for e in steps]
    unit = [((e + 1) // 2) % k for e in steps]
    found: Counter[Diagram] = Counter()
    for linear in (s for n in range(0, 2 * k + 1, 2) for s in combinations(steps, n)):
        noisy = [e for e in steps if e not in linear]
        for xi, x, w in product(
            *(list(pairings(list(v))) for v in (noisy, linear, linear))
        ):
            samples = classes(k, [(sample[a], sample[b]) for a, b in xi + x])
            units = classes(k, [(unit[a], unit[b]) for a, b in xi + w])
            inner = len(set(classes(2 * k, x + w))) - len(noisy)
            free = max(samples) + 1 + max(units) + 1 + inner - len(w)
            if free == k + 1:
                places: list[list[tuple[int, bool]]] = [[] for _ in set(samples)]
                for e in steps:
                    places[samples[sample[e]]].append((units[unit[e]], e in linear))
                found[tuple(tuple(sorted(p)) for p in places)] += 1
    return found


def planar_moment(
    k: int,
    activation: Moments,
    *,
    spike: Sequence[float],
    bulk: Sequence[float],
    weights: Sequence[float],
    alpha: float,
    beta: float,
) -> float:
    """k-th moment of the law of ``Phi^T Phi / p``, zeros included."""
    each = [activation(u * GRID, rho) for u, rho in zip(spike, bulk, strict=True)]
    factors = [(np.sqrt(np.maximum(cs, 0)), c1) for _, c1, cs in each]
    total = 0.0
    for diagram, count in diagrams(k).items():
        units = 1 + max(j for place in diagram for j, _ in place)
        size = count * alpha ** len(diagram) * beta ** (units - k - 1)
        for groups in product(range(len(weights)), repeat=units):
            share = np.prod([weights[q] for q in groups])
            for place in diagram:
                share *= DENSITY @ np.prod(
                    [factors[groups[j]][is_linear] for j, is_linear in place], axis=0
                )
            total += size * share
    return float(total)
