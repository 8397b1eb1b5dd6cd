"""Laws of the second layer at initialisation that have a density."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError, is_name
from detequiv.theory.functions import exact, sign

__all__ = ["ReadoutLaw", "read_law"]

FIELD = "network.readout"
LAWS: Mapping[str, Mapping[str, int]] = {
    "normal": {"mean": 0, "deviation": 1},
    "uniform": {"low": -1, "high": 1},
}
"""Names of the laws, and of their numbers with what they are by default."""


@dataclass(frozen=True)
class ReadoutLaw:
    """A density of the readouts ``A_j``.

    Attributes
    ----------
    law : str
        "normal" or "uniform".
    numbers : tuple of Expr
        Mean and deviation, or the ends.
    """

    law: str
    numbers: tuple[sp.Expr, sp.Expr]

    def __str__(self) -> str:
        """Write the law with its numbers."""
        return f"{self.law}({self.numbers[0]}, {self.numbers[1]})"

    @property
    def entries(self) -> dict[str, Any]:
        """The law as the table of a problem file."""
        return {
            "law": self.law,
            **dict(zip(LAWS[self.law], self.numbers, strict=True)),
        }

    @property
    def mean(self) -> sp.Expr:
        """``E A``."""
        first, second = self.numbers
        return first if self.law == "normal" else (first + second) / 2

    @property
    def scale(self) -> sp.Expr:
        """Deviation of a normal law, half the length of a uniform one."""
        first, second = self.numbers
        return second if self.law == "normal" else (second - first) / 2


def read_law(given: Any) -> ReadoutLaw | None:
    """Read a law by its name or table; None for a vocabulary of numbers.

    Raises
    ------
    InputError
        An unknown name, or a density of no width.

    Examples
    --------
    >>> read_law({"law": "uniform", "high": 3}).mean
    1
    """
    if isinstance(given, ReadoutLaw):
        return given
    if isinstance(given, str) and given in LAWS:
        given = {"law": given}
    if not isinstance(given, Mapping):
        return None
    name = str(given.get("law"))
    if not is_name(name, LAWS):
        raise InputError(f"{FIELD}.law", name, f"known: {', '.join(LAWS)}")
    for key in given:
        if key not in ("law", *LAWS[name]):
            known = f"no such field; known: {', '.join(LAWS[name])}"
            raise InputError(f"{FIELD}.{key}", given[key], known)
    first, second = (
        exact(given.get(key, usual), f"{FIELD}.{key}")
        for key, usual in LAWS[name].items()
    )
    law = ReadoutLaw(name, (first, second))
    if sign(law.scale) <= 0:
        what = "give a positive deviation" if name == "normal" else "give low < high"
        raise InputError(FIELD, dict(given), what)
    return law
