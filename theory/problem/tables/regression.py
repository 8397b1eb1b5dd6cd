"""The fit of the second layer: its proportions, its penalty and its loss."""

from dataclasses import dataclass
from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError, is_name
from detequiv.theory.functions import exact, sign
from detequiv.theory.losses import LOSSES, Loss, named_loss
from detequiv.theory.problem.tables.spelled import Spelled

__all__ = ["Ridge"]

Number = Any  # int, str, float, Fraction, Decimal, mpf or Expr; see `exact`


@dataclass(frozen=True, kw_only=True, init=False, repr=False)
class Ridge(Spelled):
    """Fit of the second layer with a ridge penalty, in the proportional limit.

    Parameters
    ----------
    samples_per_dim : number
        ``alpha = n/d > 0``.
    width_per_dim : number
        ``beta = p/d > 0``.
    penalty : number
        ``lambda >= 0`` in ``sum_mu (y_mu - a.phi_mu/sqrt(p))^2 + lambda |a|^2``.
    loss : str
        What replaces the square: ``"square"``, ``"huber"``, ``"logistic"``,
        ``"hinge"`` or ``"squared_hinge"``, see `detequiv.theory.losses.named_loss`.
    delta : number, optional
        Where ``"huber"`` goes over from a square to a line, positive.

    Raises
    ------
    InputError
        A value outside its domain.
    """

    samples_per_dim: sp.Expr
    width_per_dim: sp.Expr
    penalty: sp.Expr
    loss: str
    delta: sp.Expr | None

    def __init__(
        self,
        *,
        samples_per_dim: Number,
        width_per_dim: Number,
        penalty: Number,
        loss: str = "square",
        delta: Number | None = None,
    ) -> None:
        samples = exact(samples_per_dim, "ridge.samples_per_dim")
        width = exact(width_per_dim, "ridge.width_per_dim")
        strength = exact(penalty, "ridge.penalty")
        if sign(samples) <= 0:
            raise InputError(
                "ridge.samples_per_dim", samples_per_dim, "must be positive"
            )
        if sign(width) <= 0:
            raise InputError("ridge.width_per_dim", width_per_dim, "must be positive")
        if sign(strength) < 0:
            raise InputError("ridge.penalty", penalty, "must not be negative")
        vars(self).update(
            samples_per_dim=samples,
            width_per_dim=width,
            penalty=strength,
            loss=loss,
            delta=_read_delta(loss, delta),
        )

    @property
    def named_loss(self) -> Loss:
        """The loss itself."""
        return named_loss(self.loss, self.delta)


def _read_delta(loss: str, delta: Number | None) -> sp.Expr | None:
    """Check the name of a loss, and read where huber goes over."""
    if not is_name(loss, LOSSES):
        raise InputError(
            "ridge.loss", loss, f"give one of {', '.join(map(repr, LOSSES))}"
        )
    if loss != "huber":
        if delta is not None:
            raise InputError("ridge.delta", delta, "is that of loss = 'huber'")
        return None
    if delta is None:
        raise InputError("ridge.delta", "(missing)", "loss = 'huber' needs it")
    number = exact(delta, "ridge.delta")
    if sign(number) <= 0:
        raise InputError("ridge.delta", delta, "must be positive")
    return number
