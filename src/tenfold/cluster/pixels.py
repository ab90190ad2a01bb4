"""CSV of pixels in Kaggle's layout, in stretches that can be read apart; a row with a fault does not spoil the others."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.cluster import addresses
from tenfold.data.digits import SIDE
from tenfold.data.sources import kaggle
from tenfold.data.sources.kaggle import Layout
from tenfold.data.sources.streams import open_bytes
from tenfold.errors import DataError, UsageError, of_system

_MAX_LINE = 2**16  # a row has 3.1 kB at most
_BLOCK = 1000  # rows parsed together
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # of UTF-8; spreadsheets put it before the first row


class Stretch(NamedTuple):
    """Rows of a file: the number of the first, from 1, how many, the first byte and the byte after the last."""

    first: int
    n: int
    start: int
    stop: int


def stretches(name: str, most: int) -> Iterator[Stretch]:
    """Cut a CSV into stretches of so many rows; a compressed one is a single stretch.

    Raises:
        DataError: it cannot be read, is no CSV of pixels, or has an endless line.
    """
    packed, first, n = not _is_plain(name), 1, 0
    with opened(name) as stream:
        start, place = _begin(stream, name)[1:]
        n = int(place > start)
        for line in _lines(stream, name):
            place += len(line)
            n += bool(line.strip())
            if n >= most and not packed:
                yield Stretch(first, n, start, place)
                first, n, start = first + n, 0, place
    if n:
        yield Stretch(first, n, start, place)


def read(name: str, stretch: Stretch) -> Iterator[tuple[int, NDArray[np.uint8] | str]]:
    """The rows of a stretch: the number of each, and its glyph, uint8 (28, 28), or what is wrong with it."""
    with opened(name) as stream:
        layout = _begin(stream, name)[0]
    with opened(name) as stream:
        if stream.seekable():
            stream.seek(stretch.start)
        else:
            stream.read(stretch.start)
        lines = islice((line for line in _lines(stream, name) if line.strip()), stretch.n)
        number = stretch.first
        while block := [_text(line) for line in islice(lines, _BLOCK)]:
            for one in _parsed(block, layout):
                yield number, one
                number += 1


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """A CSV as a stream of bytes, decompressed; of other machines only a plain one.

    Raises:
        DataError, UsageError: it cannot be read.
    """
    plain = _is_plain(name)
    if not plain and addresses.is_remote(name):
        raise UsageError(f"{name}: compressed CSV is read from this machine only; unpack it")
    try:
        if not plain:
            with open_bytes(Path(name)) as packed:
                yield packed
        elif addresses.is_remote(name):
            system, path = addresses.located(name)
            with io.BufferedReader(system.open_input_file(path)) as remote:
                yield remote
        else:
            with Path(name).open("rb") as file:
                yield file
    except OSError as problem:
        raise DataError(f"cannot read {of_system(problem, Path(name))}") from problem


def _is_plain(name: str) -> bool:
    return addresses.without_query(name).lower().endswith(".csv")


def _begin(stream: IO[bytes], name: str) -> tuple[Layout, int, int]:
    """The layout, where the first row begins, and how far was read."""
    place = 0
    for line in _lines(stream, name):
        place += len(line)
        if line.strip():
            row = line.removeprefix(_BYTE_ORDER_MARK)
            layout = kaggle.layout_of(_text(row), 1, Path(name))
            return layout, place if layout.has_header else place - len(row), place
    raise DataError(f"{name}: empty; expected a header line and a row of pixels for each digit")


def _lines(stream: IO[bytes], name: str) -> Iterator[bytes]:
    while line := stream.readline(_MAX_LINE):
        if len(line) == _MAX_LINE:
            raise DataError(f"{name}: a line longer than {_MAX_LINE:,} bytes; expected rows of 784 or 785 numbers")
        yield line


def _text(line: bytes) -> str:
    """A line as text; each character above ASCII becomes one that no number holds."""
    return line.decode("ascii", "replace").rstrip("\r\n")


def _parsed(lines: Sequence[str], layout: Layout) -> list[NDArray[np.uint8] | str]:
    try:
        return list(_glyphs(lines, layout))
    except ValueError:
        pass  # one of them has a fault: they are read one by one
    found: list[NDArray[np.uint8] | str] = []
    for line in lines:
        fault = kaggle.fault_in(line, layout)
        found.append(_glyphs([line], layout)[0] if fault is None else fault.removeprefix(": ").removeprefix(", "))
    return found


def _glyphs(lines: Sequence[str], layout: Layout) -> NDArray[np.uint8]:
    table = np.loadtxt(lines, dtype=np.uint8, delimiter=",", comments=None, ndmin=2)
    if table.shape[1] != len(layout.names) or (layout.has_labels and table[:, (layout.order or [0])[0]].max() > 9):
        raise ValueError("a row has a fault")
    table = table if layout.order is None else table[:, layout.order]
    return np.ascontiguousarray(table[:, int(layout.has_labels) :]).reshape(-1, SIDE, SIDE)
