"""Theory against simulation as the dimension grows: ``python -m``, or `make trend`.

For each case the differences, simulation less theory at the sizes drawn, are measured
at several dimensions and carried to infinite d by
`detequiv.validation.statistics.judgement`. Theory is right when nothing is left there.
The exit status is 1 if something is, at family-wise error probability LEVEL over all
cases and quantities.
"""

import sys
from collections.abc import Mapping

from numpy.random import SeedSequence
from rich.console import Console
from rich.table import Table

from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.statistics import Finding
from detequiv.validation.studies.tables import new_table
from detequiv.validation.studies.work import at_work, squares
from detequiv.validation.trial import LEVEL, Evidence, predict, tried

__all__ = ["CASES", "main"]

# More repetitions where they are cheap: the slope is learned at small d, and the
# intercept keeps the weight of large d.
REPETITIONS = {150: 1000, 300: 300, 600: 80}
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


def main() -> int:
    """Judge every case, print the tables, and return the exit status."""
    console, found = Console(), {}
    with at_work(len(CASES) * squares(REPETITIONS)) as (executor, advance):
        for i, (case, problem) in enumerate(CASES.items()):
            evidence = Evidence(problem, SeedSequence([SEED, i]), executor)
            for d, count in REPETITIONS.items():
                evidence.draw(d, count)
                advance(d, count)
            found[case] = tried(
                evidence, list(REPETITIONS), predict, LEVEL / len(CASES)
            )
    for case, judgement in found.items():
        console.print(_table(case, judgement.findings))
    findings = [one for judgement in found.values() for one in judgement.findings]
    agree = all(one.verdict != "disagree" for one in findings)
    console.print(
        f"{'Agreement' if agree else 'DISAGREEMENT'}: largest |z| of an intercept "
        f"{max(abs(one.z) for one in findings):.2f} (Holm, family-wise error "
        f"probability {LEVEL:g} over {len(findings)} intercepts), seed {SEED}"
    )
    return 0 if agree else 1


def _table(case: str, findings: tuple[Finding, ...]) -> Table:
    """Lay out one case, a line a dimension and one for what is left at infinity."""
    headings = "quantity", "d", "difference", "s.e.", "z", "detectable"
    table = new_table(case, *headings)
    for one in findings:
        measured = one.measurement
        for d, difference, error in zip(
            measured.dimensions,
            measured.differences,
            measured.standard_errors,
            strict=True,
        ):
            table.add_row(
                f"{one.name}, {one.theory:.5f} in theory",
                str(d),
                f"{difference:+.5f}",
                f"{error:.5f}",
                f"{difference / error:+.2f}",
            )
        table.add_row(
            f"  degree {len(one.trend.corrections)}, p = {one.trend.goodness:.3f}",
            "inf",
            f"{one.trend.intercept:+.5f}",
            f"{one.standard_error:.5f}",
            f"{one.z:+.2f}",
            f"{one.detectable:.2%}",
            end_section=True,
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
