"""Conjectures over ranges: search for a counterexample, then branch and bound.

A box on which the margin of every comparison is proved to be positive is done; one
that is not is split. A point at which a margin is proved to be negative ends it. A
margin that touches zero leaves smaller and smaller boxes around the place, until the
budget is spent.
"""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from detequiv.numerics.arithmetic import check_positive
from detequiv.numerics.certificates import Box
from detequiv.numerics.discovery.claims import Claim, read_claim
from detequiv.numerics.discovery.ranges import (
    Margins,
    measure,
    middle,
    read_box,
    split,
)
from detequiv.numerics.discovery.search import candidates
from detequiv.numerics.discovery.verdict import Verdict, examine, read_texts, refuted
from detequiv.theory.errors import ConvergenceError, InputError
from detequiv.theory.problem import Problem, check_problem

__all__ = ["check"]

SMALLEST = 1e-9  # share of a side below which a box is left open
WIDEST = 2  # ratio of the ends of a side for which a proof is tried
AHEAD = 4  # boxes under way at once, with an executor
Problems = Mapping[str, Problem]


def check(
    problem: Problem | Problems,
    claim: str,
    *,
    over: Mapping[str, Any],
    budget: float = 60.0,
    executor: Executor | None = None,
    progress: Callable[[float], None] | None = None,
    resume: str | Path | None = None,
) -> Verdict:
    """Refute a claim, or prove it for every point of a box of parameters.

    Parameters
    ----------
    problem : Problem, or mapping of str to Problem
        What the claim is about; several by the names that it uses.
    claim : str
        Comparisons of arithmetic in reported quantities and parameters, such as
        ``"training_error <= generalization_error"``; see
        :mod:`detequiv.numerics.discovery.claims`.
    over : mapping of str to (low, high)
        Closed ranges with rational ends. Proofs are over the proportions, the penalty
        and the noise; counterexamples are looked for over any number of a problem.
    budget : float
        Seconds of wall time.
    executor : concurrent.futures.Executor, optional
        Where boxes are examined; in this thread by default.
    progress : callable, optional
        Called with the share of the box that is proved.
    resume : path-like, optional
        File to which boxes are written as they are proved, or found to be too large;
        those in it are not examined again: `Verdict.recheck` repeats their proofs.

    Returns
    -------
    Verdict
        "proved" and "counterexample" are theorems about the equations of the limit.

    Raises
    ------
    InputError
        A claim outside the grammar, a range that is none, a function that certificates
        do not support, or a file of another claim.

    Examples
    --------
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="relu", spike=0),
    ...     target=Target(function="z", noise="1/2"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim=1, penalty="1/10"),
    ... )
    >>> verdict = check(
    ...     problem,
    ...     "training_error <= generalization_error",
    ...     over={"ridge.penalty": ("1/10", "1/9")},
    ... )
    >>> verdict.verdict, verdict.recheck()
    ('proved', True)
    """
    begun = perf_counter()
    check_positive("budget", budget)
    problems = dict(problem) if isinstance(problem, Mapping) else {"": problem}
    for each in problems.values():
        check_problem(each)
    read = read_claim(claim, problems)
    box = read_box(over, problems)
    margins = Margins(read, problems)

    def verdict(outcome: Any, **found: Any) -> Verdict:
        record: dict[str, Any] = {"counterexample": None, "values": {}, "remark": ""}
        record |= {"proved": (), "open": (), **found}
        return Verdict(
            **record,
            verdict=outcome,
            claim=read.text,
            problems=problems,
            over=box,
            seconds=perf_counter() - begun,
        )

    for point in candidates(read, problems, box):
        try:
            false = refuted(margins, point)
        except ConvergenceError:
            continue
        if false:
            values = margins.balls_at(point)
            return verdict("counterexample", counterexample=point, values=values)
    margins.require_movable(box)
    branches = _Branches(read, problems, box, resume)
    met = branches.run(begun + budget, executor, progress)
    if met is not None:
        return verdict(
            "counterexample", counterexample=met, values=margins.balls_at(met)
        )
    proved = tuple(sorted(branches.proved, key=lambda b: middle(b).popitem()[1]))
    left = tuple(sorted(branches.left, key=lambda b: -measure(b, box)))
    if not left:
        return verdict("proved", proved=proved)
    return verdict("undecided", proved=proved, open=left, remark=_advice(left[0], box))


def _advice(largest: Box, whole: Box) -> str:
    place = ", ".join(f"{n} = {float(v):.6g}" for n, v in middle(largest).items())
    if measure(largest, whole) < 1e-3:
        return f"near {place} the claim is close to equality, or false"
    return f"the largest box left is around {place}; a larger budget would help"


