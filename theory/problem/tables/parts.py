"""The parts of a problem but for its fit: features or a network, and a target.

They have the names of the tables of a problem file. Their numbers are exact SymPy
numbers, their functions expressions in z.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError, is_name
from detequiv.theory.functions import (
    exact,
    projections,
    read_function,
    read_target,
    sign,
    z,
)
from detequiv.theory.problem.tables.labels import mean_label, read_labels
from detequiv.theory.problem.tables.lists import (
    read_fractions,
    read_numbers,
    read_numbers_or_vectors,
)
from detequiv.theory.problem.tables.readouts import ReadoutLaw, read_law
from detequiv.theory.problem.tables.spelled import Spelled
from detequiv.theory.problem.tables.vectors import is_list, is_nested, read_alignment

__all__ = ["Network", "SpikedFeatures", "Target"]

Number = Any  # int, str, float, Fraction, Decimal, mpf or Expr; see `exact`
Numbers = Number | Sequence[Number]
ROWS = ("spherical", "gaussian")
NO_LIMIT = (
    "has no theory here without a width: with infinitely many readouts the limit "
    "learns functions of the projection at no cost, and no network comes near it; "
    "solve, curve and learned take a width (--width 400), and curve can simulate"
)
MOST_STEPS = 10


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
        strengths = read_numbers_or_vectors(spike, name + "spike")
        squares = [sum(v**2 for v in u) if is_nested([u]) else u**2 for u in strengths]
        scales = read_numbers(bulk, name + "bulk")
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
            weights=read_fractions(weights, len(strengths), name + "weights"),
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
    """A two-layer network whose first layer takes one gradient step, or several.

    Parameters
    ----------
    activation : str or Expr
        sigma; a catalogue name or an expression in z.
    readout : number or sequence of numbers, or of vectors, or str or mapping
        Vocabulary ``A_q`` of the second layer at initialisation, length K; with H
        heads, vectors of length H. Or a law with a density, "normal" (standard) or
        "uniform" (on [-1, 1]), or with other numbers
        ``{"law": "normal", "mean": 0, "deviation": 1}`` and
        ``{"law": "uniform", "low": -1, "high": 1}``.
    step : number or sequence of numbers
        Step size eta, or one a step.
    steps : int
        How many are taken.
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
    readout: tuple[Any, ...] | ReadoutLaw
    step: Any
    steps: int
    weights: tuple[sp.Expr, ...]
    rows: str
    batch_per_dim: sp.Expr | None

    def __init__(
        self,
        *,
        activation: str | sp.Expr,
        readout: Numbers | Sequence[Any] | str | Mapping[str, Any] | ReadoutLaw,
        step: Numbers,
        steps: int = 1,
        weights: Numbers | None = None,
        rows: str = "spherical",
        batch_per_dim: Number | None = None,
    ) -> None:
        law = read_law(readout)
        vocabulary = law or read_numbers_or_vectors(readout, "network.readout")
        count = len(list(step)) if is_list(step) and steps == 1 else steps
        if isinstance(count, bool) or count not in range(1, MOST_STEPS + 1):
            raise InputError("network.steps", steps, f"give from 1 to {MOST_STEPS}")
        rates = read_numbers(step, "network.step")
        if len(rates) not in (1, count):
            raise InputError("network.step", step, f"give 1 or {count} numbers")
        if not is_name(rows, ROWS):
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
            step=rates[0] if len(set(rates)) == 1 else rates,
            steps=count,
            weights=()
            if isinstance(vocabulary, ReadoutLaw)
            else read_fractions(weights, len(vocabulary), "network.weights"),
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
        return is_nested(self.readout) or self.steps > 1

    @property
    def vectors(self) -> tuple[tuple[sp.Expr, ...], ...]:
        """Values of the vocabulary, one number a head."""
        values: tuple[Any, ...] = self.vocabulary
        return values if is_nested(values) else tuple((a,) for a in values)

    @property
    def rates(self) -> tuple[sp.Expr, ...]:
        """Step size of each step."""
        return self.step if isinstance(self.step, tuple) else (self.step,) * self.steps


@dataclass(frozen=True, kw_only=True, init=False, repr=False)
class Target(Spelled):
    """Labels ``y = f*(<w*, x>) + noise``, or labels of -1 and 1.

    Parameters
    ----------
    function : str or Expr
        f*; a catalogue name or an expression in z, or in z1, z2, .., the projections
        on several orthonormal w*.
    functions : sequence of str or Expr, optional
        What the heads of a [network] are trained on, one a head; `function` itself by
        default.
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
    functions: tuple[sp.Expr, ...] | None
    alignment: Any
    noise: sp.Expr
    labels: str
    slope: sp.Expr | None

    def __init__(
        self,
        *,
        function: str | sp.Expr,
        functions: Sequence[str | sp.Expr] | None = None,
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
        if functions is not None:
            if not is_list(functions) or not functions:
                raise InputError(
                    "target.functions", functions, "give a list, as ['z1']"
                )
            functions = tuple(read_target(g, "target.functions") for g in functions)
        _set(
            self,
            function=read,
            functions=functions,
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
        return (
            is_nested(self.alignment)
            or self.projections > 1
            or self.functions is not None
        )

    @property
    def heads(self) -> tuple[sp.Expr, ...]:
        """What heads are trained on, in z1, z2, ..."""
        functions = self.functions or (self.function,)
        return tuple(g.subs(z, projections[0]) for g in functions)

    @property
    def projections(self) -> int:
        """The number of z1, z2, .. that the functions have, or 1."""
        functions = (self.function, *(self.functions or ()))
        known = set().union(*(g.free_symbols for g in functions))
        return max((i for i, s in enumerate(projections, 1) if s in known), default=1)

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
