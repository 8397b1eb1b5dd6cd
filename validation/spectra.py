"""Eigenvalues of one draw of the spiked random feature model.

Nothing here knows of the theory: the feature matrix is drawn and decomposed.
"""

import numpy as np
from numpy.random import Generator
from threadpoolctl import threadpool_limits

from detequiv.validation.draws import Dimensions, spectrum
from detequiv.validation.model import (
    FloatArray,
    Model,
    draw_first_layer,
    draw_inputs,
)

__all__ = ["draw_eigenvalues"]


def draw_eigenvalues(
    model: Model, dimensions: Dimensions, rng: Generator
) -> FloatArray:
    """Draw weights and data once, and decompose the feature matrix.

    Parameters
    ----------
    model : Model
        The features; its teacher plays no part.
    dimensions : Dimensions
        Sizes d, n and p.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (p,)
        All eigenvalues of ``Phi^T Phi / n``, ascending.
    """
    size = dimensions
    with threadpool_limits(limits=1, user_api="blas"):
        layer = draw_first_layer(model, dimension=size.d, width=size.p, rng=rng)
        features = model.features(layer, draw_inputs(rng, size.n, size.d))
        values: FloatArray = np.maximum(spectrum(features), 0.0)
        return values
