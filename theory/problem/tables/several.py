"""What does not go together with several directions."""

from typing import Any

from detequiv.theory.errors import InputError
from detequiv.theory.functions import pieces, projections, z
from detequiv.theory.problem.tables.parts import Network, SpikedFeatures, Target
from detequiv.theory.problem.tables.regression import Ridge
from detequiv.theory.problem.tables.vectors import MOST_DIRECTIONS, is_nested

__all__ = ["check_several"]


def check_several(
    layer: SpikedFeatures | Network | None, target: Target, ridge: Ridge, inputs: Any
) -> None:
    """Refuse parts of a problem of several directions that do not fit.

    Raises
    ------
    InputError
        A covariance, a batch, labels of -1 and 1, another loss, no penalty, Gaussian
        rows; a target that jumps; an alignment of the wrong shape, or of one number.
    """
    if inputs is not None:
        raise InputError("inputs", "[inputs]", "is known for one direction alone")
    assert layer is not None  # only [inputs] go without
    if target.binary:
        raise InputError("target.labels", target.labels, "is known for one direction")
    if ridge.loss != "square":
        raise InputError("ridge.loss", ridge.loss, "is known for one direction")
    if not ridge.penalty.is_positive:
        raise InputError(
            "ridge.penalty", ridge.penalty, "must be positive with several directions"
        )
    if target.projections > MOST_DIRECTIONS:
        raise InputError(
            "target.function",
            target.function,
            f"give at most {MOST_DIRECTIONS} projections",
        )
    field = "target.function" if target.functions is None else "target.functions"
    for function in target.heads:
        # those of several projections are smooth
        one = pieces(function.subs(projections[0], z))
        if not all(jump.equals(0) for jump in one.jumps()):
            raise InputError(
                field,
                function,
                "jumps; is known for one direction, or give a continuous function",
            )
    if isinstance(layer, Network):
        _check_network(layer, target)
        return
    if target.functions is not None:
        raise InputError("target.functions", target.functions, "train a [network]")
    directions = len(layer.spike[0]) if layer.several else 1
    alignment = target.alignment
    if not is_nested(alignment):
        if alignment != 1:
            raise InputError(
                "target.alignment",
                alignment,
                "give the matrix of <w*_l, v_i>, one row a projection",
            )
        return
    shape = len(alignment), len(alignment[0])
    if shape[1] != directions or shape[0] < target.projections:
        raise InputError(
            "target.alignment",
            alignment,
            f"give {target.projections} rows of {directions} numbers, one row a "
            "projection and one number a direction of features.spike",
        )


def _check_network(network: Network, target: Target) -> None:
    """Refuse steps on a batch, Gaussian rows, and heads without their function."""
    heads = len(network.vectors[0])
    if len(target.heads) != heads:
        raise InputError(
            "target.functions",
            target.functions or "(missing)",
            f"give {heads}, one a head of network.readout",
        )
    if network.batch_per_dim is not None:
        raise InputError(
            "network.batch_per_dim",
            network.batch_per_dim,
            "is known for one direction; leave it out",
        )
    if network.rows != "spherical":
        raise InputError("network.rows", network.rows, "is known for one direction")
