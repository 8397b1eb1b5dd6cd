"""Arithmetics: compiled expressions, balls, matrices of balls, digits."""

from detequiv.numerics.arithmetic.compiled import (
    BALLS,
    FLOATS,
    average_by,
    bits,
    compile_expressions,
    exact_ball,
    integer_power,
    precision,
    special,
    to_ball,
    to_float,
    to_mpf,
)
from detequiv.numerics.arithmetic.digits import (
    check_digits,
    check_finite,
    check_positive,
    check_whole,
)
from detequiv.numerics.arithmetic.matrices import (
    add,
    cholesky,
    column,
    inverse_of,
    relative_error,
    solve_linear,
    solve_semidefinite,
    symmetric,
)

__all__ = [
    "BALLS",
    "FLOATS",
    "add",
    "average_by",
    "bits",
    "check_digits",
    "check_finite",
    "check_positive",
    "check_whole",
    "cholesky",
    "column",
    "compile_expressions",
    "exact_ball",
    "integer_power",
    "inverse_of",
    "precision",
    "relative_error",
    "solve_linear",
    "solve_semidefinite",
    "special",
    "symmetric",
    "to_ball",
    "to_float",
    "to_mpf",
]
