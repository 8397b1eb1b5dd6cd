r"""Gaussian averages of a loss's Moreau envelope, and their derivatives, in float64.

.. math:: F(m, Q, \chi) = E\, M_\chi(m + \sqrt{Q}\, G)

obeys the heat equation ``dF/dQ = F_mm / 2``, so that all derivatives that Newton's
method needs are averages of derivatives of M by v and chi. A piecewise quadratic M is
averaged piece by piece; where its second derivative jumps, the third and fourth are
densities.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import FLOATS, compile_expressions, special
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.losses import (
    DERIVATIVES,
    Loss,
    chi,
    envelope,
    smooth_envelope,
    u,
    v,
)

__all__ = ["Channel", "channel"]

Array = NDArray[Any]
expit = special("expit")
Averages = dict[str, Array]  # of M and its derivatives, by the names of DERIVATIVES
REACH = 9.0  # standard deviations to which Gaussian averages go
FINEST = 0.36  # step of a trapezoidal rule that a Gaussian needs
STRIP = 0.5  # the same over the analyticity of a smooth loss, of scale 1
LATTICE = 400  # most places that the means of one node in kappa share
MOST = 60  # Newton steps of a proximal map
ROUNDED = 1e-12  # its last step, where rounding keeps it from being smaller
ROOM = 2e7  # values that are held at once
NODES = 56  # of a Gauss-Legendre rule on the whole reach


class Channel(ABC):
    """Averages of one loss.

    Parameters
    ----------
    loss : Loss
        The loss.
    fineness : float
        Of the rules in G: 1, or less where a rough answer serves.
    """

    def __init__(self, loss: Loss, fineness: float) -> None:
        self.loss, self.fineness = loss, fineness

    @abstractmethod
    def averages(self, mean: Array, variance: Array, leverage: Array) -> Averages:
        """Average M and its derivatives over ``v ~ N(mean, variance)``.

        Parameters
        ----------
        mean : (n, J) array
            m.
        variance, leverage : (n, 1) array
            Q > 0 and chi > 0.
        """

    @abstractmethod
    def fitted(
        self, function: sp.Expr, mean: Array, variance: Array, leverage: Array
    ) -> Array:
        """Average a smooth function of u, at the fitted u*."""


@lru_cache(maxsize=32)
def channel(loss: Loss, fineness: float = 1.0) -> Channel:
    """Make the averages of a loss, compiled once."""
    if len(loss.pieces) == 1 and not loss.pieces[0].is_polynomial(u):
        return _Smooth(loss, fineness)
    return _Piecewise(loss, fineness)


class _Smooth(Channel):
    """A loss of one piece that is no polynomial: a trapezoidal rule in G."""

    def __init__(self, loss: Loss, fineness: float) -> None:
        super().__init__(loss, fineness)
        known = smooth_envelope(loss)
        slope = sp.diff(known.equation, u)
        arguments = (u, _share, v, chi)
        self._newton = compile_expressions(
            arguments, [_bounded(known.equation / slope)], FLOATS
        )
        self._derivatives = compile_expressions(
            arguments, list(map(_bounded, known.derivatives)), FLOATS
        )

    def averages(self, mean: Array, variance: Array, leverage: Array) -> Averages:
        def derivatives(place: Array, chi: Array) -> list[Array]:
            fit = self._prox(place, chi)
            return self._derivatives(fit, expit(fit), place, chi)

        values = self._over(derivatives, mean, variance, leverage)
        return dict(zip(DERIVATIVES, values, strict=True))

    def fitted(
        self, function: sp.Expr, mean: Array, variance: Array, leverage: Array
    ) -> Array:
        compiled = _function(function)

        def values(place: Array, chi: Array) -> list[Array]:
            return compiled(self._prox(place, chi))

        return self._over(values, mean, variance, leverage)[0]

    def _over(
        self,
        functions: Callable[[Array, Array], list[Array]],
        mean: Array,
        variance: Array,
        leverage: Array,
    ) -> list[Array]:
        """Average functions of v: on one lattice for all means of a node."""
        width = np.sqrt(variance)
        step = width * min(FINEST, STRIP / float(width.max())) / self.fineness
        low = mean.min(1, keepdims=True) - REACH * width
        counts = np.ceil((mean.max(1, keepdims=True) + REACH * width - low) / step)
        shared = counts[:, 0] <= LATTICE
        results: list[Array] = []
        for nodes, split in ((shared, False), (~shared, True)):
            if not nodes.any():
                continue
            w, h = width[nodes, :, None], step[nodes, :, None]
            if split:  # far apart beside the width: a lattice around each
                count = int(np.ceil(REACH * float((w / h).max())))
                if 2 * count * mean[nodes].size > ROOM:
                    raise ConvergenceError(
                        "averages over a Gaussian so wide beside the loss do not fit "
                        "in memory; try a larger ridge.penalty or smaller slopes"
                    )
                steps = np.arange(-count, count + 1)
                place = mean[nodes, :, None] + h * steps
                far = np.broadcast_to(h / w * steps, place.shape)
            else:
                steps = np.arange(int(counts[nodes].max()) + 1)
                place = low[nodes, :, None] + h * steps
                far = (place - mean[nodes, :, None]) / w
            weights = h / w * np.exp(-(far**2) / 2) / np.sqrt(2 * np.pi)
            values = functions(place, leverage[nodes, :, None])
            if not results:
                results = [np.empty_like(mean) for _ in values]
            for result, value in zip(results, values, strict=True):
                whole = np.broadcast_to(value, place.shape)
                if split:
                    result[nodes] = np.einsum("njg,njg->nj", whole, weights)
                else:
                    result[nodes] = (weights @ whole[:, 0, :, None])[:, :, 0]
        return results

    def _prox(self, place: Array, leverage: Array) -> Array:
        """Solve for u* by Newton's method, monotone from 0."""
        fit = np.zeros_like(place)
        for _ in range(MOST):
            step = self._newton(fit, expit(fit), place, leverage)[0]
            fit = fit - step
            last = float(np.abs(step).max() / (1 + np.abs(fit).max()))
            if last < 1e-14:
                break
        if not last < ROUNDED:
            raise ConvergenceError(
                f"the proximal map of the loss was reached to {last:.1e} only; try a "
                "larger ridge.penalty"
            )
        return fit


