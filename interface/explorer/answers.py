"""What the explorer's page asks for: one function a part of the page.

Every answer follows from the request alone, so that pages cannot mix. Numbers that
carry an answer are decimal strings with the digits vouched for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from detequiv.explorer.form import form_of, problem_of, untrained
from detequiv.formats.mathml import sections_html
from detequiv.formats.problem_file import dump
from detequiv.formats.quantities import DEFINITIONS, TITLES
from detequiv.numerics.derived import learned_function, target_function
from detequiv.numerics.solving import Solution, reported, solve
from detequiv.results.curves import Curve, IncompleteCurveError, curve
from detequiv.results.law import Law, spectrum
from detequiv.shell.options import is_whole
from detequiv.shell.values import parse_values
from detequiv.theory.derivation import derive
from detequiv.theory.errors import DetequivError, InputError
from detequiv.theory.functions import value_text
from detequiv.theory.problem import Problem
from detequiv.validation.trial import simulate

__all__ = ["FAST", "PLACES", "SLOW", "answer"]

SAMPLES = "ridge.samples_per_dim"
ERRORS = ("generalization_error", "training_error")
LOW, HIGH = "0.1", "10"  # n/d of the learning curve, and more if the problem has
POINTS, POINTS_AT_WIDTH = 41, 15
PLACES = ("0.25", "0.5", "1", "2", "4", "8")  # n/d of simulated points
LARGEST, MOST_DRAWS = 1000, 50  # of a simulation that a page waits for
KAPPA = np.linspace(-3, 3, 61)
DENSITY_POINTS = 120
USUAL_WIDTH = 1000  # of outliers, in the limit


def answer(part: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a request of the page.

    Parameters
    ----------
    part : str
        A name in `FAST` or `SLOW`.
    request : mapping
        ``problem``, the text of a problem file; ``form``, an object of the controls'
        texts; ``width``, ``place``, ``dimension``, ``draws`` and ``seed``, texts.

    Returns
    -------
    dict
        To be sent as JSON; ``failure``, with a message and the name of a field, where
        the problem cannot be used or solved.
    """
    try:
        return _answer(part, request)
    except DetequivError as error:
        field = error.field if isinstance(error, InputError) else ""
        return {"failure": {"message": str(error), "field": field}}


def _answer(part: str, request: Mapping[str, Any]) -> dict[str, Any]:
    form = request.get("form", {})
    controls = tuple(sorted((str(k), str(v)) for k, v in form.items()))
    problem = problem_of(str(request.get("problem", "")), controls)
    return {**FAST, **SLOW}[part](problem, request)


