"""The parameters that a curve varies: their values, read and made exact."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from math import prod
from typing import Any

import numpy as np
import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions import value_text
from detequiv.theory.problem import Problem

__all__ = ["coordinates", "read_values"]


MOST_POINTS = 1_000_000  # of a curve: an hour's work, and what a table can hold


def read_values(
    problem: Problem, vary: Mapping[str, Iterable[Any]]
) -> dict[str, list[Any]]:
    """Read the values of every varied parameter."""
    if not isinstance(vary, Mapping):
        raise InputError("vary", vary, "give a mapping of names to lists of values")
    lists = {str(name): _list(str(name), values) for name, values in vary.items()}
    if not lists:
        raise InputError("vary", vary, "name a parameter, as ridge.samples_per_dim")
    if prod(map(len, lists.values())) > MOST_POINTS:
        counts = " times ".join(str(len(values)) for values in lists.values())
        raise InputError("vary", counts, f"give at most {MOST_POINTS} points")
    _check_groups(problem, lists)
    return lists


def _check_groups(problem: Problem, lists: Mapping[str, Sequence[Any]]) -> None:
    """Refuse numbers where a problem has several, one a group.

    Each would make a problem of one group, next to points that have them all.
    """
    several = problem.readout_law is None and problem.groups > 1
    for name in {"features.spike", "network.readout"} & lists.keys():
        for value in lists[name]:
            one = not (isinstance(value, list | tuple) or getattr(value, "ndim", False))
            if several and one:
                raise InputError(
                    name,
                    value,
                    f"has {problem.groups} numbers, one a group; vary one of them, "
                    f"{name}[0], or give lists",
                )


def _list(name: str, values: Iterable[Any]) -> list[Any]:
    """Read the values of one parameter."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InputError(f"vary {name}", values, "give a list of values")
    try:
        listed = list(islice(values, MOST_POINTS + 1))
    except TypeError:  # a NumPy array of no dimension only looks iterable
        raise InputError(f"vary {name}", values, "give a list of values") from None
    if not listed:
        raise InputError(f"vary {name}", values, "give one value at least")
    return listed


def coordinates(
    lists: Mapping[str, list[Any]], problems: list[Problem]
) -> dict[str, tuple[sp.Expr | str, ...]]:
    """Exact values of the varied parameters, as the problems have them."""
    shape = tuple(map(len, lists.values()))
    grid = np.arange(len(problems)).reshape(shape)
    coordinates: dict[str, tuple[sp.Expr | str, ...]] = {}
    for axis, name in enumerate(lists):
        along = np.moveaxis(grid, axis, 0).reshape(shape[axis], -1)[:, 0]
        entries = [problems[i].value(name) for i in along]
        if all(isinstance(e, tuple) and len(e) == 1 for e in entries):
            entries = [e[0] for e in entries]
        numeric = all(isinstance(e, sp.Expr) and e.is_number for e in entries) and (
            name.partition(".")[2] not in ("activation", "function")
        )
        exact = tuple(entries if numeric else map(value_text, entries))
        if len(set(exact)) < len(exact):
            raise InputError(f"vary {name}", lists[name], "has the same value twice")
        coordinates[name] = exact
    return coordinates
