"""The validation, validated: it rejects every mutant and accepts the right theory.

``python -m detequiv.validation.rejection``, or `make mutants`. Three problems are drawn
once, and every mutant is judged by these draws; then the right theory is judged by
fresh draws with many seeds. The exit status is 1 if a mutant survives, or if more seeds
reject the right theory than their level explains.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import TypeVar

from numpy.random import SeedSequence
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy import stats

from detequiv.theory.problem import Network, Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.evidence import Evidence, gather
from detequiv.validation.judgement import Finding
from detequiv.validation.mutants import MUTANTS, Mutant
from detequiv.validation.trial import LEVEL, predict, tried

__all__ = ["PROBLEMS", "Rejection", "false_alarms", "main", "reject"]

PROBLEMS: Mapping[str, Problem] = {
    # one c0 alone, so that the tangent functions are needed
    "one group": Problem(
        features=SpikedFeatures(activation="relu", spike="1/2", bulk="3/2"),
        target=Target(function="z + sin(2*z)", alignment="4/5", noise="1/2"),
        ridge=Ridge(samples_per_dim=3, width_per_dim=1, penalty="1/20"),
    ),
    "two groups": Problem(
        features=SpikedFeatures(
            activation="relu",
            spike=["3/2", "-1/2"],
            bulk=["3/2", 1],
            weights=["1/3", "2/3"],
        ),
        target=Target(function="z + sin(2*z)", alignment="4/5", noise="1/2"),
        ridge=Ridge(samples_per_dim=3, width_per_dim="3/2", penalty="1/5"),
    ),
    # tangent functions that are not those of the pure spiked model
    "trained": Problem(
        network=Network(activation="erf", readout=1, step=3),
        target=Target(function="z + (z**2 - 1)/2", noise="1/5"),
        ridge=Ridge(samples_per_dim=3, width_per_dim=1, penalty="1/20"),
    ),
}
DRAWS = {50: 480, 75: 320, 100: 240, 150: 160}
"""Number of draws at each dimension by which the mutants are judged."""
FEW_DRAWS = {50: 40, 75: 30, 100: 25, 150: 20}
"""The same for each of the seeds with which the right theory is judged."""
SEEDS = 100
SEED = 20241018
WIDTH = 124  # of the table
UNLUCKY = 1e-3  # probability of more false alarms than are let pass

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """What became of one theory.

    Attributes
    ----------
    name : str
        The mutant's.
    rejected : bool
        Whether some problem's draws disagree with it.
    problem : str
        The problem that disagrees most, and
    finding : Finding
        the quantity of it that does.
    """

    name: str
    rejected: bool
    problem: str
    finding: Finding


def reject(
    mutant: Mutant, found: Mapping[str, Evidence], dimensions: list[int]
) -> Rejection:
    """Judge a mutant by all problems, each with its share of the level."""
    level = LEVEL / len(found)
    judged = {
        name: tried(evidence, dimensions, mutant.predict, level)
        for name, evidence in found.items()
    }
    worst, problem = min(
        ((finding, name) for name, one in judged.items() for finding in one.findings),
        key=lambda pair: (pair[0].p_value, -abs(pair[0].z)),
    )
    return Rejection(
        name=mutant.name,
        rejected=any(one.verdict == "disagree" for one in judged.values()),
        problem=problem,
        finding=worst,
    )


def false_alarms(
    problem: Problem,
    draws: Mapping[int, int],
    seeds: Iterable[int],
    executor: Executor | None = None,
) -> int:
    """Count the seeds with which the right theory is called wrong at `LEVEL`."""
    theory = cache(predict)
    alarms = 0
    for seed in seeds:
        evidence = gather(problem, draws, seed, executor)
        alarms += tried(evidence, list(draws), theory, LEVEL).verdict == "disagree"
    return alarms


def main() -> int:
    """Judge all mutants and the right theory, print the table, return the status."""
    console, bars = Console(width=WIDTH), Console(stderr=True)

    def follow(items: Sequence[Item], what: str) -> Iterable[Item]:
        return track(items, what, console=bars, disable=not bars.is_terminal)

    # Fresh interpreters: forking one that already runs BLAS threads may deadlock.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as executor:
        found = {
            name: gather(problem, DRAWS, SeedSequence([SEED, i]), executor)
            for i, (name, problem) in enumerate(PROBLEMS.items())
        }
        rejections = [
            reject(mutant, found, list(DRAWS)) for mutant in follow(MUTANTS, "mutants")
        ]
        console.print(_table(rejections))
        alarms = {
            name: false_alarms(problem, FEW_DRAWS, follow(range(SEEDS), name), executor)
            for name, problem in PROBLEMS.items()
        }
    survivors = [one.name for one in rejections if not one.rejected]
    seconds = sum(sum(one.seconds.values()) for one in found.values())
    most = int(stats.binom.isf(UNLUCKY, SEEDS, LEVEL))
    console.print(
        f"{len(MUTANTS) - len(survivors)} of {len(MUTANTS)} mutants rejected at level "
        f"{LEVEL:g} by {sum(DRAWS.values())} draws of each problem, {seconds:.0f} s in "
        f"all; seed {SEED}."
    )
    for name, count in alarms.items():
        console.print(
            f"The right theory, {name}: called wrong with {count} of {SEEDS} seeds, at "
            f"most {most} expected."
        )
    return int(bool(survivors) or max(alarms.values()) > most)


def _table(rejections: list[Rejection]) -> Table:
    """Lay out what became of the mutants."""
    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("mutant", "problem", "quantity"):
        table.add_column(heading, no_wrap=True)
    for heading in ("mutant's", "simulation", "z"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for one in rejections:
        finding = one.finding
        table.add_row(
            one.name,
            one.problem,
            finding.name,
            f"{finding.theory:.4g}",
            f"{finding.simulation:.4g}",
            f"{finding.z:+.1f}",
            "rejected" if one.rejected else "SURVIVES",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
