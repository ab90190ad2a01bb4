"""The rows of a part: pictures and glyphs with their keys, whatever they lie in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold import picture
from tenfold.cluster import addresses, parts, pixels
from tenfold.cluster.parts import Part
from tenfold.data.digits import SIDE
from tenfold.errors import TenfoldError
from tenfold.picture import Source

_BATCH = 256  # rows of a Parquet file in memory at once


class Row(NamedTuple):
    """A row to be read: one of a picture, a glyph (uint8 (28, 28)) and an error.

    Attributes:
        source: the file it comes from.
        number: of the row in it, or of the page, from 1; 0 is a picture that is a file of its own.
    """

    source: str
    number: int
    picture: Source | None = None
    glyph: NDArray[np.uint8] | None = None
    error: str | None = None


def rows(part: Part) -> Iterator[Row]:
    """All rows of a part, in order; a picture that cannot be opened is a row with an error."""
    if part.kind == "pictures":
        for name in part.names:
            yield from _pages(name)
    elif part.kind == "parquet":
        yield from _of_parquet(part)
    else:
        for number, found in pixels.read(part.names[0], pixels.Stretch(part.first, part.n, part.start, part.stop)):
            is_fault = isinstance(found, str)
            yield Row(part.names[0], number, error=found if is_fault else None, glyph=None if is_fault else found)  # type: ignore[arg-type]


def _pages(name: str) -> Iterator[Row]:
    try:
        content = addresses.content(name) if addresses.is_remote(name) else None
        for page, source in picture.pages(name, content):
            yield Row(name, 0 if page == name else int(page.removeprefix(f"{name}#")), source)
    except TenfoldError as problem:
        yield Row(name, 0, error=str(problem))  # it says which pages


def _of_parquet(part: Part) -> Iterator[Row]:
    name, number = part.names[0], part.first
    column = parts.picture_column(name)
    groups = range(part.start, part.stop)
    for batch in parts.opened_parquet(name).iter_batches(_BATCH, row_groups=groups, columns=[column]):
        for value in batch.column(0).to_pylist():
            yield _row(name, number, value, column == parts.PIXELS_COLUMN)
            number += 1


def _row(name: str, number: int, value: Any, is_glyph: bool) -> Row:
    """A value of Parquet: bytes, or as Hugging Face's sets have it, a struct with `bytes`."""
    found = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(found, bytes):
        return Row(name, number, error=f"found {type(found).__name__}, expected bytes")
    if not is_glyph:
        return Row(name, number, found)
    if len(found) != SIDE * SIDE:
        return Row(name, number, error=f"{len(found)} bytes of pixels, expected {SIDE * SIDE}")
    return Row(name, number, glyph=np.frombuffer(found, np.uint8).reshape(SIDE, SIDE))
