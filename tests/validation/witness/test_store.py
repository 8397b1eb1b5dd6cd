"""Finished draws on disk: exact, each once, and there after every kill."""

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import SeedSequence

from detequiv.theory.errors import InputError
from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
from detequiv.validation.trial.simulate import sampler, simulate
from detequiv.validation.witness.draws import Dimensions, Draw, Experiment, draw
from detequiv.validation.witness.model import SpikedModel
from detequiv.validation.witness.runs import Estimates, run
from detequiv.validation.witness.store import Store, StoreError, seed_text

PROBLEM = Problem(
    features=SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    target=Target(function="z", alignment="7/10", noise="3/10"),
    ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)
EXPERIMENT = Experiment(
    model=SpikedModel(
        activation=np.tanh,
        spike=(1.5, -0.8),
        bulk=(1.0, 1.0),
        weights=(0.5, 0.5),
        target=np.positive,
        alignment=0.7,
        noise=0.3,
    ),
    dimensions=Dimensions(d=20, n=50, p=30),
    penalty=0.05,
    repetitions=6,
    projections=(-1.0, 0.5),
    eigenvalues=True,
)


def assert_same(some: Estimates, others: Estimates) -> None:
    """Demand equality of all draws to the last bit."""
    for one, other in zip(some.draws, others.draws, strict=True):
        assert one.values == other.values
        assert np.array_equal(one.learned, other.learned)
        assert np.array_equal(one.eigenvalues, other.eigenvalues)
    assert some.mean == others.mean
    assert some.standard_error == others.standard_error


def count(path: Path) -> int:
    """Count the draws in a file."""
    with Store(path) as store:
        return store.count()


def test_what_comes_back_is_what_went_in(tmp_path: Path) -> None:
    path = tmp_path / "draws.sqlite"
    plain = run(EXPERIMENT, rng=1)
    assert_same(run(EXPERIMENT, rng=1, store=path), plain)
    assert count(path) == 6
    assert_same(run(EXPERIMENT, rng=1, store=path), plain)
    assert count(path) == 6


