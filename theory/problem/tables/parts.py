"""The parts of a problem but for its fit: features or a network, and a target.

They have the names of the tables of a problem file. Their numbers are exact SymPy
numbers, their functions expressions in z.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import exact, is_rounded, read_function, sign
from detequiv.theory.problem.tables.labels import mean_label, read_labels
from detequiv.theory.problem.tables.readouts import ReadoutLaw, read_law

__all__ = ["MOST_GROUPS", "Network", "SpikedFeatures", "Target"]

Number = Any  # int, str, float, Fraction, Decimal, mpf or Expr; see `exact`
Numbers = Number | Sequence[Number]
MOST_GROUPS = 8
ROWS = ("spherical", "gaussian")
NO_LIMIT = (
    "has no theory here without a width: with infinitely many readouts the limit "
    "learns functions of the projection at no cost, and no network comes near it; "
    "solve and curve take a width (--width 400), and curve can simulate"
)


@dataclass(frozen=True, kw_only=True, init=False)
class SpikedFeatures:
    """Spiked random features: rows ``f_j = rho_q w_j + u_q v``.

    Parameters
    ----------
    activation : str or Expr
        sigma; a catalogue name or an expression in z.
    spike : number or sequence of numbers
        Spike strengths ``u_q``, length K.
    bulk : number or sequence of numbers
        Bulk scales ``rho_q > 0``, length K; one number serves all groups.
    weights : sequence of numbers, optional
        Fractions ``pi_q > 0`` of the units, length K, of sum 1; equal by default.

    Raises
    ------
    InputError
        A value outside its domain.
    """

    activation: sp.Expr
    spike: tuple[sp.Expr, ...]
    bulk: tuple[sp.Expr, ...]
    weights: tuple[sp.Expr, ...]

    def __init__(
        self,
        *,
        activation: str | sp.Expr,
        spike: Numbers,
        bulk: Numbers = 1,
        weights: Numbers | None = None,
    ) -> None:
        name = "features."
        strengths = _numbers(spike, name + "spike")
        scales = _numbers(bulk, name + "bulk")
        if len(scales) == 1:
            scales *= len(strengths)
        if len(scales) != len(strengths):
            raise InputError(name + "bulk", bulk, f"give 1 or {len(strengths)} numbers")
        for scale in scales:
            if sign(scale) <= 0:
                raise InputError(name + "bulk", scale, "must be positive")
        _set(
            self,
            activation=read_function(
                activation,
                name + "activation",
                [u**2 + r**2 for u, r in zip(strengths, scales, strict=True)],
            ),
            spike=strengths,
            bulk=scales,
            weights=_fractions(weights, len(strengths), name + "weights"),
        )

    @property
    def groups(self) -> int:
        """K, the number of groups of units."""
        return len(self.spike)


@dataclass(frozen=True, kw_only=True, init=False)
class Network:
    """A two-layer network whose first layer takes one gradient step.

    Parameters
    ----------
    activation : str or Expr
        sigma; a catalogue name or an expression in z.
    readout : number or sequence of numbers, or str or mapping
        Vocabulary ``A_q`` of the second layer at initialisation, length K; or a law
        with a density, "normal" (standard) or "uniform" (on [-1, 1]), or with other
        numbers ``{"law": "normal", "mean": 0, "deviation": 1}`` and
        ``{"law": "uniform", "low": -1, "high": 1}``.
    step : number
        Step size eta.
    weights : sequence of numbers, optional
        Fractions ``pi_q > 0`` of the units, length K, of sum 1; equal by default.
    rows : str
        Law of the first layer's rows at initialisation: "spherical", uniform on the
        unit sphere, or "gaussian", ``N(0, I_d / d)``.
    batch_per_dim : number, optional
        Samples of the gradient step over the dimension, ``alpha0 = n0/d > 0``; the
        population gradient by default.

    Raises
    ------
    InputError
        A value outside its domain.
    """

    activation: sp.Expr
    readout: tuple[sp.Expr, ...] | ReadoutLaw
    step: sp.Expr
    weights: tuple[sp.Expr, ...]
    rows: str
    batch_per_dim: sp.Expr | None

    def __init__(
        self,
        *,
        activation: str | sp.Expr,
        readout: Numbers | str | Mapping[str, Any] | ReadoutLaw,
        step: Number,
        weights: Numbers | None = None,
        rows: str = "spherical",
        batch_per_dim: Number | None = None,
    ) -> None:
        law = read_law(readout)
        vocabulary = _numbers(readout, "network.readout") if law is None else law
        if rows not in ROWS:
            raise InputError("network.rows", rows, f"give one of {', '.join(ROWS)}")
        batch = batch_per_dim
        if batch is not None:
            batch = exact(batch, "network.batch_per_dim")
            if sign(batch) <= 0:
                raise InputError("network.batch_per_dim", batch, "must be positive")
        if law is not None and weights:
            raise InputError("network.weights", weights, "belong to a vocabulary")
        if law is not None and batch is not None:
            raise InputError(
                "network.batch_per_dim",
                batch,
                f"is worked out for a vocabulary, not for readout = {law.law!r}",
            )
        _set(
            self,
            activation=read_function(activation, "network.activation"),
            readout=vocabulary,
            step=exact(step, "network.step"),
            weights=()
            if isinstance(vocabulary, ReadoutLaw)
            else _fractions(weights, len(vocabulary), "network.weights"),
            rows=rows,
            batch_per_dim=batch,
        )

    @property
    def groups(self) -> int:
        """K, the number of groups of units."""
        return len(self.vocabulary)

    @property
    def vocabulary(self) -> tuple[sp.Expr, ...]:
        """The values of the readout.

        Raises
        ------
        InputError
            They have a density.
        """
        if isinstance(self.readout, ReadoutLaw):
            raise InputError("network.readout", self.readout.law, NO_LIMIT)
        return self.readout


@dataclass(frozen=True, kw_only=True, init=False)
class Target:
    """Labels ``y = f*(<w*, x>) + noise``, or labels of -1 and 1.

    Parameters
    ----------
    function : str or Expr
        f*; a catalogue name or an expression in z.
    alignment : number
        ``zeta = <w*, v>`` in [-1, 1].
    noise : number
        Standard deviation of the label noise; its variance is Delta.
    labels : str
        ``"none"``: y as above, ``"sign"``: the sign of it, ``"logit"``: 1 with
        probability ``1 / (1 + exp(-slope f*))``, without noise, else -1.
    slope : number, optional
        Of ``"logit"`` labels, positive.

    Raises
    ------
    InputError
        A value outside its domain.
    """

    function: sp.Expr
    alignment: sp.Expr
    noise: sp.Expr
    labels: str
    slope: sp.Expr | None

    def __init__(
        self,
        *,
        function: str | sp.Expr,
        alignment: Number = 1,
        noise: Number = 0,
        labels: str = "none",
        slope: Number | None = None,
    ) -> None:
        overlap = exact(alignment, "target.alignment")
        deviation = exact(noise, "target.noise")
        if sign(1 - overlap**2) < 0:
            raise InputError("target.alignment", alignment, "must lie in [-1, 1]")
        if sign(deviation) < 0:
            raise InputError(
                "target.noise", noise, "must not be negative, a standard deviation"
            )
        read = read_function(function, "target.function")
        _set(
            self,
            function=read,
            alignment=overlap,
            noise=deviation,
            labels=labels,
            slope=read_labels(read, labels, deviation, slope),
        )

    @property
    def binary(self) -> bool:
        """Whether labels are -1 and 1."""
        return self.labels != "none"

    @property
    def mean(self) -> sp.Expr:
        """Mean of the labels given ``<w*, x> = z``, an expression in z."""
        return mean_label(self.function, self.labels, self.noise, self.slope)

    @property
    def variance(self) -> sp.Expr:
        """Variance of the labels given ``<w*, x> = z``, an expression in z."""
        return 1 - self.mean**2 if self.binary else self.noise**2


def _set(part: object, **values: object) -> None:
    """Fill a frozen object."""
    vars(part).update(values)


def _numbers(value: Numbers, field: str) -> tuple[sp.Expr, ...]:
    """Read one number or a list of them, from 1 to `MOST_GROUPS`."""
    value = _entries(value)
    if not 1 <= len(value) <= MOST_GROUPS:
        raise InputError(field, value, f"give from 1 to {MOST_GROUPS} numbers")
    return tuple(exact(v, field) for v in value)


def _fractions(value: Numbers | None, count: int, field: str) -> tuple[sp.Expr, ...]:
    """Read fractions of sum 1."""
    if value is None:
        return (sp.Rational(1, count),) * count
    numbers = _numbers(value, field)
    if len(numbers) != count:
        raise InputError(field, value, f"give {count} numbers, one a group")
    if not all(sign(v) > 0 for v in numbers):
        raise InputError(field, value, "must be positive")
    total = sum(numbers)
    rounding = count * max(map(is_rounded, _entries(value)))
    if rounding and abs(total - 1) <= rounding:
        return tuple(v / total for v in numbers)
    if not (total - 1).equals(0):
        raise InputError(
            field,
            value,
            f"must sum to 1, and miss it by {sp.N(abs(total - 1), 3)}; write thirds "
            "as '1/3'",
        )
    return numbers


def _entries(value: Any) -> list[Any]:
    """Entries of a list or an array, or the one number as a list."""
    if isinstance(value, list | tuple):
        return list(value)
    if getattr(value, "ndim", 0):
        return list(value)
    return [value]
