"""The problem: features or a network, a target, and a ridge regression, all exact.

One frozen object travels through the whole package.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detequiv.theory.display import Shown, Tabular
from detequiv.theory.errors import InputError
from detequiv.theory.functions import value_text
from detequiv.theory.problem.tables.entries import (
    TABLES,
    USUAL,
    build,
    check_field,
    entries_for_any_groups,
    entries_of,
    nearest,
    parameters_of,
    with_entry,
)
from detequiv.theory.problem.tables.inputs import Inputs
from detequiv.theory.problem.tables.parts import Network, SpikedFeatures, Target
from detequiv.theory.problem.tables.readouts import ReadoutLaw
from detequiv.theory.problem.tables.regression import Ridge
from detequiv.theory.problem.tables.several import check_several
from detequiv.theory.problem.tables.spelled import Spelled

__all__ = ["Problem", "check_problem"]

_OPTIONAL = ("features", "network", "inputs")
_ONE_LAYER = "give either features or network, one of the two"


@dataclass(frozen=True, kw_only=True, repr=False)
class Problem(Spelled, Shown):
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
        A network whose first layer takes one gradient step. With neither, and
        ``width_per_dim = 1``, it is the `inputs` themselves that are regressed on.
    inputs : Inputs, optional
        The covariance of the inputs; without it they are isotropic.

    Raises
    ------
    InputError
        Both of features and network are given, or neither without inputs.

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
        for name, kind in TABLES.items():
            part = getattr(self, name)
            if not isinstance(part, kind) and not (part is None and name in _OPTIONAL):
                raise InputError(name, part, f"give a {kind.__name__}")
        if self.features is not None and self.network is not None:
            raise InputError("problem", "features and network", _ONE_LAYER)
        if self.on_inputs:
            self._check_on_inputs()
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

    def _check_on_inputs(self) -> None:
        """Refuse a first layer that was forgotten."""
        if self.inputs is None:
            raise InputError("problem", "no features", _ONE_LAYER)
        if self.ridge.width_per_dim != 1:
            raise InputError(
                "ridge.width_per_dim",
                self.ridge.width_per_dim,
                "is 1 for ridge on the inputs themselves; for a layer of units give "
                "features or network",
            )
        if self.target.alignment != 1:
            raise InputError(
                "target.alignment",
                self.target.alignment,
                "is that of a spike; leave it out for ridge on the inputs themselves",
            )

    def require_isotropic(self) -> None:
        """Refuse inputs with a covariance, where they are not worked out.

        Raises
        ------
        InputError
            There are [inputs].
        """
        if self.inputs is not None:
            raise InputError(
                "inputs",
                "[inputs]",
                "this is worked out for isotropic inputs alone; leave the table out, "
                "or ask for solve or curve",
            )

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
        """K, the number of groups of units; the inputs themselves are one."""
        return 1 if self.layer is None else self.layer.groups

    @property
    def layer(self) -> SpikedFeatures | Network | None:
        """The features, or the network; None for the inputs themselves."""
        return self.features or self.network

    @property
    def several(self) -> bool:
        """Whether spikes or the target have several directions."""
        layer = self.layer
        return self.target.several or (layer is not None and layer.several)

    @property
    def on_inputs(self) -> bool:
        """Whether the regression is on the inputs themselves, without a layer."""
        return self.layer is None

    @property
    def readout_law(self) -> ReadoutLaw | None:
        """The density of the network's readouts, if they have one."""
        readout = self.network and self.network.readout
        return readout if isinstance(readout, ReadoutLaw) else None

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
            if name not in TABLES:
                raise InputError(name, table, f"no such table{nearest(name, TABLES)}")
            parts[name] = build(name, table)
        for name in ("target", "ridge"):
            if name not in parts:
                raise InputError(name, "(missing)", f"add the table [{name}]")
        return cls(**parts)

    def tables(self) -> dict[str, dict[str, Any]]:
        """Nested mappings that :meth:`from_tables` turns into this problem again."""
        return {
            name: {
                key: value
                for key, value in entries_of(part).items()
                if value != () and (key not in USUAL or value != USUAL[key])
            }
            for name in TABLES
            if (part := getattr(self, name)) is not None
        }

    def _table(self) -> Tabular:
        rows = [
            (f"{name}.{key}", value_text(value))
            for name, table in self.tables().items()
            for key, value in table.items()
            if value is not None
        ]
        return Tabular("Problem", rows)

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
            part = getattr(self, table) if table in TABLES else None
            if part is None or not key:
                known = [
                    f"{t}.{k}"
                    for t, kind in TABLES.items()
                    if getattr(self, t) is not None
                    # a table's own name means one of its fields
                    for k in parameters_of(kind)
                    if part is None or t == table
                ]
                if part is not None:
                    raise InputError(name, value, f"a table; give {', '.join(known)}")
                raise InputError(name, value, f"no such field{nearest(name, known)}")
            if table not in tables:
                tables[table] = entries_for_any_groups(part)
            key, bracket, place = key.partition("[")
            check_field(table, key, value)
            field, now = (table, key), getattr(part, key)
            before = changed.get(field)
            if field in changed and not (bracket and before):
                raise InputError(name, value, f"{table}.{key} is already given")
            changed[field] = None
            if bracket:
                now = changed[field] = with_entry(name, before or now, place, value)
                tables[table][key] = now
                continue
            tables[table][key] = value
        parts = {name: getattr(self, name) for name in TABLES}
        for table, entries in tables.items():
            parts[table] = TABLES[table](**entries)
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
