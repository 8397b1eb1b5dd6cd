r"""Labels that a function without cost separates: then no fit is finite.

The mean features ``c0_q`` cost nothing in the limit of infinite width. If a combination
of them has the sign of the label for (almost) every sample, a loss of the margin
decreases for ever as the combination grows.
"""

import numpy as np

from detequiv.numerics.losses.convex import Rules

__all__ = ["separated_for_free"]

SLACK = 1e-10  # of the signs at nodes next to a jump, features of size one


def separated_for_free(rules: Rules) -> bool:
    """Tell by a linear programme whether the mean features separate the labels."""
    if not (rules.law.alignment**2 - 1).is_zero:
        return False  # both labels occur at one kappa
    fields = rules.fields
    weights, columns = fields.floats()
    means = columns[fields.families["c0"]]
    mean_label = columns[fields.families["tau0"]][0]
    if not (np.abs(mean_label) == 1).all():
        return False  # here too
    size = np.sqrt(means**2 @ weights)
    signed = (mean_label * means / np.where(size > 0, size, 1.0)[:, None]).T
    gain = signed.T @ weights
    # SciPy's optimisation takes longer to import than most problems to solve
    from scipy.optimize import linprog

    found = linprog(
        -gain, A_ub=-signed, b_ub=np.full(len(signed), SLACK), bounds=(-1, 1)
    )
    return found.x is not None and float(gain @ found.x) > 1e-6
