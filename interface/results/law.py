"""The spectrum of a problem's features, as users meet it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import ArrayLike, NDArray

from detequiv.numerics.spectrum import Spectrum
from detequiv.theory.display import Shown, Tabular
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.problem import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Law", "spectrum"]

SCAN = np.geomspace(1e-8, 1e3, 500)  # where the bulk is looked for, over its mean
WIDE = 50.0  # ratio of the ends from which a grid is logarithmic
NEGLIGIBLE = 1e-4  # share of the mass that is left out at either end


class Law(Shown, Spectrum):
    """Limit law of the eigenvalues of learned features."""

    def _table(self) -> Tabular:
        rows = [("mass at zero", f"{self.atom_at_zero:.12g}")]
        if "support" in vars(self):  # it takes a while to find
            rows += [
                (
                    "support",
                    f"{float(i.lower.value):.10g} to {float(i.upper.value):.10g}",
                )
                for i in self.support
            ]
        return Tabular(
            f"Limit law of the eigenvalues of {self.scale}",
            rows,
            note="also: support, outliers, density(x), stieltjes(z), plot()",
        )

    def simulate(
        self, *, dimension: int, rng: int | SeedSequence | Generator | None = None
    ) -> NDArray[np.float64]:
        """Draw one feature matrix of the problem and return its eigenvalues.

        Parameters
        ----------
        dimension : int
            d; samples and width are ``alpha d`` and ``beta d`` to the nearest integers.
        rng : int, SeedSequence, Generator or None
            Source of randomness, as `numpy.random.default_rng` takes it.

        Returns
        -------
        ndarray, shape (p,)
            All eigenvalues, outliers and zeros included, ascending, in the scale of
            this law.

        Raises
        ------
        InputError
            The dimension is too small, or the problem is one that is not sampled.
        """
        from detequiv.validation.trial import sampler
        from detequiv.validation.witness import Dimensions, draw_eigenvalues

        model, ridge = sampler(self.problem), self.problem.ridge
        if (
            dimension < 2
            or round(min(ridge.samples_per_dim, ridge.width_per_dim) * dimension) < 1
        ):
            raise InputError(
                "dimension",
                dimension,
                "too small: needs 2 inputs, 1 sample and 1 unit at least",
            )
        sizes = Dimensions.proportional(
            dimension,
            samples_per_dim=float(ridge.samples_per_dim),
            width_per_dim=float(ridge.width_per_dim),
        )
        values = draw_eigenvalues(model, sizes, np.random.default_rng(rng))
        return values if self.scale.endswith("n") else values * sizes.n / sizes.p

    def grid(self, points: int) -> NDArray[np.float64]:
        """Points that cover the density, for a figure or a table.

        Parameters
        ----------
        points : int
            How many, at least 2.

        Returns
        -------
        float array, shape (points,)
            Ascending, denser towards the ends of the bulk; logarithmic where these
            are orders of magnitude apart. What is left out on either side is about
            1e-4 of the mass.

        Raises
        ------
        InputError
            Fewer than 2 points.
        ConvergenceError
            The bulk is too narrow to be found.
        """
        if points < 2:
            raise InputError("points", points, "give at least 2")
        low, high = self._reach
        return _between(low, high, points)

    @cached_property
    def _reach(self) -> tuple[float, float]:
        """Between which points almost all of the density lies."""
        share = 1 - self.atom_at_zero
        mean = float(self._factor) * self._resolvent.mean() / share
        return _bulk_of(self.density, mean, share)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        points: int = 1000,
        eigenvalues: ArrayLike | None = None,
    ) -> Figure:
        """Draw the density, and the histogram of simulated eigenvalues.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; new axes by default.
        points : int
            Points of the density.
        eigenvalues : array_like, optional
            Eigenvalues of one matrix in the scale of this law, as `simulate` draws
            them.

        Returns
        -------
        matplotlib Figure
        """
        from detequiv.figures.spectrum import plot_spectrum

        drawn = None if eigenvalues is None else np.asarray(eigenvalues, float)
        return plot_spectrum(self, self.grid(points), drawn, ax)


def spectrum(
    problem: Problem, *, scale: str = "n", digits: int = 15, width: int = 1000
) -> Law:
    """Limit law of the eigenvalues of ``Phi^T Phi / n``.

    Parameters
    ----------
    problem : Problem
        The features, and the proportions n/d and p/d. Its ridge penalty and its
        target play no part.
    scale : {"n", "p"}
        What ``Phi^T Phi`` is divided by.
    digits : int
        Significant digits of the ends of the support. The density and the transform
        take their own ``digits``.
    width : int
        The number p of units for which the outliers are given; the limit law does not
        depend on it.

    Returns
    -------
    Law
        With methods ``density(x)`` and ``stieltjes(z)`` and the attributes
        ``atom_at_zero``, ``support`` and ``outliers``, all in the scale that its
        attribute ``scale`` names.

    Raises
    ------
    InputError
        A scale that is neither "n" nor "p", fewer than 1 digit or unit, or an
        activation that is constant.

    Examples
    --------
    >>> from detequiv import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    ...     target=Target(function="z"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=1),
    ... )
    >>> law = spectrum(problem)
    >>> law.scale, law.atom_at_zero
    ('Phi^T Phi / n', 0.0)
    >>> law.density([0.5, 1.0]).round(6)
    array([0.358583, 0.157566])
    >>> import mpmath
    >>> print(mpmath.nstr(law.density("1/2", digits=30), 30))
    0.358582827518409093535383021613
    >>> (interval,) = law.support
    >>> interval.upper.kind, round(float(interval.upper.value), 12)
    ('regular', 1.883463981753)
    """
    return Law(problem, scale=scale, digits=digits, width=width)


def _bulk_of(
    density: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    mean: float,
    share: float,
) -> tuple[float, float]:
    """Find the points between which almost all of a density lies.

    Of the mean and the mass given.
    """
    x = mean * SCAN
    values = density(x)
    mass = np.cumsum(np.diff(x) * (values[1:] + values[:-1]) / 2)
    left_out = NEGLIGIBLE * share
    bulk = np.flatnonzero((mass > left_out) & (mass < mass[-1] - left_out))
    if mass[-1] < share / 2 or not len(bulk):
        raise ConvergenceError(
            "the bulk is too narrow to be found from its mean; give the points "
            "themselves, near the ends in `support`"
        )
    return float(x[bulk[0]]), float(x[bulk[-1] + 2])


def _between(low: float, high: float, points: int) -> NDArray[np.float64]:
    """Place ascending points, denser towards the ends, on a fitting scale."""
    arc = (1 - np.cos(np.linspace(0, np.pi, points))) / 2
    grid: NDArray[np.float64] = low + (high - low) * arc
    if high > WIDE * low:
        grid = low * (high / low) ** arc
    return grid
