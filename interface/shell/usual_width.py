"""Errors at a width that people use, beside those of the limit."""

from __future__ import annotations

from typing import Any

import click

import detequiv as de

__all__ = ["USUAL", "at_usual_width", "say_usual_width"]

USUAL = 1000  # units of the networks that people train
FEW = 4  # digits of the theory at that width
FAR = 0.1  # relative difference that is told
ERRORS = ("generalization_error", "training_error")


def at_usual_width(problem: de.Problem) -> dict[str, str] | None:
    """Errors at a width that people use; None where that theory is not reached."""
    try:
        found = de.solve(problem, width=USUAL, digits=FEW)
    except de.DetequivError:
        return None
    return {name: found.text(name) for name in ERRORS}


def say_usual_width(solution: Any, usual: dict[str, str]) -> None:
    """Say so if the limit is far from a width that people use."""
    for name in ERRORS:
        limit = float(getattr(solution, name))
        if abs(float(usual[name]) - limit) > FAR * abs(limit):
            click.echo(
                f"at {USUAL} units {name} is {usual[name]}: the limit is far from "
                "there; see --width"
            )
