"""``detequiv init``: a problem file to begin with."""

from __future__ import annotations

import click

import detequiv as de

__all__ = ["PRESETS", "command"]

_TARGET = """
[target]
function = "z + (z**2 - 1)/2"  # of <w*, x>, standard normal
noise = "3/10"                 # standard deviation of the label noise

[ridge]
samples_per_dim = 2            # n/d
width_per_dim = "3/2"          # p/d
penalty = "1/20"               # of sum (y - f)^2 + penalty |a|^2, features over sqrt p
"""
PRESETS = {
    "features": """\
# Spiked random features: a unit of group q has the weights bulk_q w + spike_q v.
[features]
activation = "relu"            # a catalogue name, or an expression in z
spike = [2, -2, 0]             # u_q, one number a group
bulk = [1, 1, 1]               # rho_q
weights = ["1/3", "1/3", "1/3"]  # shares of the units
"""
    + _TARGET.replace(
        "[target]", "[target]\nalignment = 1                  # zeta = <w*, v>"
    ),
    "network": """\
# A two-layer network: one population gradient step on the first layer, then ridge.
[network]
activation = "relu"            # a catalogue name, or an expression in z
readout = [1, -1, "1/2"]       # the vocabulary: values of the initial second layer
weights = ["1/3", "1/3", "1/3"]  # shares of the units
step = 3                       # eta, of order one
"""
    + _TARGET,
}


@click.command
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="network",
    show_default=True,
    help="Which kind of problem.",
)
@click.argument("file", required=False)
def command(preset: str, file: str | None) -> None:
    """Write a commented problem file to FILE, or to standard output.

    FILE must not exist.
    """
    if file is None:
        click.echo(PRESETS[preset], nl=False)
        return
    try:
        with open(file, "x", encoding="utf-8") as made:
            made.write(PRESETS[preset])
    except FileExistsError:
        raise de.InputError("FILE", file, "exists already; give another name") from None
    except OSError as error:
        raise de.InputError(
            "FILE", file, f"cannot be written: {error.strerror}"
        ) from None
    click.echo(f"wrote {file}", err=True)
