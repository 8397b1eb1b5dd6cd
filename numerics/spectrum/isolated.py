"""Outliers on two rules in kappa, which must agree on them."""

from collections.abc import Sequence

import numpy as np

from detequiv.numerics.resolvent import Resolvent
from detequiv.numerics.spectrum.outliers import FiniteWidth, Root
from detequiv.theory.errors import ConvergenceError

__all__ = ["OUTLIER_DIGITS", "OVERLAP_DECIMALS", "isolated_roots"]

OUTLIER_DIGITS = 10  # that the rules must agree on
OVERLAP_DECIMALS = 8  # the same, of the overlaps


def isolated_roots(
    resolvent: Resolvent, width: int, gaps: Sequence[tuple[float, float]]
) -> tuple[FiniteWidth, list[Root]]:
    """Find the roots of ``det H`` in the gaps of the support.

    Parameters
    ----------
    resolvent : Resolvent
        The equations.
    width : int
        p.
    gaps : sequence of (float, float)
        In the scale of ``Phi^T Phi / p``, ascending.

    Returns
    -------
    matrix : FiniteWidth
        H on the finer rule.
    roots : list of Root
        Ascending.

    Raises
    ------
    ConvergenceError
        The rules do not agree.
    """
    found = []
    for halvings in (1, 2):
        matrix = FiniteWidth(resolvent, width, halvings)
        found.append(
            [r for low, high in gaps if high > low for r in matrix.roots(low, high)]
        )
    _agree(*found)
    return matrix, found[-1]


def _agree(coarse: list[Root], fine: list[Root]) -> None:
    """Check the outliers on one rule in kappa against those on a finer one."""
    pairs = list(zip(coarse, fine, strict=False))
    if len(coarse) != len(fine) or any(
        not abs(a.z / b.z - 1) < 10.0**-OUTLIER_DIGITS
        or a.multiplicity != b.multiplicity
        for a, b in pairs
    ):
        raise ConvergenceError(
            f"the outliers have not {OUTLIER_DIGITS} digits: in the scale of "
            f"Phi^T Phi / p two rules in kappa give {[a.z for a in coarse]} and "
            f"{[b.z for b in fine]}"
        )
    for a, b in pairs:
        gap = float(np.max(np.abs(a.overlaps - b.overlaps)))
        if not gap < 10.0**-OVERLAP_DECIMALS:
            raise ConvergenceError(
                f"the overlaps of the outlier {b.z:.10g} (scale of Phi^T Phi / p) have "
                f"not {OVERLAP_DECIMALS} decimals: two rules in kappa differ by "
                f"{gap:.1e}; move it away from the bulk by another width"
            )
