r"""Stieltjes transform and density, in float64 or to the digits asked for.

The digits of the transform count relative to its modulus, those of the density relative
to the density itself: in a tail, where the imaginary part of the transform is small
beside the real one, more of them are carried. Where it is not told from 0 the real
branch decides whether x is off the support, where the density is 0.

The equations are in the scale of ``Phi^T Phi / p``, points and results in that of the
matrix ``factor Phi^T Phi / p``.
"""

from math import floor, log10
from typing import Any

import flint
import mpmath
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import (
    check_digits,
    precision,
    to_ball,
    to_float,
    to_mpf,
)
from detequiv.numerics.resolvent import (
    GUARD,
    Point,
    RealBranch,
    Resolvent,
    precise_roots,
)
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.functions import exact

__all__ = [
    "float_density",
    "float_transform",
    "precise_density",
    "precise_transform",
]

arb, acb = flint.arb, flint.acb
ROUNDS = 3  # of more digits
FEWEST = 10.0  # digits worked with: the error of a coarser rule is not told
SPARE = 2.0  # digits


def precise_transform(branch: RealBranch, factor: sp.Expr, z: Any, digits: int) -> Any:
    """Stieltjes transform to `digits` digits of its modulus.

    Parameters
    ----------
    branch : RealBranch
        The equations of one problem.
    factor : Expr
        What eigenvalues of ``Phi^T Phi / p`` are multiplied by.
    z : complex array_like
        Where, in the scale with that factor; not 0. A real z stands for ``z + i0``.
    digits : int
        Significant digits.

    Returns
    -------
    mpc or array of mpc
        Same shape as z.

    Raises
    ------
    InputError
        A point that is not finite, or 0; fewer than 1 digit.
    ConvergenceError
        A point where the digits cannot be vouched for.
    """
    points, places = _read(z, "z", digits)
    upper = [(x / factor, sp.Abs(y) / factor) for x, y in places]
    found = _reach(branch, upper, digits, imaginary=False)
    values = []
    with precision(digits + GUARD):
        scale = to_ball(factor)
        for s, (_, y) in zip(found, places, strict=True):
            value = mpmath.mpc(to_mpf(s.real / scale), to_mpf(s.imag / scale))
            values.append(value.conjugate() if y.is_negative else value)
    return _shape(values, points)


def precise_density(branch: RealBranch, factor: sp.Expr, x: Any, digits: int) -> Any:
    """Density at ``x + i0`` to `digits` digits.

    Parameters
    ----------
    branch : RealBranch
        The equations of one problem.
    factor : Expr
        What eigenvalues of ``Phi^T Phi / p`` are multiplied by.
    x : array_like
        Where, in the scale with that factor; not 0.
    digits : int
        Significant digits.

    Returns
    -------
    mpf or array of mpf
        Same shape as x; exactly 0 off the support.

    Raises
    ------
    InputError
        A point that is not real, not finite, or 0; fewer than 1 digit.
    ConvergenceError
        A point where the digits cannot be vouched for: next to an end of the support,
        or so far out in a tail that the density is not told from 0.
    """
    points, places = _read(x, "x", digits)
    if any(y != 0 for _, y in places):
        raise InputError("x", x, "must be real")
    positive = [(v / factor, sp.S.Zero) for v, _ in places if v.is_positive]
    found = iter(_reach(branch, positive, digits, imaginary=True))
    with precision(digits + GUARD):
        unit = to_ball(factor) * arb.pi()
        values = [
            to_mpf(next(found) / unit) if v.is_positive else mpmath.mpf(0)
            for v, _ in places
        ]
    return _shape(values, points)


def _read(points: Any, name: str, digits: int) -> tuple[Any, list[Point]]:
    """Read points exactly: as an array, and as real and imaginary parts."""
    check_digits(digits)
    array, places = np.asarray(points, object), []
    for value in array.ravel():
        if isinstance(value, complex | mpmath.mpc | np.complexfloating):
            place = exact(value.real, name), exact(value.imag, name)
        else:
            place = exact(value, name), sp.S.Zero
        if place == (0, 0):
            raise InputError(name, value, "must not be 0")
        places.append(place)
    return array, places


