"""Byte streams out of plain, gzip and zip files, with a cap on what comes out of them."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tenfold import limits
from tenfold.errors import DataError


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
    """Open a plain, `.gz` or `.zip` file (with one file inside) for reading, at most `max_data_bytes` long.

    Raises:
        DataError: a gzip or zip file that is damaged or cut short, or a zip that does not hold exactly one file.
    """
    max_bytes = limits.from_environment().max_data_bytes
    try:
        with _decompressed(path) as inner:
            yield io.BufferedReader(CappedStream(inner, path, max_bytes), buffer_size=2**18)
    except EOFError as problem:
        raise DataError(f"{path}: the compressed data are cut short; fetch the file again") from problem
    except (gzip.BadGzipFile, zlib.error, zipfile.BadZipFile) as problem:
        raise DataError(f"{path}: the compressed data are damaged ({problem}); fetch the file again") from problem


@contextmanager
def _decompressed(path: Path) -> Iterator[IO[bytes]]:
    name = path.name.lower()
    if name.endswith(".gz"):
        with gzip.open(path, "rb") as inner:
            yield inner
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            try:
                inner = archive.open(_only_member(archive, path))
            except (RuntimeError, NotImplementedError) as problem:
                raise DataError(f"{path}: cannot be unpacked ({problem}); expected a zip without a password") from problem
            with inner:
                yield inner
    else:
        with path.open("rb") as inner:
            yield inner


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        names = ", ".join(repr(m.filename) for m in members[:3]) + (", …" if len(members) > 3 else "")
        raise DataError(f"{path}: holds {len(members)} files ({names}), expected one CSV; unpack it and give the CSV")
    return members[0]
