"""The covariance of the inputs: its levels, and where the target's variance lies.

Levels are normalised, ``(1/d) tr Sigma = 1``, whatever the unit of the eigenvalues.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import mpmath
import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import exact, is_rounded, sign
from detequiv.theory.precision import decimal_digits
from detequiv.theory.problem.tables.spelled import Spelled

__all__ = ["PRECISION", "Inputs", "Levels", "PowerLaw"]

Number = Any
PRECISION = 330  # digits of what the levels are given in: more than are ever asked for
MOST_LEVELS = 100_000  # of a power law
COLUMNS = ("eigenvalue", "target_power", "weight")


@dataclass(frozen=True, repr=False)
class PowerLaw:
    """Eigenvalues ``i^-exponent``, i = 1..levels, each of one direction.

    Attributes
    ----------
    exponent : Expr
        Capacity, at least 0.
    levels : int
    target_exponent : Expr
        The target's power on level i is proportional to ``i^-target_exponent``.
    """

    exponent: sp.Expr
    levels: int
    target_exponent: sp.Expr

    def __repr__(self) -> str:
        """Write the mapping that is read as this law."""
        return repr(
            {name: v if name == "levels" else str(v) for name, v in vars(self).items()}
        )


@dataclass(frozen=True)
class Levels:
    """Levels in numbers of `PRECISION` digits.

    Attributes
    ----------
    s, weights, power : tuple of mpf
        Eigenvalues with ``sum weights s = 1``, fractions of the directions, and shares
        of ``w*^T Sigma w*``.
    """

    s: tuple[mpmath.mpf, ...]
    weights: tuple[mpmath.mpf, ...]
    power: tuple[mpmath.mpf, ...]


@dataclass(frozen=True, kw_only=True, init=False, repr=False)
class Inputs(Spelled):
    """Gaussian inputs with a covariance, by its eigenvalues.

    Parameters
    ----------
    eigenvalues : sequence of numbers
        Levels of the covariance, not negative, in any unit: they are normalised to
        ``(1/d) tr Sigma = 1``.
    weights : sequence of numbers, optional
        Fractions of the directions on each level, of sum 1; equal by default.
    target_power : sequence of numbers, optional
        Share of each level in the variance of ``<w*, x>``, of sum 1; by default in
        proportion to weight times eigenvalue, that of a w* without preferences.
    power_law : mapping, optional
        ``{"exponent": a, "levels": L}`` instead of `eigenvalues`: ``i^-a``, each of one
        direction. With ``"target_exponent": b`` the target's power is that of
        ``i^-b``; b = a by default.
    file : path-like, optional
        CSV file instead of `eigenvalues`, with a header: a column ``eigenvalue``,
        and if need be ``target_power`` (in any unit) and ``weight``. Without
        weights each eigenvalue is that of one direction.
    dimension : int, optional
        The number d of inputs that the eigenvalues are those of, each direction's;
        that of a power law or a file without weights is known. Theory holds where the
        largest eigenvalue is small beside ``sqrt(d)``.

    Raises
    ------
    InputError
        A value outside its domain, or levels given twice.
    """

    eigenvalues: tuple[sp.Expr, ...] | None
    weights: tuple[sp.Expr, ...] | None
    target_power: tuple[sp.Expr, ...] | None
    power_law: PowerLaw | None
    dimension: int | None

    def __init__(
        self,
        *,
        eigenvalues: Sequence[Number] | None = None,
        weights: Sequence[Number] | None = None,
        target_power: Sequence[Number] | None = None,
        power_law: Mapping[str, Any] | PowerLaw | None = None,
        file: Any = None,
        dimension: int | None = None,
    ) -> None:
        given = {"eigenvalues": eigenvalues, "power_law": power_law, "file": file}
        sources = [name for name, value in given.items() if value is not None]
        if len(sources) != 1:
            raise InputError(
                "inputs",
                " and ".join(sources) or "(empty)",
                "give one of eigenvalues, power_law and file",
            )
        if power_law is not None:
            if weights is not None:
                raise InputError(
                    "inputs.weights", weights, "are equal with a power_law"
                )
            law = _power_law(power_law)
            if target_power is not None:
                target_power = _shares(target_power, law.levels, "target_power")
            vars(self).update(
                eigenvalues=None,
                weights=None,
                target_power=target_power,
                power_law=law,
                dimension=law.levels,
            )
            return
        if file is not None:
            if weights is not None or target_power is not None:
                raise InputError("inputs.file", file, "has the weights and the power")
            eigenvalues, weights, target_power = _read(file)
            if weights is None and dimension is None:
                dimension = len(eigenvalues)
        values = tuple(exact(v, "inputs.eigenvalues") for v in _list(eigenvalues))
        for value in values:
            if sign(value) < 0:
                raise InputError(
                    "inputs.eigenvalues", value, "must not be negative, a variance"
                )
        if not values or all(sign(v) == 0 for v in values):
            raise InputError("inputs.eigenvalues", eigenvalues, "give one above 0")
        if weights is not None:
            weights = _shares(weights, len(values), "weights")
            pairs = zip(values, weights, strict=True)
            if not any(sign(v) > 0 and sign(w) > 0 for v, w in pairs):
                raise InputError(
                    "inputs.weights", weights, "leave no direction a variance above 0"
                )
        if target_power is not None:
            target_power = _shares(target_power, len(values), "target_power")
            for value, power in zip(values, target_power, strict=True):
                if sign(value) == 0 and sign(power) > 0:
                    raise InputError(
                        "inputs.target_power",
                        power,
                        "must be 0 where the eigenvalue is 0",
                    )
        if dimension is not None:
            _check_whole(dimension, "inputs.dimension")
        vars(self).update(
            eigenvalues=values,
            weights=weights,
            target_power=target_power,
            power_law=None,
            dimension=dimension,
        )

    @property
    def file(self) -> None:
        """Its levels are those of `eigenvalues` once it is read."""
        return None

    @cached_property
    def levels(self) -> Levels:
        """Eigenvalues, weights and the target's power, normalised."""
        with decimal_digits(PRECISION):
            law = self.power_law
            if law is None:
                assert self.eigenvalues is not None
                values = [_number(v) for v in self.eigenvalues]
            else:
                values = _powers(law.levels, law.exponent)
            count = len(values)
            weights = [mpmath.mpf(1) / count] * count
            if self.weights is not None:
                weights = [_number(v) for v in self.weights]
            trace = mpmath.fdot(weights, values)
            s = [v / trace for v in values]
            if self.target_power is not None:
                power = [_number(v) for v in self.target_power]
            elif law is not None:
                raw = _powers(law.levels, law.target_exponent)
                total = mpmath.fsum(raw)
                power = [v / total for v in raw]
            else:
                power = [a * b for a, b in zip(weights, s, strict=True)]
        return Levels(tuple(s), tuple(weights), tuple(power))


