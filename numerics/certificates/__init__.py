"""Balls that provably contain the exact values."""

from detequiv.numerics.certificates.certificate import (
    Ball,
    Certificate,
    certify,
    compare,
)

__all__ = ["Ball", "Certificate", "certify", "compare"]
