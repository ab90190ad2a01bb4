"""Reader: the only way from a picture to digits. The command line, the service and bulk reading all go through it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold import picture
from tenfold.errors import UsageError
from tenfold.picture import Source
from tenfold.read import lines
from tenfold.read import model as models
from tenfold.read.cutting import Cut, cut_out, distinct
from tenfold.read.fields import ANYTHING, Field, likeliest
from tenfold.read.finder import Finder, Found
from tenfold.read.joint import Evidence, Joint, relative_heights
from tenfold.read.judge import Judge
from tenfold.read.reading import Box, Digit, Reading
from tenfold.read.reviewer import Reviewer

__all__ = ["Box", "Classification", "Digit", "Field", "Reader", "Reading"]

_WORKING_PIXELS = 1_600_000  # larger pictures are reduced first
_POLARITY_PIXELS = 40_000  # the size at which a picture is looked at both ways round
_CLEARLY_SKEWED = 1.5  # beyond this the skewness alone decides which way round a picture is
_SKEWNESS_COUNTS = 2.0  # as many digits as a skewness of 1
_LIKELY = 0.3  # candidates with this probability of being a digit decide where rows are
# How much the user's classifier counts in what it says otherwise than the one that ships: one that has learnt on from that one,
# and any other. With less a learnt hand was hardly read in pages, with more a weak network spoiled them (docs/experiments.md).
_GROWN, _OTHER = 1.0, 0.5
_LEAST_CONTRAST = 8.0  # of 255; under it a picture is blank paper


@dataclass(frozen=True, eq=False)
class Classification:
    """What pictures of one digit each show.

    Attributes:
        probabilities: float32 (N, 10), calibrated; 0.1 each where there is no ink.
        digit_score: float32 (N,), probability that the picture shows one digit at all; 0 where there is no ink.
        threshold: the digit_score from which a picture is accepted.
        glyphs: what the network saw, uint8 (N, 28, 28), white ink on black.
    """

    probabilities: NDArray[np.float32]
    digit_score: NDArray[np.float32]
    threshold: float
    glyphs: NDArray[np.uint8]

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The most probable digit of each picture, int64 (N,), whether accepted or not."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @cached_property
    def accepted(self) -> NDArray[np.bool_]:
        """Whether each picture counts as a digit, bool (N,)."""
        return (self.digit_score >= self.threshold) & (self.digit_score > 0)


class Candidates(NamedTuple):
    """What may be digits in a picture, the surest first, before anything is decided.

    Attributes:
        boxes: where the finder saw them, float64 (n, 4), x, y, width, height in pixels of the picture that was looked at.
        cuts: the same cut out.
        said: what the networks that ship say of them.
        own: what the user's classifier says of them, float32 (n, 10); None if it is the one that ships.
        scale: how many pixels of the picture that was given one of these is.
    """

    boxes: NDArray[np.float64]
    cuts: list[Cut]
    said: Evidence
    own: NDArray[np.float32] | None
    scale: int


class Reader:
    """Reads digits off pictures.

    Example:
        >>> reader = Reader()
        >>> reader.read("meter.jpg").text
        '05221859'
    """

    def __init__(self, model: str | os.PathLike[str] | models.Model | None = None, threads: int = 0) -> None:
        """Take the bundled model, or a run's folder, an ONNX file or a loaded `Model`.

        Args:
            model: what tells the ten digits apart: alone in `classify`, beside the bundled networks in `read`. Finding and
                refusing are always done by the bundled ones.
            threads: how many threads compute; 0 leaves it to ONNX Runtime.

        Raises:
            ModelError: the model is missing or cannot be used.
        """
        self._threads = threads
        if isinstance(model, models.Model):
            self.model = model
        else:
            self.model = self._shipped if model is None else models.load(Path(model), threads)

    def with_model(self, model: str | os.PathLike[str] | models.Model | None) -> Reader:
        """A reader with another model that shares what this one has loaded besides.

        Raises:
            ModelError: the model is missing or cannot be used.
        """
        other = Reader(model, self._threads)
        shared: dict[str, object] = {
            name: self.__dict__[name]
            for name in ("_shipped", "_judge", "_finder", "_reviewer", "_joint")
            if name in self.__dict__
        }
        other.__dict__.update(shared)
        return other

    @cached_property
    def _shipped(self) -> models.Model:
        return models.load_bundled(self._threads)

    @cached_property
    def _judge(self) -> Judge:
        return Judge.bundled(self._threads)

    @cached_property
    def _finder(self) -> Finder:
        return Finder.bundled(self._threads)

    @cached_property
    def _reviewer(self) -> Reviewer:
        return Reviewer.bundled(self._threads)

    @cached_property
    def _joint(self) -> Joint:
        return Joint.of(self._reviewer.metadata)

    def read(
        self,
        source: Source,
        *,
        digits: int | None = None,
        pattern: str | None = None,
        check: str | None = None,
        min_confidence: float = 0.0,
    ) -> Reading:
        """Read all digits of a picture.

        Args:
            source: a path, bytes, a Pillow image, or an array (H, W) or (H, W, 3) of uint8; of either polarity.
            digits: how many there are, if that is known.
            pattern: where they stand, such as '####-##'; see `Field`.
            check: their check digit, `luhn` or `mod11`.
            min_confidence: a text less sure than this is refused: none of its digits is accepted.

        Raises:
            PictureError: the picture cannot be decoded. One that can be never raises: without digits the text is empty.
            UsageError: `pattern` or `check` is none, or `min_confidence` no probability.
        """
        if not 0 <= min_confidence <= 1:
            raise UsageError(f"min_confidence: found {min_confidence}, expected a number from 0 to 1")
        known = Field(pattern, digits, check)
        file = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        pixels = picture.decode(source)
        boxes, cuts, said, own, scale = self.candidates(pixels)
        scores, chances = self._joint.weighed(said, own, _GROWN if _grown(self.model) else _OTHER)
        rows = lines.rows(boxes, scores >= _LIKELY)
        order = [i for row in rows for i in row]
        cuts, scores, chances = [cuts[i] for i in order], scores[order], chances[order]
        labels, confidence = self._text(scores, chances, known)
        if confidence < min_confidence:
            labels = [-1] * len(labels)
        line_of = [k for k, row in enumerate(rows) for _ in row]
        answers = zip(cuts, line_of, scores, chances, labels, strict=True)
        made = [
            _digit(cut.glyph, _box(cut.box * scale, pixels.shape), line, score, chance, label)
            for cut, line, score, chance, label in answers
        ]
        return Reading(file, tuple(made), confidence, known, source)

    def classify(self, pictures: Iterable[Source]) -> Classification:
        """Classify pictures that hold one digit each, of any size and polarity.

        The main digit in the middle counts; strokes that the rim cuts off do not.

        Raises:
            PictureError: a picture cannot be decoded. One that can be never raises: without ink it scores 0.
            UsageError: a single picture instead of several.
        """
        if isinstance(pictures, str | bytes | os.PathLike | Image.Image):
            raise UsageError("classify takes several pictures; for a single one give a list: classify([picture])")
        choices = [_glyphs(source) for source in pictures]
        every = self.classify_glyphs(np.array([glyph for some in choices for glyph in some], np.uint8).reshape(-1, 28, 28))
        kept, start = [], 0
        for some in choices:
            part = slice(start, start + len(some))
            evidence = every.digit_score[part] * every.probabilities[part].max(axis=1)
            # The way round that the paper suggests is given up only for a much better one.
            kept.append(start + (1 if len(some) > 1 and evidence[1] > 2 * evidence[0] else 0))
            start += len(some)
        return Classification(every.probabilities[kept], every.digit_score[kept], every.threshold, every.glyphs[kept])

    def classify_glyphs(self, glyphs: NDArray[np.uint8]) -> Classification:
        """Classify glyphs, uint8 (N, 28, 28), white ink on black, just as they are."""
        probabilities, score = self.model.calibrated(glyphs), self._judge.scores(glyphs)
        blank = ~glyphs.any(axis=(1, 2))
        probabilities[blank], score[blank] = 0.1, 0
        threshold = self._judge.threshold if self.model.threshold is None else self.model.threshold
        return Classification(probabilities, score, threshold, glyphs)

    def candidates(self, pixels: NDArray[np.uint8]) -> Candidates:
        """What may be digits in a picture, uint8 (H, W) or (H, W, 3), and what the networks say of each."""
        found, grey, scale = self._found(pixels)
        cuts = [cut_out(grey, f.box) for f in found]
        kept = distinct(cuts)
        found, cuts = [found[i] for i in kept], [cuts[i] for i in kept]
        boxes = np.array([f.box for f in found]).reshape(-1, 4)
        glyphs = np.array([cut.glyph for cut in cuts], np.uint8).reshape(-1, 28, 28)
        said = Evidence(
            np.array([f.probabilities for f in found]).reshape(-1, 11),
            np.array([f.support for f in found]),
            self._shipped.calibrated(glyphs),
            self._reviewer.review(grey, boxes),
            self._judge.scores(glyphs),
            relative_heights(boxes, np.array([f.score for f in found])),
        )
        own = None if self.model is self._shipped else self.model.calibrated(glyphs)
        return Candidates(boxes, cuts, said, own, scale)

    def _found(self, pixels: NDArray[np.uint8]) -> tuple[list[Found], NDArray[np.float32], int]:
        """The digits, the brightness they were found in with dark ink, and how many pixels of the picture one of it is."""
        grey, scale = _working(pixels)
        if float(np.ptp(grey)) < _LEAST_CONTRAST:
            return [], grey, scale
        grey = self._dark_on_light(grey)
        return self._finder.find(grey), grey, scale

    def _dark_on_light(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        """The picture with dark ink: that way round in which more digits are found and strokes are darker than paper."""
        small = _shrunk(grey, _POLARITY_PIXELS)
        below = picture.contrast(small)
        # Ink is rarer than paper: of 164 developing pictures the skewness had the right sign in all but one, at 0.3 to 6.
        evidence = float((below**3).mean() / max(float((below**2).mean()), 1e-9) ** 1.5)
        if abs(evidence) < _CLEARLY_SKEWED:
            as_is, turned = (sum(f.score for f in self._finder.find(one) if f.score > 0.5) for one in (small, 255 - small))
            evidence = _SKEWNESS_COUNTS * evidence + as_is - turned
        return grey if evidence >= 0 else 255 - grey

    def _text(self, scores: NDArray[np.float64], chances: NDArray[np.float64], known: Field) -> tuple[list[int], float]:
        """For each candidate its label, or -1 if it is refused; and the probability that all of this is right."""
        if known == ANYTHING:
            accepted = scores >= self._joint.threshold
            sure = np.where(accepted, scores * chances.max(axis=1, initial=0), 1 - scores)
            labels = np.where(accepted, chances.argmax(axis=1) if len(chances) else 0, -1)
            return [int(k) for k in labels], self._joint.text_confidence(float(sure.prod()))
        labels_or_none, probability = likeliest(scores, chances, known)
        if labels_or_none is None:
            return [-1] * len(scores), 0.0
        return labels_or_none, self._joint.text_confidence(probability)


def _grown(model: models.Model) -> bool:
    """Whether a model's weights were first those of the one that ships."""
    recipe = model.metadata.get("recipe")
    return isinstance(recipe, dict) and recipe.get("start_from") == "bundled"


