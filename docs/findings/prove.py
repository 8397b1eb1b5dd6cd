"""Prove the findings, and keep their records: ``python prove.py [NAME ...]``.

The page loads the records and repeats some of their proofs.
"""

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import detequiv as de

HERE = Path(__file__).parent
TARGET = "z + (z**2 - 1)/2"
PENALTY, SAMPLES = "ridge.penalty", "ridge.samples_per_dim"
WIDTH, NOISE = "ridge.width_per_dim", "target.noise"


def features(
    activation: str, spike: list[object], penalty: object = "1/5", **target: object
) -> de.Problem:
    """Make the problem of a finding: n/d = 2, p/d = 3/2."""
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike),
        target=de.Target(**{"function": TARGET, "noise": "3/10", **target}),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=penalty),
    )


UNTRAINED, TRAINED = features("relu", [0]), features("relu", ["3/2"])
ASTRAY = features("relu", ["3/2"], alignment=0)
ONE = features("tanh", ["3/2"], function="z")
IDLE = features("tanh", ["3/2", 0], function="z")
BETTER = "trained.generalization_error < untrained.generalization_error"
WORSE = "trained.generalization_error > untrained.generalization_error"
PEAK = (
    "generalization_error[ridge.samples_per_dim=3/2] > "
    "generalization_error[ridge.samples_per_dim=1/2] and "
    "generalization_error[ridge.samples_per_dim=3/2] > "
    "generalization_error[ridge.samples_per_dim=5]"
)
FALLS = "D(generalization_error, ridge.samples_per_dim) < 0"

# name: problems, claim, over
FINDINGS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "peak": (UNTRAINED, PEAK, {PENALTY: ("1/1000", "1/50")}),
    "no-peak": (UNTRAINED, FALLS, {SAMPLES: ("1/2", 5), PENALTY: ("1/10", 1)}),
    "below": (
        features("relu", [0], "13/200"),
        FALLS,
        {SAMPLES: ("1/2", 5)},
    ),
    "above": (UNTRAINED, FALLS, {SAMPLES: ("1/2", 5), PENALTY: ("33/500", "1/10")}),
    "neurons": (
        features("relu", ["3/2"], "1/1000"),
        "D(generalization_error, ridge.width_per_dim) < 0",
        {WIDTH: ("1/2", 5)},
    ),
    "neurons-fit": (
        TRAINED,
        "D(training_error, ridge.width_per_dim) < 0",
        {WIDTH: ("1/2", 5)},
    ),
    "step-helps": (
        {"trained": TRAINED, "untrained": UNTRAINED},
        BETTER,
        {SAMPLES: ("1/2", 5)},
    ),
    "step-hurts": (
        {"trained": ASTRAY, "untrained": UNTRAINED},
        WORSE,
        {SAMPLES: ("1/2", 5)},
    ),
    "step-overfits": (
        {
            "trained": features("relu", ["3/2"], "1/1000"),
            "untrained": features("relu", [0], "1/1000"),
        },
        BETTER,
        {SAMPLES: ("1/2", 5)},
    ),
    "idle-units": (
        {"one": ONE, "half": IDLE},
        "one.generalization_error < half.generalization_error",
        {SAMPLES: ("1/2", 5)},
    ),
    "little-noise": (
        UNTRAINED,
        "D(generalization_error[ridge.penalty=1/10], ridge.penalty) < 0 and "
        "D(generalization_error[ridge.penalty=1], ridge.penalty) > 0",
        {NOISE: (0, "3/10")},
    ),
    "much-noise": (
        UNTRAINED,
        "D(generalization_error[ridge.penalty=1], ridge.penalty) < 0",
        {NOISE: ("3/2", 2)},
    ),
    "training": (
        TRAINED,
        "training_error < generalization_error",
        {PENALTY: ("1/10", 1), SAMPLES: ("1/2", 5)},
    ),
}


def main() -> None:
    """Prove those that are named, or all."""
    for name in sys.argv[1:] or FINDINGS:
        problems, claim, over = FINDINGS[name]
        begun = perf_counter()
        verdict = de.check(problems, claim, over=over, budget=3600)
        (HERE / f"{name}.json").write_text(verdict.to_json() + "\n", "utf-8")
        boxes, seconds = len(verdict.proved), perf_counter() - begun
        print(name, verdict.verdict, boxes, f"{seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
