"""The covariance of data, and where a target's linear part lies in it."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detequiv.theory.errors import InputError
from detequiv.theory.problem import Inputs

__all__ = ["MeasuredInputs", "measure_inputs"]

PLACES = 15  # decimals of what is measured


@dataclass(frozen=True, kw_only=True)
class MeasuredInputs:
    """What a data matrix says of its inputs. Nothing in it is shrunk.

    Attributes
    ----------
    inputs : Inputs
        Eigenvalues of the sample covariance, descending, in units of their mean, and,
        if there is a target, its power along their eigenvectors.
    samples, dimension : int
        n and d.
    explained : float or None
        Share of the target's variance that linear regression explains in this sample.
    floor : float
        What regression would explain of pure noise, ``d/n`` on average (1 at most): the
        noise of n samples has power ``1/n`` along every direction.
    """

    inputs: Inputs
    samples: int
    dimension: int
    explained: float | None
    floor: float


def measure_inputs(data: ArrayLike, target: ArrayLike | None = None) -> MeasuredInputs:
    """Measure eigenvalues and target power.

    Columns are centred, not scaled. With eigenvectors ``e_i`` of the sample covariance
    and c its vector with the target, the power along ``e_i`` is ``(e_i . c)^2 / s_i``.

    Parameters
    ----------
    data : (n, d) array_like
        One input a row.
    target : (n,) array_like, optional
        The label of each.

    Raises
    ------
    InputError
        Shapes that do not fit, numbers that are not finite, or nothing that varies.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((5000, 3)) * [2, 1, 1]
    >>> found = measure_inputs(x, x[:, 0] + rng.standard_normal(5000))
    >>> [round(float(s), 1) for s in found.inputs.levels.s]
    [2.0, 0.5, 0.5]
    >>> round(found.explained, 1), found.floor
    (0.8, 0.0006)
    """
    x = _numbers(data, "data", 2)
    samples, dimension = x.shape
    if samples < 2:
        raise InputError("data", f"{samples} rows", "give one input a row, 2 at least")
    x = x - x.mean(0)
    # ascending squares of singular values; right singular vectors in rows
    from scipy.linalg import svd  # takes long to import

    _, size, axes = svd(x, full_matrices=False)
    values = np.zeros(dimension)
    values[: len(size)] = np.where(size > 1e-12 * size[0], size**2 / samples, 0)
    if not values.any():
        raise InputError("data", "constant", "no column varies")
    values /= values.mean()
    power, explained = None, None
    if target is not None:
        y = _numbers(target, "target", 1)
        if len(y) != samples:
            raise InputError("target", f"{len(y)} labels", f"give {samples}, one a row")
        y = y - y.mean()
        if not y.any():
            raise InputError("target", "constant", "it does not vary")
        along = np.zeros(dimension)
        seen = values[: len(size)] > 0
        along[: len(size)][seen] = (axes[seen] @ (x.T @ y) / size[seen]) ** 2
        if not along.any():
            raise InputError("target", "uncorrelated", "no column explains any of it")
        explained = float(along.sum() / (y @ y))
        power = _shares(along)
    inputs = Inputs(
        eigenvalues=[f"{v:.{PLACES}g}" for v in values],
        target_power=power,
        dimension=dimension,
    )
    return MeasuredInputs(
        inputs=inputs,
        samples=samples,
        dimension=dimension,
        explained=explained,
        floor=min(1.0, dimension / samples),
    )


def _shares(power: NDArray[np.float64]) -> list[Fraction]:
    """Round to decimals that sum to 1; the largest takes what rounding leaves."""
    unit = 10**PLACES
    shares = [Fraction(round(v * unit), unit) for v in power / power.sum()]
    shares[int(np.argmax(power))] += 1 - sum(shares)
    return shares


def _numbers(given: Any, name: str, dimensions: int) -> NDArray[np.float64]:
    try:
        values = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise InputError(name, type(given).__name__, "give numbers") from None
    if dimensions == 1 and values.ndim == 2 and 1 in values.shape:
        values = values.ravel()
    if values.ndim != dimensions:
        raise InputError(
            name, values.shape, f"give an array of {dimensions} dimensions"
        )
    if not np.isfinite(values).all():
        raise InputError(name, "nan or inf", "give finite numbers")
    return values