def _digit(glyph: NDArray[np.uint8], box: Box, line: int, score: float, chances: NDArray[np.float64], label: int) -> Digit:
    shown = label if label >= 0 else int(chances.argmax())
    return Digit(
        label=shown,
        confidence=float(score * chances[shown]),
        box=box,
        line=line,
        probabilities=tuple(float(p) for p in chances),
        accepted=label >= 0,
        glyph=glyph,
    )


def _box(box: NDArray[np.float64], shape: tuple[int, ...]) -> Box:
    """Whole pixels inside the picture."""
    left, top = (int(min(max(0, round(v)), side - 1)) for v, side in zip(box[:2], shape[1::-1], strict=True))
    right, bottom = (int(min(side, round(v))) for v, side in zip(box[:2] + box[2:], shape[1::-1], strict=True))
    return left, top, max(1, right - left), max(1, bottom - top)


def _working(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], int]:
    """Brightness of a picture, float32 (h, w), large ones reduced by a whole factor; and that factor."""
    factor = int(np.ceil(np.sqrt(pixels.shape[0] * pixels.shape[1] / _WORKING_PIXELS)))
    if factor <= 1:
        return picture.grey(pixels), 1
    return np.asarray(Image.fromarray(pixels).convert("L").reduce(factor), np.float32), factor


def _shrunk(grey: NDArray[np.float32], n_pixels: int) -> NDArray[np.float32]:
    share = np.sqrt(n_pixels / grey.size)
    if share >= 1:
        return grey
    size = tuple(max(1, round(side * share)) for side in grey.shape[::-1])
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR), np.float32)


def _glyphs(source: Source) -> list[NDArray[np.uint8]]:
    """The glyph of a picture, once for each way round that is possible, the likelier first."""
    pixels = picture.decode(source)
    if picture.is_glyph(pixels):
        return [pixels]
    return [picture.glyph(picture.main_part(ink)) for ink in picture.inks(pixels)]
