"""Readouts with a density, at a width."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

import detequiv as de
from detequiv.numerics.averages import LawFields, dimension_of
from detequiv.numerics.continuum import answer, nodes
from detequiv.numerics.solving.task import Task
from detequiv.numerics.solving.vouch import vouch
from detequiv.theory.continuum import Continuum, continuum, readout
from detequiv.theory.gaussian import conditional_moments
from detequiv.theory.problem import TrainedGroup, exact_parameters, law_of
from detequiv.validation.trial import simulate


def problem(**network: object) -> de.Problem:
    own = {"activation": "relu", "readout": "normal", "step": 2, **network}
    return de.Problem(
        network=de.Network(**own),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )


def test_few_nodes_agree_with_the_equations_of_as_many_groups() -> None:
    given = problem(activation="tanh", readout="uniform", rows="gaussian")
    width, units = 300, continuum(given)
    few = nodes.Nodes(units, 3, 3, dimension_of(given, width))
    found = answer._solve(units, few, width).outputs.quantities

    law = few.whole_law  # the slow way: every entry of A, every function in balls
    shares = [sp.Rational(float(v)) for v in few.mixture[2]]
    own = [*exact_parameters(given, law), sp.Integer(width), *shares]
    slow = vouch(Task(law.model, own, LawFields(law)), 12)
    expected = [float(v.mid()) for v in slow.outputs.quantities]
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_families_are_those_of_the_model() -> None:
    law = law_of(problem(readout=[1, -1], rows="gaussian"))
    bare = replace(law, mixture=((sp.S.One, sp.S.One),) * 6, tangents=())
    for one in (law, bare):
        assert one.families == dict(one.model.families)


def test_pure_spikes_with_a_normal_law_reach_published_digits() -> None:
    # computed by an independent float64 code, 48 nodes in the readout and 3 in omega
    given = problem()
    law = continuum(given).law
    one, zero = sp.S.One, sp.S.Zero
    units = TrainedGroup(strength=readout, scale=one, latents=((one, zero),))
    pure = Continuum(given, law, units)
    for width, expected in ((150, 0.2126), (300, 0.1684), (600, 0.1409)):
        few = nodes.Nodes(pure, 48, 3, dimension_of(given, width))
        found = answer._solve(pure, few, width).outputs.quantities
        assert found[2] == pytest.approx(expected, abs=0.6e-4)


def test_digits_hold_with_twice_the_nodes() -> None:
    given = problem(activation="tanh", readout="uniform")
    rough, fine = (de.solve(given, width=300, digits=d) for d in (3, 8))
    assert rough.text("excess_error") == str(
        np.format_float_positional(float(fine.excess_error), 3, fractional=False)
    )


def test_a_narrow_law_is_a_vocabulary() -> None:
    narrow = {"law": "uniform", "low": "9999/10000", "high": "10001/10000"}
    found = de.solve(problem(readout=narrow), width=300, digits=6)
    expected = de.solve(problem(readout=1), width=300, digits=6)
    # the second order of the width is 1e-8 / 3 times curvatures of order 1
    for name in ("generalization_error", "training_error", "readout_norm"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=2e-6)


def test_learned_function_is_the_sum_of_its_nodes() -> None:
    narrow = {"law": "uniform", "low": "9999/10000", "high": "10001/10000"}
    found = de.solve(problem(readout=narrow), width=300)
    one = de.solve(problem(readout=1), width=300)
    kappa = [-1.5, 0.7]
    np.testing.assert_allclose(
        de.learned_function(found, kappa), de.learned_function(one, kappa), rtol=1e-4
    )
    assert de.learned_function(found, []).shape == (0,)
    with pytest.raises(de.InputError, match="solution = None"):
        de.learned_function(None, kappa)


def test_what_float64_cannot_solve_is_said_in_one_line() -> None:
    given = problem()
    for penalty in ("1e-30", "1e-200"):
        lost = replace(given, ridge=replace(given.ridge, penalty=sp.Rational(penalty)))
        with pytest.raises(de.ConvergenceError, match="try a larger ridge"):
            de.solve(lost, width=300)


def test_float_means_agree_by_three_routes() -> None:
    means, scales = np.array([[-2.0, 0.3, 4.0]]), np.array([[0.7]])
    for name in ("relu", "tanh"):
        moments = conditional_moments(problem(activation=name).network.activation)
        found = nodes.float_means(moments, means, scales)
        slow = nodes._in_balls(moments, means, scales)
        np.testing.assert_allclose(found, slow, rtol=1e-13)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"readout": "cauchy"}, "network.readout"),
        ({"readout": {"law": "normal", "deviation": 0}}, "network.readout"),
        ({"readout": {"law": "uniform", "mean": 0}}, "network.readout.mean"),
        ({"weights": ["1/2", "1/2"]}, "network.weights"),
        ({"batch_per_dim": 3}, "network.batch_per_dim"),
    ],
)
def test_refusals_name_the_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(de.InputError) as caught:
        problem(**change)
    assert str(caught.value).startswith(f"{field} = ")


def test_without_a_width_one_line_says_why() -> None:
    for ask in (de.solve, de.derive, de.eliminate):
        with pytest.raises(de.InputError, match="no theory here without a width"):
            ask(problem())


@pytest.mark.slow
def test_simulation_comes_nearer_like_one_over_d() -> None:
    """At d to infinity nothing is left; false alarms 1e-4, by a trend in 1/d.

    A difference of a tenth of the error would be seen with a probability of 0.999.
    """
    given = problem()
    gaps, errors, inverse = [], [], []
    for dimension, draws in ((100, 240), (200, 120), (400, 60)):
        drawn = simulate(given, dimension=dimension, repetitions=draws, rng=3)
        width = round(1.5 * dimension)
        theory = float(de.solve(given, width=width, digits=4).excess_error)
        gaps.append(drawn.mean["excess_error"] - theory)
        errors.append(drawn.standard_error["excess_error"])
        inverse.append(1 / dimension)
    a = np.vander(inverse, 2)[:, ::-1] / np.array(errors)[:, None]
    covariance = np.linalg.inv(a.T @ a)
    limit = (covariance @ a.T @ (np.array(gaps) / errors))[0]
    spread = np.sqrt(covariance[0, 0])
    assert abs(limit) < 3.9 * spread
    assert 7 * spread < 0.1 * theory
