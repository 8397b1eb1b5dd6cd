"""Eigenvalues of one draw of the features, and where the leading eigenvectors lie.

Nothing here knows of the theory: the feature matrix is drawn and decomposed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from detequiv.validation.witness.draws import Dimensions, spectrum
from detequiv.validation.witness.model import (
    FirstLayer,
    FloatArray,
    Model,
    draw_first_layer,
    draw_inputs,
)

__all__ = ["Leading", "draw_eigenvalues", "draw_leading", "leading"]


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
    with threadpool_limits(limits=1, user_api="blas"):
        _, features = _draw_features(model, dimensions, rng)
        values: FloatArray = np.maximum(spectrum(features), 0.0)
        return values


@dataclass(frozen=True, kw_only=True)
class Leading:
    """The largest eigenvalues of ``Phi^T Phi / n``, ascending, and their eigenvectors.

    Attributes
    ----------
    values : ndarray, shape (count,)
        The eigenvalues.
    mean_overlaps : ndarray, shape (count, K)
        Squared overlap of each eigenvector with the unit vector that is constant on
        the units of group q and 0 elsewhere.
    latent_overlaps : ndarray, shape (count, K)
        The same with the unit vector along ``<w_j, v>`` on the units of group q, w_j
        being the rows at initialisation.
    """

    values: FloatArray
    mean_overlaps: FloatArray
    latent_overlaps: FloatArray


def draw_leading(
    model: Model, dimensions: Dimensions, count: int, rng: Generator
) -> Leading:
    """Draw weights and data once, and find the leading eigenvectors.

    Parameters
    ----------
    model, dimensions, rng
        As for `draw_eigenvalues`.
    count : int
        How many, at least 1 and fewer than n and p.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        layer, features = _draw_features(model, dimensions, rng)
        return leading(layer, features, count)


def leading(layer: FirstLayer, features: FloatArray, count: int) -> Leading:
    """Find the leading eigenvectors of ``Phi^T Phi / n``.

    Parameters
    ----------
    layer : FirstLayer
        The units.
    features : ndarray, shape (n, p)
        Phi.
    count : int
        How many, at least 1 and fewer than n and p.
    """
    # Lanczos iterations from a fixed start, for a draw to give the same numbers again.
    start = np.ones(min(features.shape))
    _, singular, vectors = svds(features, count, v0=start)
    order = np.argsort(singular)
    vectors = vectors[order]
    member = layer.group == np.arange(layer.group[-1] + 1)[:, None]
    return Leading(
        values=singular[order] ** 2 / len(features),
        mean_overlaps=_squared_overlaps(vectors, member.astype(float)),
        latent_overlaps=_squared_overlaps(vectors, member * layer.overlap),
    )


def _squared_overlaps(vectors: FloatArray, directions: FloatArray) -> FloatArray:
    """Squared products of unit vectors with directions, once these have norm 1."""
    overlaps: FloatArray = vectors @ directions.T / np.linalg.norm(directions, axis=1)
    return overlaps**2


def _draw_features(
    model: Model, size: Dimensions, rng: Generator
) -> tuple[FirstLayer, FloatArray]:
    layer = draw_first_layer(model, dimension=size.d, width=size.p, rng=rng)
    return layer, model.features(layer, draw_inputs(rng, size.n, size.d))
