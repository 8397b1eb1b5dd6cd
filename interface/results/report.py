"""Validation of the theory of one problem: `validate`, and the `Report` it returns."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.random import Generator, SeedSequence

from detequiv.theory.display import Shown, Tabular
from detequiv.theory.problem import Problem
from detequiv.validation.statistics import Finding, Verdict
from detequiv.validation.trial import LEVEL, RESOLUTION, Trial, try_theory

__all__ = ["Report", "validate"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Shown):
    """Verdict on the theory of one problem, with the evidence.

    Attributes
    ----------
    trial : Trial
        Every look at the evidence, the number of draws, the time taken.
    """

    trial: Trial

    @property
    def verdict(self) -> Verdict:
        """Read "agree", "disagree", or "undecided" where the budget was too small."""
        return self.trial.judgement.verdict

    @property
    def quantities(self) -> tuple[Finding, ...]:
        """Findings, one a quantity.

        Each has the attributes `name`, `theory`, `simulation` (carried to infinite
        dimension), `standard_error`, `z`, `dimensions`, `detectable` (the smallest
        relative error of theory that would be detected with probability 0.9) and
        `verdict`.
        """
        return self.trial.judgement.findings

    @property
    def level(self) -> float:
        """Probability, at most, of "disagree" if theory is right."""
        return self.trial.level

    @property
    def seed(self) -> Any:
        """Seed of the draws: `rng`, if that was an integer."""
        return self.trial.seed

    def _table(self) -> Tabular:
        rows = [
            (
                one.name,
                f"{one.theory:.6g}",
                f"{one.simulation:.6g}",
                f"{one.standard_error:.2g}",
                f"{one.z:.2f}",
                one.verdict,
            )
            for one in self.quantities
        ]
        return Tabular(
            f"{self.verdict}, with an error probability of {self.level:.2g} at most",
            rows,
            header=("quantity", "theory", "simulation", "s.e.", "z", "verdict"),
            note="also: to_dict(), seed, trial",
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, with the keys of ``detequiv validate --json``."""
        return {
            "verdict": self.verdict,
            "quantities": [
                {
                    "name": one.name,
                    "theory": one.theory,
                    "simulation": one.simulation,
                    "standard_error": one.standard_error,
                    "z": one.z,
                    "dimensions": list(one.dimensions),
                    "detectable": one.detectable,
                    "verdict": one.verdict,
                }
                for one in self.quantities
            ],
            "level": self.level,
            "seed": self.seed,
            "resolution": self.trial.judgement.resolution,
            "draws": {str(d): count for d, count in self.trial.draws.items()},
            "budget": self.trial.budget,
            "seconds": self.trial.seconds,
        }

    def to_html(self, path: str | Path) -> None:
        """Write one page that needs nothing else: no network, no other file.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        from detequiv.pages.report import page

        Path(path).write_text(page(self.trial), "utf-8")


def validate(
    problem: Problem,
    budget: float = 60.0,
    rng: int | SeedSequence | Generator | None = None,
    *,
    level: float = LEVEL,
    resolution: float = RESOLUTION,
    executor: Executor | None = None,
    advance: Callable[[float], None] | None = None,
) -> Report:
    """Compare the theory of a problem with simulations of the model itself.

    The model is drawn at four dimensions; simulation less theory is carried to infinite
    dimension by a fit in 1/d and tested for zero, for all quantities together. The
    evidence is judged at a quarter, at half and at the whole of the budget, each time
    with a share of the level.

    Parameters
    ----------
    problem : Problem
        What to compare; its penalty must be positive.
    budget : float
        Seconds of wall time to spend.
    rng : int, SeedSequence, Generator or None
        Source of the draws' seeds, as `numpy.random.default_rng` takes it. How many
        draws a budget allows depends on the machine; draw k at each dimension does not.
    level : float
        Probability, at most, that a right theory is called wrong.
    resolution : float
        Relative error of theory that must be detectable, with probability 0.9, before
        agreement is claimed. Of the learned function, relative to its root mean square
        over the projections.
    executor : concurrent.futures.Executor, optional
        Where the draws run; in this thread by default.
    advance : callable, optional
        Called now and then with the fraction of the budget that is spent.

    Returns
    -------
    Report
        With `verdict`, `quantities`, `level`, `seed` and `to_html`.

    Raises
    ------
    InputError
        A number outside its domain, or a problem that is not sampled.
    ConvergenceError
        The theory cannot be solved.
    """
    return Report(
        trial=try_theory(
            problem,
            budget=budget,
            rng=rng,
            executor=executor,
            advance=advance,
            level=level,
            resolution=resolution,
        )
    )
