"""A model's equations with numbers in them."""

from detequiv.numerics.equations.balls import BallOutputs, BallSystem, Predictor
from detequiv.numerics.equations.compiler import Compiled, Compiler
from detequiv.numerics.equations.cone import Cone, symmetric
from detequiv.numerics.equations.equations import (
    Equations,
    ball_equations,
    float_equations,
)
from detequiv.numerics.equations.floats import FloatSystem, unit_sizes
from detequiv.numerics.equations.least_squares import least_squares
from detequiv.numerics.equations.linear_form import LinearForm
from detequiv.numerics.equations.resolvent_floats import STALLED, ResolventSystem

__all__ = [
    "STALLED",
    "BallOutputs",
    "BallSystem",
    "Compiled",
    "Compiler",
    "Cone",
    "Equations",
    "FloatSystem",
    "LinearForm",
    "Predictor",
    "ResolventSystem",
    "ball_equations",
    "float_equations",
    "least_squares",
    "symmetric",
    "unit_sizes",
]
