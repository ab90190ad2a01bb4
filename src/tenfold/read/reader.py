"""Reader: the only way from a picture to digits. The command line, the service and bulk reading all go through it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold import picture
from tenfold.picture import Source
from tenfold.picture.glyph import box as box_of
from tenfold.read import model as models

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Digit:
    """One digit of a reading.

    Attributes:
        label: the most probable digit, 0-9.
        confidence: the calibrated probability that the label is right, 0-1.
        box: (x, y, width, height) in pixels of the picture as displayed.
        line: the row it stands in, from 0.
        probabilities: calibrated, for each of the ten digits.
        accepted: whether it counts; a refused one is left out of the text.
    """

    label: int
    confidence: float
    box: Box
    line: int
    probabilities: tuple[float, ...]
    accepted: bool


@dataclass(frozen=True)
class Reading:
    """What was read from a picture.

    Attributes:
        file: the path as it was given, or None.
        digits: in reading order, refused ones included.
    """

    file: str | None
    digits: tuple[Digit, ...]

    @property
    def text(self) -> str:
        """The accepted digits, rows joined by a line end; empty if there are none."""
        rows: dict[int, str] = {}
        for digit in self.digits:
            if digit.accepted:
                rows[digit.line] = rows.get(digit.line, "") + str(digit.label)
        return "\n".join(rows[line] for line in sorted(rows))

    @property
    def confidence(self) -> float:
        """Probability that the whole text is right: each accepted digit is what it says, each refused one is none."""
        shares = [d.confidence if d.accepted else 1 - d.confidence for d in self.digits]
        return float(np.prod(shares)) if shares else 1.0

    def __str__(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        """The reading as JSON has it; docs/design.md, Reader."""
        return {
            "file": self.file,
            "text": self.text,
            "confidence": self.confidence,
            "digits": [
                {
                    "label": d.label,
                    "confidence": d.confidence,
                    "box": list(d.box),
                    "line": d.line,
                    "probabilities": list(d.probabilities),
                    "accepted": d.accepted,
                }
                for d in self.digits
            ],
        }


@dataclass(frozen=True, eq=False)
class Classification:
    """What pictures of one digit each show.

    Attributes:
        probabilities: float32 (N, 10), calibrated; 0.1 each where there is no ink.
        digit_score: float32 (N,), probability that the picture shows one digit at all; 0 where there is no ink.
        threshold: the digit_score from which a picture is accepted.
    """

    probabilities: NDArray[np.float32]
    digit_score: NDArray[np.float32]
    threshold: float

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The most probable digit of each picture, int64 (N,), whether accepted or not."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @cached_property
    def accepted(self) -> NDArray[np.bool_]:
        """Whether each picture counts as a digit, bool (N,)."""
        return (self.digit_score >= self.threshold) & (self.digit_score > 0)


class _Normalised(NamedTuple):
    glyph: NDArray[np.uint8]
    box: Box | None


class Reader:
    """Reads digits off pictures.

    Example:
        >>> reader = Reader()
        >>> reader.read("meter.jpg").text
        '7'
    """

    def __init__(self, model: str | os.PathLike[str] | models.Model | None = None) -> None:
        """Take the bundled model, or a run's folder, an ONNX file or a loaded `Model`.

        Raises:
            ModelError: the model is missing or cannot be used.
        """
        if isinstance(model, models.Model):
            self.model = model
        else:
            self.model = models.load_bundled() if model is None else models.load(Path(model))

    def read(self, source: Source) -> Reading:
        """Read a picture of one digit.

        Args:
            source: a path, bytes, a Pillow image, or an array (H, W) or (H, W, 3) of uint8; of either polarity.

        Raises:
            PictureError: the picture cannot be decoded. One that can be never raises: without ink the text is empty.
        """
        file = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        found = _normalised(source)
        if found.box is None:
            return Reading(file, ())
        answer = self._answer([found])
        probabilities = answer.probabilities[0]
        digit = Digit(
            label=int(answer.labels[0]),
            confidence=float(probabilities.max()),
            box=found.box,
            line=0,
            probabilities=tuple(float(p) for p in probabilities),
            accepted=bool(answer.accepted[0]),
        )
        return Reading(file, (digit,))

    def classify(self, pictures: Iterable[Source]) -> Classification:
        """Classify pictures that hold one digit each, of any size and polarity.

        Raises:
            PictureError: a picture cannot be decoded. One that can be never raises: without ink it scores 0.
        """
        return self._answer([_normalised(source) for source in pictures])

    def _answer(self, normalised: Sequence[_Normalised]) -> Classification:
        glyphs = np.stack([n.glyph for n in normalised]) if normalised else np.zeros((0, 28, 28), np.uint8)
        blank = np.array([n.box is None for n in normalised], bool)
        probabilities = self.model.calibrated(glyphs)
        probabilities[blank] = 0.1
        score = np.where(blank, np.float32(0), probabilities.max(axis=1, initial=0))
        return Classification(probabilities, score, self.model.threshold)


def _normalised(source: Source) -> _Normalised:
    """A picture's glyph, and the box around its ink in pixels of the picture, or None if there is none."""
    pixels = picture.decode(source)
    if picture.is_glyph(pixels):
        return _Normalised(pixels, box_of(pixels.astype(np.float32) / np.float32(255)))
    ink = picture.ink(pixels)
    found = box_of(ink.strength)
    if found is None:
        return _Normalised(np.zeros((28, 28), np.uint8), None)
    x, y, width, height = (value * ink.scale for value in found)
    inside = (x, y, min(width, pixels.shape[1] - x), min(height, pixels.shape[0] - y))
    return _Normalised(picture.glyph(ink), inside)
