"""What a slider of the explorer waits for, over one cold solution (printed by -s)."""

import time
import tomllib

import pytest

import detequiv as de
from detequiv.commands.start.init import PRESETS
from detequiv.explorer.answers import FAST, answer

pytestmark = pytest.mark.bench
TEXT = PRESETS["features"]


def test_a_slider_is_answered_while_it_is_held() -> None:
    begun = time.process_time()
    de.solve(de.Problem.from_tables(tomllib.loads(TEXT)))
    first = time.process_time() - begun
    for part in FAST:
        took = []
        for k in range(4):  # the first of them compiles
            begun = time.process_time()
            answer(part, {"problem": TEXT, "form": {"samples_per_dim": f"{k + 2}"}})
            took.append(time.process_time() - begun)
        print(f"{part}: {min(took):.3f} s, {min(took) / first:.2f} of a cold solution")
