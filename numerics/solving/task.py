"""What is to be solved: a model, exact numbers, and where its fields come from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import precision, to_ball
from detequiv.numerics.averages import Fields, FieldSource
from detequiv.numerics.equations import BallSystem
from detequiv.theory.models import Model

__all__ = ["GivenFields", "Task"]

SPARE = 15  # digits carried beyond those asked for


@dataclass(frozen=True, eq=False)
class GivenFields:
    """Fields on finitely many nodes, over which the average is exact.

    Attributes
    ----------
    model : Model
        Whose fields they are.
    nodes : list of list of Expr
        Exact values of all fields, node by node.
    weights : list of Expr
        Probabilities of the nodes.
    """

    model: Model
    nodes: list[list[sp.Expr]]
    weights: list[sp.Expr]
    interpolating: bool = False

    def evaluate(self, digits: float, step: float) -> Fields:
        """Make balls of the numbers."""
        with precision(digits + SPARE):
            columns = [[to_ball(v) for v in c] for c in zip(*self.nodes, strict=True)]
            weights = [to_ball(w) for w in self.weights]
        return Fields(weights, columns, self.model.families, None, digits=digits)

    def refine(self, fields: Fields, step: float) -> Fields:
        """Leave them as they are: there are no other nodes."""
        return fields


@dataclass(frozen=True)
class Task:
    """The equations to solve, and exact numbers for their parameters.

    Attributes
    ----------
    model : Model
        The two potentials.
    parameters : list of Expr
        In the model's order.
    fields : FieldSource
        Where the fields come from.
    """

    model: Model
    parameters: list[Any]
    fields: FieldSource

    @property
    def floats(self) -> NDArray[np.float64]:
        """The parameters in float64, shape (1, P)."""
        return np.array([[float(v) for v in self.parameters]])

    def balls(self, fields: Fields, stride: int = 1) -> BallSystem:
        """Put balls of the current precision into the equations."""
        return BallSystem(
            self.model, fields, [to_ball(v) for v in self.parameters], stride
        )
