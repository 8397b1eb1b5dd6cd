"""One draw of a model: what it is defined by, and what is measured on it.

Each draw owns a seed, so that what it gives depends neither on the other draws nor on
how many workers share them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.random import Generator, SeedSequence
from threadpoolctl import ThreadpoolController

from detequiv.validation.witness.hermite import UnresolvedError, hermite_expansion
from detequiv.validation.witness.losses import ConvexFit, Loss, fit_convex
from detequiv.validation.witness.model import (
    FirstLayer,
    FloatArray,
    Model,
    draw_first_layer,
    draw_inputs,
)
from detequiv.validation.witness.ridge import RidgeFit, fit_ridge
from detequiv.validation.witness.risk import excess_error, learned_function

__all__ = [
    "LOSS_QUANTITIES",
    "QUANTITIES",
    "SAMPLER",
    "Dimensions",
    "Draw",
    "Experiment",
    "draw",
    "sampled_excess_error",
    "sampled_learned_function",
    "spectrum",
]

SAMPLER = 6
"""Version of the sampler, raised whenever a seed comes to give other numbers."""

QUANTITIES = (
    "generalization_error",
    "training_error",
    "excess_error",
    "readout_norm",
    "ridge_objective",
    "resolvent_trace",
)

LOSS_QUANTITIES = (
    "classification_error",
    "training_classification_error",
    "test_loss",
    "training_loss",
)

# Where the test error has to be sampled: fresh test points for each training point,
# enough that they are not what limits the precision of a draw.
TEST_PER_TRAINING = 4
# Test points processed at once, to bound memory at a few hundred MB for p = 10^4.
BLOCK = 2048
# Inputs averaged over in one draw at each projection of the learned function.
INPUTS_PER_PROJECTION = 256


@dataclass(frozen=True, kw_only=True)
class Dimensions:
    """Sizes of one draw.

    Attributes
    ----------
    d, n, p : int
        Input dimension, training samples, width.
    """

    d: int
    n: int
    p: int

    def __post_init__(self) -> None:
        """Refuse sizes that hold no model."""
        if self.d < 2:
            raise ValueError(
                f"dimension = {self.d}: at least 2, for two directions to be drawn"
            )
        for name, size in (("n", self.n), ("p", self.p)):
            if size < 1:
                raise ValueError(f"{name} = {size}: at least 1; enlarge the dimension")

    @classmethod
    def proportional(
        cls, d: int, *, samples_per_dim: float, width_per_dim: float
    ) -> "Dimensions":
        """Sizes with ``n = alpha d`` and ``p = beta d``, to the nearest integers."""
        return cls(d=d, n=round(samples_per_dim * d), p=round(width_per_dim * d))


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is drawn, and how often.

    Attributes
    ----------
    model : Model
        The model.
    dimensions : Dimensions
        Its sizes.
    penalty : float
        lambda > 0 of the ridge objective.
    repetitions : int
        Number of independent draws, at least 2.
    projections : tuple of float
        Values of ``kappa = <v, x>`` at which to measure the learned function.
    eigenvalues : bool
        Whether to keep the eigenvalues of ``Phi^T Phi / n`` of each draw.
    loss : Loss, optional
        What is minimised in place of the squares.
    """

    model: Model
    dimensions: Dimensions
    penalty: float
    repetitions: int
    projections: tuple[float, ...] = ()
    eigenvalues: bool = False
    loss: Loss | None = None

    def __post_init__(self) -> None:
        """Refuse what leaves no standard error."""
        if self.repetitions < 2:
            raise ValueError(
                f"repetitions = {self.repetitions}: at least 2, "
                "the standard error comes from the spread over them"
            )

    @property
    def definition(self) -> str:
        """Text that fixes, with its seed, what a draw gives; the same in every process.

        Raises
        ------
        ValueError
            The model holds a function that has no lasting name, such as a lambda.
        """
        parts = (
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if field.name != "repetitions" and getattr(self, field.name) is not None
        )
        text = f"sampler {SAMPLER}: {', '.join(parts)}"
        if self.model.covariance is not None:
            text += f", {self.model.covariance!r}"
        if self.model.labels is not None:
            text += f", {self.model.labels!r}"
        if nameless := re.search(r"<(?:[^<>]|<\w+>)* at 0x", text):
            raise ValueError(
                f"{nameless[0].split(' at ')[0]}>: draws of a model that holds it "
                "cannot be recognised later; use functions whose repr says what they do"
            )
        return text


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What one draw measured.

    Attributes
    ----------
    values : mapping of str to float
        One value for each name in QUANTITIES, normalised as in `Estimates`, and in
        LOSS_QUANTITIES where they have a meaning.
    learned : ndarray, shape (len(projections),)
        Mean of the predictor over inputs with ``<v, x> = kappa``.
    eigenvalues : ndarray, shape (p,) or (0,)
        Eigenvalues of ``Phi^T Phi / n`` on the training data, ascending, if asked for.
    """

    values: Mapping[str, float]
    learned: FloatArray
    eigenvalues: FloatArray


def draw(experiment: Experiment, seed: SeedSequence) -> Draw:
    """Sample weights and training data once, fit, and measure.

    The test error and the learned function are averages over all inputs, without test
    data. Only where their series converge too slowly, as when two rows are nearly
    parallel, are they averages over inputs that are sampled too.
    """
    model, size = experiment.model, experiment.dimensions
    rng = np.random.default_rng(seed)
    # One thread, with or without an executor: threads change the order of summation,
    # and with it the last digits.
    with _libraries().limit(limits=1, user_api="blas"):
        layer = draw_first_layer(model, dimension=size.d, width=size.p, rng=rng)
        inputs = draw_inputs(rng, size.n, size.d)
        labels = model.label(layer, inputs, rng)
        features = model.features(layer, inputs)
        del inputs  # at large sizes, memory for the fit
        fit = _fit(experiment, features, labels)
        fitted = fit.predict(features)
        eigenvalues = spectrum(features) if experiment.eigenvalues else np.empty(0)
        del features
        try:
            excess = excess_error(model, layer, fit.readout)
        except UnresolvedError:
            count = TEST_PER_TRAINING * size.n
            excess = sampled_excess_error(model, layer, fit, count, rng)
        kappa = experiment.projections
        try:
            learned = learned_function(model, layer, fit.readout, kappa)
        except UnresolvedError:
            learned = sampled_learned_function(model, layer, fit, kappa, rng)
        noise = model.noise**2
        if model.labels is not None:
            noise = 1 - float(hermite_expansion(model.mean, np.ones(1), 1)[1][0])
        values = {
            "generalization_error": excess + noise,
            "training_error": fit.training_error,
            "excess_error": excess,
            "readout_norm": fit.readout_norm,
            "ridge_objective": fit.ridge_objective,
            "resolvent_trace": fit.resolvent_trace,
        }
        if model.labels is not None or experiment.loss is not None:
            count = TEST_PER_TRAINING * size.n
            values |= _sampled_losses(experiment, layer, fit, count, rng)
            values["training_loss"] = fit.training_loss
        if model.labels is not None:
            values["training_classification_error"] = _wrong(labels, fitted)
    return Draw(values=values, learned=learned, eigenvalues=eigenvalues)


def _fit(
    experiment: Experiment, features: FloatArray, labels: FloatArray
) -> RidgeFit | ConvexFit:
    if experiment.loss is None:
        return fit_ridge(features, labels, experiment.penalty)
    return fit_convex(features, labels, experiment.penalty, experiment.loss)


def _wrong(labels: FloatArray, fit: FloatArray) -> float:
    """Mean of the wrong signs, labels of -1 and 1 or their means; 0 is half wrong."""
    return float(np.mean(1 - labels * np.sign(fit)) / 2)


def _sampled_losses(
    experiment: Experiment,
    layer: FirstLayer,
    fit: RidgeFit | ConvexFit,
    count: int,
    rng: Generator,
) -> dict[str, float]:
    """Loss and wrong signs on so many fresh inputs, averaged over labels -1 and 1."""
    model, loss = experiment.model, experiment.loss
    total, wrong = 0.0, 0.0

    def value(labels: FloatArray, fitted: FloatArray) -> FloatArray:
        return (labels - fitted) ** 2 if loss is None else loss.value(labels, fitted)

    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        inputs = draw_inputs(rng, size, len(layer.teacher))
        fitted = fit.predict(model.features(layer, inputs))
        if model.labels is None:
            labels = model.label(layer, inputs, rng)
            total += float(value(labels, fitted).sum())
            continue
        mean = model.mean(inputs @ layer.teacher)
        one = np.ones(size)
        up, down = value(one, fitted), value(-one, fitted)
        total += float((up + down + mean * (up - down)).sum()) / 2
        wrong += size * _wrong(mean, fitted)
    found = {"test_loss": total / count}
    if model.labels is not None:
        found["classification_error"] = wrong / count
    return found


@cache
def _libraries() -> ThreadpoolController:
    """Find the libraries that this process has loaded; it takes longer than a draw."""
    return ThreadpoolController()


def sampled_excess_error(
    model: Model,
    layer: FirstLayer,
    fit: RidgeFit | ConvexFit,
    count: int,
    rng: Generator,
) -> float:
    """Mean of ``(f*(<w*, x>) - f(x))^2`` over so many fresh inputs.

    Against the noiseless signal, or the mean of labels: the noise's variance, once
    added, gives the same expectation as noisy labels would, with less spread.
    """
    total = 0.0
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        inputs = draw_inputs(rng, size, len(layer.teacher))
        signal = model.mean(inputs @ layer.teacher)
        error = signal - fit.predict(model.features(layer, inputs))
        total += float(error @ error)
    return total / count


def sampled_learned_function(
    model: Model,
    layer: FirstLayer,
    fit: RidgeFit | ConvexFit,
    projections: tuple[float, ...],
    rng: Generator,
) -> FloatArray:
    """Mean of ``f(x)`` over x with ``<v, x> = kappa``, for each kappa.

    The part of x orthogonal to v is drawn afresh and shared by all kappa, so that no
    bins are needed.
    """
    if not projections:
        return np.empty(0)
    inputs = draw_inputs(rng, INPUTS_PER_PROJECTION, len(layer.direction))
    inputs -= np.outer(inputs @ layer.direction, layer.direction)
    return np.array(
        [
            fit.predict(model.features(layer, inputs + kappa * layer.direction)).mean()
            for kappa in projections
        ]
    )


def spectrum(features: FloatArray) -> FloatArray:
    """All p eigenvalues of ``Phi^T Phi / n``, ascending."""
    n, p = features.shape
    values = np.linalg.svd(features, compute_uv=False)[::-1] ** 2 / n
    return np.concatenate([np.zeros(max(0, p - n)), values])
