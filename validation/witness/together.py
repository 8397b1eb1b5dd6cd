"""Several models from one seed: what differs between them, without the common noise.

All models of a draw share the rows at initialisation, the inputs and the labels; their
errors are averages over all test data. Differences then have a far smaller spread than
the errors themselves.
"""

from collections.abc import Sequence

import numpy as np
from numpy.random import SeedSequence
from threadpoolctl import threadpool_limits

from detequiv.validation.witness.draws import Dimensions
from detequiv.validation.witness.model import (
    FloatArray,
    Model,
    draw_first_layer,
    draw_inputs,
)
from detequiv.validation.witness.ridge import fit_ridge
from detequiv.validation.witness.risk import excess_error

__all__ = ["draw_together"]


def draw_together(
    models: Sequence[Model], dimensions: Dimensions, penalty: float, seed: SeedSequence
) -> FloatArray:
    """Fit each of the models once, all from the same start and on the same data.

    Parameters
    ----------
    models : sequence of Model
        With the same weights, target and noise.
    dimensions : Dimensions
        Sizes d, n and p.
    penalty : float
        lambda > 0 of the ridge objective.
    seed : SeedSequence
        Of everything random.

    Returns
    -------
    ndarray, shape (len(models),)
        Excess error of each.
    """
    size, errors = dimensions, []
    with threadpool_limits(limits=1, user_api="blas"):
        for model in models:
            rng = np.random.default_rng(seed)
            layer = draw_first_layer(model, dimension=size.d, width=size.p, rng=rng)
            inputs = draw_inputs(rng, size.n, size.d)
            labels = model.label(layer, inputs, rng)
            fit = fit_ridge(model.features(layer, inputs), labels, penalty)
            errors.append(excess_error(model, layer, fit.readout))
    return np.array(errors)
