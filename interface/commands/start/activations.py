"""``detequiv activations``: the catalogue, and what is known of a function."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from detequiv.shell.options import json_option, print_json

if TYPE_CHECKING:
    import sympy as sp

__all__ = ["command"]

COEFFICIENTS = 5  # of Hermite that are shown


@click.command
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> None:
    """List the catalogue's activations, or describe NAME, one of them or an expression.

    Hermite coefficients are ``mu_k = E[f(z) He_k(z)]``, not divided by k!.
    """
    about = _catalogue() if name is None else _describe(name)
    if as_json:
        print_json(about)
        return
    for key, value in about.items():
        click.echo(f"{key:<12} {value}")


def _catalogue() -> dict[str, str]:
    """Expressions by their names, those that no layer can have left out."""
    from detequiv.theory.errors import InputError
    from detequiv.theory.functions import CATALOGUE, read_function

    shown = {}
    for name in CATALOGUE:
        with suppress(InputError):
            shown[name] = str(read_function(name, "activation"))
    return shown


def _describe(name: str) -> dict[str, str]:
    """Say what is known of a function."""
    from detequiv.theory.functions import read_function
    from detequiv.theory.gaussian import Portrait

    portrait = Portrait(read_function(name, "activation"))
    values = enumerate(portrait.coefficients(COEFFICIENTS))
    return {
        "function": str(portrait.function),
        "parity": portrait.parity,
        **{f"mu_{k}": _value(value) for k, value in values},
        "closed forms": ", ".join(portrait.closed_forms) or "none",
    }


def _value(number: sp.Expr) -> str:
    """Write an exact number, and its decimals where they say more."""
    from detequiv.theory.gaussian import GaussianMean

    decimals = str(number.evalf(15))
    if number.has(GaussianMean):
        return decimals
    return str(number) if number.is_Rational else f"{number} = {decimals}"
