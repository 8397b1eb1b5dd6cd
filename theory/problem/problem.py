"""The problem: features or a network, a target, and a ridge regression, all exact.

One frozen object travels through the whole package. Its parts have the names of
the tables of a problem file, its numbers are exact SymPy numbers, its functions
are expressions in z.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import Parameter, signature
from typing import Any, cast

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import exact, read_function, sign

__all__ = ["Network", "Problem", "Ridge", "SpikedFeatures", "Target"]

Number = Any  # int, str, float, Fraction, Decimal, mpf or Expr; see `exact`
Numbers = Number | Sequence[Number]
MOST_GROUPS = 8
ROWS = ("spherical", "gaussian")


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
    readout : number or sequence of numbers
        Vocabulary ``A_q`` of the second layer at initialisation, length K.
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
    readout: tuple[sp.Expr, ...]
    step: sp.Expr
    weights: tuple[sp.Expr, ...]
    rows: str
    batch_per_dim: sp.Expr | None

    def __init__(
        self,
        *,
        activation: str | sp.Expr,
        readout: Numbers,
        step: Number,
        weights: Numbers | None = None,
        rows: str = "spherical",
        batch_per_dim: Number | None = None,
    ) -> None:
        vocabulary = _numbers(readout, "network.readout")
        if rows not in ROWS:
            raise InputError("network.rows", rows, f"give one of {', '.join(ROWS)}")
        batch = batch_per_dim
        if batch is not None:
            batch = exact(batch, "network.batch_per_dim")
            if sign(batch) <= 0:
                raise InputError("network.batch_per_dim", batch, "must be positive")
        _set(
            self,
            activation=read_function(activation, "network.activation"),
            readout=vocabulary,
            step=exact(step, "network.step"),
            weights=_fractions(weights, len(vocabulary), "network.weights"),
            rows=rows,
            batch_per_dim=batch,
        )

    @property
    def groups(self) -> int:
        """K, the number of groups of units."""
        return len(self.readout)


@dataclass(frozen=True, kw_only=True, init=False)
class Target:
    """Labels ``y = g(<w*, x>) + noise``.

    Parameters
    ----------
    function : str or Expr
        g; a catalogue name or an expression in z.
    alignment : number
        ``zeta = <w*, v>`` in [-1, 1].
    noise : number
        Standard deviation of the label noise; its variance is Delta.

    Raises
    ------
    InputError
        A value outside its domain.
    """

    function: sp.Expr
    alignment: sp.Expr
    noise: sp.Expr

    def __init__(
        self, *, function: str | sp.Expr, alignment: Number = 1, noise: Number = 0
    ) -> None:
        overlap = exact(alignment, "target.alignment")
        deviation = exact(noise, "target.noise")
        if sign(1 - overlap**2) < 0:
            raise InputError("target.alignment", alignment, "must lie in [-1, 1]")
        if sign(deviation) < 0:
            raise InputError(
                "target.noise", noise, "must not be negative, a standard deviation"
            )
        _set(
            self,
            function=read_function(function, "target.function"),
            alignment=overlap,
            noise=deviation,
        )


@dataclass(frozen=True, kw_only=True, init=False)
class Ridge:
    """Ridge regression of the second layer, in the proportional limit.

    Parameters
    ----------
    samples_per_dim : number
        ``alpha = n/d > 0``.
    width_per_dim : number
        ``beta = p/d > 0``.
    penalty : number
        ``lambda >= 0`` in ``sum_mu (y_mu - a.phi_mu/sqrt(p))^2 + lambda |a|^2``.

    Raises
    ------
    InputError
        A value outside its domain.
    """

    samples_per_dim: sp.Expr
    width_per_dim: sp.Expr
    penalty: sp.Expr

    def __init__(
        self, *, samples_per_dim: Number, width_per_dim: Number, penalty: Number
    ) -> None:
        samples = exact(samples_per_dim, "ridge.samples_per_dim")
        width = exact(width_per_dim, "ridge.width_per_dim")
        strength = exact(penalty, "ridge.penalty")
        if sign(samples) <= 0:
            raise InputError(
                "ridge.samples_per_dim", samples_per_dim, "must be positive"
            )
        if sign(width) <= 0:
            raise InputError("ridge.width_per_dim", width_per_dim, "must be positive")
        if sign(strength) < 0:
            raise InputError("ridge.penalty", penalty, "must not be negative")
        _set(self, samples_per_dim=samples, width_per_dim=width, penalty=strength)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is to be solved or simulated.

    Attributes
    ----------
    target : Target
        The labels.
    ridge : Ridge
        The regression and the proportions.
    features : SpikedFeatures, optional
        The spiked random feature model, or:
    network : Network, optional
        A network whose first layer takes one gradient step. Exactly one of the two.

    Raises
    ------
    InputError
        Both or neither of features and network are given.

    Examples
    --------
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="tanh", spike=[1.5, "-4/5"]),
    ...     target=Target(function="z", noise="3/10"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim=1.5, penalty="1e-3"),
    ... )
    >>> problem.with_values({"ridge.penalty": "1/3"}).ridge.penalty
    1/3
    """

    target: Target
    ridge: Ridge
    features: SpikedFeatures | None = None
    network: Network | None = None

    def __post_init__(self) -> None:
        """Refuse two descriptions of the first layer, or none."""
        if (self.features is None) == (self.network is None):
            given = "features and network" if self.features else "no features"
            raise InputError("problem", given, _ONE_LAYER)
        if self.network is not None and self.target.alignment != 1:
            raise InputError(
                "target.alignment",
                self.target.alignment,
                "is 1 with a [network], whose spike is the target's direction",
            )

    @property
    def groups(self) -> int:
        """K, the number of groups of units."""
        return cast(SpikedFeatures | Network, self.features or self.network).groups

    @classmethod
    def from_tables(cls, tables: Mapping[str, object]) -> "Problem":
        """Build a problem from nested mappings with the names of a problem file.

        Raises
        ------
        InputError
            An unknown or missing name, or a value outside its domain.
        """
        parts = {}
        for name, table in tables.items():
            if name not in _TABLES:
                raise InputError(name, table, f"no such table{_nearest(name, _TABLES)}")
            parts[name] = _build(name, table)
        for name in ("target", "ridge"):
            if name not in parts:
                raise InputError(name, "(missing)", f"add the table [{name}]")
        return cls(**parts)

    def tables(self) -> dict[str, dict[str, Any]]:
        """Nested mappings that :meth:`from_tables` turns into this problem again."""
        return {
            name: _entries(part)
            for name in _TABLES
            if (part := getattr(self, name)) is not None
        }

    def with_values(self, values: Mapping[str, object]) -> "Problem":
        """Replace values by their dotted names, such as "ridge.penalty".

        Equal bulks and weights stay equal when the number of groups changes.

        Raises
        ------
        InputError
            An unknown name, or a value outside its domain.
        """
        tables: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            table, _, key = name.partition(".")
            part = getattr(self, table) if table in _TABLES else None
            if part is None or not key:
                known = [f"{t}.{k}" for t, keys in self.tables().items() for k in keys]
                raise InputError(name, value, f"no such field{_nearest(name, known)}")
            if table not in tables:
                tables[table] = _for_any_number_of_groups(part)
            _check_field(table, key, value)
            tables[table][key] = value
        parts = {name: getattr(self, name) for name in _TABLES}
        for table, entries in tables.items():
            parts[table] = _TABLES[table](**entries)
        return type(self)(**parts)


