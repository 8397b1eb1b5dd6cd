"""``detequiv identify``: what number a value, or a quantity of a problem, is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from detequiv.shell.options import (
    changes_option,
    decimal,
    json_option,
    print_json,
    read_problem,
)
from detequiv.shell.values import split_at_commas
from detequiv.theory.errors import InputError

if TYPE_CHECKING:
    import detequiv as de

__all__ = ["command"]


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("value", metavar="FILE|VALUE")
@changes_option
@click.option(
    "--quantity", metavar="Q", help="Of a problem; generalization_error by default."
)
@click.option(
    "--constants",
    metavar="C,C,...",
    help="What the number may be made of, such as 'pi,sqrt(3)'.",
)
@click.option(
    "--digits",
    type=int,
    default=50,
    show_default=True,
    metavar="D",
    help="Digits to look for relations with; they are checked at twice as many.",
)
@json_option
def command(
    value: str,
    changes: Sequence[str],
    quantity: str | None,
    constants: str | None,
    digits: int,
    as_json: bool,
) -> None:
    """Look for a closed form of a quantity of the problem in FILE, or of VALUE.

    VALUE is an exact expression, or at least 30 decimals.
    """
    import detequiv as de

    is_file = value.endswith(".toml") or Path(value).is_file()
    if changes and not is_file:
        raise InputError("--set", changes[0], f"is for a problem file, not {value}")
    found = de.identify(
        read_problem(value, changes) if is_file else value,
        quantity=quantity,
        constants=split_at_commas(constants) if constants else None,
        digits=digits,
    )
    if as_json:
        none = {"expression": None, "digits_checked": None, "chance": None}
        print_json(none if found is None else _as_json(found))
    elif found is None:
        click.echo("nothing found: the number is no simple relation of the constants")
    else:
        click.echo(found.text())


def _as_json(found: de.Identification) -> dict[str, object]:
    return {
        "expression": str(found.expression),
        "kind": found.kind,
        "height": found.height,
        "digits_checked": found.digits_checked,
        "chance": decimal(found.chance, 2),
    }
