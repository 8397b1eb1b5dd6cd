"""Test errors without test data, and models that share their draws."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.random import SeedSequence

from detequiv.validation.witness.draws import Dimensions, sampled_excess_error
from detequiv.validation.witness.model import SpikedModel, draw_first_layer
from detequiv.validation.witness.ridge import RidgeFit
from detequiv.validation.witness.risk import excess_error
from detequiv.validation.witness.together import draw_together
from detequiv.validation.witness.trained import TrainedModel

SIZE = Dimensions(d=20, n=40, p=30)


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def target(x: Any) -> Any:
    return x + x**2 / 2


SPIKED = SpikedModel(
    activation=relu,
    spike=(1.5, -0.8),
    bulk=(0.7, 1.2),
    weights=(0.5, 0.5),
    target=target,
    alignment=0.6,
    noise=0.3,
)
TRAINED = TrainedModel(
    activation=relu,
    readout=(1.0, -0.5),
    step=3.0,
    weights=(0.5, 0.5),
    target=target,
    noise=0.3,
)


@pytest.mark.parametrize("activation", [relu, np.tanh, np.cos])
@pytest.mark.parametrize("model", [SPIKED, TRAINED])
def test_the_population_error_is_that_of_many_test_data(
    model: Any, activation: Any
) -> None:
    rng = np.random.default_rng(1)
    model = replace(model, activation=activation)
    layer = draw_first_layer(model, dimension=20, width=30, rng=rng)
    readout = rng.standard_normal(30)
    fit = RidgeFit(
        readout=readout,
        training_error=0.0,
        readout_norm=0.0,
        ridge_objective=0.0,
        resolvent_trace=0.0,
    )
    blocks = [sampled_excess_error(model, layer, fit, 5000, rng) for _ in range(40)]
    exact = excess_error(model, layer, readout)
    # Unlucky with probability 1e-6 (Student's law, 39 degrees of freedom).
    error = np.std(blocks, ddof=1) / np.sqrt(len(blocks))
    assert abs(np.mean(blocks) - exact) < 5.7 * error
    assert error < 0.02 * exact


def test_equal_models_have_equal_errors() -> None:
    unmoved = replace(TRAINED, step=0.0)
    plain = replace(SPIKED, spike=(0.0, 0.0), bulk=(1.0, 1.0), alignment=1.0)
    same, other, trained = draw_together(
        [plain, unmoved, TRAINED], SIZE, 0.05, SeedSequence(3)
    )
    assert same == pytest.approx(other, rel=1e-12)
    assert abs(trained - same) > 1e-3
