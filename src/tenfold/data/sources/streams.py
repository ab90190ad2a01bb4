"""Byte streams out of plain, gzip and zip files, with a cap on what comes out of them."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from tenfold import limits
from tenfold.errors import DataError

# What the standard library raises on a damaged archive; BadGzipFile and the error of a damaged bzip2 are OSErrors.
DAMAGED = (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
_GZIP, _ZIP = b"\x1f\x8b", b"PK"


class CappedStream(io.RawIOBase):
    """Passes bytes on from another stream and refuses to pass on more than a number of them."""

    def __init__(self, inner: IO[bytes], path: Path, max_bytes: int) -> None:
        self._inner, self._path, self._max_bytes = inner, path, max_bytes
        self._passed = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self._inner.read(len(buffer))
        self._passed += len(content)
        if self._passed > self._max_bytes:
            raise DataError(
                f"{self._path}: holds more than {self._max_bytes:,} bytes when decompressed; "
                "split it, or raise TENFOLD_MAX_DATA_BYTES"
            )
        buffer[: len(content)] = content
        return len(content)


@contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedReader]:
    """Open a plain, gzip or zip file (with one file inside) for reading, at most `max_data_bytes` long.

    Raises:
        DataError: a gzip or zip file that is damaged or cut short, or a zip that does not hold exactly one file.
    """
    max_bytes = limits.from_environment().max_data_bytes
    try:
        with _decompressed(path) as inner:
            yield io.BufferedReader(CappedStream(inner, path, max_bytes), buffer_size=2**18)
    except EOFError as problem:
        raise DataError(f"{path}: the compressed data are cut short; fetch the file again") from problem
    except DAMAGED as problem:
        raise DataError(f"{path}: the compressed data are damaged ({problem}); fetch the file again") from problem


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file.

    Raises:
        DataError: something in it that Python's zipfile cannot read: a newer version, a name in an unknown encoding.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (NotImplementedError, ValueError) as problem:
        raise DataError(f"{path}: cannot be unpacked ({problem}); pack it again as an ordinary zip") from problem
    with archive:
        yield archive


def open_member(archive: zipfile.ZipFile, member: str | zipfile.ZipInfo, path: Path) -> IO[bytes]:
    """Open a file inside a zip.

    Raises:
        DataError: it is encrypted or packed by a method that Python does not know.
    """
    try:
        return archive.open(member)
    except (RuntimeError, NotImplementedError, ValueError) as problem:
        raise DataError(f"{path}: cannot be unpacked ({problem}); expected an ordinary zip without a password") from problem


@contextmanager
def _decompressed(path: Path) -> Iterator[IO[bytes]]:
    """Decompress what begins as a gzip or zip file does, or is named so."""
    name = path.name.lower()
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(0)
        if start == _GZIP or name.endswith(".gz"):
            with gzip.open(file, "rb") as inner:
                yield cast("IO[bytes]", inner)
        elif start == _ZIP or name.endswith(".zip"):
            with open_zip(path) as archive, open_member(archive, _only_member(archive, path), path) as inner:
                yield inner
        else:
            yield file


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    # Python's own is_dir fails on a member without a name.
    members = [m for m in archive.infolist() if not m.filename.endswith("/") and not m.filename.startswith("__MACOSX/")]
    if not members:
        raise DataError(f"{path}: an empty zip; expected one CSV in it")
    if len(members) > 1:
        names = ", ".join(repr(m.filename) for m in members[:3]) + (", …" if len(members) > 3 else "")
        raise DataError(f"{path}: holds {len(members)} files ({names}), expected one CSV; unpack it and give the CSV")
    return members[0]
