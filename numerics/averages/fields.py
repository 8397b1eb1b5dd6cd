"""Values of a model's fields on nodes in kappa."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.averages.quadrature import Rule

__all__ = ["FieldSource", "Fields"]


@dataclass(frozen=True)
class Fields:
    """Values of a model's fields on nodes in kappa, as balls.

    A family of fields, such as all ``c0_q``, is found by its name: ``fields["c0"]``.

    Attributes
    ----------
    weights : list of arb
        Probabilities of the nodes: quadrature weights times the normal density.
    columns : list of list of arb
        One column a field, in the order of the model's `fields`, each of length n.
        Radii are the errors to be expected of the values.
    families : mapping of str to slice
        Places of each family among the columns.
    rule : Rule, optional
        The rule in kappa. None where the nodes are all there is to average over.
    radius : float
        Reach of the rule into the tails.
    digits : float
        Accuracy of the conditional moments.
    """

    weights: list[Any]
    columns: list[list[Any]]
    families: Mapping[str, slice]
    rule: Rule | None
    radius: float = inf
    digits: float = inf

    def __getitem__(self, family: str) -> list[list[Any]]:
        """Return the columns of one family."""
        return self.columns[self.families[family]]

    def balls(self, stride: int = 1) -> tuple[list[Any], list[list[Any]]]:
        """Weights and, node by node, midpoints: of the rule of every stride-th node."""
        keep, factor = list(range(len(self.weights))), 1
        if self.rule is not None:
            keep, factor = self.rule.every(stride), stride
        nodes = [[column[i].mid() for column in self.columns] for i in keep]
        return [self.weights[i] * factor for i in keep], nodes

    def disturbed(self, stride: int) -> "Fields":
        """Enlarge the values of a coarser rule by their errors, its tails by theirs.

        What that changes in a result is what errors of the fields make of it. As much
        as lies beyond the ends of the rule lies in its last 1/radius.
        """
        weights, _ = self.balls(stride)
        columns = [
            [v.mid() + (v.rad() if v.mid() >= 0 else -v.rad()) for v in column]
            for column in self.columns
        ]
        if self.rule is None:
            return replace(self, columns=columns)
        keep = self.rule.every(stride)
        places = [abs(float(self.rule.nodes[i])) for i in keep]
        end = max(places) - 1 / max(places)
        weights = [w * (1 + (x >= end)) for w, x in zip(weights, places, strict=True)]
        columns = [[column[i] for i in keep] for column in columns]
        return replace(self, weights=weights, columns=columns, rule=None)

    def floats(
        self, stride: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights (n,) and fields (F, n) of the same rule, in float64."""
        weights, columns = self._floats
        if self.rule is None:
            return weights, columns
        keep = self.rule.every(stride)
        return weights[keep] * stride, columns[:, keep]

    @cached_property
    def _floats(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """All of them, rounded once: sweeps come back to the same rule."""
        weights = np.array(list(map(float, self.weights)))
        columns = np.array([list(map(float, column)) for column in self.columns])
        # a model may have no field
        return weights, columns.reshape(len(self.columns), len(weights))


class FieldSource(Hashable, Protocol):
    """Where a model's fields come from.

    `detequiv.numerics.averages.LawFields` evaluates those of a problem on rules as fine
    as is needed; `detequiv.numerics.solving.task.GivenFields` has all nodes there are.
    """

    @property
    def interpolating(self) -> bool:
        """Whether the model is the ridgeless limit with fewer samples than units."""

    def evaluate(self, digits: float, step: float) -> Fields:
        """Evaluate the fields to `digits` digits on a rule of that step."""

    def refine(self, fields: Fields, step: float) -> Fields:
        """Evaluate them with another step; what is known at a node is kept."""
