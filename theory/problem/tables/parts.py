"""The parts of a problem but for its fit: features or a network, and a target.

They have the names of the tables of a problem file. Their numbers are exact SymPy
numbers, their functions expressions in z.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import (
    exact,
    is_rounded,
    projections,
    read_function,
    read_target,
    sign,
)
from detequiv.theory.problem.tables.labels import mean_label, read_labels
from detequiv.theory.problem.tables.readouts import ReadoutLaw, read_law
from detequiv.theory.problem.tables.spelled import Spelled
from detequiv.theory.problem.tables.vectors import (
    is_list,
    is_nested,
    read_alignment,
    read_vectors,
)

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


@dataclass(frozen=True, kw_only=True, init=False, repr=False)
class SpikedFeatures(Spelled):
    """Spiked random features: rows ``f_j = rho_q w_j + u_q v``.

    Parameters
    ----------
    activation : str or Expr
        sigma; a catalogue name or an expression in z.
    spike : number or sequence of numbers, or of vectors
        Spike strengths ``u_q``, length K; as vectors, those along several orthonormal
        directions.
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
    spike: tuple[Any, ...]
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
        strengths = _numbers_or_vectors(spike, name + "spike")
        squares = [sum(v**2 for v in u) if is_nested([u]) else u**2 for u in strengths]
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
                [u + r**2 for u, r in zip(squares, scales, strict=True)],
            ),
            spike=strengths,
            bulk=scales,
            weights=_fractions(weights, len(strengths), name + "weights"),
        )

    @property
    def groups(self) -> int:
        """K, the number of groups of units."""
        return len(self.spike)

    @property
    def several(self) -> bool:
        """Whether the spikes are vectors."""
        return is_nested(self.spike)


@dataclass(frozen=True, kw_only=True, init=False, repr=False)
class Network(Spelled):
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

    @property
    def several(self) -> bool:
        """Whether there are several heads or several steps."""
        return False


@dataclass(frozen=True, kw_only=True, init=False, repr=False)
class Target(Spelled):
    """Labels ``y = f*(<w*, x>) + noise``, or labels of -1 and 1.

    Parameters
    ----------
    function : str or Expr
        f*; a catalogue name or an expression in z, or one in z1, z2, .., the
        projections on several orthonormal w*.
    alignment : number, or sequence of vectors
        ``zeta = <w*, v>`` in [-1, 1]; the matrix ``<w*_l, v_i>`` for several.
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
    alignment: Any
    noise: sp.Expr
    labels: str
    slope: sp.Expr | None

    def __init__(
        self,
        *,
        function: str | sp.Expr,
        alignment: Number | Sequence[Any] = 1,
        noise: Number = 0,
        labels: str = "none",
        slope: Number | None = None,
    ) -> None:
        overlap = read_alignment(alignment, "target.alignment")
        deviation = exact(noise, "target.noise")
        if sign(deviation) < 0:
            raise InputError(
                "target.noise", noise, "must not be negative, a standard deviation"
            )
        read = read_target(function, "target.function")
        if labels != "none" and read.free_symbols & set(projections):
            raise InputError(
                "target.labels", labels, "are made of one projection; use z alone"
            )
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
    def several(self) -> bool:
        """Whether the labels are of several projections, or aligned with several."""
        return is_nested(self.alignment) or self.projections > 1

    @property
    def projections(self) -> int:
        """The number of z1, z2, .. that the function has, or 1."""
        names = [s for s in projections if s in self.function.free_symbols]
        return projections.index(names[-1]) + 1 if names else 1

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


def _numbers_or_vectors(value: Any, field: str) -> tuple[Any, ...]:
    """Read numbers, or vectors of more than one."""
    if not is_nested(value):
        return _numbers(value, field)
    if len(value) > MOST_GROUPS:
        raise InputError(field, value, f"give from 1 to {MOST_GROUPS} vectors")
    vectors = read_vectors(value, field)
    return sum(vectors, ()) if len(vectors[0]) == 1 else vectors


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
    return list(value) if is_list(value) else [value]
