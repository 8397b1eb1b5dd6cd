"""Random claims over random boxes: what is proved is true wherever it is tried.

``python theorems.py COUNT [--points N] [--budget S] [--out FILE]`` checks claims 0, 1,
... and appends one JSON line for each to FILE; lines that are there are not made again.
Every box that is proved, of claims that are undecided too, is tried at N random points
and at its corners, with 30 digits. Exit status 1 if a claim is false at any of them.
"""

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import mpmath
import sympy as sp

import detequiv as de
from detequiv.numerics.discovery import read_claim
from detequiv.theory.errors import DetequivError

DIGITS = 30
QUANTITIES = (
    "generalization_error", "training_error", "excess_error", "readout_norm",
    "ridge_objective",
)  # fmt: skip
MOVED = (
    "ridge.penalty", "ridge.samples_per_dim", "ridge.width_per_dim", "target.noise",
)  # fmt: skip
ROUNDING = 1e-17  # relative, of derivatives that are asked for with twenty digits


@dataclass(frozen=True)
class Drawn:
    """A random claim."""

    problem: de.Problem
    claim: str
    over: dict[str, tuple[str, str]]


def draw(seed: int) -> Drawn:
    """Draw the claim of a seed: one that is nearly false about as often as not."""
    rng = Random(seed)

    def number(low: float, high: float) -> str:
        return f"{low * (high / low) ** rng.random():.3g}"

    groups = rng.choice((1, 1, 2))
    problem = de.Problem(
        features=de.SpikedFeatures(
            activation=rng.choice(("relu", "erf", "tanh", "abs", "he2", "sin")),
            spike=[rng.choice(("0", number(0.2, 2))) for _ in range(groups)],
        ),
        target=de.Target(
            function=rng.choice(("z", "z + (z**2 - 1)/2", "sin(2*z)", "tanh")),
            alignment=rng.choice(("1", "3/5")),
            noise=number(0.05, 1),
        ),
        ridge=de.Ridge(
            samples_per_dim=number(0.3, 4),
            width_per_dim=number(0.3, 4),
            penalty=number(1e-2, 2),
        ),
    )
    names = rng.sample(MOVED, rng.choice((1, 1, 2)))
    over = {}
    for name in names:
        table, key = name.split(".")
        low = problem.tables()[table][key]
        over[name] = (str(low), str(low * sp.Rational(number(1.02, 2))))
    first, second = rng.sample(QUANTITIES, 2)
    by, kind = rng.choice(names), rng.randrange(4)
    if kind == 0:
        middle = {n: sum(map(sp.Rational, ends)) / 2 for n, ends in over.items()}
        slope = de.derivatives(problem.with_values(middle), by, digits=3)[first]
        claim = f"D({first}, {by}) {'>' if slope > 0 else '<'} 0"
        return Drawn(problem, claim, over)
    places = [
        dict(zip(over, map(sp.Rational, ends), strict=True))
        for ends in product(*over.values())
    ]
    found = [de.solve(problem.with_values(place)) for place in places]
    values = [getattr(each, first) for each in found]
    if kind == 1:
        values = [
            v / getattr(each, second) for v, each in zip(values, found, strict=True)
        ]
    # the largest or smallest at a corner, and a little more, or less
    close = rng.choice((1, 1, -1)) * 10 ** rng.uniform(-4, -1)
    sign, bound = rng.choice(
        (("<", max(values) * (1 + close)), (">", min(values) * (1 - close)))
    )
    other = f"*{second}" if kind == 1 else ""
    claim = f"{first} {sign} {float(bound):.7g}{other}"
    if kind == 2:  # the same between two problems
        changed = f"{first}[{by}={over[by][0]}]"
        share = float(bound / values[0])
        claim = f"{first} {sign} {share:.7g}*{changed}"
    return Drawn(problem, claim, over)


def margin(drawn: Drawn, point: dict[str, sp.Rational]) -> tuple[Any, Any]:
    """The claim's margin at a point by the solver, and what rounding may do to it."""
    claim = read_claim(drawn.claim, {"": drawn.problem})
    values, size = {}, mpmath.mpf(0)
    for symbol, atom in claim.atoms.items():
        there = drawn.problem.with_values({**point, **dict(atom.changes)})
        if atom.by:
            value = de.derivatives(there, atom.by, digits=20)[atom.name]
        else:
            value = getattr(de.solve(there, digits=DIGITS), atom.name)
        size += abs(value)
        values[symbol] = value
    (comparison,) = claim.comparisons
    with mpmath.workdps(DIGITS):
        total = sp.lambdify(list(values), comparison.margin, "mpmath")(*values.values())
    rounding = (
        ROUNDING if any(a.by for a in claim.atoms.values()) else 10 ** (4 - DIGITS)
    )
    return total, rounding * size


def try_out(seed: int, points: int, budget: float) -> dict[str, Any]:
    """Check the claim of a seed, and try what is proved of it."""
    drawn, rng = draw(seed), Random(-seed - 1)
    record: dict[str, Any] = {"seed": seed, "claim": drawn.claim, "tried": 0}
    verdict = de.check(drawn.problem, drawn.claim, over=drawn.over, budget=budget)
    record |= {"verdict": verdict.verdict, "share": verdict.proved_fraction}
    places = []
    for box in verdict.proved:
        places += [dict(zip(box, ends, strict=True)) for ends in product(*box.values())]
        places += [
            {
                name: low + (high - low) * sp.Rational(rng.randrange(10**6 + 1), 10**6)
                for name, (low, high) in box.items()
            }
            for _ in range(points // len(verdict.proved))
        ]
    if verdict.counterexample is not None:
        places = [dict(verdict.counterexample)]
    wrong = []
    for place in places:
        try:
            value, rounding = margin(drawn, place)
        except DetequivError:  # a derivative on the border of its domain
            continue
        record["tried"] += 1
        holds = value > -rounding
        if verdict.counterexample is not None:
            holds = value < rounding
        if not holds:
            wrong.append({name: str(v) for name, v in place.items()})
    return record | {"wrong": wrong}


def main() -> int:
    """Read the command line, and go on where the file ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--budget", type=float, default=60)
    parser.add_argument("--out", type=Path, default=Path("build/theorems.jsonl"))
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        arguments.out.read_text("utf-8").splitlines() if arguments.out.exists() else []
    )
    known = {record["seed"]: record for record in map(json.loads, lines)}
    with arguments.out.open("a", encoding="utf-8") as out:
        for seed in range(arguments.count):
            if seed in known:
                continue
            record = try_out(seed, arguments.points, arguments.budget)
            known[seed] = record
            print(json.dumps(record), file=out, flush=True)
    records = [known[seed] for seed in range(arguments.count)]
    wrong = [record for record in records if record["wrong"]]
    print(dict(Counter(record["verdict"] for record in records)))
    print(f"{sum(r['tried'] for r in records)} points tried, {len(wrong)} claims wrong")
    for record in wrong:
        print(json.dumps(record))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
