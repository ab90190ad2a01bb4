"""The networks that ship, each loaded when it is first needed, and what they say of a picture together.

Decides nothing: which candidates are digits, and what a user's own classifier has to say, is for `reader`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold import picture
from tenfold.read.cutting import contrasts, cut_out, distinct
from tenfold.read.finder import LIKELY, Finder, Found
from tenfold.read.joint import Evidence, Joint, relative_contrasts, relative_heights
from tenfold.read.judge import Judge
from tenfold.read.model import Model, load_bundled
from tenfold.read.reviewer import Reviewer

_WORKING_PIXELS = 1_600_000  # larger pictures are reduced first
_CLOSER_PIXELS = 6_400_000  # the same, where digits may have become too small by that
_LARGE_PICTURE = 3_000_000  # pixels; so many make people expect that small digits are seen, and wait a little longer
_POLARITY_PIXELS = 40_000  # the size at which a picture is looked at both ways round
_LARGER_PIXELS = 160_000  # the same, where digits may be too small in that
_CLEARLY_SKEWED = 1.5  # beyond this the skewness alone decides which way round a picture is
_SKEWNESS_COUNTS = 2.0  # as many digits as a skewness of 1
_CLEARLY_MORE = 2.0  # digits; with fewer more the reviewer is asked, which takes print that is turned less often for digits
_ENOUGH = 4.0  # digits; with fewer more in light ink, and none in dark, those may be too small to be seen
_LEAST_CONTRAST = 8.0  # of 255; under it a picture is blank paper


class Candidates(NamedTuple):
    """What may be digits in a picture, the surest first, before anything is decided.

    Attributes:
        found: where the finder saw them, float64 (n, 4), x, y, width, height in pixels of the picture that was looked at.
        boxes: what their ink fills, likewise.
        glyphs: the same cut out, uint8 (n, 28, 28).
        said: what the networks say of them.
    """

    found: NDArray[np.float64]
    boxes: NDArray[np.float64]
    glyphs: NDArray[np.uint8]
    said: Evidence


class Sight(NamedTuple):
    """A picture as the networks see it.

    Attributes:
        grey: float32 (h, w), 0-255, dark ink on lighter paper.
        scale: how many pixels of the picture that was given one of these is.
    """

    grey: NDArray[np.float32]
    scale: int

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing but paper."""
        return _is_blank(self.grey)

    @property
    def is_large(self) -> bool:
        """Whether the picture that was given has so many pixels that small digits beside large ones are expected to be seen."""
        return self.grey.size * self.scale**2 >= _LARGE_PICTURE


