"""A user's own corrected digits: one SQLite file that never leaves the machine.

Each sample is a glyph as the network saw it, what it is, what it was read as, and a picture of the strokes. Several processes
may use the file at once. What is deleted is overwritten, so that nothing of it remains in the file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenfold import limits, storage
from tenfold.data.digits import CLASSES, SIDE, Digits
from tenfold.errors import DataError, StorageError, of_system

VERSION = 1  # of the table, as PRAGMA user_version says
_KIND = 0x74656E66  # PRAGMA application_id: 'tenf'
_SQLITE = b"SQLite format 3\0"
_WAITS_S = 5.0  # for another process that is writing
_TABLE = """
CREATE TABLE samples (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    glyph BLOB NOT NULL CHECK (typeof(glyph) = 'blob' AND length(glyph) = 784),
    label INTEGER NOT NULL CHECK (typeof(label) = 'integer' AND label BETWEEN 0 AND 9),
    read_as INTEGER CHECK (read_as BETWEEN 0 AND 9),
    picture BLOB NOT NULL,
    model_version TEXT NOT NULL,
    made_at TEXT NOT NULL
)
"""
_COLUMNS = ("id", "glyph", "label", "read_as", "picture", "model_version", "made_at")


def default_path() -> Path:
    """Where corrections lie: in the user's folder for data (XDG base directory specification)."""
    home = os.environ.get("XDG_DATA_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".local" / "share") / "tenfold" / "samples.db"


@dataclass(frozen=True, eq=False)
class Sample:
    """A corrected digit.

    Attributes:
        id: its number in the file; none is given twice.
        glyph: uint8 (28, 28), white ink on black, as the network saw it.
        label: what it is, 0-9.
        read_as: what it was read as, or None if that is not known.
        picture: a PNG of the strokes; may be empty.
        model_version: of the model that read it.
        made_at: when, in UTC, as `2026-11-24T16:08:49Z`.
    """

    id: int
    glyph: NDArray[np.uint8]
    label: int
    read_as: int | None
    picture: bytes
    model_version: str
    made_at: str


class Samples:
    """The file of corrected digits; it is made, for its owner's eyes only, when the first one is added.

    Every method raises DataError for a file that is damaged, not one of these or of a newer version, and StorageError where
    the file cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._limits = limits.from_environment()

    def __len__(self) -> int:
        if not _begun(self.path):
            return 0
        with self._opened(writing=False) as connection:
            return int(connection.execute("SELECT count(*) FROM samples").fetchone()[0])

    def add(self, glyph: NDArray[np.uint8], label: int, read_as: int | None, picture: bytes, model_version: str) -> int:
        """Keep a sample, fields as in `Sample`; return its id.

        Raises:
            DataError: a value is out of range, or the file is full.
        """
        if glyph.dtype != np.uint8 or glyph.shape != (SIDE, SIDE):
            raise DataError(f"glyph: {glyph.dtype} {glyph.shape}, expected uint8 (28, 28)")
        _check_label(label)
        if read_as is not None:
            _check_label(read_as)
        if len(picture) > self._limits.max_sample_picture_bytes:
            most = self._limits.max_sample_picture_bytes
            raise DataError(f"the picture of the strokes has {len(picture):,} bytes, more than {most:,}; send a smaller one")
        row = (np.ascontiguousarray(glyph).tobytes(), label, read_as, picture, model_version[:64], _now())
        with self._opened(writing=True) as connection:
            if connection.execute("SELECT count(*) FROM samples").fetchone()[0] >= self._limits.max_samples:
                raise DataError(f"{self.path}: holds {self._limits.max_samples:,} corrections already; delete some first")
            marks = f"INSERT INTO samples ({', '.join(_COLUMNS[1:])}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608  names of ours
            return int(connection.execute(marks, row).lastrowid or 0)

    def list(self, limit: int = 100, offset: int = 0) -> list[Sample]:
        """The samples, newest first: `limit` of them after the first `offset`."""
        if not _begun(self.path):
            return []
        with self._opened(writing=False) as connection:
            return list(self._selected(connection, "ORDER BY id DESC LIMIT ? OFFSET ?", limit, offset))

    def picture(self, number: int) -> bytes:
        """The picture of a sample's strokes, a PNG; empty if there is none, or no sample of this id."""
        if not _begun(self.path):
            return b""
        with self._opened(writing=False) as connection:
            return next((sample.picture for sample in self._selected(connection, "WHERE id = ?", number)), b"")

    def relabel(self, number: int, label: int) -> bool:
        """Say anew what a sample is; False if there is none of this id."""
        _check_label(label)
        return self._changed("UPDATE samples SET label = ? WHERE id = ?", label, number) > 0

    def delete(self, number: int) -> bool:
        """Delete a sample and overwrite it in the file; False if there is none of this id."""
        return self._changed("DELETE FROM samples WHERE id = ?", number) > 0

    def delete_all(self) -> int:
        """Delete every sample and overwrite them in the file; return how many there were."""
        return self._changed("DELETE FROM samples")

    def export(self) -> bytes:
        """A copy of the whole file, as its bytes, whatever others write meanwhile."""
        with self._opened(writing=False) as connection:
            return bytes(connection.serialize())

    def digits(self) -> Digits:
        """All samples as labelled digits, in the order they came."""
        with self._opened(writing=False) as connection:
            found = list(self._selected(connection, "ORDER BY id"))
        images = np.array([sample.glyph for sample in found], np.uint8).reshape(-1, SIDE, SIDE)
        return Digits(images, np.array([sample.label for sample in found], np.uint8), self.path.name)

    def _selected(self, connection: sqlite3.Connection, rest: str, *values: int) -> Iterator[Sample]:
        for row in connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM samples {rest}", values):  # noqa: S608  texts of ours
            yield self._sample(dict(zip(_COLUMNS, row, strict=True)))

    def _sample(self, row: dict[str, object]) -> Sample:
        """A row as a sample; what another program wrote into it is not believed."""
        number, glyph, label, read_as, picture = (row[key] for key in ("id", "glyph", "label", "read_as", "picture"))
        if not (isinstance(number, int) and isinstance(label, int) and label in range(CLASSES)):
            raise DataError(f"{self.path}, sample {number}: not a label 0-9 with a number of its own; delete it")
        if not isinstance(glyph, bytes) or len(glyph) != SIDE * SIDE:
            raise DataError(f"{self.path}, sample {number}: not a glyph of {SIDE * SIDE} bytes; delete it")
        pixels = np.frombuffer(glyph, np.uint8).reshape(SIDE, SIDE)
        known = read_as if isinstance(read_as, int) and read_as in range(CLASSES) else None
        content = picture if isinstance(picture, bytes) else b""
        return Sample(number, pixels, label, known, content, str(row["model_version"]), str(row["made_at"]))

    def _changed(self, statement: str, *values: int) -> int:
        """Run a statement that changes rows; return how many. What it deletes is gone from the file and its journal too."""
        if not _begun(self.path):
            return 0
        with self._opened(writing=True) as connection:
            count = connection.execute(statement, values).rowcount
        if count and statement.startswith("DELETE"):
            with self._opened(writing=True, in_transaction=False) as connection:
                # It is deleted already. Where others use the file, or the disk is full, the last who closes it overwrites it.
                for tidying in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    with suppress(sqlite3.OperationalError):
                        connection.execute(tidying).fetchone()
        return count

    @contextmanager
    def _opened(self, writing: bool, in_transaction: bool = True) -> Iterator[sqlite3.Connection]:
        """The file, checked; what the block changes is kept if it ends well, and not at all otherwise."""
        if not (writing or _begun(self.path)):
            what = "empty" if storage.exists(self.path) else "no such file"
            raise DataError(f"{self.path}: {what}; it is made when the first correction is kept")
        connection = None
        try:
            if writing:
                _make(self.path)
            connection = _connected(self.path, writing)
            _check(connection, self.path, writing)
            if writing and in_transaction:
                connection.execute("BEGIN IMMEDIATE")
            yield connection
            if writing and in_transaction:
                connection.execute("COMMIT")
        except sqlite3.Error as problem:
            raise _in_words(problem, self.path) from problem
        except UnicodeDecodeError as problem:  # in a text, or in what SQLite says of a damaged file
            raise DataError(f"{self.path}: damaged (a text is not UTF-8); restore a copy, or move it away") from problem
        except OSError as problem:
            raise StorageError(f"cannot use {of_system(problem, self.path)}") from problem
        finally:
            if connection is not None:
                connection.close()  # which undoes what was not committed


def read(path: Path) -> Digits:
    """The digits of a file of corrections.

    Raises:
        DataError: it is damaged, not one of these, of a newer version, or has too many.
    """
    samples = Samples(path)
    if len(samples) > limits.from_environment().max_digits:
        raise DataError(f"{path}: {len(samples):,} digits, more than the limit; raise TENFOLD_MAX_DIGITS")
    return samples.digits()


def _begun(path: Path) -> bool:
    """Whether there is something to be read: a file that is still empty is about to be written, or was about to be."""
    return storage.exists(path) and not (path.is_file() and path.stat().st_size == 0)


def _make(path: Path) -> None:
    """An empty file that nobody else can read, where there is none; SQLite gives its journals the same rights."""
    if storage.exists(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _connected(path: Path, writing: bool) -> sqlite3.Connection:
    with path.open("rb") as file:
        start = file.read(len(_SQLITE))
    if start != _SQLITE and not (writing and not start):
        raise _not_ours(path)
    mode = "rw" if writing else "ro"
    # Autocommit: transactions begin and end where this module says so.
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", _WAITS_S, isolation_level=None, uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _check(connection: sqlite3.Connection, path: Path, writing: bool) -> None:
    """Raise unless the file holds samples; make their table in a new one that is to be written."""
    if writing and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        _make_table(connection)
    kind = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if kind != _KIND:
        raise _not_ours(path)
    if version != VERSION:
        raise DataError(f"{path}: corrections of version {version}, this tenfold knows {VERSION}; install a newer tenfold")
    if writing:
        connection.execute("PRAGMA secure_delete = ON").fetchone()


def _make_table(connection: sqlite3.Connection) -> None:
    """Make the table, unless another process was faster."""
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        connection.execute(_TABLE)
        connection.execute(f"PRAGMA application_id = {_KIND}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _check_label(label: int) -> None:
    if label not in range(CLASSES):
        raise DataError(f"label {label}: expected a digit 0-9")


def _not_ours(path: Path) -> DataError:
    return DataError(f"{path}: not a file of corrections; expected one that tenfold serve has made")


def _in_words(problem: sqlite3.Error, path: Path) -> DataError | StorageError:
    """What SQLite says, as an error that tells the user what to do."""
    code = getattr(problem, "sqlite_errorname", "") or ""
    if code.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return StorageError(f"cannot use {path}: {problem}; make room, or give another file")
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StorageError(f"{path}: in use by another program for over {_WAITS_S:.0f} s; try again")
    return DataError(f"{path}: damaged ({problem}); restore a copy, or move it away")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
