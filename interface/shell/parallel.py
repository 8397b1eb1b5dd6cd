"""Where the work of a command runs: processes of this machine, or a Dask cluster."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from threadpoolctl import threadpool_limits

from detequiv.theory.errors import InputError

__all__ = ["workers"]


@contextmanager
def workers(count: int | None = None, dask: str | None = None) -> Iterator[Executor]:
    """Open an executor, and close it without waiting for work that has not begun.

    Parameters
    ----------
    count : int, optional
        Number of processes, each with one BLAS thread; by default as many as this
        process may use processors.
    dask : str, optional
        Address of the scheduler of a Dask cluster, to be used instead.

    Raises
    ------
    InputError
        Both are given, the number is not positive, or nothing answers at the address.
    """
    if dask is not None:
        if count is not None:
            raise InputError("--dask", dask, "give either --workers or --dask")
        with _cluster(dask) as executor:
            yield executor
        return
    if count is None:
        count = len(os.sched_getaffinity(0)) if _HAS_AFFINITY else os.cpu_count() or 1
    if count < 1:
        raise InputError("--workers", count, "give a whole number of at least 1")
    # Fresh interpreters: forking one that already runs BLAS threads may deadlock.
    processes = ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_prepare
    )
    with processes:
        try:
            yield processes
        finally:
            processes.shutdown(wait=False, cancel_futures=True)


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")


def _prepare() -> None:
    """Make a worker use one thread, and leave Ctrl-C to the process that began it."""
    threadpool_limits(limits=1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """End this worker once the process that began it has gone, as when it is killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    """Connect to a Dask scheduler."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--dask", address, "Dask is not installed; pip install 'detequiv[dask]'"
        ) from None
    try:
        client: Any = Client(address, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError("--dask", address, f"no scheduler answers: {reason}") from None
    with client:
        yield client.get_executor()