_ONE_LAYER = "give either features or network, one of the two"
_TABLES: Mapping[str, Any] = {
    "features": SpikedFeatures,
    "network": Network,
    "target": Target,
    "ridge": Ridge,
}


@cache
def _parameters(part: type) -> dict[str, Parameter]:
    """Parameters of a part's constructor, by their names."""
    return dict(signature(part).parameters)


def _entries(part: Any) -> dict[str, Any]:
    """Entries of a part's table."""
    return {name: getattr(part, name) for name in _parameters(part.__class__)}


def _for_any_number_of_groups(part: Any) -> dict[str, Any]:
    """Entries of a part's table, its bulks and weights left equal if they are."""
    entries = _entries(part)
    for key in {"bulk", "weights"} & entries.keys():
        if len(set(entries[key])) == 1:
            entries[key] = entries[key][0] if key == "bulk" else None
    return entries


def _build(name: str, table: object) -> Any:
    """Call the class of a table with its entries, after checking their names."""
    if not isinstance(table, Mapping):
        raise InputError(name, table, f"must be a table [{name}]")
    for key, value in table.items():
        _check_field(name, key, value)
    for key, parameter in _parameters(_TABLES[name]).items():
        if parameter.default is Parameter.empty and key not in table:
            raise InputError(f"{name}.{key}", "(missing)", "has no default; give it")
    return _TABLES[name](**table)


def _check_field(table: str, key: str, value: object) -> None:
    known = _parameters(_TABLES[table])
    if key not in known:
        raise InputError(
            f"{table}.{key}", value, f"no such field{_nearest(key, known)}"
        )


def _set(part: object, **values: object) -> None:
    """Fill a frozen object."""
    vars(part).update(values)


def _numbers(value: Numbers, field: str) -> tuple[sp.Expr, ...]:
    """Read one number or a list of them, from 1 to `MOST_GROUPS`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        value = [value]
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
    if not (sum(numbers) - 1).equals(0):
        raise InputError(
            field,
            value,
            f"must sum to 1, not {sp.N(sum(numbers), 12)}; write thirds as '1/3'",
        )
    return numbers


def _nearest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"