def _state(problem: Problem, request: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the state is: its problem file and its controls."""
    _width(request)
    return {
        "problem": dump(problem),
        "form": form_of(problem),
        "places": PLACES,
        "version": version("detequiv"),
    }


def _point(problem: Problem, request: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers of the limit and the function learned there."""
    return _numbers(solve(problem, digits=None))


def _curve(problem: Problem, request: Mapping[str, Any]) -> dict[str, Any]:
    """Learning curve of the limit."""
    return _errors(_solved(problem, POINTS, None))


def _density(problem: Problem) -> dict[str, Any]:
    """Density of the eigenvalues."""
    law = _law(problem.with_values({"ridge.penalty": 1}))
    x, atom = law.grid(DENSITY_POINTS), law.atom_at_zero
    return {
        "x": x.tolist(),
        "density": law.density(x).tolist(),
        "note": f"mass {atom:.4g} at zero" if atom else "",
    }


def _after(problem: Problem, request: Mapping[str, Any]) -> dict[str, Any]:
    """Density after the step."""
    return _density(problem)


def _before(problem: Problem, request: Mapping[str, Any]) -> dict[str, Any]:
    """Density before the step."""
    return _density(untrained(problem))


def _outliers(problem: Problem, request: Mapping[str, Any]) -> dict[str, Any]:
    """Outliers before and after the step, at the width asked for or a usual one."""
    width = _width(request) or USUAL_WIDTH
    return {
        "width": width,
        **{
            name: [o.value for o in spectrum(one, width=width).outliers]
            for name, one in (("before", untrained(problem)), ("after", problem))
        },
    }


def _at_width(problem: Problem, request: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, function and learning curve at a width."""
    width = _width(request)
    if width is None:
        raise InputError("width", "(missing)", "give a number of units")
    numbers = _numbers(solve(problem, digits=None, width=width))
    return numbers | _errors(_solved(problem, POINTS_AT_WIDTH, width))


def _draw(problem: Problem, request: Mapping[str, Any]) -> dict[str, Any]:
    """Simulate errors at one of `PLACES`: the draws of ``curve --simulate``."""
    dimension = _whole(request, "dimension", 2, LARGEST)
    draws = _whole(request, "draws", 2, MOST_DRAWS)
    place = _whole(request, "place", 0, len(PLACES) - 1)
    seed = SeedSequence(_whole(request, "seed", 0, 10**9)).spawn(len(PLACES))[place]
    drawn = simulate(
        problem.with_values({SAMPLES: PLACES[place]}),
        dimension=dimension,
        repetitions=draws,
        rng=seed,
    )
    return {
        "x": PLACES[place],
        **{name: [drawn.mean[name], drawn.standard_error[name]] for name in ERRORS},
    }


def _equations(problem: Problem, request: Mapping[str, Any]) -> dict[str, Any]:
    """Equations as MathML for the page, and as a LaTeX document."""
    derivation = derive(problem)
    return {
        "html": sections_html(derivation.sections()),
        "latex": derivation.latex(),
    }


FAST: Mapping[str, Callable[..., dict[str, Any]]] = {
    "state": _state,
    "curve": _curve,
    "point": _point,
    "after": _after,
    "before": _before,
}
SLOW: Mapping[str, Callable[..., dict[str, Any]]] = {
    "outliers": _outliers,
    "width": _at_width,
    "draw": _draw,
    "equations": _equations,
}


def _numbers(solution: Solution) -> dict[str, Any]:
    """Quantities with what they mean, and the function learned."""
    return {
        "digits": solution.digits,
        "numbers": [
            [name, TITLES[name], DEFINITIONS[name], solution.text(name)]
            for name in reported(solution.problem)
        ],
        **_learned(solution),
    }


def _learned(solution: Solution) -> dict[str, Any]:
    """Tell what is learned of one projection, and is to be; nothing of several."""
    try:
        return {
            "kappa": KAPPA.tolist(),
            "learned": learned_function(solution, KAPPA).tolist(),
            "target": target_function(solution.problem, KAPPA).tolist(),
        }
    except InputError:
        return {}


def _solved(problem: Problem, points: int, width: int | None) -> Curve:
    """Learning curve, also where some of its points cannot be solved."""
    alpha = problem.ridge.samples_per_dim
    low = LOW if alpha > float(LOW) else value_text(alpha)
    high = HIGH if alpha < float(HIGH) else value_text(alpha)
    values = parse_values("n/d", f"{low}:{high}:{points}:log")
    try:
        return curve(problem, {SAMPLES: values}, width=width)
    except IncompleteCurveError as error:
        return error.curve


def _errors(solved: Curve) -> dict[str, Any]:
    """Two errors along a curve; an empty text where a point has not been solved."""
    failures = [p.failure for p in solved.points if p.failure is not None]
    return {
        "x": [value_text(value) for value in solved.vary[SAMPLES]],
        **{name: [point.text(name) for point in solved.points] for name in ERRORS},
        "note": str(IncompleteCurveError(solved)) if failures else "",
    }


@lru_cache(maxsize=16)
def _law(problem: Problem) -> Law:
    """Law of the features, which keeps what it has found."""
    return spectrum(problem)


def _width(request: Mapping[str, Any]) -> int | None:
    """Read the number of units; None is the limit."""
    if not str(request.get("width", "")).strip():
        return None
    return _whole(request, "width", 1, 10**6)


def _whole(request: Mapping[str, Any], name: str, least: int, most: int) -> int:
    """Read a whole number."""
    text = str(request.get(name, "")).strip()
    if not is_whole(text) or not least <= int(text) <= most:
        raise InputError(
            name, text or "(missing)", f"give a whole number from {least} to {most}"
        )
    return int(text)