def _shape(values: list[Any], like: Any) -> Any:
    """Arrange values as the points were; a single one stands for itself."""
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(like.shape) if like.shape else values[0]


def _reach(
    branch: RealBranch, z: list[Point], digits: int, *, imaginary: bool
) -> list[Any]:
    """Solve with more digits until each value, or imaginary part, has those asked."""
    resolvent = branch.resolvent
    values: list[Any] = [None] * len(z)
    todo, carried = list(range(len(z))), max(digits, FEWEST) + SPARE
    for _ in range(ROUNDS):
        points = [z[k] for k in todo]
        roots = precise_roots(resolvent, branch.exact, points, carried)
        lacking, deepest = [], 0.0
        with precision(carried + GUARD):
            weights = [to_ball(w) for w in resolvent.law.weights]
            sizes = roots.sizes[:, : len(weights)] @ np.array(weights, float)
            for k, x, size, error in zip(
                todo, roots.unknowns, sizes, roots.errors, strict=True
            ):
                value = sum((w * g for w, g in zip(weights, x, strict=False)), acb(0))
                value = (value.imag if imaginary else value).mid()
                # digits by which the value lies below the unknowns it is made of
                known = bool(abs(value) > error * size)
                depth = log10(size / float(abs(value))) if known else carried
                if -log10(error) - depth >= digits:
                    values[k] = value
                elif error > 10.0**-carried:
                    raise ConvergenceError(_short(z[k], -log10(error) - depth, digits))
                elif imaginary and not known and _outside(branch, z[k], x):
                    values[k] = arb(0)
                else:
                    lacking.append(k)
                    deepest = max(deepest, depth)
        if not lacking:
            return values
        todo, carried = lacking, digits + deepest + SPARE
    raise ConvergenceError(_short(z[todo[0]], 0.0, digits))


def _outside(branch: RealBranch, z: Point, x: list[Any]) -> bool:
    """Whether the unknowns lie on the real branch, off the support."""
    start = np.array([float(v.real) for v in x])
    return branch.at(to_float(z[0]), start) is not None


def _short(z: Point, reached: float, digits: int) -> str:
    z_text = f"{complex(*map(to_float, z)):.10g}"
    return (
        f"at z = {z_text} (scale of Phi^T Phi / p) {floor(max(0.0, reached))} of "
        f"{digits} digits were reached: an end of the support is next to it, or it is "
        "far out in a tail; move away from there, or ask for fewer digits"
    )


def float_transform(
    resolvent: Resolvent, factor: float, z: Any
) -> NDArray[np.complex128]:
    """Stieltjes transform at points z."""
    return _transform(resolvent, factor, _points("z", z))[0]


def float_density(
    resolvent: Resolvent, factor: float, x: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Density at real points x, 0 at those that are negative, and its error."""
    given = _points("x", x)
    if given.imag.any():
        raise InputError("x", x, "must be real")
    density, error = np.zeros(given.shape), np.zeros(given.shape)
    positive = given.real > 0
    values, relative = _transform(resolvent, factor, given[positive])
    density[positive] = np.maximum(values.imag / np.pi, 0.0)
    error[positive] = relative * np.abs(values) / np.pi
    return density, error


def _transform(
    resolvent: Resolvent, factor: float, points: NDArray[np.complex128]
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Transform, and its error relative to the modulus."""
    below = points.imag < 0
    upper = np.where(below, points.conj(), points).ravel() / factor
    roots = resolvent.solve(upper)
    weights = np.array([float(v) for v in resolvent.law.weights])
    values = roots.unknowns[:, : len(weights)] @ weights / factor
    values = values.reshape(points.shape)
    transform: NDArray[np.complex128] = np.where(below, values.conj(), values)
    return transform, roots.errors.reshape(points.shape)


def _points(name: str, values: Any) -> NDArray[np.complex128]:
    """Read the points at which a law is evaluated."""
    try:
        points = np.asarray(values, complex)
    except (TypeError, ValueError):
        raise InputError(name, values, "give numbers") from None
    if not np.isfinite(points).all() or (points == 0).any():
        raise InputError(name, values, "must be finite and not 0")
    return points
