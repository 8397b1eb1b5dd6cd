"""The samplers, against their definition.

Seeds are fixed. Each statistical test states the probability with which another seed
would fail it although the sampler is right.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detequiv.validation.witness.model import (
    SpikedModel,
    draw_first_layer,
    draw_inputs,
    group_sizes,
    on_sphere,
)

MODEL = SpikedModel(
    activation=np.tanh,
    spike=(1.5, -0.8, 0.0),
    bulk=(1.0, 0.7, 2.0),
    weights=(0.5, 0.3, 0.2),
    target=np.square,
    alignment=0.7,
    noise=0.3,
)
UNLUCKY = 1e-6


def inside(value: float, law: stats.rv_continuous) -> bool:
    """Tell whether a value lies between the UNLUCKY/2 quantiles of its law."""
    return bool(law.ppf(UNLUCKY / 2) < value < law.isf(UNLUCKY / 2))


def test_rows_are_uniform_on_the_sphere() -> None:
    count, d = 4000, 40
    rows = on_sphere(np.random.default_rng(1).standard_normal((count, d)))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-13)
    # Unlucky with probability 1e-6 each, by the central limit theorem over the rows:
    # d |sum_j w_j|^2 / p is chi-square with d degrees of freedom ...
    assert inside(d / count * np.sum(rows.sum(axis=0) ** 2), stats.chi2(d))
    # ... and E w_a^2 w_b^2 = 1 / (d (d + 2)) for each of the pairs a < b ...
    products = (rows.T @ rows)[np.triu_indices(d, 1)]
    pairs = d * (d - 1) // 2
    square = d * (d + 2) / count * np.sum(products**2)
    assert inside(square, stats.chi2(pairs))
    # ... and a single entry is that of a uniform direction: w_1^2 ~ Beta(1/2, (d-1)/2).
    assert stats.kstest(rows[:, 0] ** 2, stats.beta(0.5, (d - 1) / 2).cdf).pvalue > 1e-6


def test_inputs_are_standard_normal() -> None:
    n, d = 3000, 30
    inputs = draw_inputs(np.random.default_rng(2), n, d)
    # Unlucky with probability 1e-6 each, exactly: chi-square and Student's laws.
    assert inside(np.sum(inputs**2), stats.chi2(n * d))
    assert inside(n * np.sum(inputs.mean(axis=0) ** 2), stats.chi2(d))
    lowest = stats.pearsonr(inputs[:, :-1], inputs[:, 1:], axis=0).pvalue.min()
    assert lowest > UNLUCKY / (d - 1)


@pytest.mark.parametrize("alignment", [-1.0, -0.3, 0.0, 0.7, 1.0])
def test_the_two_directions_have_the_alignment(alignment: float) -> None:
    model = replace(MODEL, alignment=alignment)
    layer = draw_first_layer(
        model, dimension=50, width=10, rng=np.random.default_rng(3)
    )
    np.testing.assert_allclose(np.linalg.norm(layer.direction), 1, rtol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(layer.teacher), 1, rtol=1e-14)
    np.testing.assert_allclose(
        layer.teacher @ layer.direction, alignment, rtol=0, atol=1e-14
    )


def test_rows_less_their_spike_have_the_bulk_scale() -> None:
    layer = draw_first_layer(
        MODEL, dimension=60, width=100, rng=np.random.default_rng(4)
    )
    assert np.bincount(layer.group).tolist() == [50, 30, 20]
    spike, bulk = np.asarray(MODEL.spike), np.asarray(MODEL.bulk)
    rest = layer.rows - np.outer(spike[layer.group], layer.direction)
    np.testing.assert_allclose(
        np.linalg.norm(rest, axis=1), bulk[layer.group], rtol=1e-13
    )
    # sqrt(d) <w, v> is standard normal but for O(1/d): over 100 rows, unlucky with
    # probability 1e-6.
    overlap = rest @ layer.direction / bulk[layer.group]
    assert inside(60 * np.sum(overlap**2), stats.chi2(100))


def test_features_are_the_activation_of_each_projection() -> None:
    rng = np.random.default_rng(5)
    layer = draw_first_layer(MODEL, dimension=7, width=5, rng=rng)
    inputs = draw_inputs(rng, 4, 7)
    one_by_one = [[np.tanh(float(f @ x)) for f in layer.rows] for x in inputs]
    np.testing.assert_allclose(MODEL.features(layer, inputs), one_by_one, rtol=1e-13)


def test_labels_are_the_target_of_the_teacher_and_noise() -> None:
    rng = np.random.default_rng(6)
    layer = draw_first_layer(MODEL, dimension=7, width=5, rng=rng)
    inputs = draw_inputs(rng, 5000, 7)
    signal = MODEL.signal(layer, inputs)
    np.testing.assert_allclose(signal, (inputs @ layer.teacher) ** 2, rtol=1e-13)
    noise = MODEL.label(layer, inputs, rng) - signal
    # Unlucky with probability 1e-6 each, exactly.
    assert inside(np.sum(noise**2) / MODEL.noise**2, stats.chi2(5000))
    assert inside(noise.sum() / MODEL.noise, stats.norm(scale=np.sqrt(5000)))
    assert stats.pearsonr(noise, inputs[:, 0]).pvalue > 1e-6


@given(
    parts=st.lists(st.integers(1, 50), min_size=1, max_size=6),
    total=st.integers(0, 5000),
)
def test_groups_are_rounded_by_less_than_one(parts: list[int], total: int) -> None:
    weights = tuple(part / sum(parts) for part in parts)
    sizes = group_sizes(weights, total)
    assert sizes.sum() == total
    assert np.all(np.abs(sizes - np.asarray(weights) * total) < 1 + 1e-9)


def test_the_largest_remainder_gets_the_spare_unit() -> None:
    assert group_sizes((0.34, 0.33, 0.33), 10).tolist() == [4, 3, 3]
    assert group_sizes((0.1, 0.25, 0.65), 10).tolist() == [1, 3, 6]
    assert group_sizes((1 / 3, 1 / 3, 1 / 3), 99).tolist() == [33, 33, 33]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bulk": (1.0,)}, r"spike, bulk, weights have lengths 3, 1, 3: "),
        ({"alignment": 1.5}, r"alignment = 1.5: must lie in \[-1, 1\]"),
        ({"noise": -0.1}, r"noise = -0.1: must not be negative"),
    ],
)
def test_what_cannot_be_sampled_is_refused(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(MODEL, **change)  # type: ignore[arg-type]
