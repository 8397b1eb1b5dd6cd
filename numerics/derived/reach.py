r"""What a predictor could learn if neither data nor width were a limit.

The learned function of the projection is a combination of the mean features c0_q, which
cost nothing, and of the tangent functions h_q, whose price 1/V_q falls with the width.
What lies outside their span no number of samples teaches.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.averages import LawFields, first_step, float_fields
from detequiv.theory.errors import ConvergenceError
from detequiv.theory.problem import FeatureLaw, Problem, check_problem, law_of

__all__ = ["Reach", "reach"]

Array = NDArray[np.float64]
DIGITS = 18.0  # of the fields
REFINEMENTS = 5  # of the rule in kappa
SETTLED = 1e-10  # change under refinement, relative to the target's second moment
# Singular values below this share of the largest are functions that repeat others.
DEPENDENT = 1e-9


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Least excess errors ``min E (g - f)^2`` over families of functions f.

    Attributes
    ----------
    constant : float
        Constants: the variance of the target.
    linear : float
        Linear functions of x, with a constant: the most that an untrained network can
        learn of the target when samples and width are proportional to d.
    means : float
        The span of the mean features c0_q, which K groups of units share.
    features : float
        The span of the c0_q, of the tangents h_q and of the linear part c1_q: the limit
        of trained features as samples per dimension, and then width per dimension,
        grow without bound.
    """

    constant: float
    linear: float
    means: float
    features: float


def reach(problem: Problem) -> Reach:
    """Least excess error of the trained features, and of what they compete with.

    Ridge regression, its proportions and its penalty play no part; nor does the noise.

    Parameters
    ----------
    problem : Problem
        Features or network, and target.

    Raises
    ------
    ConvergenceError
        The averages over kappa could not be settled.

    Examples
    --------
    >>> from detequiv.theory.problem import Network, Ridge, Target
    >>> found = reach(
    ...     Problem(
    ...         network=Network(activation="relu", readout=[1, -1], step=2),
    ...         target=Target(function="z + He(2, z)"),
    ...         ridge=Ridge(samples_per_dim=1, width_per_dim=1, penalty=1),
    ...     )
    ... )
    >>> round(found.constant, 9), round(found.linear, 9), found.means < found.linear
    (3.0, 2.0, True)
    """
    check_problem(problem)
    law = law_of(problem)
    step = first_step(28.0)
    for _ in range(REFINEMENTS):
        fine, coarse = (_distances(law, step, stride) for stride in (1, 2))
        if np.max(np.abs(fine - coarse)) < SETTLED * (1 + fine[0]):
            return Reach(
                **dict(zip(Reach.__dataclass_fields__, map(float, fine), strict=True))
            )
        step /= 2
    raise ConvergenceError(
        f"the reach of the features changes by {np.max(np.abs(fine - coarse)):.1e} "
        "when the average over kappa is refined; take a smaller spike or step"
    )


def _distances(law: FeatureLaw, step: float, stride: int) -> Array:
    """Compute the four errors on every stride-th node of a rule in kappa."""
    fields = float_fields(LawFields(law), DIGITS, step)
    weights, columns = fields.floats(stride)
    assert fields.rule is not None
    kappa = np.array([float(fields.rule.nodes[i]) for i in fields.rule.every(stride)])
    c0, c1, h = (columns[fields.families[name]] for name in ("c0", "c1", "h"))
    tau0, tau1, tau2 = columns[-3:]
    # what of the target depends on kappa and s as no feature does
    rest = float(weights @ tau2) - float(law.noise_variance)
    along = float(law.alignment)
    slope = along * (weights @ (kappa * tau0)) + np.sqrt(1 - along**2) * (
        weights @ tau1
    )

    def left(values: Array, *functions: Array) -> float:
        return _distance(np.vstack(functions), values, weights)

    constant = left(tau0, np.ones_like(kappa)) + float(weights @ tau1**2) + rest
    return np.array(
        [
            constant,
            constant - slope**2,
            left(tau0, c0) + float(weights @ tau1**2) + rest,
            left(tau0, c0, h) + left(tau1, c1) + rest,
        ]
    )


def _distance(functions: Array, values: Array, weights: Array) -> float:
    """Least mean square of `values` less a combination of the functions (rows)."""
    root = np.sqrt(weights)
    design, goal = (root * functions).T, root * values
    design = design / np.maximum(np.linalg.norm(design, axis=0), 1e-300)
    best = np.linalg.lstsq(design, goal, rcond=DEPENDENT)[0]
    return float(np.sum((goal - design @ best) ** 2))