def test_only_what_is_missing_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "draws.sqlite"
    run(replace(EXPERIMENT, repetitions=4), rng=1, store=path)
    drawn: list[str] = []

    def counted(experiment: Experiment, seed: SeedSequence) -> Draw:
        drawn.append(seed_text(seed))
        return draw(experiment, seed)

    monkeypatch.setattr("detequiv.validation.witness.runs.draw", counted)
    seen: list[tuple[int, int]] = []
    more = run(
        EXPERIMENT,
        rng=1,
        store=path,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert drawn == [seed_text(seed) for seed in more.seeds[4:]]
    assert seen == [(4, 6), (5, 6), (6, 6)]
    assert_same(more, run(EXPERIMENT, rng=1))


@pytest.mark.parametrize(
    "other",
    [
        replace(EXPERIMENT, penalty=0.06),
        replace(EXPERIMENT, dimensions=Dimensions(d=20, n=51, p=30)),
        replace(EXPERIMENT, projections=(-1.0, 0.6)),
        replace(EXPERIMENT, eigenvalues=False),
        replace(EXPERIMENT, model=replace(EXPERIMENT.model, noise=0.0)),
        replace(EXPERIMENT, model=replace(EXPERIMENT.model, activation=np.sin)),
    ],
)
def test_another_experiment_finds_nothing(other: Experiment) -> None:
    seed = SeedSequence(1)
    with Store(":memory:") as store:
        store.add(EXPERIMENT, seed, draw(EXPERIMENT, seed))
        assert store.find(other, [seed]) == {}
        assert list(store.find(EXPERIMENT, [SeedSequence(2), seed])) == [1]


def test_another_version_of_the_sampler_finds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seed = SeedSequence(1)
    with Store(":memory:") as store:
        store.add(EXPERIMENT, seed, draw(EXPERIMENT, seed))
        monkeypatch.setattr("detequiv.validation.witness.draws.SAMPLER", -1)
        assert store.find(EXPERIMENT, [seed]) == {}


def test_a_draw_is_written_once() -> None:
    seed = SeedSequence(1)
    first = draw(EXPERIMENT, seed)
    other = replace(first, values=dict.fromkeys(first.values, 0.0))
    with Store(":memory:") as store:
        store.add(EXPERIMENT, seed, first)
        store.add(EXPERIMENT, seed, other)
        assert store.count() == 1
        assert store.find(EXPERIMENT, [seed])[0].values == first.values


def test_seeds_of_any_make_are_told_apart() -> None:
    seeds = [
        *SeedSequence(1).spawn(3),
        SeedSequence(1),
        SeedSequence([1, 2]),
        SeedSequence(np.array([1, 3])),
        SeedSequence(2**200),
        SeedSequence(1, pool_size=8),
        SeedSequence(1, spawn_key=(0, 1)),
    ]
    assert len({seed_text(seed) for seed in seeds}) == len(seeds)
    assert seed_text(SeedSequence(np.array([1, 2]))) == seed_text(seeds[4])


def test_threads_may_draw(tmp_path: Path) -> None:
    path = tmp_path / "draws.sqlite"
    with ThreadPoolExecutor(2) as executor:
        shared = run(EXPERIMENT, rng=1, executor=executor, store=path)
    assert_same(shared, run(EXPERIMENT, rng=1))
    assert count(path) == 6


def test_a_model_without_a_lasting_name_is_refused(tmp_path: Path) -> None:
    model = replace(EXPERIMENT.model, target=lambda t: t)
    nameless = replace(EXPERIMENT, model=model)
    with pytest.raises(ValueError, match=r"<function .*lambda>>: draws of a model"):
        run(nameless, rng=1, store=tmp_path / "draws.sqlite")
    assert len(run(nameless, rng=1).draws) == 6


def test_the_definition_is_the_same_in_every_process() -> None:
    code = (
        "from test_store import PROBLEM, sampler\n"
        "for text in ('max(z, max(1, 2*z))', 'gelu', 'min(z, 1/3) + abs(z)'):"
        "\n    print(sampler(PROBLEM.with_values({'features.activation': text})))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
    assert " at 0x" not in texts.pop()


@pytest.mark.parametrize("kind", ["text", "other", "newer", "folder"])
def test_what_cannot_hold_draws_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "draws.sqlite"
    if kind == "text":
        path.write_text("not a database, and longer than a header " * 40)
        reason = "file is not a database"
    elif kind == "other":
        with sqlite3.connect(path) as base:
            base.execute("CREATE TABLE songs (title)")
        reason = "the file is the database of another program"
    elif kind == "newer":
        Store(path).__exit__(None, None, None)
        with sqlite3.connect(path) as base:
            base.execute("PRAGMA user_version = 2")
        reason = "its layout is 2, this version reads 1; name a new file"
    else:
        path = tmp_path / "nowhere" / "draws.sqlite"
        reason = "unable to open database file"
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(StoreError, match=f"cannot hold draws: {reason}"):
        Store(path)
    with pytest.raises(InputError, match=r"store = .*: cannot hold draws: "):
        simulate(PROBLEM, dimension=20, repetitions=2, rng=1, store=path)
    assert (path.read_bytes() if path.exists() else None) == before


REPETITIONS = 200
DRAWER = """
import sys
from test_store import PROBLEM, REPETITIONS
from detequiv.validation.trial.simulate import simulate

simulate(
    PROBLEM, dimension=30, repetitions=REPETITIONS, rng=5, store=sys.argv[1],
    progress=lambda done, total: print(done, flush=True),
)
"""


def draw_until(path: Path, stop: int) -> tuple[int, int]:
    """Draw in a process of its own, killed once it reports `stop` draws.

    Returns
    -------
    first, status : int
        The first number of draws it reported, and its exit status.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", DRAWER, str(path)],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    reports = map(int, process.stdout)
    first = done = next(reports)
    while done < stop and (done := next(reports, stop)):
        pass
    if stop < REPETITIONS:
        process.send_signal(signal.SIGKILL)
    process.stdout.close()
    return first, process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_twice_and_finished(tmp_path: Path) -> None:
    path = tmp_path / "draws.sqlite"
    first, status = draw_until(path, 60)
    assert (first, status) == (1, -signal.SIGKILL)
    kept = [count(path)]
    first, status = draw_until(path, 130)
    assert (first, status) == (kept[0], -signal.SIGKILL)
    kept.append(count(path))
    # Whatever was reported is there, and the kill came in the middle.
    assert 60 <= kept[0] < 130 <= kept[1] < REPETITIONS
    assert draw_until(path, REPETITIONS) == (kept[1], 0)
    assert count(path) == REPETITIONS
    resumed, plain = (
        simulate(PROBLEM, dimension=30, repetitions=REPETITIONS, rng=5, store=store)
        for store in (path, None)
    )
    assert_same(resumed, plain)
    assert len({one.values["readout_norm"] for one in resumed.draws}) == REPETITIONS
    assert count(path) == REPETITIONS


def test_the_problem_is_named_exactly() -> None:
    # A third is not 0.333...: the texts, and with them the draws, differ.
    texts = {
        repr(sampler(PROBLEM.with_values({"target.function": f"{c}*z"})))
        for c in ("1/3", "0.333333333333333333333")
    }
    assert len(texts) == 2
