"""Kaggle's digit-recognizer CSV: `label,pixel0..pixel783`, or the same without `label`.

NumPy parses; when it refuses, the file is read again line by line in plain Python to name the first fault.
"""

from __future__ import annotations

import gzip
import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple, cast

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
_FIGURES = [str(value) for value in range(256)]
_EXPECTED_COLUMNS = "expected 785 (label,pixel0..pixel783) or 784 (pixel0..pixel783), separated by commas"


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
        number, first = next(lines, (1, ""))
        layout = layout_of(first, number, path)
        table = _parse(first, lines, layout, path)
    if layout.order is not None:
        table = table[:, layout.order]
    labels = np.ascontiguousarray(table[:, 0]) if layout.has_labels else None
    if labels is not None and labels.max() > 9:
        raise _fault(path, layout)
    images = np.ascontiguousarray(table[:, int(layout.has_labels) :]).reshape(-1, SIDE, SIDE)
    return Digits(images, labels, path.name)


def write(digits: Digits, path: Path) -> None:
    """Write a Kaggle CSV; `.csv.gz` and `.zip` are compressed, without a time stamp: the same digits give the same bytes."""
    names = (["label"] if digits.labels is not None else []) + _PIXEL_NAMES[0]
    columns = [] if digits.labels is None else [digits.labels[:, None]]
    table = np.concatenate([*columns, digits.images.reshape(-1, PIXELS)], axis=1)
    with storage.whole_file(path) as temporary, _compressed(temporary, path) as raw:
        raw.write((",".join(names) + "\n").encode())
        for row in table:
            raw.write((",".join(map(_FIGURES.__getitem__, row.tobytes())) + "\n").encode())


@contextmanager
def _compressed(temporary: Path, path: Path) -> Iterator[IO[bytes]]:
    name = path.name.lower()
    with temporary.open("wb") as file:
        if name.endswith(".gz"):
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as raw:
                yield cast("IO[bytes]", raw)
        elif name.endswith(".zip"):
            entry = zipfile.ZipInfo(f"{path.stem.removesuffix('.csv')}.csv")  # dated 1980
            entry.compress_type = zipfile.ZIP_DEFLATED
            with zipfile.ZipFile(file, "w") as archive, archive.open(entry, "w", force_zip64=True) as member:
                yield member
        else:
            yield file


