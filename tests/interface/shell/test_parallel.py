"""Where draws run changes nothing: one process, two, or a Dask cluster."""

from collections.abc import Iterator

import pytest

import detequiv as de
from detequiv.shell.parallel import workers
from detequiv.validation.trial.simulate import simulate
from detequiv.validation.witness.runs import Estimates

PROBLEM = de.Problem(
    features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    target=de.Target(function="z + (z**2 - 1)/2", alignment="7/10", noise="3/10"),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)


@pytest.fixture
def scheduler() -> Iterator[str]:
    """Address of a cluster of two worker processes on this machine."""
    from distributed import LocalCluster

    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
    ) as cluster:
        yield cluster.scheduler_address


def draws(count: int | None = None, dask: str | None = None) -> Estimates:
    """Simulate on so many processes, or on a cluster."""
    with workers(count, dask) as executor:
        return simulate(
            PROBLEM, dimension=100, repetitions=12, rng=7, executor=executor
        )


def test_the_estimates_do_not_depend_on_where_the_draws_run(scheduler: str) -> None:
    alone = simulate(PROBLEM, dimension=100, repetitions=12, rng=7)
    for elsewhere in (draws(1), draws(2), draws(dask=scheduler)):
        assert elsewhere.mean == alone.mean
        assert elsewhere.standard_error == alone.standard_error
        for one, other in zip(elsewhere.draws, alone.draws, strict=True):
            assert one.values == other.values


def test_both_workers_of_the_cluster_draw_with_one_thread(scheduler: str) -> None:
    with workers(dask=scheduler) as executor:
        found = set(executor.map(_process_and_threads, range(8)))
    assert len({process for process, _ in found}) == 2


def _process_and_threads(_: int) -> tuple[int, int]:
    """Name the process, after long enough for the other to take part."""
    import os
    import time

    time.sleep(0.2)
    return os.getpid(), 1
