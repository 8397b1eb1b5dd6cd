r"""The resolvent at complex z to many digits, many points together.

Float64 finds the branch and the contour in kappa; chord steps with its inverse Hessian
then gain up to 14 digits each, with residuals in complex balls. The rule in kappa is
refined until the solutions on two of them agree: what a rule's own every second and
fourth node promise misses a pole of small residue next to the contour. Near an end of
the support, where the Hessian is all but singular, the chord ceases to contract: the
point is refused.

Everything here is in the scale of ``Phi^T Phi / p``.
"""

from dataclasses import dataclass
from math import ceil, log10
from typing import Any

import flint
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import (
    exact_ball,
    precision,
    to_ball,
    to_float,
)
from detequiv.numerics.averages import (
    CONTOURS,
    REAL_AXIS,
    Fields,
    contour_fields,
    first_step,
)
from detequiv.numerics.equations import ResolventSystem, ball_equations, float_equations
from detequiv.numerics.resolvent.floats import Resolvent
from detequiv.theory.models import upper_triangle

__all__ = ["GUARD", "Point", "PreciseRoots", "precise_roots"]

arb, acb, acb_mat = flint.arb, flint.acb, flint.acb_mat
Array = NDArray[Any]
Rows = list[list[Any]]
Point = tuple[sp.Expr, sp.Expr]
GUARD = 20  # digits carried beyond those asked for
STEPS = 60  # of the chord method
CONTRACTION = 0.1  # of its corrections, at least
ATTEMPTS = 8  # refinements of the rule in kappa
PATIENCE = 5  # of these before corrections that do not shrink count as hopeless


@dataclass
class PreciseRoots:
    """Unknowns at B points.

    Attributes
    ----------
    z : list of acb
        The points.
    start : (B, N) complex array
        Unknowns in float64.
    sizes : (B, N) float array
        Natural sizes of the unknowns.
    unknowns : list of list of acb
        Exact midpoints, B rows of N.
    errors : (B,) float array
        Error in units of the natural sizes: of rounding, of Newton's method and of the
        rule in kappa; infinite where corrections ceased to shrink.
    """

    z: list[Any]
    start: Array
    sizes: Array
    unknowns: Rows
    errors: Array


class ContourEquations:
    """Gradient of Psi in complex balls, on one rule.

    Parameters
    ----------
    resolvent : Resolvent
        The equations of one problem.
    parameters : list of arb
        Parameters of the model; the ridge penalty among them is not used.
    fields : Fields
        Weights and fields on a contour.
    """

    def __init__(
        self, resolvent: Resolvent, parameters: list[Any], fields: Fields
    ) -> None:
        model = resolvent.model
        self.equations = eq = ball_equations(model)
        self.floats = ResolventSystem(
            float_equations(model), list(resolvent.parameters), fields
        )
        self._parameters = parameters
        self._ridge = model.parameters.index(model.ridge)
        assert fields.rule is not None
        nodes = zip(*fields.columns, strict=True)
        rows = [[acb(v) for v in eq.form(node, parameters)] for node in nodes]
        self._form = acb_mat(rows).transpose()
        self._weighted = acb_mat(
            [[v * w for v in row] for row, w in zip(rows, fields.weights, strict=True)]
        )

    def gradients(self, x: Rows, z: list[Any]) -> Rows:
        """Gradient at unknowns x for points z."""
        eq, p = self.equations, list(self._parameters)
        chi = (acb_mat(x) * self._form).tolist()
        slopes = [[eq.average_slope([c], p)[0] for c in row] for row in chi]
        averages = (acb_mat(slopes) * self._weighted).tolist()
        result = []
        for row, point, average in zip(x, z, averages, strict=True):
            p[self._ridge] = -point
            local = eq.local_gradient(row, self._inverse(row), p)
            result.append([a + b for a, b in zip(local, average, strict=True)])
        return result

    def _inverse(self, x: list[Any]) -> list[Any]:
        """Upper triangle of the inverse of the matrix unknown."""
        eq = self.equations
        if not eq.order:
            return []
        pairs = upper_triangle(eq.order)
        rows = [[acb(0)] * eq.order for _ in range(eq.order)]
        for value, (i, j) in zip(x[eq.size - len(pairs) :], pairs, strict=True):
            rows[i][j] = rows[j][i] = value
        inverse = acb_mat(rows).inv()
        return [inverse[i, j] for i, j in pairs]


