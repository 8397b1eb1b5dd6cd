r"""Gaussian averages of a loss's Moreau envelope, and their derivatives, in float64.

.. math:: F(m, Q, \chi) = E\, M_\chi(m + \sqrt{Q}\, G)

obeys the heat equation ``dF/dQ = F_mm / 2``, so that all derivatives that Newton's
method needs are averages of derivatives of M by v and chi. A piecewise quadratic M is
averaged piece by piece, in closed form; where its second derivative jumps, the third
and fourth are densities.
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
erfcx, expit, ndtr = (special(name) for name in ("erfcx", "expit", "ndtr"))
Averages = dict[str, Array]  # of M and its derivatives, by the names of DERIVATIVES
REACH = 9.0  # standard deviations to which Gaussian averages go
FINEST = 0.36  # step of a trapezoidal rule that a Gaussian needs
STRIP = 0.5  # the same over the analyticity of a smooth loss, of scale 1
LATTICE = 400  # most places that the means of one node in kappa share
MOST = 60  # Newton steps of a proximal map
ROUNDED = 1e-12  # its last step, where rounding keeps it from being smaller
ROOM = 2e7  # values that are held at once
NODES = 56  # of a Gauss-Legendre rule on the whole reach, and
FEW = 14  # within one standard deviation


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
        self._newton, self._derivatives = _smooth_functions(loss)

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
        """Solve for u* by Newton's method, monotone on either side of 0.

        u* lies between v and v + chi/2, the slope of the loss being in (-1, 0).
        """
        up, down = np.maximum(place, 0), np.minimum(place + leverage / 2, 0)
        fit = np.where(place > -leverage / 4, up, down)
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
    """A piecewise quadratic loss: Gaussian moments of the pieces of M."""

    def __init__(self, loss: Loss, fineness: float) -> None:
        super().__init__(loss, fineness)
        self._pieces, self._prox, self._jumps = _piecewise_functions(loss)
        self._nodes, self._weights = leggauss(round(NODES * fineness))
        self._few = leggauss(round(FEW * fineness))

    def averages(self, mean: Array, variance: Array, leverage: Array) -> Averages:
        total = {name: np.zeros_like(mean) for name in DERIVATIVES}
        breaks, width = self._breaks(leverage), np.sqrt(variance)
        ends = [place for place, *_ in breaks]
        for k, piece in enumerate(self._pieces):
            if piece is None:  # M is 0 there
                continue
            left = ends[k - 1] if k else None
            right = ends[k] if k < len(ends) else None
            origin, moments = self._moments(left, right, mean, width)
            values = iter(piece(origin, leverage))
            for name in DERIVATIVES:
                for moment in moments:
                    total[name] += next(values) * moment
        for place, jump, mixed in breaks:
            density = np.exp(-((place - mean) ** 2) / (2 * variance))
            density /= np.sqrt(2 * np.pi * variance)
            total["vvv"] += jump * density
            total["vvvv"] += jump * density * (place - mean) / variance
            total["vvc"] += mixed * density
        return total

    def _moments(
        self, left: Array | None, right: Array | None, mean: Array, width: Array
    ) -> tuple[Array, list[Array]]:
        """Moments of order 0, 1, 2 of a piece's part of the Gaussian, about an end."""
        if left is None and right is None:
            return mean, [np.ones_like(mean), np.zeros_like(mean), width**2 + 0 * mean]
        if right is None:
            assert left is not None
            zeroth, first, second = _beyond((left - mean) / width)
            return left, [zeroth, width * first, width**2 * second]
        zeroth, first, second = _beyond((mean - right) / width)
        if left is None:
            return right, [zeroth, -width * first, width**2 * second]
        size = right - left
        # both ends on the side of the mean where little lies beyond them
        above = mean < (left + right) / 2
        near = _beyond(np.where(above, left - mean, mean - right) / width)
        far = _beyond(np.where(above, right - mean, mean - left) / width)
        rest = [
            far[0],
            width * far[1] + size * far[0],
            width**2 * far[2] + 2 * size * width * far[1] + size**2 * far[0],
        ]
        inner = [width**k * near[k] - rest[k] for k in range(3)]
        # about the left end, whichever side that was
        other = [inner[0], size * inner[0] - inner[1]]
        other.append(size**2 * inner[0] - 2 * size * inner[1] + inner[2])
        wide = [np.where(above, a, b) for a, b in zip(inner, other, strict=True)]
        x, weights = self._few
        place = size[..., None] / 2 * (1 + x)
        distance = ((left - mean)[..., None] + place) / width[..., None]
        density = np.exp(-(distance**2) / 2) / np.sqrt(2 * np.pi) / width[..., None]
        density = density * weights * size[..., None] / 2
        narrow = [(density * place**k).sum(-1) for k in range(3)]
        return left, [
            np.where(size > width, a, b) for a, b in zip(wide, narrow, strict=True)
        ]

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
        values = [v + 0 * leverage for v in self._jumps(leverage)]
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


