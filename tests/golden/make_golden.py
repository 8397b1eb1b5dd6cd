"""Write the golden file: what the library answers now, for every case.

``python make_golden.py [--out FILE] [--workers W]`` answers the cases
of `questions` with `answers`. The file names the versions that answered. It is made
anew when an answer is meant to change; `test_golden` says whether any has.
"""

import argparse
import json
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from questions import Case, cases

__all__ = ["main"]

GOLDEN = Path(__file__).with_name("golden.json")
# whose numbers or texts are in the answers
PACKAGES = ("detequiv", "click", "mpmath", "numpy", "python-flint", "scipy", "sympy")


def timed(case: Case) -> tuple[Any, float]:
    """Answer a case; how long it took, in seconds of processor time."""
    from answers import answer

    begin = time.process_time()
    # as the golden file has it
    given = json.loads(compact(case.given))
    return answer(case.kind, given), time.process_time() - begin


def compact(value: Any) -> str:
    """Write JSON without spaces, keys in order."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def document(answered: dict[str, dict[str, Any]]) -> str:
    """Lay out the file: one line a case, so that a change of one shows as one line."""
    made = {name: version(name) for name in PACKAGES}
    made["python"] = platform.python_version()
    lines = [f"{compact(name)}:{compact(answered[name])}" for name in sorted(answered)]
    body = ",\n".join(lines)
    return f'{{"cases":{{\n{body}\n}},\n"version":{compact(made)}}}\n'


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=GOLDEN)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    # one thread each; fresh interpreters, for it is read when NumPy is imported
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    asked = cases()
    answered: dict[str, dict[str, Any]] = {}
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        found = pool.map(timed, asked.values())
        for (name, case), (answer, seconds) in zip(asked.items(), found, strict=True):
            answered[name] = {"kind": case.kind, "given": case.given, "answer": answer}
            print(f"{seconds:8.2f} s  {name}", flush=True)
    options.out.write_text(document(answered), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
