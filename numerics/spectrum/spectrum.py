r"""The limit law of the eigenvalues of learned features.

The matrices ``Phi^T Phi / p`` and ``Phi^T Phi / n`` share one spectrum up to the
factor ``p/n = beta/alpha``. The equations live in the scale of the first; what is
reported is in the scale asked for.
"""

from functools import cached_property, partial
from typing import Any, overload

import mpmath
import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from detequiv.numerics.arithmetic import (
    check_digits,
    check_whole,
    precision,
    to_ball,
    to_mpf,
)
from detequiv.numerics.resolvent import RealBranch, Resolvent
from detequiv.numerics.spectrum.isolated import isolated_roots
from detequiv.numerics.spectrum.landmarks import Edge, Interval, Outlier, Threshold
from detequiv.numerics.spectrum.support import find_support
from detequiv.numerics.spectrum.threshold import find_threshold
from detequiv.numerics.spectrum.values import (
    float_density,
    float_transform,
    precise_density,
    precise_transform,
)
from detequiv.theory.errors import ConvergenceError, InputError, is_name
from detequiv.theory.functions import affine_slope
from detequiv.theory.problem import (
    FeatureLaw,
    Problem,
    check_problem,
    exact_parameters,
    law_of,
)

__all__ = ["Spectrum"]

Array = NDArray[np.float64]


