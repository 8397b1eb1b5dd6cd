"""The estimators: reproducible, and right where the answer is known in closed form.

Seeds are fixed. Each statistical test states the probability with which another seed
would fail it although the estimator is right.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from scipy import stats

from detequiv.validation.witness.draws import (
    QUANTITIES,
    Dimensions,
    Draw,
    Experiment,
    draw,
    sampled_excess_error,
    sampled_learned_function,
)
from detequiv.validation.witness.model import SpikedModel, draw_first_layer, draw_inputs
from detequiv.validation.witness.ridge import fit_ridge
from detequiv.validation.witness.runs import run

MODEL = SpikedModel(
    activation=np.tanh,
    spike=(1.5, -0.8),
    bulk=(1.0, 1.0),
    weights=(0.5, 0.5),
    target=np.positive,
    alignment=0.7,
    noise=0.3,
)
EXPERIMENT = Experiment(
    model=MODEL,
    dimensions=Dimensions(d=20, n=50, p=30),
    penalty=0.05,
    repetitions=5,
    projections=(-1.0, 0.5),
    eigenvalues=True,
)


def assert_same(one: Draw, other: Draw) -> None:
    """Demand equality to the last bit."""
    assert one.values == other.values
    assert np.array_equal(one.learned, other.learned)
    assert np.array_equal(one.eigenvalues, other.eigenvalues)


def test_workers_change_nothing_and_a_draw_repeats_alone() -> None:
    alone = run(EXPERIMENT, rng=1)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        shared = run(EXPERIMENT, rng=1, executor=executor)
    for one, other in zip(alone.draws, shared.draws, strict=True):
        assert_same(one, other)
    assert_same(draw(EXPERIMENT, alone.seeds[3]), alone.draws[3])
    assert alone.seed == 1


def test_draws_differ_from_each_other_and_between_seeds() -> None:
    samples = [run(EXPERIMENT, rng=rng).sample("readout_norm") for rng in (1, 2)]
    assert len(np.unique(samples)) == 10


def test_a_generator_moves_on_and_its_draws_can_be_repeated() -> None:
    generator = np.random.default_rng(1)
    first, second = run(EXPERIMENT, rng=generator), run(EXPERIMENT, rng=generator)
    assert_same(first.draws[0], run(EXPERIMENT, rng=1).draws[0])
    assert first.draws[0].values != second.draws[0].values
    assert_same(draw(EXPERIMENT, second.seeds[0]), second.draws[0])


def test_progress_counts_to_the_total() -> None:
    seen: list[tuple[int, int]] = []
    run(EXPERIMENT, rng=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_means_and_standard_errors_come_from_the_draws() -> None:
    estimates = run(EXPERIMENT, rng=1)
    assert tuple(estimates.mean) == tuple(estimates.standard_error) == QUANTITIES
    for name in QUANTITIES:
        sample = estimates.sample(name)
        assert estimates.mean[name] == pytest.approx(sum(sample) / 5, rel=1e-12)
        assert estimates.standard_error[name] == pytest.approx(stats.sem(sample))
    learned = np.array([one.learned for one in estimates.draws])
    np.testing.assert_allclose(estimates.learned, learned.mean(axis=0))
    np.testing.assert_allclose(estimates.learned_standard_error, stats.sem(learned))


def test_the_quantities_fit_together() -> None:
    values = draw(EXPERIMENT, np.random.SeedSequence(1)).values
    n, p = EXPERIMENT.dimensions.n, EXPERIMENT.dimensions.p
    assert values["generalization_error"] - values["excess_error"] == pytest.approx(
        MODEL.noise**2
    )
    assert values["ridge_objective"] == pytest.approx(
        n / p * values["training_error"] + EXPERIMENT.penalty * values["readout_norm"]
    )


@pytest.mark.parametrize(("n", "p"), [(50, 30), (30, 50)])
def test_eigenvalues_give_the_resolvent(n: int, p: int) -> None:
    experiment = replace(EXPERIMENT, dimensions=Dimensions(d=20, n=n, p=p))
    one = draw(experiment, np.random.SeedSequence(1))
    assert one.eigenvalues.shape == (p,)
    assert np.all(np.diff(one.eigenvalues) >= 0)
    # Eigenvalues of Phi^T Phi / n; the resolvent is that of Phi^T Phi / p.
    resolvent = 1 / (n / p * one.eigenvalues + experiment.penalty)
    assert one.values["resolvent_trace"] == pytest.approx(resolvent.mean(), rel=1e-9)


def test_a_linear_model_has_its_closed_form_errors() -> None:
    rng = np.random.default_rng(8)
    d, n, p, penalty, count = 30, 80, 45, 0.3, 5000
    model = replace(MODEL, activation=np.positive)
    layer = draw_first_layer(model, dimension=d, width=p, rng=rng)
    inputs = draw_inputs(rng, n, d)
    labels = model.label(layer, inputs, rng)
    fit = fit_ridge(model.features(layer, inputs), labels, penalty)
    # The predictor is b . x, and b = F^T a / sqrt(p) costs p b^T (F^T F)^{-1} b:
    # ridge in d dimensions, reached without any feature.
    metric = np.linalg.inv(layer.rows.T @ layer.rows)
    b = np.linalg.solve(inputs.T @ inputs + penalty * p * metric, inputs.T @ labels)
    np.testing.assert_allclose(layer.rows.T @ fit.readout / np.sqrt(p), b, atol=1e-11)
    # Errors at count fresh inputs are |w* - b|^2 times a chi-square with count degrees
    # of freedom, exactly. Unlucky with probability 1e-6.
    excess = sampled_excess_error(model, layer, fit, count, rng)
    ratio = count * excess / np.sum((layer.teacher - b) ** 2)
    assert stats.chi2.ppf(5e-7, count) < ratio < stats.chi2.isf(5e-7, count)
    # The learned function is kappa <b, v>, its error Gaussian with the variance of
    # b . x orthogonal to v over 256 inputs. Unlucky with probability 1e-6.
    learned = sampled_learned_function(model, layer, fit, (-1.0, 0.0, 2.0), rng)
    slope = b @ layer.direction
    z = (learned - slope * np.array([-1, 0, 2])) / np.sqrt((b @ b - slope**2) / 256)
    assert np.all(np.abs(z) < stats.norm.isf(5e-7))
    # One set of inputs serves all kappa, so that differences are exact.
    np.testing.assert_allclose(np.diff(learned), [slope, 2 * slope], rtol=1e-10)


def test_a_target_within_reach_is_learned() -> None:
    # A linear target, linear features, no noise, next to no penalty, n > d, p > d: the
    # excess error is zero and so is the training error.
    model = replace(MODEL, activation=np.positive, noise=0.0)
    experiment = replace(EXPERIMENT, model=model, penalty=1e-9)
    values = draw(experiment, np.random.SeedSequence(1)).values
    assert max(values["excess_error"], values["training_error"]) < 1e-12


def test_sizes_are_proportional() -> None:
    sizes = Dimensions.proportional(100, samples_per_dim=2.004, width_per_dim=0.5)
    assert sizes == Dimensions(d=100, n=200, p=50)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [((1, 5, 5), "dimension = 1: "), ((9, 0, 5), "n = 0: "), ((9, 5, 0), "p = 0: ")],
)
def test_sizes_too_small_are_refused(sizes: tuple[int, int, int], message: str) -> None:
    d, n, p = sizes
    with pytest.raises(ValueError, match=message):
        Dimensions(d=d, n=n, p=p)


def test_one_repetition_is_refused() -> None:
    with pytest.raises(ValueError, match="repetitions = 1: at least 2"):
        replace(EXPERIMENT, repetitions=1)
