"""Curves as tables: exact CSV, and xarray datasets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import detequiv
from detequiv.formats.problem_file import dump
from detequiv.formats.quantities import DEFINITIONS, TITLES
from detequiv.numerics.solving import QUANTITIES
from detequiv.theory.functions import value_text

if TYPE_CHECKING:
    import xarray

    from detequiv.results.curves import Curve

__all__ = ["csv_text", "dataset"]


def csv_text(curve: Curve) -> str:
    """Write a curve as CSV; see `detequiv.results.curves.Curve.to_csv`."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_rows(curve))
    return text.getvalue()


def _rows(curve: Curve) -> Iterator[list[str]]:
    """Header, then one row a point."""
    simulation = curve.simulation
    header = [*curve.vary, *QUANTITIES, "digits"]
    if simulation is not None:
        header += ["d", "n", "p", "repetitions", "seed"]
        for name in QUANTITIES:
            header += [f"{name}_simulated", f"{name}_standard_error"]
    yield header
    places = product(*curve.vary.values())
    for i, (values, point) in enumerate(zip(places, curve.points, strict=True)):
        row = [*map(value_text, values), *map(point.text, QUANTITIES)]
        row.append(str(point.digits))
        if simulation is not None:
            estimates = simulation.estimates[i]
            sizes = estimates.experiment.dimensions
            numbers = sizes.d, sizes.n, sizes.p, simulation.repetitions, simulation.seed
            row += map(str, numbers)
            for name in QUANTITIES:
                row.append(repr(estimates.mean[name]))
                row.append(repr(estimates.standard_error[name]))
        yield row


def dataset(curve: Curve) -> xarray.Dataset:
    """Lay out a curve as a dataset; see `detequiv.results.curves.Curve.to_xarray`."""
    import xarray

    dims = tuple(curve.vary)
    attributes = {
        "problem": dump(curve.problem),
        "detequiv_version": detequiv.__version__,
    }
    variables: dict[str, Any] = {}

    def add(name: str, values: Any, long_name: str, definition: str) -> None:
        about = {"long_name": long_name, "definition": definition, "units": "1"}
        variables[name] = dims, values, about

    for name in QUANTITIES:
        add(name, curve.values(name), TITLES[name], DEFINITIONS[name])
    add("digits", curve.values("digits"), "digits", "decimal digits vouched for")
    if curve.simulation is not None:
        attributes |= {
            "simulation_dimension": str(curve.simulation.dimension),
            "simulation_repetitions": str(curve.simulation.repetitions),
            "simulation_seed": str(curve.simulation.seed),
        }
        for name in QUANTITIES:
            mean, error = curve.simulated(name)
            title = f"{TITLES[name]}, simulated"
            add(f"{name}_simulated", mean, title, DEFINITIONS[name])
            add(
                f"{name}_standard_error",
                error,
                f"{title}: standard error",
                "standard error of the mean over the draws",
            )
    coordinates = {
        name: (name, curve.coordinate(name), {"long_name": name, "units": "1"})
        for name in dims
    }
    return xarray.Dataset(variables, coordinates, attributes)