def precise_roots(
    resolvent: Resolvent, exact: list[sp.Expr], z: list[Any], digits: float
) -> PreciseRoots:
    """Solve at the points z to `digits` digits, as far as they can be reached.

    Parameters
    ----------
    resolvent : Resolvent
        The equations of one problem.
    exact : list of Expr
        Parameters of the model.
    z : list of (Expr, Expr)
        Real and imaginary parts, the latter not negative; not 0. A real z stands for
        ``z + i0``.
    digits : float
        Errors aimed at are below ``10^-digits``; it is for the caller to judge those
        that were reached.

    Raises
    ------
    ConvergenceError
        Float64 found no solution at some point, or the features could not be evaluated.
    """
    points = np.array([complex(to_float(a), to_float(b)) for a, b in z])
    found = resolvent.solve(points)
    # moments are known to so many decimals: chi near 0 is larger by as many decades
    depth = max(0, ceil(log10(resolvent.mean() / np.min(np.abs(points), initial=1))))
    with precision(digits + GUARD + depth):
        parameters = [to_ball(v) for v in exact]
        roots = PreciseRoots(
            z=[acb(to_ball(a), to_ball(b)) for a, b in z],
            start=found.unknowns,
            sizes=resolvent.system(REAL_AXIS, 0).scales(found.unknowns),
            unknowns=[[] for _ in z],
            errors=np.full(len(z), np.inf),
        )
    for shift in range(len(CONTOURS)):
        # what float64 does not see of a pole next to its contour may ask for another
        places = (found.contours + shift) % len(CONTOURS)
        for place, contour in enumerate(CONTOURS):
            missed = (places == place) & (roots.errors > 10.0**-digits)
            todo = np.flatnonzero(missed)
            if shift:
                todo = todo[resolvent.admits(contour, 1, found.unknowns[todo])]
            step = first_step(digits + 2.0)
            for attempt in range(ATTEMPTS):
                if not len(todo):
                    break
                fields = contour_fields(
                    resolvent.law, contour, digits + 5 + depth, step
                )
                with precision(digits + GUARD + depth):
                    equations = ContourEquations(resolvent, parameters, fields)
                    coarse = attempt < PATIENCE
                    todo = _polish(equations, roots, todo, digits, coarse)
                step *= 0.65
    return roots


def _polish(
    equations: ContourEquations,
    roots: PreciseRoots,
    todo: Array,
    digits: float,
    coarse: bool,
) -> Array:
    """Chord steps on one rule, that may be too coarse, for the points `todo`.

    Returns
    -------
    array of int
        Those for which a finer rule promises more.
    """
    goal, finer = 10.0**-digits, []
    points = np.array([complex(roots.z[k]) for k in todo])
    start, scales = roots.start[todo], roots.sizes[todo]
    with np.errstate(all="ignore"):
        poles = dict(zip(todo, equations.floats.pole_error(start, points), strict=True))
    hessians = equations.floats.derivatives(start, points)[1]
    inverses = np.linalg.inv(hessians * scales[:, :, None] * scales[:, None, :])
    active = dict(zip(todo, [acb_mat(m.tolist()) for m in inverses], strict=True))
    sizes = {k: [exact_ball(float(s)) for s in roots.sizes[k]] for k in todo}
    x = {
        k: roots.unknowns[k] or [acb(complex(v)) for v in roots.start[k]] for k in todo
    }
    previous = dict.fromkeys(active, np.inf)
    for _ in range(STEPS):
        if not active:
            break
        gradients = equations.gradients(
            [x[k] for k in active], [roots.z[k] for k in active]
        )
        for k, gradient in zip(list(active), gradients, strict=True):
            step = _step(active[k], sizes[k], gradient)
            x[k] = [
                (v - s * d).mid() for v, s, d in zip(x[k], sizes[k], step, strict=True)
            ]
            largest = _size(step)
            if largest < goal / 10:
                other, rounding = roots.unknowns[k], max(map(_radius, step))
                rule = max(_gap(x[k], other, sizes[k]), poles[k]) if other else np.inf
                if goal < rule > rounding and not rule > roots.errors[k] / 2:
                    finer.append(k)
                roots.unknowns[k] = x[k]
                roots.errors[k] = max(goal / 10, rounding, rule)
                del active[k]
            elif not largest < CONTRACTION * previous[k]:
                if coarse and not roots.unknowns[k]:
                    finer.append(k)
                del active[k]
            previous[k] = largest
    return np.array(finer, int)


def _step(chord: Any, sizes: list[Any], gradient: list[Any]) -> list[Any]:
    """Correction in natural sizes."""
    scaled = [g * s for g, s in zip(gradient, sizes, strict=True)]
    return list((chord * acb_mat(len(scaled), 1, scaled)).entries())


def _size(step: list[Any]) -> float:
    return max(float(abs(v).mid()) for v in step)


def _gap(x: list[Any], other: list[Any], sizes: list[Any]) -> float:
    """Distance of two solutions in natural sizes."""
    return _size([(a - b) / s for a, b, s in zip(x, other, sizes, strict=True)])


def _radius(value: Any) -> float:
    return float(max(value.real.rad(), value.imag.rad()))
