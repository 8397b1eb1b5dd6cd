"""Balls that provably contain the exact values."""

from detequiv.numerics.certificates.boxes import (
    MOVABLE,
    Box,
    BoxEnclosure,
    Enclosures,
    cube_of,
)
from detequiv.numerics.certificates.certificate import (
    Ball,
    Certificate,
    ball_of,
    certify,
    compare,
)

__all__ = [
    "MOVABLE",
    "Ball",
    "Box",
    "BoxEnclosure",
    "Certificate",
    "Enclosures",
    "ball_of",
    "certify",
    "compare",
    "cube_of",
]