def _beyond(place: Array) -> tuple[Array, Array, Array]:
    """Average powers 0, 1, 2 of ``(X - place)_+``, X normal; accurate in the tail."""
    density = np.exp(-(place**2) / 2) / np.sqrt(2 * np.pi)
    up = np.maximum(place, 0)
    mills = np.sqrt(np.pi / 2) * erfcx(up / np.sqrt(2))
    zeroth = np.where(place > 0, density * mills, ndtr(-place))
    first = np.where(place > 0, density * (1 - up * mills), density - place * zeroth)
    second = np.where(
        place > 0,
        density * ((1 + up**2) * mills - up),
        (1 + place**2) * zeroth - place * density,
    )
    return zeroth, first, second


_share = sp.Symbol("share", positive=True)  # 1 / (1 + exp(-u))


def _bounded(expression: sp.Expr) -> sp.Expr:
    """Write an expression in exp(-u), which overflows, by a number in (0, 1)."""
    inner = expression.subs(sp.exp(-u), (1 - _share) / _share)
    inner = inner.replace(sp.log, lambda x: sp.log(sp.cancel(x)))
    return inner if inner.has(sp.log) else sp.factor(sp.cancel(inner))


@lru_cache(maxsize=32)
def _smooth_functions(loss: Loss) -> tuple[Callable[..., list[Any]], ...]:
    """Newton's step for u*, and the derivatives of M."""
    known = smooth_envelope(loss)
    arguments = (u, _share, v, chi)
    step = known.equation / sp.diff(known.equation, u)
    return tuple(
        compile_expressions(arguments, list(map(_bounded, part)), FLOATS)
        for part in ([step], known.derivatives)
    )


@lru_cache(maxsize=32)
def _piecewise_functions(loss: Loss) -> tuple[list[Any], list[Any], Any]:
    """Pieces of M with their derivatives, u* on each, and the jumps between them."""
    known, jumps = envelope(loss), []
    for k, place in enumerate(known.breaks):
        step = known.pieces[k + 1] - known.pieces[k]
        jumps += [
            place,
            sp.factor(step.diff(v, v)),
            sp.factor(step.diff(v, chi).subs(v, place)),
        ]
    prox = [compile_expressions((v, chi), [fit], FLOATS) for fit in known.prox]
    pieces = [None if piece == 0 else _quadratic(piece) for piece in known.pieces]
    return pieces, prox, compile_expressions((chi,), jumps, FLOATS)


def _quadratic(piece: sp.Expr) -> Callable[..., list[Any]]:
    """Compile the coefficients of a piece of M and its derivatives, about v."""
    letters = {"v": v, "c": chi}
    found = []
    for name in DERIVATIVES:
        own = piece.diff(*(letters[k] for k in name)) if name else piece
        found += [own, own.diff(v), own.diff(v, v) / 2]
    return compile_expressions((v, chi), list(map(sp.factor, found)), FLOATS)


@lru_cache(maxsize=64)
def _function(function: sp.Expr) -> Callable[..., list[Any]]:
    return compile_expressions((u,), [function], FLOATS)
