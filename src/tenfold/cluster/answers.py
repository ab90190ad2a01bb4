"""The two tables that a bulk reading writes: what was read, and what could not be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.cluster.rows import Row
from tenfold.errors import MissingExtraError, TenfoldError
from tenfold.read.reader import Reader, Reading

try:
    import pyarrow as pa
except ModuleNotFoundError as problem:
    raise MissingExtraError("cluster", "pyarrow") from problem

DIGIT = pa.struct(
    [
        ("label", pa.int8()),
        ("confidence", pa.float32()),
        ("x", pa.int32()),
        ("y", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("line", pa.int32()),
        ("accepted", pa.bool_()),
        ("probabilities", pa.list_(pa.float32(), 10)),
    ]
)
GOOD = pa.schema(
    [
        ("source", pa.string()),
        ("row", pa.int64()),
        ("text", pa.string()),
        ("confidence", pa.float32()),
        ("digits", pa.list_(DIGIT)),
    ]
)
BAD = pa.schema([("source", pa.string()), ("row", pa.int64()), ("error", pa.string())])


class Known(NamedTuple):
    """What the user knows about every picture; see `Reader.read`."""

    digits: int | None = None
    pattern: str | None = None
    check: str | None = None
    min_confidence: float = 0.0


def answer(rows: Iterable[Row], reader: Reader, known: Known) -> tuple[Any, Any]:
    """Read rows; one that cannot be read spoils no other.

    Returns:
        Two Arrow tables, of the schemas GOOD and BAD, each in the order of the rows; every row is in one of them.
    """
    good: list[tuple[Row, _Answer | None]] = []
    bad: list[tuple[Row, str]] = []
    glyphs: list[NDArray[np.uint8]] = []
    for row in rows:
        if row.glyph is not None:
            glyphs.append(row.glyph)
            good.append((row._replace(glyph=None), None))  # answered below, with all others
        elif row.picture is not None:
            try:
                good.append((row._replace(picture=None), _read(reader.read(row.picture, **known._asdict()))))
            except TenfoldError as problem:
                bad.append((row, str(problem)))
        else:
            bad.append((row, str(row.error)))
    classified = iter(_classified(reader, np.array(glyphs, np.uint8).reshape(-1, 28, 28), known.min_confidence))
    answers = [(row, next(classified) if found is None else found) for row, found in good]
    faults = [[storage.in_utf8(row.source) for row, _ in bad], [row.number for row, _ in bad], [said for _, said in bad]]
    return _table(answers), pa.table(faults, schema=BAD)


class _Answer(NamedTuple):
    """A row of GOOD without its key; `numbers` float64 (digits, 8) has the columns of DIGIT up to `accepted`."""

    text: str
    confidence: float
    numbers: NDArray[np.float64]
    probabilities: NDArray[np.float32]


def _read(reading: Reading) -> _Answer:
    numbers = [[d.label, d.confidence, *d.box, d.line, d.accepted] for d in reading.digits]
    probabilities = [d.probabilities for d in reading.digits]
    return _Answer(
        reading.text,
        reading.confidence,
        np.array(numbers, np.float64).reshape(-1, 8),
        np.array(probabilities, np.float32).reshape(-1, 10),
    )


def _classified(reader: Reader, glyphs: NDArray[np.uint8], min_confidence: float) -> list[_Answer]:
    found = reader.classify_glyphs(glyphs)
    sure = found.digit_score * found.probabilities.max(axis=1) if len(glyphs) else found.digit_score
    accepted = found.accepted & (sure >= min_confidence)
    numbers = np.zeros((len(glyphs), 1, 8))
    numbers[:, 0, 0], numbers[:, 0, 1], numbers[:, 0, 4:6], numbers[:, 0, 7] = found.labels, sure, 28, accepted
    texts = np.where(accepted, found.labels.astype(str), "")
    return [
        _Answer(str(text), float(p), n, q[None])
        for text, p, n, q in zip(texts, sure, numbers, found.probabilities, strict=True)
    ]


def _table(answers: Sequence[tuple[Row, _Answer]]) -> Any:
    counts = [len(found.numbers) for _, found in answers]
    numbers = np.concatenate([np.zeros((0, 8)), *(found.numbers for _, found in answers)])
    probabilities = np.concatenate([np.zeros((0, 10), np.float32), *(found.probabilities for _, found in answers)])
    columns = [pa.array(column).cast(field.type) for column, field in zip(_whole(numbers), list(DIGIT)[:8], strict=True)]
    columns.append(pa.FixedSizeListArray.from_arrays(pa.array(probabilities.ravel()), 10))
    digits = pa.StructArray.from_arrays(columns, fields=list(DIGIT))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    return pa.table(
        [
            pa.array([storage.in_utf8(row.source) for row, _ in answers], pa.string()),
            pa.array([row.number for row, _ in answers], pa.int64()),
            pa.array([found.text for _, found in answers], pa.string()),
            pa.array([found.confidence for _, found in answers], pa.float32()),
            pa.ListArray.from_arrays(offsets, digits),
        ],
        schema=GOOD,
    )


def _whole(numbers: NDArray[np.float64]) -> list[NDArray[Any]]:
    """The columns of DIGIT up to `accepted`, each of its own kind."""
    kinds = (np.int8, np.float32, *[np.int32] * 5, np.bool_)
    return [numbers[:, i].astype(kind) for i, kind in enumerate(kinds)]