def _list(values: Any) -> list[Any]:
    """Entries of a list or an array; refuse anything else."""
    if isinstance(values, list | tuple) or getattr(values, "ndim", 0) == 1:
        return list(values)
    raise InputError("inputs.eigenvalues", values, "give a list of numbers")


def _check_whole(value: Any, field: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(field, value, "give a whole number of at least 1")


def _number(value: sp.Expr) -> mpmath.mpf:
    """Round an exact number to the precision of mpmath."""
    if isinstance(value, sp.Rational):
        return mpmath.mpf(int(value.p)) / int(value.q)
    return mpmath.mpf(value.evalf(PRECISION)._mpf_)


def _powers(count: int, exponent: sp.Expr) -> list[mpmath.mpf]:
    """``i^-exponent`` for i = 1..count."""
    power = -_number(exponent)
    return [mpmath.mpf(i) ** power for i in range(1, count + 1)]


def _power_law(given: Any) -> PowerLaw:
    """Read the table of a power law."""
    if isinstance(given, PowerLaw):
        return given
    field = "inputs.power_law"
    known = ("exponent", "levels", "target_exponent")
    if not isinstance(given, Mapping) or not {"exponent", "levels"} <= given.keys():
        raise InputError(field, given, "write {exponent = 1.5, levels = 64}")
    for key in given:
        if key not in known:
            raise InputError(
                f"{field}.{key}",
                given[key],
                f"no such field; known: {', '.join(known)}",
            )
    exponent = exact(given["exponent"], f"{field}.exponent")
    target = exact(given.get("target_exponent", exponent), f"{field}.target_exponent")
    levels = given["levels"]
    if sign(exponent) < 0:
        raise InputError(f"{field}.exponent", exponent, "must not be negative")
    _check_whole(levels, f"{field}.levels")
    if levels > MOST_LEVELS:
        raise InputError(f"{field}.levels", levels, f"give at most {MOST_LEVELS}")
    return PowerLaw(exponent, levels, target)


def _shares(given: Any, count: int, name: str) -> tuple[sp.Expr, ...]:
    """Read numbers that are not negative and sum to 1."""
    field = f"inputs.{name}"
    several = isinstance(given, list | tuple) or getattr(given, "ndim", 0) == 1
    entries = list(given) if several else []
    if len(entries) != count:
        raise InputError(field, given, f"give {count} numbers, one a level")
    numbers = [exact(v, field) for v in entries]
    for number in numbers:
        if sign(number) < 0:
            raise InputError(field, number, "must not be negative")
    total = sp.Add(*numbers)
    rounding = count * max(map(is_rounded, entries))
    if rounding and abs(total - 1) <= rounding:
        return tuple(v / total for v in numbers)
    if not (total - 1).equals(0):
        raise InputError(
            field,
            given if count < 10 else f"{count} numbers",
            f"must sum to 1, and miss it by {sp.N(abs(total - 1), 3)}; write thirds "
            "as '1/3'",
        )
    return tuple(numbers)


def _read(file: Any) -> tuple[list[Any], list[Any] | None, list[Any] | None]:
    """Eigenvalues, weights and power of a CSV file, the last two of sum 1."""
    try:
        with Path(file).open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "inputs.file", file, f"cannot be read: {str(error).lower()}"
        ) from None
    header = rows[0] if rows else {}
    names = [name.strip() for name in header if name and name.strip()]
    if "eigenvalue" not in names or set(names) - set(COLUMNS):
        raise InputError(
            "inputs.file",
            file,
            f"needs a header, and columns of {', '.join(COLUMNS)}; the first is there",
        )
    columns: dict[str, list[Fraction]] = {name: [] for name in names}
    for line, row in enumerate(rows, start=2):
        for name, value in row.items():
            if name is not None and not name.strip():
                continue  # of a comma at the end of the line
            try:
                columns[name.strip()].append(Fraction(value.strip()))
            except (ValueError, AttributeError, ZeroDivisionError):
                raise InputError(
                    "inputs.file", file, f"line {line}: {name} {value!r} is no number"
                ) from None

    def normalised(name: str) -> list[Fraction] | None:
        values = columns.get(name)
        if values is None:
            return None
        total = sum(values)
        if total <= 0:
            raise InputError("inputs.file", file, f"{name} must have a positive sum")
        return [v / total for v in values]

    return columns["eigenvalue"], normalised("weight"), normalised("target_power")
