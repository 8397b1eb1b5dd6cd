"""What is reported of a fit with a convex loss, in float64.

All of it follows from the joint law of label and fit given kappa, for a fresh sample
and for one of those that were fitted, and from Phi itself.
"""

from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import special
from detequiv.numerics.losses.convex import FLOOR, ConvexSystem, Place
from detequiv.numerics.losses.descent import Found
from detequiv.theory.losses import Loss, u

__all__ = ["outcomes"]

Array = NDArray[Any]
ndtr = special("ndtr")


def outcomes(system: ConvexSystem, found: Found) -> dict[str, float]:
    """Quantities by name, as those of `detequiv.numerics.solving.Solution`.

    Among them ``training_loss_from_objective``, a second route to the training loss:
    ``(beta/alpha)(Phi - lambda dPhi/dlambda)``.
    """
    at, moments = found.place, found.moments
    model, samples, loss = system.model, system.samples, system.channel.loss
    mean, slope, spread, chi = system.functions(at)
    parameters = dict(zip(model.parameters, system.parameters, strict=True))

    def over(values: Array) -> float:
        """Average over s, labels and kappa."""
        return float(system.weights @ (samples.share * values).sum(1))

    variance = spread[:, None] + samples.noise
    centre, leverage = samples.centre(mean, slope), chi[:, None]
    fit = mean[:, None] + slope[:, None] * samples.s
    test = over((samples.label - fit) ** 2 + variance)
    miss = (1 - u) ** 2 if loss.margin else u**2
    fresh = samples.moments(
        system.channel, mean, slope, spread, np.full_like(chi, FLOOR)
    )
    objective = system.value(at, moments)
    norm = _by_ridge(system, at)
    penalty = parameters[model.ridge]
    names = list(model.quantities)
    trace = system.equations.quantities([0.0, 0.0, 0.0], at.x, system.parameters)
    values = {
        "generalization_error": test,
        "training_error": over(system.channel.fitted(miss, centre, variance, leverage)),
        "readout_norm": norm,
        "ridge_objective": objective,
        "resolvent_trace": float(trace[names.index("resolvent_trace")]),
        "test_loss": float(system.weights @ fresh.value),
        "training_loss": float(
            system.weights @ (moments.value + chi * moments.gradient[3])
        ),
        "training_loss_from_objective": (objective - penalty * norm) / system.ratio,
    }
    if samples.binary:
        width = np.sqrt(spread)[:, None]
        # of a fresh sample the sign of the fit is wrong; of a fitted one that of u*
        values["classification_error"] = over(ndtr(-samples.label * fit / width))
        values["training_classification_error"] = over(
            _wrong(loss, samples.label, centre, np.sqrt(variance), leverage)
        )
    return values


def _by_ridge(system: ConvexSystem, at: Place) -> float:
    """Partial derivative of Phi by the penalty, which is the total one."""
    local, _, energy = system.equations.sources[1]
    inverse = system.inverse(at.x)
    slope = np.array(local(at.x, inverse, system.parameters), float)
    return float(slope @ at.multipliers + energy(at.x, at.y, system.parameters)[0])


def _wrong(
    loss: Loss, label: Array, centre: Array, width: Array, leverage: Array
) -> Array:
    """Probability that a fitted sample has ``y f* < 0``: beyond a value of u*.

    ``u* < u0`` where ``v < u0 + chi loss'(u0) / 2``.
    """
    if loss.margin:
        place = leverage * _slope(loss, 0) / 2
        below: Array = ndtr((place - centre) / width)
        return below
    place = label * (1 + leverage * _slope(loss, 1) / 2)
    beyond: Array = ndtr(label * (centre - place) / width)
    return beyond


def _slope(loss: Loss, place: int) -> float:
    """Differentiate a loss at a place where it is smooth."""
    return float(sp.diff(loss.value, u).subs(u, place))
