"""Finished draws in a SQLite file, from which an interrupted experiment goes on.

A draw is filed under what defines it: the version of the sampler, the model, the
sizes, the penalty, what is measured, and its seed. Each is written in a transaction of
its own as soon as it is done, with a write-ahead log, so that whenever the process is
killed the file holds every draw that was handed over, whole, and each of them once.
"""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.random import SeedSequence

from detequiv.validation.witness.draws import Draw, Experiment
from detequiv.validation.witness.model import FloatArray

__all__ = ["Store", "StoreError", "seed_text"]

# "detq" in the header marks the file as ours; the number is that of the tables' layout.
APPLICATION = int.from_bytes(b"detq")
LAYOUT = 1
# Seconds to wait for another process that writes to the same file.
PATIENCE = 60
TABLES = """
CREATE TABLE experiment (
    id INTEGER PRIMARY KEY,
    definition TEXT NOT NULL UNIQUE
);
CREATE TABLE draw (
    experiment INTEGER NOT NULL REFERENCES experiment,
    seed TEXT NOT NULL,
    quantities TEXT NOT NULL,
    learned BLOB NOT NULL,
    eigenvalues BLOB NOT NULL,
    UNIQUE (experiment, seed)
);
"""


class StoreError(ValueError):
    """A file cannot hold draws; the message says why and is one line."""


class Store:
    """Draws on disk; a context manager.

    Several processes may use one file at once: what both draw, they agree on.

    Parameters
    ----------
    path : path-like
        The file; made if there is none, in a folder that exists.

    Raises
    ------
    StoreError
        The file cannot be opened, or holds something else than draws.

    Examples
    --------
    >>> with Store(":memory:") as store:
    ...     store.count()
    0
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        try:
            self._base = sqlite3.connect(path, PATIENCE, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._base.close()
                raise
        except sqlite3.Error as error:
            raise StoreError(f"cannot hold draws: {error}") from None

    def _prepare(self) -> None:
        """Make the tables in a new file; know those of an old one."""
        (application,) = self._base.execute("PRAGMA application_id").fetchone()
        if application == 0:
            self._base.execute("BEGIN IMMEDIATE")
            # Another process may have made them while this one waited.
            (application,) = self._base.execute("PRAGMA application_id").fetchone()
            (tables,) = self._base.execute(
                "SELECT count(*) FROM sqlite_master"
            ).fetchone()
            if application == tables == 0:
                for statement in TABLES.split(";"):
                    self._base.execute(statement)
                self._base.execute(f"PRAGMA application_id = {APPLICATION}")
                self._base.execute(f"PRAGMA user_version = {LAYOUT}")
                application = APPLICATION
            self._base.execute("COMMIT")
        if application != APPLICATION:
            raise sqlite3.DatabaseError("the file is the database of another program")
        (layout,) = self._base.execute("PRAGMA user_version").fetchone()
        if layout != LAYOUT:
            raise sqlite3.DatabaseError(
                f"its layout is {layout}, this version reads {LAYOUT}; name a new file"
            )
        self._base.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; a power cut may lose the last draws.
        self._base.execute("PRAGMA synchronous = NORMAL")

    def __enter__(self) -> Self:
        """Use the store in a ``with`` statement."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._base.close()

    def count(self) -> int:
        """Tell how many draws the file holds, of all experiments."""
        (total,) = self._base.execute("SELECT count(*) FROM draw").fetchone()
        return int(total)

    def find(
        self, experiment: Experiment, seeds: Sequence[SeedSequence]
    ) -> dict[int, Draw]:
        """Draws that are there already, by the place of their seed in `seeds`.

        Raises
        ------
        StoreError
            What the file holds cannot be read.
        """
        try:
            return self._find(experiment, seeds)
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise StoreError(f"holds draws that cannot be read: {error}") from None

    def _find(
        self, experiment: Experiment, seeds: Sequence[SeedSequence]
    ) -> dict[int, Draw]:
        rows = self._base.execute(
            "SELECT seed, quantities, learned, eigenvalues FROM draw "
            "JOIN experiment ON experiment.id = draw.experiment WHERE definition = ?",
            (experiment.definition,),
        )
        place = {seed_text(seed): k for k, seed in enumerate(seeds)}
        return {
            place[seed]: Draw(
                values=json.loads(quantities),
                learned=_numbers(learned),
                eigenvalues=_numbers(eigenvalues),
            )
            for seed, quantities, learned, eigenvalues in rows
            if seed in place
        }

    def add(self, experiment: Experiment, seed: SeedSequence, draw: Draw) -> None:
        """Write a draw, now and for good; one that is there already stays.

        Raises
        ------
        OSError
            The file cannot take it, as when the disk is full.
        """
        try:
            self._add(experiment.definition, seed, draw)
        except sqlite3.Error as error:
            raise OSError(f"{self._path} cannot take a draw: {error}") from None

    def _add(self, definition: str, seed: SeedSequence, draw: Draw) -> None:
        self._base.execute("BEGIN IMMEDIATE")
        with self._base:  # commits, or rolls back
            self._base.execute(
                "INSERT OR IGNORE INTO experiment (definition) VALUES (?)",
                (definition,),
            )
            self._base.execute(
                "INSERT OR IGNORE INTO draw "
                "SELECT id, ?, ?, ?, ? FROM experiment WHERE definition = ?",
                (
                    seed_text(seed),
                    json.dumps(dict(draw.values)),
                    _bytes(draw.learned),
                    _bytes(draw.eigenvalues),
                    definition,
                ),
            )


def seed_text(seed: SeedSequence) -> str:
    """Write what a seed is made from.

    Examples
    --------
    >>> seed_text(SeedSequence([3, 150]).spawn(2)[1])
    '[[3, 150], [1], 4]'
    """
    entropy = np.asarray(seed.entropy, dtype=object).tolist()
    key = [int(k) for k in seed.spawn_key]
    return json.dumps([entropy, key, seed.pool_size], default=int)


def _bytes(numbers: FloatArray) -> bytes:
    """Write float64 numbers, little-endian on every machine."""
    return numbers.astype("<f8").tobytes()


def _numbers(data: bytes) -> FloatArray:
    """Read what `_bytes` wrote."""
    return np.frombuffer(data, dtype="<f8").astype(np.float64)