def _lines(stream: io.BufferedReader, path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, each with its number from 1, as text without byte order mark and line end.

    Each character above ASCII becomes one that no number holds, so it is found as a wrong value later.
    """
    most = limits.from_environment().max_digits + 1
    for number in range(1, most + 2):
        line = stream.readline(_MAX_LINE)
        if number == 1:
            _refuse_other_encodings(line, path)
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            return
        if len(line) == _MAX_LINE:
            raise DataError(f"{path}, line {number}: longer than {_MAX_LINE:,} bytes; {_EXPECTED_COLUMNS}, in lines")
        text = line.decode("ascii", "replace").rstrip("\r\n")
        if "\r" in text:
            raise DataError(f"{path}, line {number}: holds a carriage return (CR); save it again with line ends LF or CRLF")
        if text.strip():
            yield number, text
    raise DataError(f"{path}: more than {most:,} lines; split it, or raise TENFOLD_MAX_DIGITS")


def _refuse_other_encodings(line: bytes, path: Path) -> None:
    start = line[:64]
    if start.startswith((b"PK\3\4", b"\x1f\x8b")):
        raise DataError(f"{path}: compressed twice; unpack it and give the CSV")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(start) > 1 and not (any(start[::2]) and any(start[1::2]))):
        raise DataError(f"{path}: the encoding is UTF-16, expected UTF-8; save it again as 'CSV UTF-8'")


def layout_of(first: str, number: int, path: Path) -> Layout:
    """What the first line, of this number in a file, says about the columns.

    Raises:
        DataError: it is neither a header nor a row of a Kaggle CSV.
    """
    if not first:
        raise DataError(f"{path}: empty; expected a header line and a row of pixels for each digit")
    names = [field.strip().strip('"').strip() for field in first.split(",")]
    where = f"{path}, line {number}"
    if len(names) not in (PIXELS, PIXELS + 1):
        raise DataError(f"{where}: {len(names):,} columns (it begins {first[:20]!r}), {_EXPECTED_COLUMNS}")
    has_labels = len(names) == PIXELS + 1
    label = ["label"] if has_labels else []
    if sum(_value(name) is not None for name in names) > len(names) / 2:  # a row of digits, with or without a fault
        return Layout(False, has_labels, label + _PIXEL_NAMES[0], None)
    column = next((i for i, name in enumerate(names) if name in names[:i]), None)
    if column is not None:
        found = repr(names[column][:40])
        raise DataError(f"{where}, column {column + 1}: {found} appears twice; expected label,pixel0..pixel783, each once")
    pixels = max(_PIXEL_NAMES, key=lambda pixels: len({*names} & {*pixels}))
    expected = label + pixels
    if names == expected:
        return Layout(True, has_labels, names, None)
    column = next((i for i, name in enumerate(names) if name not in expected), None)
    if column is not None:
        found = repr(names[column][:40])
        raise DataError(f"{where}, column {column + 1}: found {found}, expected label or one of {pixels[0]}..{pixels[-1]}")
    position = {name: i for i, name in enumerate(names)}
    return Layout(True, has_labels, names, [position[name] for name in expected])


def _parse(first: str, lines: Iterator[tuple[int, str]], layout: Layout, path: Path) -> NDArray[np.uint8]:
    """Parse all rows to uint8 (N, 784 or 785), N at least 1."""
    rows = (text for _, text in lines)
    start = next(rows, None) if layout.has_header else first
    if start is None:
        raise DataError(f"{path}: a header but no rows; expected a row of pixels for each digit")
    try:
        with warnings.catch_warnings():
            # Before 2.4, NumPy took 3.7 for 3 with a warning.
            warnings.simplefilter("error", DeprecationWarning)
            table = np.loadtxt(chain([start], rows), dtype=np.uint8, delimiter=",", comments=None, ndmin=2)
    except (ValueError, DeprecationWarning) as problem:
        raise _fault(path, layout) from problem
    if table.shape[1] != len(layout.names):
        raise _fault(path, layout)
    return table


def _fault(path: Path, layout: Layout) -> DataError:
    """Read the file once more, slowly, and say where its first fault is."""
    with open_bytes(path) as stream:
        lines = _lines(stream, path)
        if layout.has_header:
            next(lines)
        for row, (number, line) in enumerate(lines, start=1):
            found = fault_in(line, layout)
            if found:
                return DataError(f"{path}, row {row} (line {number}){found}")
    return DataError(f"{path}: cannot be read as numbers; expected comma-separated whole numbers 0-255")


def fault_in(line: str, layout: Layout) -> str | None:
    """What is wrong with a row, such as ', column 3 (pixel1): found …', or None."""
    fields = line.split(",")
    if len(fields) != len(layout.names):
        return f": {len(fields)} columns, expected {len(layout.names)} as in the first line"
    for column, (name, field) in enumerate(zip(layout.names, fields, strict=True), start=1):
        highest = 9 if name == "label" else 255
        value = _value(field)
        if value is None or value > highest:
            found = repr(field.strip()[:40])
            remedy = "; multiply shares of 1 by 255" if name != "label" and _is_share(field) else ""
            return f", column {column} ({name}): found {found}, expected a whole number 0-{highest}{remedy}"
    return None


def _is_share(field: str) -> bool:
    whole, point, rest = field.strip().partition(".")
    return bool(point) and whole in ("", "0", "1") and rest.isdigit()


def _value(field: str) -> int | None:
    """The number in a field as NumPy understands it, or None; of more than four figures, too many anyway, the first four."""
    figures = field.strip().removeprefix("+")
    if not (figures.isascii() and figures.isdigit()):
        return None
    return int(figures.lstrip("0")[:4] or "0")
