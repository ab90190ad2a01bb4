"""Kaggle's digit-recognizer CSV: `label,pixel0..pixel783`, or the same without `label`.

NumPy parses; when it refuses, the file is read again line by line in plain Python to name the first fault.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold import limits, storage
from tenfold.data.digits import SIDE, Digits
from tenfold.data.sources.streams import open_bytes
from tenfold.errors import DataError

PIXELS = SIDE * SIDE
# A row of 785 numbers of three digits has 3.1 kB; the bound keeps a file without line ends from filling the memory.
_MAX_LINE = 2**16
_PIXEL_NAMES = [
    [f"pixel{i}" for i in range(PIXELS)],
    [f"pixel{i}" for i in range(1, PIXELS + 1)],  # as OpenML counts
    [f"{r}x{c}" for r in range(1, SIDE + 1) for c in range(1, SIDE + 1)],  # as the widespread mnist_train.csv names them
]


class Layout(NamedTuple):
    """What the first line says about the columns."""

    has_header: bool
    has_labels: bool
    names: list[str]
    order: list[int] | None  # where label and pixel0.. stand, or None if they stand in order


def read(path: Path) -> Digits:
    """Read a Kaggle CSV (`.csv`, `.csv.gz`, `.zip`).

    Accepted: LF or CRLF, a UTF-8 byte order mark, blank lines, columns in another order, no header line.

    Raises:
        DataError: anything else; the message names row and column.
    """
    with open_bytes(path) as stream:
        lines = _lines(stream, path)
        first = next(lines, "")
        layout = _layout(first, path)
        table = _parse(first, lines, layout, path)
    if layout.order is not None:
        table = table[:, layout.order]
    labels = np.ascontiguousarray(table[:, 0]) if layout.has_labels else None
    if labels is not None and labels.size and labels.max() > 9:
        raise _fault(path, layout)
    images = np.ascontiguousarray(table[:, int(layout.has_labels) :]).reshape(-1, SIDE, SIDE)
    return Digits(images, labels, path.name)


def write(digits: Digits, path: Path) -> None:
    """Write a Kaggle CSV; `.csv.gz` and `.zip` are compressed, without a time stamp."""
    names = (["label"] if digits.labels is not None else []) + _PIXEL_NAMES[0]
    columns = [] if digits.labels is None else [digits.labels[:, None]]
    table = np.concatenate([*columns, digits.images.reshape(len(digits), PIXELS)], axis=1)
    with storage.whole_file(path) as temporary, _compressed(temporary, path) as raw:
        raw.write((",".join(names) + "\n").encode())
        for row in table:
            raw.write((",".join(map(str, row.tolist())) + "\n").encode())


def _compressed(temporary: Path, path: Path) -> IO[bytes]:
    name = path.name.lower()
    if name.endswith(".gz"):
        return gzip.GzipFile(temporary, "wb", compresslevel=6, mtime=0)
    if name.endswith(".zip"):
        return _ZipMember(temporary, f"{path.stem.removesuffix('.csv')}.csv")
    return temporary.open("wb")


class _ZipMember(io.BufferedWriter):
    """The one file inside a new zip, open for writing; closing it closes the zip."""

    def __init__(self, path: Path, member: str) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        entry = zipfile.ZipInfo(member)  # dated 1980: the same digits give the same bytes
        entry.compress_type = zipfile.ZIP_DEFLATED
        super().__init__(self._archive.open(entry, "w", force_zip64=True))  # type: ignore[arg-type]

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._archive.close()


def _lines(stream: io.BufferedReader, path: Path) -> Iterator[str]:
    """The lines that are not blank, as text without byte order mark and line end.

    Each character above ASCII becomes one that no number holds, so it is found as a wrong value later.
    """
    max_rows = limits.from_environment().max_digits + 1
    for count in range(max_rows + 1):
        line = stream.readline(_MAX_LINE)
        if count == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
            if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line[:200]:
                raise DataError(f"{path}: the encoding is UTF-16, expected UTF-8; save it again as 'CSV UTF-8'")
        if not line:
            return
        if len(line) == _MAX_LINE:
            raise DataError(f"{path}, line {count + 1}: longer than {_MAX_LINE:,} bytes; expected a row of 784 or 785 numbers")
        text = line.decode("ascii", "replace").rstrip("\r\n")
        yield text
    raise DataError(f"{path}: more than {max_rows - 1:,} rows; split it, or raise TENFOLD_MAX_DIGITS")


def _layout(first: str, path: Path) -> Layout:
    names = [field.strip().strip('"').strip() for field in first.split(",")]
    n_columns = len(names)
    if not first.strip():
        raise DataError(f"{path}: empty; expected a header line and a row of pixels for each digit")
    if n_columns not in (PIXELS, PIXELS + 1):
        raise DataError(f"{path}, line 1: {n_columns:,} columns, expected 785 (label,pixel0..pixel783) or 784 (pixel0..pixel783)")
    has_labels = n_columns == PIXELS + 1
    if all(_is_number(name) for name in names):
        in_order = (["label"] if has_labels else []) + _PIXEL_NAMES[0]
        return Layout(False, has_labels, in_order, None)
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise DataError(f"{path}, line 1: column {repeated!r} appears twice; expected label,pixel0..pixel783, each once")
    for pixels in _PIXEL_NAMES:
        expected = (["label"] if has_labels else []) + pixels
        if names == expected:
            return Layout(True, has_labels, names, None)
        if set(names) == set(expected):
            position = {name: i for i, name in enumerate(names)}
            return Layout(True, has_labels, names, [position[name] for name in expected])
    known = {"label", *_PIXEL_NAMES[0]}
    column, name = next((i, name) for i, name in enumerate([*names, ""]) if name not in known)
    raise DataError(f"{path}, line 1, column {column + 1}: found {name!r}, expected a name out of label,pixel0..pixel783")


def _parse(first: str, lines: Iterator[str], layout: Layout, path: Path) -> NDArray[np.uint8]:
    """Parse all rows to uint8 (N, 784 or 785)."""
    n_rows = 0

    def rows() -> Iterator[str]:
        nonlocal n_rows
        if not layout.has_header:
            n_rows += 1
            yield first
        for line in lines:
            if line.strip():
                n_rows += 1
                yield line

    source = rows()
    start = next(source, None)
    if start is None:
        raise DataError(f"{path}: a header but no rows; expected a row of pixels for each digit")

    def all_rows() -> Iterator[str]:
        yield start
        yield from source

    try:
        table = np.loadtxt(all_rows(), dtype=np.uint8, delimiter=",", comments=None, ndmin=2)
    except ValueError as problem:
        raise _fault(path, layout) from problem
    if table.shape != (n_rows, len(layout.names)):
        raise _fault(path, layout)
    return table


def _fault(path: Path, layout: Layout) -> DataError:
    """Read the file once more, slowly, and say where its first fault is."""
    row = 0
    with open_bytes(path) as stream:
        for number, line in enumerate(_lines(stream, path), start=1):
            if not line.strip() or (number == 1 and layout.has_header):
                continue
            row += 1
            where = f"{path}, row {row} (line {number})"
            fields = line.split(",")
            if len(fields) != len(layout.names):
                return DataError(f"{where}: {len(fields)} columns, expected {len(layout.names)} as in the first line")
            for column, (name, field) in enumerate(zip(layout.names, fields, strict=True), start=1):
                highest = 9 if name == "label" else 255
                if not (_is_number(field) and int(field) <= highest):
                    found = repr(field.strip()[:40])
                    return DataError(f"{where}, column {column} ({name}): found {found}, expected a whole number 0-{highest}")
    return DataError(f"{path}: cannot be read as numbers; expected comma-separated whole numbers 0-255")


def _is_number(field: str) -> bool:
    stripped = field.strip()
    return stripped.isascii() and stripped.isdigit() and len(stripped) < 10
