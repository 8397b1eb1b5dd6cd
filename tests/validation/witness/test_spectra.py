"""Leading eigenvectors of a draw, where they are known or found by another way."""

from dataclasses import replace

import numpy as np
import pytest

from detequiv.validation.witness.draws import Dimensions
from detequiv.validation.witness.model import SpikedModel, draw_first_layer, draw_inputs
from detequiv.validation.witness.spectra import draw_eigenvalues, draw_leading
from detequiv.validation.witness.trained import TrainedModel

SPIKED = SpikedModel(
    activation=np.tanh,
    spike=(3.0, -1.0),
    bulk=(0.7, 1.2),
    weights=(0.6, 0.4),
    target=np.sin,
    alignment=0.6,
    noise=0.3,
)
TRAINED = TrainedModel(
    activation=lambda x: np.tanh(x + 1),
    readout=(1.0, -0.5),
    weights=(0.6, 0.4),
    step=3.0,
    target=lambda x: x + x**2,
    noise=0.3,
)


def test_a_constant_feature_is_the_eigenvector_of_the_means() -> None:
    model = replace(SPIKED, activation=lambda x: 2 + 0.0 * x)
    size = Dimensions(d=5, n=20, p=30)
    found = draw_leading(model, size, 1, np.random.default_rng(1))
    np.testing.assert_allclose(found.values, [4 * 30], rtol=1e-12)
    np.testing.assert_allclose(found.mean_overlaps, [[0.6, 0.4]], rtol=1e-12)


@pytest.mark.parametrize("model", [SPIKED, TRAINED])
@pytest.mark.parametrize("size", [(20, 40, 30), (20, 30, 40)])
def test_leading_eigenvectors_are_those_of_the_whole_matrix(
    model: SpikedModel | TrainedModel, size: tuple[int, int, int]
) -> None:
    sizes = Dimensions(d=size[0], n=size[1], p=size[2])
    found = draw_leading(model, sizes, 3, np.random.default_rng(2))
    rng = np.random.default_rng(2)
    layer = draw_first_layer(model, dimension=sizes.d, width=sizes.p, rng=rng)
    features = model.features(layer, draw_inputs(rng, sizes.n, sizes.d))
    values, vectors = np.linalg.eigh(features.T @ features / sizes.n)
    np.testing.assert_allclose(found.values, values[-3:], rtol=1e-10)
    whole = draw_eigenvalues(model, sizes, np.random.default_rng(2))
    np.testing.assert_allclose(whole[-3:], values[-3:], rtol=1e-10)
    for q in (0, 1):
        units = layer.group == q
        mean = vectors[units].sum(axis=0)[-3:] ** 2 / units.sum()
        np.testing.assert_allclose(found.mean_overlaps[:, q], mean, atol=1e-10)
        omega = layer.overlap[units]
        latent = (omega @ vectors[units])[-3:] ** 2 / (omega @ omega)
        np.testing.assert_allclose(found.latent_overlaps[:, q], latent, atol=1e-10)


@pytest.mark.parametrize("model", [SPIKED, TRAINED])
def test_overlaps_are_those_of_the_rows_at_initialisation(
    model: SpikedModel | TrainedModel,
) -> None:
    rng = np.random.default_rng(3)
    layer = draw_first_layer(model, dimension=9, width=5, rng=rng)
    if isinstance(model, SpikedModel):
        spike, bulk = np.array(model.spike), np.array(model.bulk)
        along = layer.rows @ layer.direction - spike[layer.group]
        expected = along / bulk[layer.group]
    else:
        unmoved = replace(model, step=0.0)
        before = draw_first_layer(
            unmoved, dimension=9, width=5, rng=np.random.default_rng(3)
        )
        expected = before.rows @ layer.teacher
    np.testing.assert_allclose(layer.overlap, expected, atol=1e-13)
