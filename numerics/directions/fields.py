"""The functions of kappa of features with several spikes, on a lattice."""

from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import FLOATS, compile_expressions, to_float
from detequiv.numerics.averages import gaussian_radius
from detequiv.numerics.directions.rules import (
    Lattice,
    normal_density,
    target_means,
)
from detequiv.numerics.directions.tables import PANEL, moment_table
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.problem import DirectionsLaw, c1, c2, kappas

__all__ = ["NodeFields", "direction_functions", "matrix"]

Array = NDArray[np.float64]
STEP = 0.17  # of the first lattice, over the width of the strip of analyticity
WIDTH, WIDEST = 1.6, 3.0  # of that strip, over rho/u, and where there is no spike
DIGITS = 17.0  # reach of the first lattice into the tails
TAIL = 1e-16  # share of an average that may lie beyond the lattice
COARSE = 3  # times the first step, where only the tails are looked at
ROUNDS = 12  # of reaching farther


@dataclass(frozen=True, eq=False)
class NodeFields:
    """Fields of a law on a lattice.

    Attributes
    ----------
    law : DirectionsLaw
        Exact data of features and target.
    lattice : Lattice
        The rule in kappa.
    columns : (F, n) array
        Values of the fields, in the model's order.
    """

    law: DirectionsLaw
    lattice: Lattice
    columns: Array = field(repr=False)

    @classmethod
    def evaluate(cls, law: DirectionsLaw, finer: int = 1) -> "NodeFields":
        """Evaluate the fields on a lattice that reaches far enough.

        Parameters
        ----------
        law : DirectionsLaw
            Of features and target.
        finer : int
            Divides the step of the first lattice.

        Raises
        ------
        ConvergenceError
            The tails have no end, or the functions are not resolved.
        """
        ratios = matrix(law.spikes) / np.array([[to_float(b)] for b in law.bulks])
        axes = np.linalg.svd(ratios)[2]
        slopes = np.abs(ratios @ axes.T).max(0)
        widths = WIDTH / np.maximum(slopes, WIDTH / WIDEST)
        steps = tuple((STEP / finer * widths).tolist())
        coarse = tuple((STEP * COARSE * widths).tolist())
        radius = gaussian_radius(DIGITS)
        for _ in range(ROUNDS):
            if _tail(law, Lattice(axes, coarse, radius)) < TAIL:
                lattice = Lattice(axes, steps, radius)
                return cls(law, lattice, _columns(law, lattice.nodes))
            radius *= 1.1
        raise ConvergenceError(
            "averages over the spikes' directions have no end in float64; ask for "
            "smaller spikes"
        )

    def rule(self, stride: int) -> tuple[Array, Array]:
        """Weights (n,) and fields (F, n) of the rule at `stride` times the steps."""
        keep = self.lattice.every(stride)
        factor = stride ** len(self.lattice.steps)
        return self.lattice.weights[keep] * factor, self.columns[:, keep]

    def disturbed(self, stride: int) -> tuple[Array, Array]:
        """Take the rule with fields by other tables: they differ by their errors."""
        keep = self.lattice.every(stride)
        columns = _columns(self.law, self.lattice.nodes[keep], PANEL / 2)
        return self.rule(stride)[0], columns


def _tail(law: DirectionsLaw, lattice: Lattice) -> float:
    """Share of the averages of squared fields that lies beyond a lattice."""
    averages = _columns(law, lattice.nodes) ** 2 @ lattice.weights
    distance = np.sqrt((lattice.nodes**2).sum(1, keepdims=True))
    outward = lattice.nodes[distance[:, 0] > 0] * lattice.radius
    ends = _columns(law, outward / distance[distance[:, 0] > 0]) ** 2
    density = normal_density(lattice.radius**2, len(lattice.steps))
    share = ends.max(1) * density * lattice.radius ** (len(lattice.steps) - 2)
    return float((share[averages > 0] / averages[averages > 0]).max())


def direction_functions(
    law: DirectionsLaw, nodes: Array, panel: float = PANEL
) -> dict[str, Array]:
    """Evaluate the fields of the features, by family, at values of kappa (n, r)."""
    directions = nodes.shape[1]
    means = matrix(law.spikes) @ nodes.T
    moments = np.array(
        [
            moment_table(law.activation, scale, 1 + ceil(np.abs(m).max()), panel)(m)
            for scale, m in zip(law.bulks, means, strict=True)
        ]
    )
    arguments = (*kappas[:directions], c1, c2)
    tangents = []
    for latent in law.tangents:
        code = compile_expressions(arguments, latent, FLOATS)
        for q, values in enumerate(moments):
            # each group's tangent is a function of its own moments
            tangents.append(code(*nodes.T, values[1], values[2])[q])
    shape = (len(tangents), len(nodes))
    h = np.array([np.broadcast_to(t, shape[1:]) for t in tangents])
    return {"c0": moments[:, 0], "c1": moments[:, 1], "cs": moments[:, 3], "h": h}


def _columns(law: DirectionsLaw, nodes: Array, panel: float = PANEL) -> Array:
    """Evaluate all fields in the model's order."""
    families: dict[str, Any] = direction_functions(law, nodes, panel)
    families["cs"] = np.maximum(families["cs"], 0.0)
    tau0, tau1, tau2 = target_means(
        law.target, matrix(law.alignment), matrix(law.rest), nodes
    )
    noise = to_float(law.noise_variance)
    rest = np.maximum(tau2, 0.0) + noise if tau1.size else np.full(len(nodes), noise)
    families |= {"tau0": tau0[None], "tau1": tau1, "tau2": rest[None]}
    model = law.model
    columns = np.empty((len(model.fields), len(nodes)))
    for name, place in model.families.items():
        columns[place] = families[name]
    return columns


def matrix(rows: Any) -> Array:
    """Rows of exact numbers in float64; they may be empty."""
    values = [[to_float(v) for v in row] for row in rows]
    return np.array(values, float).reshape(len(values), -1)
