"""Errors are total derivatives of the Energy: by implicit differentiation, and not.

The oracle solves again at parameters a little to both sides, in 60 digits, and takes a
central difference of the minimal Energy: its relative error is that of h^2.
"""

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp

import detequiv as de
from detequiv.numerics.arithmetic.compiled import precision, to_ball, to_mpf
from detequiv.numerics.averages.law_fields import LawFields
from detequiv.numerics.equations.balls import BallSystem
from detequiv.numerics.equations.floats import FloatSystem
from detequiv.numerics.solving.batch import solve_floats
from detequiv.numerics.solving.vouch import polish_system
from detequiv.theory.problem.conditionals import exact_parameters, law_of

DIGITS = 60
STEP = sp.Rational(1, 10**12)
PROBLEMS = {
    "tanh": de.Problem(
        features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
        target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    ),
    "relu": de.Problem(
        features=de.SpikedFeatures(
            activation="relu",
            spike=[1, "-1/2", 0],
            bulk=["11/10", 1, "4/5"],
            weights=["1/4", "1/4", "1/2"],
        ),
        target=de.Target(function="z + z**3/6", alignment="7/10", noise="1/5"),
        ridge=de.Ridge(samples_per_dim=1, width_per_dim=2, penalty="1/3"),
    ),
}


def quantities(problem: de.Problem, shifts: list[dict[str, sp.Expr]]) -> list[Any]:
    """Quantities of a problem with parameters of its model shifted, in one rule."""
    law = law_of(problem)
    model = law.model
    exact = exact_parameters(problem, law)
    names = [s.name for s in model.parameters]
    start = solve_floats(model, LawFields(law), np.array([[float(v) for v in exact]]))
    found = []
    with precision(DIGITS + 20):
        fields = LawFields(law).evaluate(20, 0.2)
        newton = FloatSystem.of(model, fields, np.array([[float(v) for v in exact]]))
        for shift in shifts:
            moved = [
                v + shift.get(name, 0) for name, v in zip(names, exact, strict=True)
            ]
            system = BallSystem(model, fields, [to_ball(sp.sympify(v)) for v in moved])
            x, _ = polish_system(system, newton, start.unknowns[0], DIGITS)
            values = map(to_mpf, system.outputs(x).quantities)
            found.append(dict(zip(model.quantities, values, strict=True)))
    return found


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(
    ("parameter", "derivative"),
    [("epsilon", "generalization_error"), ("lambda", "readout_norm")],
)
def test_implicit_derivatives_are_central_differences(
    name: str, parameter: str, derivative: str
) -> None:
    here, above, below = quantities(
        PROBLEMS[name], [{}, {parameter: STEP}, {parameter: -STEP}]
    )
    with mpmath.workdps(DIGITS):
        rise = above["ridge_objective"] - below["ridge_objective"]
        difference = rise / (2 * mpmath.mpf(STEP.p) / STEP.q)
        gap = abs(difference / here[derivative] - 1)
    # the third derivative is of the size of the first: h^2 = 1e-24
    assert gap < mpmath.mpf(10) ** -20
