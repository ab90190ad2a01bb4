"""Reader: the only way from a picture to digits. The command line, the service and bulk reading all go through it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold import picture
from tenfold.errors import UsageError
from tenfold.picture import Source
from tenfold.read import model as models
from tenfold.read.deciding import Decided, decide
from tenfold.read.fields import ANYTHING, Field
from tenfold.read.finder import HARDLY, LEAST, LIKELY
from tenfold.read.levelling import evidence, level
from tenfold.read.reading import DOUBTFUL, Box, Digit, Reading
from tenfold.read.shipped import Shipped, Sight

__all__ = ["Box", "Classification", "Digit", "Field", "Reader", "Reading"]

_MOST_THREADS = 256
# How much the user's classifier counts in what it says otherwise than the one that ships: one that has learnt on from that one,
# and any other. With less a learnt hand was hardly read in pages, with more a weak network spoiled them (docs/experiments.md).
_GROWN, _OTHER = 1.0, 0.5
_LOW = 1.4 * LEAST  # pixels; lower ones are near what the finder can see
_MORE = 0.5  # digits, by their probability, that have to be seen for a closer look to count
_NOTHING = 0.95  # how sure it is that there are no digits, where nothing was seen on what is not blank
# What counts as a picture's main digit: how near its middle is to the picture's, how high it is, as shares of the picture, and
# how sure the networks that read pages have to be of it.
_CENTRAL, _MAIN, _SURELY = 0.25, 0.3, 0.97


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

    def __str__(self) -> str:
        """A line a picture: the digit and how sure the network is of it, or that there is none."""
        sure = self.probabilities.max(axis=1, initial=0)
        return "\n".join(
            f"{label} ({share:.1%})" if accepted else "no digit"
            for label, share, accepted in zip(self.labels, sure, self.accepted, strict=True)
        )


class Reader:
    """Reads digits off pictures.

    Example:
        >>> reader = Reader()
        >>> reader.read("docs/images/field.png").text
        '482107'
    """

    def __init__(self, model: str | os.PathLike[str] | models.Model | None = None, threads: int = 0) -> None:
        """Take the bundled model, or a run's folder, an ONNX file or a loaded `Model`.

        Args:
            model: what tells the ten digits apart: alone in `classify`, beside the bundled networks in `read`. Finding and
                refusing are always done by the bundled ones.
            threads: how many threads compute; 0 leaves it to ONNX Runtime.

        Raises:
            ModelError: the model is missing or cannot be used.
            UsageError: `threads` is no such number.
        """
        if isinstance(threads, bool) or not isinstance(threads, int) or not 0 <= threads <= _MOST_THREADS:
            raise UsageError(f"threads: found {threads!r}, expected a whole number from 0 to {_MOST_THREADS}")
        self._shipped = Shipped(threads)
        self.model = self._chosen(model)

    def with_model(self, model: str | os.PathLike[str] | models.Model | None) -> Reader:
        """A reader with another model that shares what this one has loaded besides.

        Raises:
            ModelError: the model is missing or cannot be used.
        """
        other = copy(self)
        other.model = self._chosen(model)
        return other

    def _chosen(self, model: str | os.PathLike[str] | models.Model | None) -> models.Model:
        if isinstance(model, models.Model):
            return model
        return self._shipped.classifier if model is None else models.load(model, self._shipped.threads)

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
            source: a path, bytes, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4), see `picture.decode`; of either
                polarity.
            digits: how many there are, if that is known.
            pattern: where they stand, such as '####-##'; see `Field`.
            check: their check digit, `luhn` or `mod11`.
            min_confidence: a text less sure than this is refused: none of its digits is accepted.

        Raises:
            PictureError: the picture cannot be decoded. One that can be never raises: without digits the text is empty.
            UsageError: `pattern` or `check` is none, or `min_confidence` no probability.
        """
        if not isinstance(min_confidence, int | float | np.floating) or not 0 <= min_confidence <= 1:
            raise UsageError(f"min_confidence: found {min_confidence!r}, expected a number from 0 to 1")
        known = Field(pattern, int(digits) if isinstance(digits, np.integer) else digits, check)
        file = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        pixels = picture.decode(source)
        sight, read = self._seen(pixels, known)
        confidence = read.confidence
        if not len(read.labels) and not sight.is_blank:
            confidence = min(confidence, _NOTHING)
        labels = read.labels if confidence >= min_confidence else np.full_like(read.labels, -1)
        answers = zip(read.glyphs, read.boxes, read.rows, read.scores, read.chances, labels, read.pale, strict=True)
        made = [
            _digit(glyph, _box(box * sight.scale, pixels.shape), int(row), score, chance, int(label), bool(pale))
            for glyph, box, row, score, chance, label, pale in answers
        ]
        return Reading(file, tuple(made), confidence, known, source)

    def _seen(self, pixels: NDArray[np.uint8], known: Field) -> tuple[Sight, Decided]:
        """What is read of a picture, and how it was looked at: closer, if digits may have been too small as it was reduced."""
        sight, read = self._looked_at(pixels, known)
        if sight.scale == 1 or sight.is_blank or not _may_hold_smaller(read):
            return sight, read
        closer, again = self._looked_at(pixels, known, closer=True)
        return (closer, again) if evidence(again) > evidence(read) + _MORE else (sight, read)

    def _looked_at(self, pixels: NDArray[np.uint8], known: Field, closer: bool = False) -> tuple[Sight, Decided]:
        sight = self._shipped.sight(pixels, closer)
        return sight, level(sight.grey, lambda grey: self._decided(grey, known, sight.is_large))

    def _decided(self, grey: NDArray[np.float32], known: Field, closely: bool) -> Decided:
        """What is read; where it hardly agrees with what is known, less likely places are looked at too."""
        read = self._decided_on(grey, known, LIKELY, closely)
        if known == ANYTHING or read.confidence >= DOUBTFUL:
            return read
        again = self._decided_on(grey, known, HARDLY, closely)
        return again if again.confidence > read.confidence else read

    def _decided_on(self, grey: NDArray[np.float32], known: Field, least: float, closely: bool) -> Decided:
        seen = self._shipped.candidates(grey, least, closely)
        own = None if self.model is self._shipped.classifier else self.model.calibrated(seen.glyphs)
        return decide(seen, self._shipped.joint, known, own, _GROWN if _grown(self.model) else _OTHER)

    def classify(self, pictures: Iterable[Source]) -> Classification:
        """Classify pictures that hold one digit each, of any size and polarity.

        The main digit in the middle counts; strokes that the rim cuts off do not.

        Raises:
            PictureError: a picture cannot be decoded. One that can be never raises: without ink it scores 0.
            UsageError: no pictures, or a single one instead of several, such as an array (H, W), (H, W, 3) or (H, W, 4).
        """
        if _is_single(pictures):
            raise UsageError("classify takes several pictures; for a single one give a list: classify([picture])")
        if not isinstance(pictures, Iterable):
            raise UsageError(f"classify: found {type(pictures).__name__}, expected several pictures, such as [picture]")
        sources = list(pictures)
        seen = self._best_of([_glyphs(picture.decode(source)) for source in sources])
        refused = np.flatnonzero(~seen.accepted)
        # Where rules, frames or a shadow's edge count as ink, there are other ways to see the digit among them. These few are
        # decoded again: all of them at once would be too much to hold.
        choices = [[seen.glyphs[i], *self._other_glyphs(sources[i])] for i in refused]
        if not any(len(some) > 1 for some in choices):
            return seen
        again = self._best_of(choices)
        probabilities, score, glyphs = seen.probabilities.copy(), seen.digit_score.copy(), seen.glyphs.copy()
        probabilities[refused], score[refused], glyphs[refused] = again.probabilities, again.digit_score, again.glyphs
        return Classification(probabilities, score, seen.threshold, glyphs)

    def _best_of(self, choices: Sequence[Sequence[NDArray[np.uint8]]]) -> Classification:
        """Of each picture's glyphs the first, unless another is much more surely a digit."""
        every = self.classify_glyphs(np.array([glyph for some in choices for glyph in some], np.uint8).reshape(-1, 28, 28))
        evidence = every.digit_score * every.probabilities.max(axis=1)
        kept, start = [], 0
        for some in choices:
            best = start + int(evidence[start : start + len(some)].argmax())
            kept.append(best if evidence[best] > 2 * evidence[start] else start)
            start += len(some)
        return Classification(every.probabilities[kept], every.digit_score[kept], every.threshold, every.glyphs[kept])

    def _other_glyphs(self, source: Source) -> list[NDArray[np.uint8]]:
        """What the digit of a picture may look like, too: without shadows, and as `read` sees it around the middle."""
        pixels = picture.decode_again(source)
        if picture.is_glyph(pixels):
            return []
        sight = self._shipped.sight(pixels)
        lit = picture.evenly_lit(sight.grey)
        unshaded = [] if lit is None else [picture.glyph(picture.main_part(picture.ink(lit)))]
        return [*unshaded, *self._main_of(sight, pixels)]

    def _main_of(self, sight: Sight, pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """The glyph of the digit that `read` would see around the middle of a picture; none if it is not sure of one."""
        seen = self._shipped.candidates(sight.grey)
        scores, chances = self._shipped.joint.weighed(seen.said)
        size = np.array(pixels.shape[1::-1]) / sight.scale
        middles = (seen.found[:, :2] + seen.found[:, 2:] / 2) / size
        central = (np.abs(middles - 0.5) < _CENTRAL).all(axis=1) & (seen.found[:, 3] > _MAIN * size[1])
        sure = np.flatnonzero(central & (scores * chances.max(axis=1, initial=0) > _SURELY))
        return [seen.glyphs[i] for i in sure[np.argsort(-scores[sure])][:1]]

    def classify_glyphs(self, glyphs: NDArray[np.uint8]) -> Classification:
        """Classify glyphs, uint8 (N, 28, 28), white ink on black, just as they are.

        Raises:
            UsageError: they have another type or shape.
        """
        if not isinstance(glyphs, np.ndarray) or glyphs.dtype != np.uint8 or glyphs.shape[1:] != (28, 28):
            found = f"{glyphs.dtype} {glyphs.shape}" if isinstance(glyphs, np.ndarray) else type(glyphs).__name__
            raise UsageError(
                f"glyphs: found {found}, expected an array of uint8 (N, 28, 28); `classify` takes pictures of any size"
            )
        probabilities, score = self.model.calibrated(glyphs), self._shipped.judge.scores(glyphs)
        blank = ~glyphs.any(axis=(1, 2))
        probabilities[blank], score[blank] = 0.1, 0
        threshold = self._shipped.judge.threshold if self.model.threshold is None else self.model.threshold
        return Classification(probabilities, score, threshold, glyphs)


def _may_hold_smaller(read: Decided) -> bool:
    """Whether the lowest digits that were read are so low, in the pixels looked at, that others may have been missed."""
    heights = read.boxes[read.labels >= 0, 3]
    return not len(heights) or float(np.quantile(heights, 0.1)) < _LOW


def _is_single(pictures: object) -> bool:
    """Whether something is one picture. An array (N, H, 3) might be N grey pictures of 3 pixels' width, but nobody has such."""
    if isinstance(pictures, np.ndarray):
        return pictures.ndim in (0, 2) or (pictures.ndim == 3 and pictures.shape[2] in (1, 3, 4))
    return isinstance(pictures, str | bytes | os.PathLike | Image.Image)


def _grown(model: models.Model) -> bool:
    """Whether a model's weights were first those of the one that ships."""
    recipe = model.metadata.get("recipe")
    return isinstance(recipe, dict) and recipe.get("start_from") == "bundled"


def _digit(
    glyph: NDArray[np.uint8], box: Box, line: int, score: float, chances: NDArray[np.float64], label: int, pale: bool
) -> Digit:
    shown = label if label >= 0 else int(chances.argmax())
    return Digit(
        label=shown,
        confidence=float(score * chances[shown]),
        box=box,
        line=line,
        probabilities=tuple(float(p) for p in chances),
        accepted=label >= 0,
        glyph=glyph,
        pale=pale,
    )


def _box(box: NDArray[np.float64], shape: tuple[int, ...]) -> Box:
    """Whole pixels inside the picture."""
    left, top = (int(min(max(0, round(v)), side - 1)) for v, side in zip(box[:2], shape[1::-1], strict=True))
    right, bottom = (int(min(side, round(v))) for v, side in zip(box[:2] + box[2:], shape[1::-1], strict=True))
    return left, top, max(1, right - left), max(1, bottom - top)


def _glyphs(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The glyph of a picture, once for each way round that is possible, the likelier first."""
    if picture.is_glyph(pixels):
        return [pixels]
    return [picture.glyph(picture.main_part(ink)) for ink in picture.inks(pixels)]