class Spectrum:
    """Limit law of the eigenvalues of ``Phi^T Phi / n`` or ``Phi^T Phi / p``.

    The law is that of all p eigenvalues: total mass 1, a possible atom at zero
    included. Finitely many outliers have no mass. The ridge penalty of the problem
    plays no part, nor does its target.

    Parameters
    ----------
    problem : Problem
        The features, and the proportions n/d and p/d.
    scale : {"n", "p"}
        What ``Phi^T Phi`` is divided by.
    digits : int
        Significant digits of the ends of the support, 1 to 250.
    width : int
        The number p of units for which the outliers are given.

    Raises
    ------
    InputError
        A scale that is neither, fewer than 1 digit or unit, or an activation that is
        constant.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        scale: str = "n",
        digits: int = 15,
        width: int = 1000,
    ) -> None:
        check_problem(problem)
        check_digits(digits)
        check_whole("width", width)
        self.digits, self.width = digits, width
        if not is_name(scale, ("n", "p")):
            raise InputError("scale", scale, "give 'n' or 'p', what divides Phi^T Phi")
        problem.require_isotropic()
        self.problem = problem
        self.scale = f"Phi^T Phi / {scale}"
        room = "features" if problem.network is None else "network"
        activation = getattr(problem, room).activation
        self._slope = affine_slope(activation)
        if self._slope is not None and self._slope.is_zero:
            raise InputError(
                f"{room}.activation",
                activation,
                "is constant, so that the features have no bulk; give another one",
            )
        ridge = problem.ridge
        self._factor: sp.Expr = (
            ridge.width_per_dim / ridge.samples_per_dim if scale == "n" else sp.S.One
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from the arguments: compiled equations cross no process border."""
        options: dict[str, Any] = {"digits": self.digits, "width": self.width}
        return partial(type(self), scale=self.scale[-1], **options), (self.problem,)

    @cached_property
    def _law(self) -> FeatureLaw:
        return law_of(self.problem)

    @cached_property
    def _resolvent(self) -> Resolvent:
        return _resolvent_of(self.problem, self._law.of_bulk)

    @cached_property
    def _branch(self) -> RealBranch:
        parameters = exact_parameters(self.problem, self._resolvent.law)
        return RealBranch(self._resolvent, parameters)

    @cached_property
    def atom_at_zero(self) -> float:
        """Fraction of the eigenvalues that are exactly zero.

        ``1 - rank / p``, where the rank of Phi is ``min(n, p)``; of an affine
        activation, whose bulk is linear in x, ``min(n, p, d)``.
        """
        return float(1 - min(self._ranks))

    @property
    def _ranks(self) -> list[sp.Expr]:
        """Dimensions that limit the rank of the bulk, over p."""
        ridge = self.problem.ridge
        ranks = [sp.S.One, ridge.samples_per_dim / ridge.width_per_dim]
        if self._slope is not None:
            ranks.append(1 / ridge.width_per_dim)
        return ranks

    @cached_property
    def support(self) -> tuple[Interval, ...]:
        """Intervals of the support, ascending; an atom at zero is not among them.

        A gap is found however narrow it or a band next to it is, to 1e-12 of its place:
        one of finitely many shares of the eigenvalues lies below it.

        Each has a `lower` and an `upper` end with `value`, a number with `digits`
        digits or infinity, and `kind`:

        * "regular": the density rises like a square root;
        * "soft": it vanishes faster, carried by ever fewer samples whose projection
          kappa on the spike is large;
        * "hard": at zero, where it diverges.

        Raises
        ------
        ConvergenceError
            An end could not be found, or not to `digits` digits.
        """
        ranks = self._ranks
        smallest = min(ranks)
        hard = ranks.count(smallest) > 1
        found = find_support(self._branch, smallest, hard, self.digits)
        with precision(self.digits + 15):
            factor = to_ball(self._factor)
            return tuple(
                Interval(*(Edge(_scaled(e.value, factor), e.kind) for e in pair))
                for pair in found
            )

    @cached_property
    def outliers(self) -> tuple[Outlier, ...]:
        """Eigenvalues outside the support at the given `width`, ascending.

        They are the roots of ``det H(z) = 0`` (arXiv:2410.18938 for one of them), to
        10 digits, and their squared overlaps to 8 decimals. An outlier closer to an
        end of the support than 1e-6 of its value is not told from the bulk.

        Raises
        ------
        ConvergenceError
            The support reaches infinity, so that no eigenvalue is outside, however
            large; or the digits were not reached.
        """
        if mpmath.isinf(self.support[-1].upper.value):
            raise ConvergenceError(
                "the support reaches infinity, so that large eigenvalues, which the "
                "means of the features may make, are not told from its tail; draw the "
                "eigenvalues of one matrix instead"
            )
        factor = float(self._factor)
        ends = [
            float(edge.value) / factor
            for interval in self.support
            for edge in (interval.lower, interval.upper)
        ]
        gaps = list(zip([0.0, *ends[1::2]], [*ends[::2], np.inf], strict=True))
        groups = len(self._law.spikes)
        resolvent = _resolvent_of(self.problem, self._law)
        matrix, roots = isolated_roots(resolvent, self.width, gaps)
        return tuple(
            Outlier(
                value=root.z * factor,
                order="p" if root.growth > 1 / 2 else "1",
                width=self.width,
                multiplicity=root.multiplicity,
                mean_overlaps=matrix.by_direction(root)[:groups],
                latent_overlaps=matrix.by_direction(root)[groups:],
            )
            for root in roots
        )

    def threshold(
        self,
        low: float | str,
        high: float | str,
        *,
        group: int | None = None,
        digits: int = 10,
    ) -> Threshold:
        """Scale of the spikes at which an outlier leaves the bulk, at this `width`.

        The scale multiplies all u_q, that of one group, or the step of a network. There
        ``det H = 0`` at the upper end of the bulk itself.

        Parameters
        ----------
        low, high : float or str
            Positive scales between which the number of outliers above the bulk changes.
        group : int, optional
            Group whose u_q alone is multiplied, counted from 0; all by default.
        digits : int
            Significant digits, 1 to 250.

        Returns
        -------
        Threshold
            Of one outlier where several leave in between.

        Raises
        ------
        InputError
            The number of outliers is the same at both scales, there is no such group,
            or fewer than 1 digit.
        ConvergenceError
            The upper end of the bulk is not regular somewhere in between, or the digits
            were not reached.
        """
        check_digits(digits)
        scale, end = find_threshold(self.problem, self.width, low, high, digits, group)
        with precision(digits + 15):
            factor = to_ball(self._factor)
            return Threshold(to_mpf(scale), _scaled(end, factor))

    @overload
    def stieltjes(self, z: ArrayLike) -> NDArray[np.complex128]: ...
    @overload
    def stieltjes(self, z: Any, *, digits: int) -> Any: ...
    def stieltjes(self, z: Any, *, digits: int | None = None) -> Any:
        """Stieltjes transform ``s(z) = (1/p) tr (M - z)^{-1}`` of the matrix M.

        Parameters
        ----------
        z : complex array_like
            Where to evaluate, any shape. A real z stands for ``z + i0``.
        digits : int, optional
            Significant digits, relative to ``|s|``, 1 to 250. Without it float64 is
            used: the error of the ``g_q`` of the groups, of which s is the mean, is of
            the order of 1e-12, and vouched for to 1e-7 of their modulus. With it
            numbers are read as in a problem file: text such as "1/3" is exact, and 0.1
            is one tenth.

        Returns
        -------
        complex array
            Same shape. ``Im s > 0`` where ``Im z > 0``. With `digits` an mpc, or an
            array of them.

        Raises
        ------
        InputError
            A point that is no number, not finite, or 0; fewer than 1 digit.
        ConvergenceError
            A point where the equations could not be solved, or not to `digits` digits.
        """
        if digits is not None:
            return precise_transform(self._branch, self._factor, z, digits)
        return float_transform(self._resolvent, float(self._factor), z)

    @overload
    def density(self, x: ArrayLike) -> Array: ...
    @overload
    def density(self, x: Any, *, digits: int) -> Any: ...
    def density(self, x: Any, *, digits: int | None = None) -> Any:
        """Density of the eigenvalues, on the real axis itself.

        Parameters
        ----------
        x : float array_like
            Where to evaluate, any shape.
        digits : int, optional
            Significant digits, 1 to 250. Without it float64 is used, with the error
            of `stieltjes` divided by pi, whatever the density. With it numbers are read
            as in a problem file: text such as "1/3" is exact, and 0.1 is one tenth.

        Returns
        -------
        float array
            Same shape; the atom at zero is not part of it. With `digits` an mpf, or an
            array of them.

        Raises
        ------
        InputError
            A point that is no real number, not finite, or 0, where the density may have
            no value; fewer than 1 digit.
        ConvergenceError
            A point where the equations could not be solved, or not to `digits` digits.
        """
        if digits is not None:
            return precise_density(self._branch, self._factor, x, digits)
        return float_density(self._resolvent, float(self._factor), x)[0]

    def density_with_error(self, x: ArrayLike) -> tuple[Array, Array]:
        """Density in float64, and the absolute error vouched for at each point.

        Parameters
        ----------
        x : float array_like
            As for `density`, which says what is raised.
        """
        return float_density(self._resolvent, float(self._factor), x)


def _resolvent_of(problem: Problem, law: FeatureLaw) -> Resolvent:
    parameters = exact_parameters(problem, law)
    return Resolvent(law.resolvent_model, law, tuple(float(v) for v in parameters))


def _scaled(value: Any, factor: Any) -> mpmath.mpf:
    """Product as mpf; infinity stays what it is."""
    return to_mpf(value * factor) if value.is_finite() else mpmath.inf
