"""The validation, validated: it rejects every mutant and accepts the right theory.

``python -m detequiv.validation.studies.rejection``, or `make mutants`. Three problems
are drawn once, and every mutant is judged by these draws. Then three problems are drawn
many more times, and the right theory is judged by a hundred independent parts of these
draws, at two levels, for at the looser one there is something to count, and once by all
of them. The exit status is 1 if a mutant survives, if more parts reject the right
theory than a level explains, or if the whole does.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from statistics import median
from typing import TypeVar

from numpy.random import SeedSequence
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy import stats

from detequiv.theory.problem import (
    Network,
    Problem,
    Ridge,
    SpikedFeatures,
    Target,
)
from detequiv.validation.statistics import Finding, Judgement, holm
from detequiv.validation.studies.mutants import MUTANTS
from detequiv.validation.studies.slips import Mutant
from detequiv.validation.studies.tables import new_table
from detequiv.validation.studies.trend import CASES
from detequiv.validation.trial import LEVEL, Evidence, gather, predict, tried

__all__ = ["PROBLEMS", "RIGHT", "Acceptance", "Rejection", "accept", "main", "reject"]

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
DRAWS = {100: 800, 150: 480, 200: 320, 300: 160}
"""Number of draws at each dimension by which the mutants are judged."""
RIGHT: Mapping[str, Problem] = {
    # functions of kappa that are nearly dependent
    **CASES,
    "trained erf network": PROBLEMS["trained"],
}
"""What the right theory is judged on."""
FEW_DRAWS = {100: 12, 150: 8, 200: 8}
"""The same for each of the parts by which the right theory is judged."""
PARTS = 100
LEVELS = (LEVEL, 0.1)
"""Probabilities, at most, that a part calls it wrong."""
SEED = 20241018
WIDTH = 150  # of the table
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


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What became of the right theory.

    Attributes
    ----------
    parts : tuple of Judgement
        By a part of the draws each.
    whole : Judgement
        By all of them.
    """

    parts: tuple[Judgement, ...]
    whole: Judgement

    def alarms(self, level: float) -> int:
        """Count the parts that call theory wrong at this level."""
        smallest = (min(holm([f.p_value for f in one.findings])) for one in self.parts)
        return sum(p_value <= level for p_value in smallest)

    @property
    def detectable(self) -> tuple[float, float]:
        """Relative errors that a part and the whole detect with probability 0.9.

        Medians over quantities that are not zero by symmetry, and over parts.
        """
        by_part, by_whole = (
            median(f.detectable for one in judged for f in one.findings if f.theory)
            for judged in (self.parts, [self.whole])
        )
        return by_part, by_whole


def accept(
    problem: Problem,
    draws: Mapping[int, int],
    rng: int | SeedSequence,
    executor: Executor | None = None,
    *,
    parts: int = PARTS,
) -> Acceptance:
    """Judge the right theory by `parts` times as many draws, part by part and whole."""
    many = {d: parts * count for d, count in draws.items()}
    evidence, theory = gather(problem, many, rng, executor), cache(predict)
    return Acceptance(
        parts=tuple(
            tried(one, list(draws), theory, LEVEL) for one in evidence.split(parts)
        ),
        whole=tried(evidence, list(draws), theory, LEVEL),
    )


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
        accepted = {
            name: accept(problem, FEW_DRAWS, SeedSequence([SEED, 10 + i]), executor)
            for i, (name, problem) in enumerate(follow([*RIGHT.items()], "right"))
        }
    survivors = [one.name for one in rejections if not one.rejected]
    seconds = sum(sum(one.seconds.values()) for one in found.values())
    console.print(
        f"{len(MUTANTS) - len(survivors)} of {len(MUTANTS)} mutants rejected at level "
        f"{LEVEL:g} by {sum(DRAWS.values())} draws of each problem, {seconds:.0f} s in "
        f"all; seed {SEED}."
    )
    most = {level: int(stats.binom.isf(UNLUCKY, PARTS, level)) for level in LEVELS}
    false = False
    for name, right in accepted.items():
        alarms = {level: right.alarms(level) for level in LEVELS}
        false |= any(alarms[level] > most[level] for level in LEVELS)
        false |= right.whole.verdict == "disagree"
        counts = ", ".join(
            f"{count} at level {level:g} (at most {most[level]} expected)"
            for level, count in alarms.items()
        )
        part, whole = right.detectable
        console.print(
            f"The right theory, {name}: of {PARTS} times {sum(FEW_DRAWS.values())} "
            f"draws, those that call it wrong are {counts}; all together: "
            f"{right.whole.verdict}, largest |z| "
            f"{max(abs(f.z) for f in right.whole.findings):.2f}. Detectable errors, "
            f"median: {part:.1%} and {whole:.1%}."
        )
    return int(bool(survivors) or false)


def _table(rejections: list[Rejection]) -> Table:
    """Lay out what became of the mutants."""
    headings = "mutant", "problem", "quantity", "mutant's", "simulation", "z", ""
    table = new_table("", *headings, named=3)
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
