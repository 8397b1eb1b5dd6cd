"""Where a claim may be false: float64 over a grid, then down the margin."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from detequiv.numerics.arithmetic import FLOATS, compile_expressions, to_float
from detequiv.numerics.certificates import Box
from detequiv.numerics.discovery.claims import Atom, Claim
from detequiv.numerics.solving import sweep
from detequiv.theory.problem import Problem

__all__ = ["candidates"]

GRID = {1: 65, 2: 13, 3: 5}  # points a side, by the number of parameters
MOST = 3  # points that are handed over
FINE = 10**6  # denominators of the points' places within their ranges
STEP = sp.Rational(1, 10**4)  # relative, of differences
DESCENTS, STEPS = 2, 40  # of the simplex method, and its steps


def candidates(
    claim: Claim, problems: Mapping[str, Problem], box: Box
) -> list[dict[str, sp.Rational]]:
    """Points of a box at which the claim fails in float64, the clearest first.

    Parameters
    ----------
    claim : Claim
        What is claimed.
    problems : mapping of str to Problem
        What of.
    box : Box
        Where.

    Returns
    -------
    list of dict
        Exact points, at most `MOST`.
    """
    names = list(box)
    side = np.linspace(0, 1, GRID.get(len(names), 3))
    shares = np.array(list(product(side, repeat=len(names))))
    hard = _hard_places(problems, box)
    if len(hard):
        shares = np.concatenate([shares, hard])
    worst = _worst(claim, problems, box, shares)
    order = np.argsort(np.where(np.isnan(worst), np.inf, worst))
    found = [(worst[k], shares[k]) for k in order[:MOST]]
    for value, share in found[:DESCENTS]:
        if not value > 0:
            continue

        def margin(place: Any) -> float:
            inside = np.clip(place, 0, 1)[None]
            return float(_worst(claim, problems, box, inside)[0])

        result = minimize(
            margin,
            share,
            method="Nelder-Mead",
            options={"maxfev": STEPS, "initial_simplex": _simplex(share)},
        )
        found.append((result.fun, np.clip(result.x, 0, 1)))
    found.sort(key=lambda pair: np.inf if np.isnan(pair[0]) else pair[0])
    return [_place(box, share) for value, share in found[:MOST] if value < 0]


def _simplex(share: Any) -> Any:
    step = np.where(share > 0.5, -0.02, 0.02)
    return np.concatenate([share[None], share + np.diag(step)])


def _hard_places(problems: Mapping[str, Problem], box: Box) -> Any:
    """Places with as many samples as units, where peaks are."""
    places = []
    for problem in problems.values():
        ridge = problem.ridge
        for name, at in (
            ("ridge.samples_per_dim", ridge.width_per_dim),
            ("ridge.width_per_dim", ridge.samples_per_dim),
        ):
            if name in box and box[name][0] <= at <= box[name][1]:
                for rest in (0.0, 0.5, 1.0):
                    places.append(
                        [_share(box, n, at) if n == name else rest for n in box]
                    )
    return np.array(places)


def _share(box: Box, name: str, value: sp.Expr) -> float:
    low, high = map(to_float, box[name])
    at = to_float(value)
    if low > 0:
        return float(np.log(at / low) / np.log(high / low))
    return (at - low) / (high - low)


def _place(box: Box, share: Sequence[float]) -> dict[str, sp.Rational]:
    """Exact point at shares of the sides, geometric where the ends are positive."""
    point = {}
    for (name, (low, high)), part in zip(box.items(), share, strict=True):
        if part <= 0 or part >= 1:
            point[name] = low if part <= 0 else high
        elif low > 0:
            value = sp.Rational(f"{to_float(low * (high / low) ** part):.12g}")
            point[name] = min(max(value, low), high)
        else:
            point[name] = low + (high - low) * sp.Rational(round(part * FINE), FINE)
    return point


def _worst(claim: Claim, problems: Mapping[str, Problem], box: Box, shares: Any) -> Any:
    """Smallest margin of the claim's comparisons at each place; NaN where unsolved."""
    points = [_place(box, share) for share in shares]
    columns = [
        _values(atom, problems[atom.problem], points) for atom in claim.atoms.values()
    ]
    margins = compile_expressions(
        list(claim.atoms), [c.margin for c in claim.comparisons], FLOATS
    )(*columns)
    with np.errstate(all="ignore"):
        return np.min([np.broadcast_to(m, len(points)) for m in margins], axis=0)


def _values(
    atom: Atom, problem: Problem, points: Sequence[Mapping[str, sp.Rational]]
) -> Any:
    if not atom.is_quantity:
        table, _, key = atom.name.partition(".")
        own = problem.tables()[table][key]
        return np.array([to_float(point.get(atom.name, own)) for point in points])
    changed = dict(atom.changes)
    each = [problem.with_values({**point, **changed}) for point in points]
    if not atom.by:
        return _swept(atom.name, each)
    # differences: what they show is proved, or not, in balls
    table, _, key = atom.by.partition(".")
    ends = []
    for sign in (1, -1):
        moved = [
            p.with_values({atom.by: p.tables()[table][key] * (1 + sign * STEP)})
            for p in each
        ]
        ends.append(_swept(atom.name, moved))
    width = [2 * to_float(p.tables()[table][key] * STEP) for p in each]
    with np.errstate(all="ignore"):
        return (ends[0] - ends[1]) / np.array(width)


def _swept(name: str, problems: Sequence[Problem]) -> Any:
    """One quantity of many problems in float64; NaN where there is none."""
    return np.array([float(p.values.get(name, "nan")) for p in sweep(problems)])
