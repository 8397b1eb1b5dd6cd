"""What a draw costs beside its linear algebra, and what exact averages gain."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import SeedSequence
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dtrtri
from threadpoolctl import threadpool_limits

from detequiv.theory.functions.expressions import parse_function
from detequiv.validation.trial.simulate import Elementwise
from detequiv.validation.witness.draws import (
    TEST_PER_TRAINING,
    Dimensions,
    Experiment,
    draw,
    sampled_excess_error,
)
from detequiv.validation.witness.model import (
    FloatArray,
    SpikedModel,
    draw_first_layer,
    draw_inputs,
)
from detequiv.validation.witness.ridge import fit_ridge
from detequiv.validation.witness.risk import TILE, excess_error

pytestmark = pytest.mark.bench


def bent(t: FloatArray) -> FloatArray:
    """Target of two Hermite orders."""
    return t + (t**2 - 1) / 2


MODEL = SpikedModel(
    activation=Elementwise(parse_function("tanh", "activation")),
    spike=(1.5, -0.8),
    bulk=(1.0, 1.0),
    weights=(0.5, 0.5),
    target=bent,
    alignment=0.7,
    noise=0.3,
)


def fastest(work: Callable[[], object], rounds: int) -> float:
    """Processor time of the fastest of some rounds, in seconds."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def test_a_draw_takes_little_longer_than_its_matrix_products() -> None:
    size = Dimensions(d=1000, n=2000, p=1500)
    experiment = Experiment(model=MODEL, dimensions=size, penalty=0.05, repetitions=2)
    rng = np.random.default_rng(1)
    inputs, rows = draw_inputs(rng, size.n, size.d), draw_inputs(rng, size.p, size.d)

    def bare() -> None:
        """Do the products of matrices with matrices, and nothing else."""
        phi = inputs @ rows.T
        gram = dsyrk(1.0, phi.T, lower=True)
        gram.flat[:: size.p + 1] += size.n
        factor, _ = dpotrf(gram, lower=True, overwrite_a=True)
        dtrtri(factor, lower=True, overwrite_c=True)
        for start in range(0, size.p, TILE):
            rows[start : start + TILE] @ rows[start:].T

    with threadpool_limits(limits=1, user_api="blas"):
        least = fastest(bare, 5)
        whole = fastest(lambda: draw(experiment, SeedSequence(1)), 5)
    ratio = whole / least
    print(f"a draw {whole:.3f} s, its products {least:.3f} s, ratio {ratio:.2f}")


def rectifier(x: FloatArray) -> FloatArray:
    """Positive part."""
    return np.maximum(x, 0)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("tanh", MODEL),
        ("tanh, aligned", replace(MODEL, alignment=1.0)),
        ("relu", replace(MODEL, activation=rectifier, spike=(2.0, 0.5))),
    ],
)
def test_exact_averages_lessen_the_spread(name: str, model: SpikedModel) -> None:
    size, draws = Dimensions(d=100, n=200, p=150), 200
    count = TEST_PER_TRAINING * size.n
    pairs = []
    with threadpool_limits(limits=1, user_api="blas"):
        for seed in SeedSequence(2).spawn(draws):
            rng = np.random.default_rng(seed)
            layer = draw_first_layer(model, dimension=size.d, width=size.p, rng=rng)
            inputs = draw_inputs(rng, size.n, size.d)
            labels = model.label(layer, inputs, rng)
            fit = fit_ridge(model.features(layer, inputs), labels, 0.05)
            exact = excess_error(model, layer, fit.readout)
            sampled = sampled_excess_error(model, layer, fit, count, rng)
            pairs.append((exact, sampled))
    without, with_test_data = np.var(pairs, axis=0, ddof=1)
    factor = with_test_data / without
    print(f"{name}: {count} test points make the variance {factor:.2f} times as large")
    assert factor > 1
