"""``detequiv threshold``: where an outlier leaves the bulk."""

from __future__ import annotations

import click

import detequiv as de
from detequiv.shell.options import decimal, json_option, print_json, takes_problem
from detequiv.theory.precision import decimal_digits

__all__ = ["command"]

FEATURES, NETWORK = "features.spike", "network.step"


@click.command
@takes_problem
@click.option(
    "--between",
    required=True,
    metavar="LOW:HIGH",
    help="Where to look: steps of a network; of [features] multiples of the spikes.",
)
@click.option(
    "--width",
    type=int,
    default=1000,
    show_default=True,
    metavar="P",
    help="Units of the network.",
)
@click.option(
    "--group",
    type=int,
    metavar="Q",
    help="The group, from 0, whose spike alone is multiplied; not of a network.",
)
@click.option("--digits", type=int, default=10, show_default=True, metavar="D")
@json_option
def command(
    problem: de.Problem,
    between: str,
    width: int,
    group: int | None,
    digits: int,
    as_json: bool,
) -> None:
    """Find the step, or the spikes, at which an outlier leaves the bulk.

    Of the features' covariance, at a width of P units.
    """
    import mpmath

    from detequiv.theory.functions import exact

    low, colon, high = between.partition(":")
    if not colon:
        raise de.InputError("--between", between, "write LOW:HIGH, such as 0.5:4")
    network = problem.network
    name, unit = (
        (FEATURES, exact("1", "unit")) if network is None else (NETWORK, network.step)
    )
    if unit.is_zero:
        raise de.InputError(NETWORK, unit, "has no multiples; give another step")
    ends = [exact(end, "--between") / unit for end in (low, high)]
    law = de.spectrum(problem, width=width)
    found = law.threshold(*ends, group=group, digits=digits)
    with decimal_digits(digits + 10):
        where = decimal(found.scale * mpmath.mpf(str(unit.evalf(digits + 10))), digits)
    edge = decimal(found.value, digits)
    if as_json:
        print_json(
            {
                "name": name,
                "threshold": where,
                "end": edge,
                "width": width,
                "scale": law.scale,
            }
        )
        return
    what = NETWORK if network is not None else f"{FEATURES} times"
    click.echo(
        f"{what} {where}: an outlier leaves the bulk of {width} units, which ends at "
        f"{edge}, of {law.scale}"
    )