class Shipped:
    """The networks that ship.

    Attributes:
        threads: how many threads each computes with; 0 leaves it to ONNX Runtime.
    """

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads

    @cached_property
    def classifier(self) -> Model:
        return load_bundled(self.threads)

    @cached_property
    def judge(self) -> Judge:
        return Judge.bundled(self.threads)

    @cached_property
    def finder(self) -> Finder:
        return Finder.bundled(self.threads)

    @cached_property
    def reviewer(self) -> Reviewer:
        return Reviewer.bundled(self.threads)

    @cached_property
    def joint(self) -> Joint:
        return Joint.of(self.reviewer.metadata)

    def sight(self, pixels: NDArray[np.uint8], closer: bool = False) -> Sight:
        """A picture, uint8 (H, W) or (H, W, 3), as the networks see it; `closer` reduces it less, which takes longer."""
        grey, scale = _working(pixels, _CLOSER_PIXELS if closer else _WORKING_PIXELS)
        return Sight(grey if _is_blank(grey) else self._dark_on_light(grey), scale)

    def candidates(self, grey: NDArray[np.float32], least: float = LIKELY, closely: bool = False) -> Candidates:
        """What may be digits in what the networks see, and what they say of each; `least`, `closely` as in `Finder.find`."""
        every = [] if _is_blank(grey) else self.finder.find(grey, least, closely)
        cuts = [cut_out(grey, f.box) for f in every]
        kept = distinct(cuts)
        some, cuts = [every[i] for i in kept], [cuts[i] for i in kept]
        found = np.array([f.box for f in some]).reshape(-1, 4)
        inked = np.array([cut.box for cut in cuts]).reshape(-1, 4)
        sure = np.array([f.score for f in some])
        glyphs = np.array([cut.glyph for cut in cuts], np.uint8).reshape(-1, 28, 28)
        said = Evidence(
            np.array([f.probabilities for f in some]).reshape(-1, 11),
            np.array([f.support for f in some]),
            self.classifier.calibrated(glyphs),
            self.reviewer.review(grey, inked),  # the finder's boxes are less exact
            self.judge.scores(glyphs),
            relative_heights(found, sure),
            relative_contrasts(contrasts(grey, inked), sure),
        )
        return Candidates(found, inked, glyphs, said)

    def _dark_on_light(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        """The picture with dark ink: that way round in which more digits are found and strokes are darker than paper."""
        evidence, n_dark = self._evidence_for_dark_ink(_shrunk(grey, _POLARITY_PIXELS))
        if -_ENOUGH < evidence < 0 and n_dark < 0.5 and grey.size > _LARGER_PIXELS:
            evidence, _ = self._evidence_for_dark_ink(_shrunk(grey, _LARGER_PIXELS))
        return grey if evidence >= 0 else 255 - grey

    def _evidence_for_dark_ink(self, small: NDArray[np.float32]) -> tuple[float, float]:
        """How many digits more there are than in the picture turned, below 0 for fewer; and how many there are.

        Both are without bounds where the skewness alone decides.
        """
        below = picture.contrast(small)
        # Ink is rarer than paper: of 164 developing pictures the skewness had the right sign in all but one, at 0.3 to 6.
        skewness = float((below**3).mean() / max(float((below**2).mean()), 1e-9) ** 1.5)
        if abs(skewness) >= _CLEARLY_SKEWED:
            return float(np.copysign(np.inf, skewness)), np.inf
        ways = self._both_ways(small, skewness)
        as_is, turned = (sum(f.score for f in found) for _, found in ways)
        evidence = _SKEWNESS_COUNTS * skewness + as_is - turned
        if abs(evidence) < _CLEARLY_MORE:
            as_is_still, turned_still = (self._still_digits(*way) for way in ways)
            evidence += as_is_still - as_is - (turned_still - turned)
        return evidence, as_is

    def _both_ways(self, small: NDArray[np.float32], evidence: float) -> list[tuple[NDArray[np.float32], list[Found]]]:
        """A picture as it is and turned, and what may be digits there.

        The way that the evidence suggests comes first. What shows in few views then is not looked for in more the other way,
        where nothing shows and every view would be tried.
        """
        ways = [small, 255 - small]
        likelier = 0 if evidence >= 0 else 1
        found = {}
        found[likelier], n_views = self.finder.look(ways[likelier])
        found[1 - likelier], _ = self.finder.look(ways[1 - likelier], n_views)
        return [(way, [f for f in found[i] if f.score > 0.5]) for i, way in enumerate(ways)]

    def _still_digits(self, grey: NDArray[np.float32], found: Sequence[Found]) -> float:
        """How many of what the finder found the reviewer takes for digits."""
        if not found:
            return 0.0
        return float((1 - self.reviewer.review(grey, np.array([f.box for f in found]))[:, 10]).sum())


def _is_blank(grey: NDArray[np.float32]) -> bool:
    return float(np.ptp(grey)) < _LEAST_CONTRAST


def _working(pixels: NDArray[np.uint8], most_pixels: int) -> tuple[NDArray[np.float32], int]:
    """Brightness of a picture, float32 (h, w), large ones reduced by a whole factor; and that factor."""
    factor = int(np.ceil(np.sqrt(pixels.shape[0] * pixels.shape[1] / most_pixels)))
    if factor <= 1:
        return picture.grey(pixels), 1
    return picture.grey(np.asarray(Image.fromarray(pixels).reduce(factor))), factor


def _shrunk(grey: NDArray[np.float32], n_pixels: int) -> NDArray[np.float32]:
    share = np.sqrt(n_pixels / grey.size)
    if share >= 1:
        return grey
    size = tuple(max(1, round(side * share)) for side in grey.shape[::-1])
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR), np.float32)
