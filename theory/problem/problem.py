"""The problem: features or a network, a target, and a ridge regression, all exact.

One frozen object travels through the whole package.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from inspect import Parameter, signature
from typing import Any, cast

from detequiv.theory.errors import InputError
from detequiv.theory.problem.tables.inputs import Inputs
from detequiv.theory.problem.tables.parts import Network, SpikedFeatures, Target
from detequiv.theory.problem.tables.regression import Ridge
from detequiv.theory.problem.tables.several import check_several

__all__ = ["Problem", "check_problem"]


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
    inputs : Inputs, optional
        The covariance of the inputs; without it they are isotropic.

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
    inputs: Inputs | None = None

    def __post_init__(self) -> None:
        """Refuse two descriptions of the first layer, or none."""
        for name, kind in _TABLES.items():
            part = getattr(self, name)
            if not isinstance(part, kind) and not (part is None and name in _OPTIONAL):
                raise InputError(name, part, f"give a {kind.__name__}")
        if (self.features is None) == (self.network is None):
            given = "features and network" if self.features else "no features"
            raise InputError("problem", given, _ONE_LAYER)
        if self.network is not None and self.target.alignment != 1:
            raise InputError(
                "target.alignment",
                self.target.alignment,
                "is 1 with a [network], whose spike is the target's direction",
            )
        if self.ridge.named_loss.margin and not self.target.binary:
            raise InputError(
                "ridge.loss",
                self.ridge.loss,
                "needs labels of -1 and 1; give target.labels = 'sign' or 'logit'",
            )

        if self.several:
            check_several(self.layer, self.target, self.ridge, self.inputs)

    @property
    def layer(self) -> SpikedFeatures | Network:
        """The features, or the network."""
        return cast(SpikedFeatures | Network, self.features or self.network)

    @property
    def several(self) -> bool:
        """Whether spikes or the target have several directions."""
        return self.layer.several or self.target.several

    def require_regression(self, what: str) -> None:
        """Refuse labels of -1 and 1, and losses other than the square.

        Parameters
        ----------
        what : str
            What knows the square loss of ``y = g + noise`` alone.

        Raises
        ------
        InputError
            The problem is another one.
        """
        self.require_square(what)
        if self.target.binary:
            raise InputError(
                "target.labels", self.target.labels, f"{what} knows labels = 'none'"
            )

    def require_square(self, what: str) -> None:
        """Refuse losses other than the square; see `require_regression`."""
        if self.ridge.loss != "square":
            raise InputError(
                "ridge.loss", self.ridge.loss, f"{what} knows loss = 'square'"
            )

    @property
    def groups(self) -> int:
        """K, the number of groups of units."""
        return self.layer.groups

    @property
    def on_batch(self) -> bool:
        """Whether the network's step is taken on a finite batch."""
        return self.network is not None and self.network.batch_per_dim is not None

    @classmethod
    def from_tables(cls, tables: Mapping[str, object]) -> "Problem":
        """Build a problem from nested mappings with the names of a problem file.

        Raises
        ------
        InputError
            An unknown or missing name, or a value outside its domain.
        """
        if not isinstance(tables, Mapping):
            raise InputError("tables", tables, "give a mapping")
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
            name: {
                key: value
                for key, value in _entries(part).items()
                if key not in _USUAL or value != _USUAL[key]
            }
            for name in _TABLES
            if (part := getattr(self, name)) is not None
        }

    def value(self, name: str) -> Any:
        """Read the value of a dotted name, such as "features.spike[0]"."""
        table, _, key = name.partition(".")
        key, bracket, place = key.partition("[")
        found = getattr(getattr(self, table), key)
        return found[int(place.removesuffix("]"))] if bracket else found

    def with_values(self, values: Mapping[str, object]) -> "Problem":
        """Replace values by their dotted names, such as "ridge.penalty".

        A name may end in the place of an entry, as "features.spike[0]". Equal bulks and
        weights stay equal when a list changes the number of groups.

        Raises
        ------
        InputError
            An unknown name, or a value outside its domain.
        """
        tables: dict[str, dict[str, Any]] = {}
        changed: dict[tuple[str, str], tuple[Any, ...] | None] = {}  # lists, by entries
        for name, value in values.items():
            table, _, key = str(name).partition(".")
            part = getattr(self, table) if table in _TABLES else None
            if part is None or not key:
                known = [
                    f"{t}.{k}"
                    for t, kind in _TABLES.items()
                    if getattr(self, t) is not None
                    for k in _parameters(kind)
                ]
                raise InputError(name, value, f"no such field{_nearest(name, known)}")
            if table not in tables:
                tables[table] = _for_any_number_of_groups(part)
            key, bracket, place = key.partition("[")
            _check_field(table, key, value)
            field, now = (table, key), getattr(part, key)
            before = changed.get(field)
            if field in changed and not (bracket and before):
                raise InputError(name, value, f"{table}.{key} is already given")
            changed[field] = None
            if bracket:
                now = changed[field] = _with_entry(name, before or now, place, value)
                tables[table][key] = now
                continue
            tables[table][key] = value
        parts = {name: getattr(self, name) for name in _TABLES}
        for table, entries in tables.items():
            parts[table] = _TABLES[table](**entries)
        return type(self)(**parts)


def check_problem(problem: object) -> None:
    """Refuse what is no problem, as the name of its file.

    Raises
    ------
    InputError
        With what would make one of it.
    """
    if not isinstance(problem, Problem):
        how = "Problem.from_tables" if isinstance(problem, Mapping) else "detequiv.load"
        raise InputError("problem", problem, f"give a Problem; {how} makes one")


_SYMBOLS = {  # of the paper, and what is commonly written for them
    "alpha": "ridge.samples_per_dim",
    "beta": "ridge.width_per_dim",
    "lambda": "ridge.penalty",
    "lam": "ridge.penalty",
    "zeta": "target.alignment",
    "eta": "network.step",
    "sigma": "features.activation",
    "learning_rate": "network.step",
}
_OPTIONAL = ("features", "network", "inputs")
_ONE_LAYER = "give either features or network, one of the two"
# what a table need not say
_USUAL = {
    **{"labels": "none", "slope": None, "loss": "square", "delta": None},
    **{"functions": None, "steps": 1},
}
_TABLES: Mapping[str, Any] = {
    "features": SpikedFeatures,
    "network": Network,
    "inputs": Inputs,
    "target": Target,
    "ridge": Ridge,
}


def _with_entry(name: str, now: Any, place: str, value: object) -> tuple[Any, ...]:
    """Replace one entry of a list; `place` is what follows the bracket."""
    count = len(now) if isinstance(now, tuple) else 0
    digits = place.removesuffix("]")
    if not (place.endswith("]") and digits.isascii() and digits.isdecimal()):
        raise InputError(name, value, "write the place of an entry as [0]")
    if not (len(digits) < 4 and int(digits) < count):
        problem = f"entries are 0 to {count - 1}" if count else "is no list"
        raise InputError(name, value, problem)
    return (*now[: int(digits)], value, *now[int(digits) + 1 :])


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
        for other, kind in _TABLES.items():
            if key in _parameters(kind) and key not in _SYMBOLS:
                raise InputError(f"{table}.{key}", value, f"belongs to [{other}]")
        raise InputError(
            f"{table}.{key}", value, f"no such field{_nearest(key, known)}"
        )


def _nearest(name: str, known: Any) -> str:
    name = str(name)
    if symbol := _SYMBOLS.get(name.rpartition(".")[2]):
        return f"; did you mean {symbol}?"
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"