@lru_cache(maxsize=4)
def _margins(claim: str, problems: tuple[tuple[str, Problem], ...]) -> Margins:
    known = dict(problems)
    return Margins(read_claim(claim, known), known)


def _examine(
    claim: str, problems: tuple[tuple[str, Problem], ...], box: Box
) -> tuple[str, dict[str, Any] | None]:
    """Look at one box: "proved", "refuted" with a point, or "open"."""
    margins = _margins(claim, problems)
    if any(low > 0 and high > WIDEST * low for low, high in box.values()):
        return "open", None
    try:
        proved, negative = examine(margins, box)
        if proved:
            return "proved", None
        point = middle(box)
        if negative and refuted(margins, point):
            return "refuted", point
    except ConvergenceError:
        pass
    return "open", None


class _Branches:
    """Branch and bound: the boxes that are proved, and those that are left."""

    def __init__(
        self, claim: Claim, problems: Problems, whole: Box, file: str | Path | None
    ) -> None:
        self.claim, self.problems, self.whole = claim, tuple(problems.items()), whole
        self.proved: list[Box] = []
        self.left: list[Box] = [whole]
        self.file = None if file is None else Path(file)
        self._known: dict[Any, str] = {}  # what was found of boxes before
        if self.file is not None:
            self._load(self.file)

    def _header(self) -> str:
        tables = {name: str(p.tables()) for name, p in self.problems}
        over = {n: list(map(str, ends)) for n, ends in self.whole.items()}
        made = {name: version(name) for name in ("detequiv", "python-flint", "sympy")}
        what = {"claim": self.claim.text, "over": over, "problems": tables}
        return json.dumps({**what, "versions": made})

    def _load(self, file: Path) -> None:
        if not file.exists() or not file.stat().st_size:
            file.write_text(self._header() + "\n", "utf-8")
            return
        text = file.read_text("utf-8")
        header, *lines = text.splitlines()
        if header != self._header():
            says = "belongs to another claim, or to other versions; name a new one"
            raise InputError("resume", file, says)
        if not text.endswith("\n"):  # a line that was cut short by a kill
            with file.open("a", encoding="utf-8") as end:
                end.write("\n")
        for line in lines:
            try:
                ((outcome, texts),) = json.loads(line).items()
                box = read_texts(texts)
            except (ValueError, AttributeError, TypeError, ZeroDivisionError):
                continue
            if outcome not in ("proved", "open"):
                continue
            self._known[tuple(sorted(box.items()))] = outcome

    def run(
        self,
        until: float,
        executor: Executor | None,
        progress: Callable[[float], None] | None,
    ) -> dict[str, Any] | None:
        """Examine boxes until none is left, or time is; a counterexample, if found."""
        share = 0.0
        stuck: list[Box] = []
        under_way: dict[Future[Any], Box] = {}
        while (self.left or under_way) and perf_counter() < until:
            found: list[tuple[Box, tuple[str, Any]]] = []
            while self.left and len(under_way) < (AHEAD if executor else 1):
                # the largest first, so that what is left in the end is near equality
                box = self.left.pop(self._largest())
                known = self._known.get(tuple(sorted(box.items())))
                if known is not None:
                    found.append((box, (known, None)))
                elif executor is None:
                    outcome = _examine(self.claim.text, self.problems, box)
                    found.append((box, outcome))
                    break
                else:
                    job = executor.submit(_examine, self.claim.text, self.problems, box)
                    under_way[job] = box
            if under_way and not found:
                done, _ = wait(
                    under_way,
                    timeout=max(0.0, until - perf_counter()),
                    return_when=FIRST_COMPLETED,
                )
                found += [(under_way.pop(job), job.result()) for job in done]
            for box, (verdict, point) in found:
                if verdict == "refuted":
                    for job in under_way:
                        job.cancel()
                    return dict(point)
                self._write(verdict, box)
                if verdict == "open":
                    parts = split(box)
                    small = measure(parts[0], self.whole) < SMALLEST
                    (stuck if small else self.left).extend(parts)
                    continue
                self.proved.append(box)
                share += measure(box, self.whole)
                if progress is not None:
                    progress(min(1.0, share))
        for job, box in under_way.items():
            job.cancel()
            self.left.append(box)
        self.left += stuck
        return None

    def _largest(self) -> int:
        sizes = [measure(box, self.whole) for box in self.left]
        return sizes.index(max(sizes))

    def _write(self, outcome: str, box: Box) -> None:
        """Keep what was found of a box, once."""
        key = tuple(sorted(box.items()))
        if self.file is None or key in self._known:
            return
        self._known[key] = outcome
        texts = {name: list(map(str, ends)) for name, ends in box.items()}
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({outcome: texts}) + "\n")
