"""A curve as a table: its numbers by name and place, exact CSV, xarray datasets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.formats.problem_file import dump
from detequiv.formats.quantities import DEFINITIONS, TITLES
from detequiv.numerics.solving import LOSS_QUANTITIES, QUANTITIES, Point, reported
from detequiv.theory.errors import InputError
from detequiv.theory.functions import value_text
from detequiv.theory.problem import Problem
from detequiv.validation.witness import Estimates

if TYPE_CHECKING:
    import pandas
    import xarray

__all__ = ["Simulation", "Table", "check_quantity", "csv_text", "dataset", "frame"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """Draws of the model itself at the points of a curve.

    Attributes
    ----------
    dimension : int
        d, the input dimension of every draw.
    repetitions : int
        Draws a point.
    seed : object
        Entropy that the seeds of all draws descend from.
    estimates : tuple of Estimates
        One a point, in the order of the curve's.
    theory : tuple of Point
        The theory of the widths that were drawn, one a point; some may have failed.
    """

    dimension: int
    repetitions: int
    seed: object
    estimates: tuple[Estimates, ...]
    theory: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Quantities at every point of a product of parameter values.

    Attributes
    ----------
    problem : Problem
        The problem whose parameters are varied.
    vary : mapping of str to tuple
        Exact values of each varied parameter, by its dotted name: numbers where they
        are numbers, texts otherwise. One dimension each, in this order.
    points : tuple of Point
        The results, the last parameter varying fastest.
    simulation : Simulation or None
        Draws at the same points, if there are any.
    width : int or None
        The number of units that theory is of; None is the limit.
    """

    problem: Problem
    vary: Mapping[str, tuple[sp.Expr | str, ...]]
    points: tuple[Point, ...]
    simulation: Simulation | None = None
    width: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each varied parameter."""
        return tuple(map(len, self.vary.values()))

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of what is reported at any of the points."""
        known = {name for point in self.points for name in reported(point.problem)}
        return tuple(name for name in QUANTITIES + LOSS_QUANTITIES if name in known)

    def values(self, name: str) -> Array:
        """One quantity in float64, an array of shape `shape`; NaN where it failed.

        Parameters
        ----------
        name : str
            Name of a quantity, or "digits" for how many are vouched for.

        Raises
        ------
        InputError
            An unknown name.
        """
        if name == "digits":
            return np.array([p.digits for p in self.points]).reshape(self.shape)
        check_quantity(name)
        return self._array(self.points, name)

    def at_width(self, name: str) -> Array:
        """One quantity by the theory of the widths that were drawn; NaN if it failed.

        Raises
        ------
        InputError
            An unknown name, or nothing was simulated.
        """
        check_quantity(name)
        return self._array(self._drawn().theory, name)

    def _array(self, points: Sequence[Point], name: str) -> Array:
        values = [float(point.values.get(name, "nan")) for point in points]
        return np.array(values).reshape(self.shape)

    def _drawn(self) -> Simulation:
        if self.simulation is None:
            raise InputError("simulation", None, "call .simulate(dimension=...) first")
        return self.simulation

    def simulated(self, name: str) -> tuple[Array, Array]:
        """Mean of one quantity over the draws, and its standard error.

        Raises
        ------
        InputError
            An unknown name, or nothing was simulated.
        """
        check_quantity(name)
        estimates = self._drawn().estimates
        mean = np.array([e.mean.get(name, np.nan) for e in estimates])
        error = np.array([e.standard_error.get(name, np.nan) for e in estimates])
        return mean.reshape(self.shape), error.reshape(self.shape)

    def coordinate(self, name: str) -> Array:
        """Values of a varied parameter: float64 if they are numbers, else texts."""
        values = self.vary[name]
        if any(isinstance(value, str) for value in values):
            return np.array([value_text(value) for value in values])
        return np.array([float(value) for value in values])


def check_quantity(name: str) -> None:
    """Raise InputError unless this is the name of a quantity."""
    known = QUANTITIES + LOSS_QUANTITIES
    if name not in known:
        raise InputError("quantity", name, f"give one of {', '.join(known)}")


def csv_text(table: Table) -> str:
    """Write a curve as CSV; see `detequiv.results.curves.Curve.to_csv`."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_rows(table))
    return text.getvalue()


def _rows(table: Table) -> Iterator[list[str]]:
    """Header, then one row a point."""
    simulation = table.simulation
    header = [*table.vary, *table.quantities, "digits"]
    header += ["width"] * (table.width is not None)
    if simulation is not None:
        header += ["d", "n", "p", "repetitions", "seed"]
        for name in table.quantities:
            header += [
                f"{name}_at_width",
                f"{name}_simulated",
                f"{name}_standard_error",
            ]
    yield header
    places = product(*table.vary.values())
    for i, (values, point) in enumerate(zip(places, table.points, strict=True)):
        row = [*map(value_text, values), *map(point.text, table.quantities)]
        row.append(str(point.digits))
        row += [str(table.width)] * (table.width is not None)
        if simulation is not None:
            estimates = simulation.estimates[i]
            sizes = estimates.experiment.dimensions
            numbers = sizes.d, sizes.n, sizes.p, simulation.repetitions, simulation.seed
            row += map(str, numbers)
            for name in table.quantities:
                row.append(simulation.theory[i].text(name))
                for drawn in (estimates.mean, estimates.standard_error):
                    row.append(repr(drawn[name]) if name in drawn else "")
        yield row


def frame(table: Table) -> pandas.DataFrame:
    """Lay out a curve as a frame; see `detequiv.results.curves.Curve.to_pandas`."""
    import pandas

    found = pandas.read_csv(io.StringIO(csv_text(table)), float_precision="round_trip")
    places = np.meshgrid(*map(table.coordinate, table.vary), indexing="ij")
    for name, place in zip(table.vary, places, strict=True):
        found[name] = place.ravel()
    return found


def dataset(table: Table) -> xarray.Dataset:
    """Lay out a curve as a dataset; see `detequiv.results.curves.Curve.to_xarray`."""
    import xarray

    dims = tuple(table.vary)
    attributes = {
        "problem": dump(table.problem),
        "detequiv_version": version("detequiv"),
    }
    if table.width is not None:
        attributes["width"] = str(table.width)
    variables: dict[str, Any] = {}

    def add(name: str, values: Any, long_name: str, definition: str) -> None:
        about = {"long_name": long_name, "definition": definition, "units": "1"}
        variables[name] = dims, values, about

    for name in table.quantities:
        add(name, table.values(name), TITLES[name], DEFINITIONS[name])
    add("digits", table.values("digits"), "digits", "decimal digits vouched for")
    if table.simulation is not None:
        attributes |= {
            "simulation_dimension": str(table.simulation.dimension),
            "simulation_repetitions": str(table.simulation.repetitions),
            "simulation_seed": str(table.simulation.seed),
        }
        for name in table.quantities:
            add(
                f"{name}_at_width",
                table.at_width(name),
                f"{TITLES[name]} at the width drawn",
                DEFINITIONS[name],
            )
            mean, error = table.simulated(name)
            title = f"{TITLES[name]}, simulated"
            add(f"{name}_simulated", mean, title, DEFINITIONS[name])
            add(
                f"{name}_standard_error",
                error,
                f"{title}: standard error",
                "standard error of the mean over the draws",
            )
    coordinates = {
        name: (name, table.coordinate(name), {"long_name": name, "units": "1"})
        for name in dims
    }
    return xarray.Dataset(variables, coordinates, attributes)
