"""Theory against simulation as the dimension grows: ``python -m``, or `make trend`.

For each case the difference, simulation less theory, is measured at several dimensions
and fitted by ``c0 + c1 / d``. Theory is right when c0 = 0. The exit status is 1 if some
``|c0|`` is too large for that, at family-wise error probability LEVEL over all cases
and quantities (Bonferroni). The standard error of c0 allows for the power 1/d^2 that
the fit neglects.
"""

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from numpy.random import SeedSequence
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from detequiv.numerics.solve import solve
from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.compare import simulate
from detequiv.validation.experiment import Estimates
from detequiv.validation.extrapolation import Trend, fit_trend, z_threshold

__all__ = ["CASES", "LEVEL", "Comparison", "compare_trend", "main"]

LEVEL = 0.01
QUANTITIES = ("generalization_error", "training_error")
# More repetitions where they are cheap: the slope is learned at small d, and the
# intercept keeps the weight of large d.
REPETITIONS = {150: 2400, 300: 800, 600: 240}
SEED = 20241018

_RIDGE = Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20")
_FUNCTION = "z + (z**2 - 1)/2"
CASES: Mapping[str, Problem] = {
    "tanh, u = (1.5, -0.8), aligned": Problem(
        features=SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
        target=Target(function=_FUNCTION, alignment=1, noise="3/10"),
        ridge=_RIDGE,
    ),
    "relu, u = (2, 0.5, -1), alignment 0.7": Problem(
        features=SpikedFeatures(
            activation="relu",
            spike=[2, "1/2", -1],
            weights=["2/5", "2/5", "1/5"],
        ),
        target=Target(function=_FUNCTION, alignment="7/10", noise="3/10"),
        ridge=_RIDGE,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One quantity of one problem, theory beside simulation.

    Attributes
    ----------
    quantity : str
        Its name, as in `detequiv.numerics.solution.Solution`.
    theory : float
        Value at infinite dimension.
    estimates : tuple of Estimates
        The simulations, one a dimension.
    trend : Trend
        Fit of their differences from the theory against 1/d.
    """

    quantity: str
    theory: float
    estimates: tuple[Estimates, ...]
    trend: Trend

    @property
    def z(self) -> float:
        """Difference at infinite d, over its error with what the fit neglects."""
        return self.trend.intercept / self.trend.error


def compare_trend(
    problem: Problem,
    repetitions: Mapping[int, int],
    *,
    rng: int,
    executor: Executor | None = None,
    advance: Callable[[int], None] | None = None,
) -> list[Comparison]:
    """Simulate a problem at several dimensions and carry the differences to infinity.

    Parameters
    ----------
    problem : Problem
        What to compare.
    repetitions : mapping of int to int
        Number of draws at each dimension d, two dimensions at least.
    rng : int
        Seed. Draws at different d take theirs from ``(rng, d)``, independently.
    executor : concurrent.futures.Executor, optional
        Where the draws run.
    advance : callable, optional
        Called with the d of each draw that ends.

    Returns
    -------
    list of Comparison
        One for each name in QUANTITIES.
    """
    solution = solve(problem)
    estimates = tuple(
        simulate(
            problem,
            dimension=d,
            repetitions=count,
            rng=SeedSequence([rng, d]),
            executor=executor,
            progress=None if advance is None else partial(_count, advance, d),
        )
        for d, count in repetitions.items()
    )
    comparisons = []
    for name in QUANTITIES:
        theory = float(getattr(solution, name))
        trend = fit_trend(
            list(repetitions),
            [one.mean[name] - theory for one in estimates],
            [one.standard_error[name] for one in estimates],
        )
        comparisons.append(
            Comparison(quantity=name, theory=theory, estimates=estimates, trend=trend)
        )
    return comparisons


def main() -> int:
    """Compare every case, print the tables, and return the exit status."""
    console, bars = Console(), Console(stderr=True)
    level = LEVEL / (len(CASES) * len(QUANTITIES))
    threshold = z_threshold(level, min(REPETITIONS.values()) - 1)
    work = len(CASES) * sum(count * d**2 for d, count in REPETITIONS.items())
    # Fresh interpreters: forking one that already runs BLAS threads may deadlock.
    with (
        ProcessPoolExecutor(mp_context=get_context("spawn")) as executor,
        Progress(console=bars, disable=not bars.is_terminal) as progress,
    ):
        task = progress.add_task("simulating", total=work)
        found = {
            case: compare_trend(
                problem,
                REPETITIONS,
                rng=SEED,
                executor=executor,
                advance=lambda d: progress.advance(task, d**2),
            )
            for case, problem in CASES.items()
        }
    for case, comparisons in found.items():
        console.print(_table(case, comparisons))
    scores = [abs(one.z) for each in found.values() for one in each]
    agree = max(scores) <= threshold
    console.print(
        f"{'Agreement' if agree else 'DISAGREEMENT'}: largest |z| of an intercept "
        f"{max(scores):.2f}, threshold {threshold:.2f} (family-wise error probability "
        f"{LEVEL:g} over {len(scores)} intercepts), seed {SEED}"
    )
    return 0 if agree else 1


def _count(advance: Callable[[int], None], d: int, done: int, total: int) -> None:
    """Tell `advance` of one more draw at dimension d."""
    advance(d)


def _table(case: str, comparisons: list[Comparison]) -> Table:
    """Lay out the comparisons of one case, a line a dimension and one for the trend."""
    table = Table(
        title=case,
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("quantity", no_wrap=True)
    for heading in ("d", "theory", "simulation", "s.e.", "difference", "z"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in comparisons:
        name = one.quantity
        for estimates in one.estimates:
            mean, error = estimates.mean[name], estimates.standard_error[name]
            difference = mean - one.theory
            table.add_row(
                name,
                str(estimates.experiment.dimensions.d),
                f"{one.theory:.5f}",
                f"{mean:.5f}",
                f"{error:.5f}",
                f"{difference:+.5f}",
                f"{difference / error:+.2f}",
            )
        trend = one.trend
        table.add_row(
            f"  fit, p = {trend.goodness:.3f}",
            "inf",
            f"{one.theory:.5f}",
            f"{one.theory + trend.intercept:.5f}",
            f"{trend.error:.5f}",
            f"{trend.intercept:+.5f}",
            f"{one.z:+.2f}",
            end_section=True,
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