class _Piecewise(Channel):
    """A piecewise quadratic loss: Gauss-Legendre rules on the pieces of M."""

    def __init__(self, loss: Loss, fineness: float) -> None:
        super().__init__(loss, fineness)
        known = envelope(loss)
        self._pieces, self._prox, jumps = [], [], []
        for piece, fit in zip(known.pieces, known.prox, strict=True):
            self._pieces.append(_quadratic(piece))
            self._prox.append(compile_expressions((v, chi), [fit], FLOATS))
        for k, place in enumerate(known.breaks):
            step = known.pieces[k + 1] - known.pieces[k]
            jumps += [
                place,
                sp.factor(step.diff(v, v)),
                sp.factor(step.diff(v, chi).subs(v, place)),
            ]
        self._jumps = compile_expressions((chi,), jumps, FLOATS)
        self._nodes, self._weights = leggauss(round(NODES * fineness))

    def averages(self, mean: Array, variance: Array, leverage: Array) -> Averages:
        total = {name: np.zeros_like(mean) for name in DERIVATIVES}
        for piece, (place, weights) in zip(
            self._pieces, self._panels(mean, variance, leverage), strict=True
        ):
            values = piece(place, leverage[..., None])
            for name, value in zip(DERIVATIVES, values, strict=True):
                if np.any(value):
                    shape = np.broadcast_shapes(np.shape(value), weights.shape)
                    whole = np.broadcast_to(value, shape)
                    total[name] += np.einsum("njg,njg->nj", whole, weights)
        for place, jump, mixed in self._breaks(leverage):
            density = np.exp(-((place - mean) ** 2) / (2 * variance))
            density /= np.sqrt(2 * np.pi * variance)
            total["vvv"] += jump * density
            total["vvvv"] += jump * density * (place - mean) / variance
            total["vvc"] += mixed * density
        return total

    def fitted(
        self, function: sp.Expr, mean: Array, variance: Array, leverage: Array
    ) -> Array:
        total = np.zeros_like(mean)
        for fit, (place, weights) in zip(
            self._prox, self._panels(mean, variance, leverage), strict=True
        ):
            at = np.broadcast_to(fit(place, leverage[..., None])[0], place.shape)
            value = np.broadcast_to(_function(function)(at)[0], place.shape)
            total += np.einsum("njg,njg->nj", value, weights)
        return total

    def _breaks(self, leverage: Array) -> list[tuple[Array, Array, Array]]:
        values = self._jumps(leverage)
        return list(zip(values[::3], values[1::3], values[2::3], strict=True))

    def _panels(
        self, mean: Array, variance: Array, leverage: Array
    ) -> list[tuple[Array, Array]]:
        """Nodes and weights of each piece, within reach of the Gaussian."""
        width = np.sqrt(variance)
        low, high = mean - REACH * width, mean + REACH * width
        inner = [np.clip(place, low, high) for place, *_ in self._breaks(leverage)]
        ends = [low, *inner, high]
        panels = []
        for left, right in pairwise(ends):
            half = ((right - left) / 2)[..., None]
            place = (right + left)[..., None] / 2 + half * self._nodes
            far = (place - mean[..., None]) / width[..., None]
            density = np.exp(-(far**2) / 2) / np.sqrt(2 * np.pi) / width[..., None]
            panels.append((place, half * self._weights * density))
        return panels


_share = sp.Symbol("share", positive=True)  # 1 / (1 + exp(-u))


def _bounded(expression: sp.Expr) -> sp.Expr:
    """Write an expression in exp(-u), which overflows, by a number in (0, 1)."""
    inner = expression.subs(sp.exp(-u), (1 - _share) / _share)
    inner = inner.replace(sp.log, lambda x: sp.log(sp.cancel(x)))
    return inner if inner.has(sp.log) else sp.factor(sp.cancel(inner))


def _quadratic(piece: sp.Expr) -> Callable[..., list[Any]]:
    """Compile a quadratic piece of M and its derivatives, in their order."""
    letters = {"v": v, "c": chi}
    found = [
        sp.factor(piece.diff(*(letters[k] for k in name)) if name else piece)
        for name in DERIVATIVES
    ]
    return compile_expressions((v, chi), found, FLOATS)


@lru_cache(maxsize=64)
def _function(function: sp.Expr) -> Callable[..., list[Any]]:
    return compile_expressions((u,), [function], FLOATS)
