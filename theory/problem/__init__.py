"""The problem that travels: its parts, the gradient step, what is seen given kappa."""

from detequiv.theory.problem.conditionals import (
    FeatureLaw,
    c1,
    c2,
    exact_parameters,
    feature_law,
    kappa,
    law_of,
    remark,
    ridge_parameters,
    spiked_problem,
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
from detequiv.theory.problem.problem import Problem, check_problem
from detequiv.theory.problem.step import population_step, sampled_slope
from detequiv.theory.problem.widths import law_at_width

__all__ = [
    "MOST_GROUPS",
    "FeatureLaw",
    "Network",
    "Problem",
    "Ridge",
    "SpikedFeatures",
    "Target",
    "c1",
    "c2",
    "check_limit",
    "check_problem",
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
