"""Convex losses, their proximal maps and Moreau envelopes."""

from detequiv.theory.losses.envelope import (
    DERIVATIVES,
    Envelope,
    SmoothEnvelope,
    chi,
    envelope,
    smooth_envelope,
    v,
)
from detequiv.theory.losses.loss import LOSSES, SEPARATION, Loss, named_loss, u

__all__ = [
    "DERIVATIVES",
    "LOSSES",
    "SEPARATION",
    "Envelope",
    "Loss",
    "SmoothEnvelope",
    "chi",
    "envelope",
    "named_loss",
    "smooth_envelope",
    "u",
    "v",
]
