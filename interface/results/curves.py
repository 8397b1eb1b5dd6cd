"""Quantities over a product of a problem's parameters, simulation beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator, SeedSequence

from detequiv.formats.table import (
    Simulation,
    Table,
    check_quantity,
    csv_text,
    dataset,
    frame,
)
from detequiv.numerics.arithmetic import check_digits, check_whole
from detequiv.numerics.solving import Point, sweep
from detequiv.results.vary import coordinates, read_values
from detequiv.theory.display import Shown, Tabular
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.functions import value_text
from detequiv.theory.problem import Problem, check_problem
from detequiv.validation.trial import simulate
from detequiv.validation.witness import Estimates

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Curve", "IncompleteCurveError", "Simulation", "curve"]

Progress = Callable[[int, int], None]


class IncompleteCurveError(ConvergenceError):
    """Some points of a curve could not be solved.

    Parameters
    ----------
    curve : Curve
        The curve, whose other points keep their values. At those that failed its
        arrays hold NaN and its CSV has empty cells.
    """

    def __init__(self, curve: Curve) -> None:
        failed = [
            (curve.place(i), point.failure)
            for i, point in enumerate(curve.points)
            if point.failure is not None
        ]
        places = "; ".join(
            f"{place}: {str(failure).removeprefix(f'{place}: ')}"
            for place, failure in failed[:3]
        )
        more = f"; and {len(failed) - 3} more" if len(failed) > 3 else ""
        super().__init__(
            f"{len(failed)} of {len(curve.points)} points could not be solved: "
            f"{places}{more}"
        )
        self.curve = curve


@dataclass(frozen=True, kw_only=True, repr=False)
class Curve(Shown, Table):
    """A problem solved at every point of a product of parameter values.

    What it holds, and its numbers as arrays, are those of its
    `detequiv.formats.table.Table`.
    """

    def simulate(
        self,
        *,
        dimension: int,
        repetitions: int,
        rng: int | SeedSequence | Generator | None = None,
        executor: Executor | None = None,
        progress: Progress | None = None,
        store: str | Path | None = None,
    ) -> Curve:
        """Simulate the model itself at every point, and keep the draws with the curve.

        The theory of the width that was drawn is kept with them.

        Parameters
        ----------
        dimension : int
            d; samples and width are ``alpha d`` and ``beta d`` to the nearest integers.
        repetitions : int
            Independent draws a point, at least 2.
        rng : int, SeedSequence, Generator or None
            Source of the draws' seeds, as `numpy.random.default_rng` takes it. Points
            draw independently of one another.
        executor : concurrent.futures.Executor, optional
            Where the draws run; in this thread by default.
        progress : callable, optional
            Called as ``progress(done, total)`` after each draw.
        store : path-like, optional
            SQLite file of finished draws, made if there is none. A simulation that was
            stopped goes on from it when it is repeated with the same seed.

        Raises
        ------
        InputError
            A size is too small, the problem is one that is not sampled, or the file
            cannot hold draws.
        """
        root = np.random.default_rng(rng).bit_generator.seed_seq
        if not isinstance(root, SeedSequence):
            raise InputError("rng", rng, "no seed can be spawned from it; give an int")
        drawn = [
            round(float(p.problem.ridge.width_per_dim) * dimension) for p in self.points
        ]
        for units in drawn:
            if self.width is not None and units != self.width:
                raise InputError(
                    "dimension",
                    dimension,
                    f"draws {units} units beside the theory of {self.width}; give the "
                    "dimension of that width, or the limit's curve",
                )
        total = repetitions * len(self.points)
        estimates: list[Estimates] = []

        def advance(done: int, _: int) -> None:
            if progress is not None:
                progress(repetitions * len(estimates) + done, total)

        for point, seed in zip(self.points, root.spawn(len(self.points)), strict=True):
            estimates.append(
                simulate(
                    point.problem,
                    dimension=dimension,
                    repetitions=repetitions,
                    rng=seed,
                    executor=executor,
                    progress=advance,
                    store=store,
                )
            )
        return replace(
            self,
            simulation=Simulation(
                dimension=dimension,
                repetitions=repetitions,
                seed=root.entropy,
                estimates=tuple(estimates),
                theory=self._at_widths(drawn, executor),
            ),
        )

    def _at_widths(
        self, drawn: Sequence[int], executor: Executor | None
    ) -> tuple[Point, ...]:
        """Theory of the sizes that were drawn."""
        if self.width is not None:
            return self.points
        problems = [point.problem for point in self.points]
        return tuple(sweep(problems, widths=drawn, executor=executor))

    def place(self, index: int) -> str:
        """Say which parameters a point has, such as "ridge.penalty = 1/20"."""
        where = np.unravel_index(index, self.shape)
        return ", ".join(
            f"{name} = {value_text(values[i])}"
            for (name, values), i in zip(self.vary.items(), where, strict=True)
        )

    def to_csv(self, path: str | Path | None = None) -> str | None:
        """Write one row a point: parameters, quantities and, if simulated, draws.

        Theory's numbers have the digits vouched for, in the column ``digits``.
        With a simulation, the theory of the width drawn is under the names of the
        quantities with ``_at_width``; simulated means and their standard errors, with
        ``_simulated`` and ``_standard_error``, are in full float64. Cells of a point
        that failed are empty.

        Parameters
        ----------
        path : path-like, optional
            File to write. The text is returned when there is none.
        """
        text = csv_text(self)
        if path is None:
            return text
        Path(path).write_text(text, "utf-8")
        return None

    def to_xarray(self) -> xarray.Dataset:
        """Dataset with one dimension a varied parameter, of its dotted name.

        Variables are the quantities, ``digits`` and, if simulated, the quantities with
        ``_at_width``, ``_simulated`` and ``_standard_error``, in float64. The problem,
        as the text of its file, the version and the seed are attributes; each
        quantity's definition and normalisation is its ``long_name``.
        """
        return dataset(self)

    def to_pandas(self) -> pandas.DataFrame:
        """Frame of one row a point, with the columns of `to_csv`, numbers in float64.

        Cells of a point that failed are NaN.
        """
        return frame(self)

    def _table(self) -> Tabular:
        names = self.quantities[:2]
        rows = [
            [*map(value_text, values), *map(point.text, names)]
            for values, point in zip(
                product(*self.vary.values()), self.points, strict=True
            )
        ]
        what = "the limit" if self.width is None else f"{self.width} units"
        drawn = "" if self.simulation is None else ", simulated"
        return Tabular(
            f"Curve of {what}, {len(rows)} points{drawn}",
            rows,
            header=(*self.vary, *names),
            note="also: values(name), to_pandas(), to_xarray(), to_csv(), plot()",
        )

    def plot(
        self,
        names: str | Sequence[str] = "generalization_error",
        ax: Axes | None = None,
    ) -> Figure:
        """Draw quantities against the first varied parameter.

        Theory is a line for each combination of the others, simulation its points
        with one standard error. Beside a simulation the line is the theory of the
        width drawn, and the limit of infinite width is dashed.

        Parameters
        ----------
        names : str or sequence of str
            Quantities to draw.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Raises
        ------
        InputError
            An unknown name, or a first parameter that is not a number.
        """
        from detequiv.figures.curve import plot_curve

        names = [names] if isinstance(names, str) else list(names)
        for name in names:
            check_quantity(name)
        return plot_curve(self, names, ax)


def curve(
    problem: Problem,
    vary: Mapping[str, Iterable[Any]],
    *,
    digits: int | None = None,
    width: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Curve:
    """Solve a problem over a product of parameter values.

    Parameters
    ----------
    problem : Problem
        Where all parameters that are not varied stand.
    vary : mapping of str to values
        Values for dotted names of the problem file, such as
        ``{"ridge.samples_per_dim": [1, 2, "5/2"]}``. Any field can be varied, also
        ``"features.activation"`` or, with lists as values, ``"features.spike"``.
    digits : int, optional
        Significant decimal digits of every quantity. By default points that share
        features and target are solved together in float64, which vouches for ten
        digits at least, mostly for more.
    width : int, optional
        The number p of units: the theory of that width, as `detequiv.solve` has it.
        By default the limit of infinite width.
    executor : concurrent.futures.Executor, optional
        Where the points are solved; in this thread by default.
    progress : callable, optional
        Called as ``progress(done, total)``, in points.

    Returns
    -------
    Curve
        With `values`, `to_xarray`, `to_csv`, `plot` and `simulate`.

    Raises
    ------
    InputError
        An unknown name, a value outside its domain, or nothing to vary.
    IncompleteCurveError
        Some points could not be solved. A ConvergenceError; its attribute `curve` has
        the others.

    Examples
    --------
    >>> import detequiv as de
    >>> problem = de.Problem(
    ...     features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    ...     target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
    ...     ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    ... )
    >>> curve = de.curve(problem, vary={"ridge.samples_per_dim": [1, 2, 4]})
    >>> curve.values("generalization_error").round(6)
    array([0.842851, 0.789076, 0.709197])
    """
    check_problem(problem)
    if digits is not None:
        check_digits(digits)
    if width is not None:
        check_whole("width", width)
    lists = read_values(problem, vary)
    problems = [
        problem.with_values(dict(zip(lists, values, strict=True)))
        for values in product(*lists.values())
    ]
    points = sweep(
        problems,
        digits=digits,
        widths=None if width is None else [width] * len(problems),
        executor=executor,
        progress=progress,
    )
    found = Curve(
        problem=problem,
        vary=coordinates(lists, problems),
        points=tuple(points),
        width=width,
    )
    failures = [p.failure for p in points if p.failure is not None]
    if len(failures) == len(points) and isinstance(failures[0], InputError):
        raise failures[0]
    if failures:
        raise IncompleteCurveError(found)
    return found
