"""What a step does not do, in words, and the model that leaves most of it out."""

from dataclasses import replace

from detequiv.theory.errors import InputError
from detequiv.theory.gaussian import hermite_coefficient
from detequiv.theory.problem.batches import batch_law
from detequiv.theory.problem.conditionals import FeatureLaw, feature_law
from detequiv.theory.problem.problem import Problem
from detequiv.theory.problem.tables.parts import SpikedFeatures, Target

__all__ = ["remark", "spiked_problem"]


def spiked_problem(problem: Problem) -> Problem:
    """Replace a network by the pure spiked model with its strengths and bulk scales.

    This is what remains of training when the differences between the units of a group
    are left out, as in arXiv:2410.18938; the network itself has other tangents.

    Raises
    ------
    InputError
        The problem has no [network], or its step leaves a group without bulk.

    Examples
    --------
    >>> from detequiv.theory.problem import Network, Problem, Ridge, Target
    >>> spiked_problem(
    ...     Problem(
    ...         network=Network(activation="relu", readout=[1, -1], step=3),
    ...         target=Target(function="z + z**2"),
    ...         ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    ...     )
    ... ).features.spike
    (3/2, -3/2)
    """
    network = problem.network
    if network is None:
        raise InputError(
            "features", "[features]", "is a spiked model already; give a [network]"
        )
    law = _law(problem)
    target = problem.target
    return Problem(
        features=SpikedFeatures(
            activation=network.activation,
            spike=law.spikes,
            bulk=law.bulks,
            weights=law.weights,
        ),
        target=Target(
            function=target.function,
            alignment=law.alignment,
            noise=target.noise,
            labels=target.labels,
            slope=target.slope,
        ),
        ridge=problem.ridge,
    )


def remark(problem: Problem) -> str:
    """Say what training does not do for a problem, in one line; "" if nothing is amiss.

    A step of this size makes a spike of strength ``eta A_q mu_1(sigma) mu_1(f*)``.

    Raises
    ------
    InputError
        The step of a [network] leaves a group without bulk.

    Examples
    --------
    >>> from detequiv.theory.problem import Network, Problem, Ridge, Target
    >>> problem = Problem(
    ...     network=Network(activation="tanh", readout=1, step=3),
    ...     target=Target(function="z**2"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty=1),
    ... )
    >>> print(remark(problem).partition(":")[0])
    the step makes no spike, for target.function has no linear part (mu_1(f*) = 0)
    """
    network = problem.network
    if network is None or problem.several or network.step.is_zero:
        return ""
    law = _law(problem)
    if all(u.is_zero for u in law.spikes):
        lacking = [
            f"{field} has no linear part ({coefficient} = 0)"
            for field, function, coefficient in (
                ("target.function", law.target.function, "mu_1(f*)"),
                ("network.activation", law.activation.function, "mu_1(sigma)"),
            )
            if hermite_coefficient(function, 1).is_zero
        ]
        return (
            f"the step makes no spike, for {' and '.join(lacking)}: the error is that "
            "of the untrained network with other bulk scales"
        )
    if law.alignment.is_zero:
        return (
            "the spike is noise of the batch, for target.function has no linear part "
            "(mu_1(f*) = 0): training does not help"
        )
    return ""


def _law(problem: Problem) -> FeatureLaw:
    """Features after the step, on a batch or on the population.

    Of isotropic inputs: a covariance does not decide whether there is a spike.
    """
    problem = replace(problem, inputs=None)
    return batch_law(problem).law if problem.on_batch else feature_law(problem)
