"""Balls that provably contain the exact values."""

from detequiv.numerics.certificates.certificate import Certificate, certify, compare

__all__ = ["Certificate", "certify", "compare"]
