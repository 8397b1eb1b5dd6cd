"""The problem that travels: its parts, the gradient step, what is seen given kappa."""

from detequiv.theory.problem.batches import BatchLaw, batch_law
from detequiv.theory.problem.conditionals import (
    FeatureLaw,
    c1,
    c2,
    exact_parameters,
    feature_law,
    kappa,
    law_of,
    ridge_parameters,
)
from detequiv.theory.problem.independence import spanning_groups
from detequiv.theory.problem.limits import check_limit, interpolates
from detequiv.theory.problem.parts import (
    MOST_GROUPS,
    Network,
    Ridge,
    SpikedFeatures,
    Target,
)
from detequiv.theory.problem.problem import Problem
from detequiv.theory.problem.remarks import remark, spiked_problem
from detequiv.theory.problem.step import population_step, sampled_slope
from detequiv.theory.problem.widths import law_at_width

__all__ = [
    "MOST_GROUPS",
    "BatchLaw",
    "FeatureLaw",
    "Network",
    "Problem",
    "Ridge",
    "SpikedFeatures",
    "Target",
    "batch_law",
    "c1",
    "c2",
    "check_limit",
    "exact_parameters",
    "feature_law",
    "interpolates",
    "kappa",
    "law_at_width",
    "law_of",
    "population_step",
    "remark",
    "ridge_parameters",
    "sampled_slope",
    "spanning_groups",
    "spiked_problem",
]
