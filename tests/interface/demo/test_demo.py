"""The demonstration, on a small scale: every file comes, and says the same."""

import csv
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import detequiv as de
from detequiv.demo.run import CASES, Work, make
from detequiv.demo.size import Size

SMALL = Size(dimension=24, repetitions=2, large=40, samples=("1", "4"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Make the demonstration once."""
    folder = tmp_path_factory.mktemp("demo")
    with ThreadPoolExecutor(1) as executor:
        work = Work(executor=executor, bar=lambda title: lambda done, total: None)
        return folder, make(folder, SMALL, work)


def test_every_file_is_written(made: tuple[Path, str]) -> None:
    folder, _ = made
    assert {path.name for path in folder.iterdir()} == {
        "index.html",
        "learned-function.svg",
        "learning-curves-theory.csv",
        "learning-curves.csv",
        "learning-curves.svg",
        "spectrum.svg",
    }


def test_the_page_stands_alone(made: tuple[Path, str]) -> None:
    folder, summary = made
    page = (folder / "index.html").read_text("utf-8")
    assert page.count("<svg") == 3
    assert summary.splitlines()[0] in page
    assert set(re.findall(r'href="([^"#]+)"', page)) - {
        "https://arxiv.org/abs/2410.18938"
    } == {"learning-curves.csv", "learning-curves-theory.csv"}


def test_more_values_learn_more(made: tuple[Path, str]) -> None:
    folder, summary = made
    with (folder / "learning-curves.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(CASES)
    last = [float(row["generalization_error_at_width"]) for row in rows[-len(CASES) :]]
    assert last == sorted(last, reverse=True)
    assert all(f"{error:.4f}" in summary for error in last)


def test_a_wide_layer_with_endless_data_errs_where_the_learned_function_does() -> None:
    problem = de.Problem(
        features=de.SpikedFeatures(activation="relu", spike=[1, -1]),
        target=de.Target(function="2*z + 1"),
        ridge=de.Ridge(samples_per_dim=10**9, width_per_dim=10**4, penalty="1e-3"),
    )
    kappa, weights = np.polynomial.hermite_e.hermegauss(60)
    solution = de.solve(problem)
    missed = 2 * kappa + 1 - de.learned_function(solution, kappa)
    error = weights @ missed**2 / np.sqrt(2 * np.pi)
    # fluctuations of a predictor with p units add d/p, times some number
    assert error < float(solution.excess_error) < 1.01 * error
