r"""Labels that a function without cost separates: then no fit is finite.

The mean features ``c0_q`` cost nothing in the limit of infinite width. If a combination
of them has the sign of the label for (almost) every sample, a loss of the margin
decreases for ever as the combination grows.
"""

import numpy as np
from numpy.typing import NDArray

from detequiv.theory.errors import InputError

__all__ = ["check_separable"]

Array = NDArray[np.float64]
SLACK = 1e-10  # of the signs at nodes next to a jump, features of size one


def check_separable(loss: str, weights: Array, means: Array, mean_label: Array) -> None:
    """Refuse labels that the mean features separate, by a linear programme.

    Parameters
    ----------
    loss : str
        Its name.
    weights : (n,) array
        Of the nodes in kappa.
    means : (K, n) array
        Mean features on them.
    mean_label : (n,) array
        Mean of the labels; -1 and 1 where they are sure.

    Raises
    ------
    InputError
        They do.
    """
    if not (np.abs(mean_label) == 1).all():
        return  # both labels occur at one kappa
    size = np.sqrt(means**2 @ weights)
    signed = (mean_label * means / np.where(size > 0, size, 1.0)[:, None]).T
    gain = signed.T @ weights
    # SciPy's optimisation takes longer to import than most problems to solve
    from scipy.optimize import linprog

    found = linprog(
        -gain, A_ub=-signed, b_ub=np.full(len(signed), SLACK), bounds=(-1, 1)
    )
    if found.x is not None and float(gain @ found.x) > 1e-6:
        raise InputError(
            "ridge.loss",
            loss,
            "the mean features separate the labels at no cost, so that no fit is "
            "finite in the limit of infinite width; give target.noise, labels = "
            "'logit', or an alignment below 1",
        )
