"""The resolvent of the features at complex z, and on the real axis."""

from detequiv.numerics.resolvent.balls import GUARD, Point, precise_roots
from detequiv.numerics.resolvent.counting import SAME, Counting
from detequiv.numerics.resolvent.floats import (
    Resolvent,
    Roots,
    follow_down,
    is_physical,
)
from detequiv.numerics.resolvent.real_branch import BranchPoint, RealBranch

__all__ = [
    "GUARD",
    "SAME",
    "BranchPoint",
    "Counting",
    "Point",
    "RealBranch",
    "Resolvent",
    "Roots",
    "follow_down",
    "is_physical",
    "precise_roots",
]
