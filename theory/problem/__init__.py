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
    law_of_groups,
    ridge_parameters,
)
from detequiv.theory.problem.covariance import (
    CovarianceLaw,
    covariance_law,
    covariance_parameters,
)
from detequiv.theory.problem.directions import DirectionsLaw, kappas, spikes_law
from detequiv.theory.problem.independence import spanning_groups
from detequiv.theory.problem.limits import check_limit, interpolates
from detequiv.theory.problem.problem import Problem, check_problem
from detequiv.theory.problem.remarks import remark, spiked_problem
from detequiv.theory.problem.step import (
    TrainedGroup,
    population_step,
    sampled_slope,
    trained_group,
)
from detequiv.theory.problem.tables.inputs import Inputs, PowerLaw
from detequiv.theory.problem.tables.parts import (
    MOST_GROUPS,
    Network,
    SpikedFeatures,
    Target,
)
from detequiv.theory.problem.tables.readouts import ReadoutLaw
from detequiv.theory.problem.tables.regression import Ridge
from detequiv.theory.problem.widths import at_overlap, law_at_width

__all__ = [
    "MOST_GROUPS",
    "BatchLaw",
    "CovarianceLaw",
    "DirectionsLaw",
    "FeatureLaw",
    "Inputs",
    "Network",
    "PowerLaw",
    "Problem",
    "ReadoutLaw",
    "Ridge",
    "SpikedFeatures",
    "Target",
    "TrainedGroup",
    "at_overlap",
    "batch_law",
    "c1",
    "c2",
    "check_limit",
    "check_problem",
    "covariance_law",
    "covariance_parameters",
    "exact_parameters",
    "feature_law",
    "interpolates",
    "kappa",
    "kappas",
    "law_at_width",
    "law_of",
    "law_of_groups",
    "population_step",
    "remark",
    "ridge_parameters",
    "sampled_slope",
    "spanning_groups",
    "spiked_problem",
    "spikes_law",
    "trained_group",
]
