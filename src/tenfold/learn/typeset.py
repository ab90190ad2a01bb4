"""Digits as they are printed: of the fonts that words are printed in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tenfold.data.digits import CLASSES
from tenfold.learn import clutter

_LARGE = 96  # the size, in pixels, that a digit is drawn in before it is made as high as it is to be
_AS_HIGH = 0.85  # the lowest digit over the highest, at least
_INKED = 127  # of 255: fainter is an edge


class Type(NamedTuple):
    """How a number is printed.

    Attributes:
        font: the file.
        ink: how dark, 0-255.
        aspect: how many times wider than the font has it.
    """

    font: Path
    ink: int
    aspect: float

    @classmethod
    def drawn(cls, fonts: Sequence[Path], random: np.random.Generator) -> Type:
        """One of the fonts, dark or pale, narrow or wide."""
        return cls(fonts[int(random.integers(len(fonts)))], int(random.integers(140, 256)), random.uniform(0.8, 1.2))

    def digit(self, label: int, height: float) -> NDArray[np.uint8]:
        """A digit about so many pixels high, uint8 (H, W), white ink on black, with nothing around it."""
        drawn = _drawn(self.font, label)
        tall = max(4, round(height))
        wide = max(2, round(drawn.width * tall / drawn.height * self.aspect))
        smooth = Image.Resampling.BOX if tall < drawn.height else Image.Resampling.BILINEAR
        return np.asarray(np.asarray(drawn.resize((wide, tall), smooth)) * (self.ink / 255), np.uint8)


def lining(fonts: Sequence[Path]) -> tuple[Path, ...]:
    """Those of the fonts whose digits are all about as high; in others some are as low as an x, or hang."""
    heights = {font: [_drawn(font, label).height for label in range(CLASSES)] for font in fonts}
    return tuple(font for font in fonts if min(heights[font]) > _AS_HIGH * max(heights[font]))


@lru_cache(maxsize=1024)
def _drawn(font: Path, label: int) -> Image.Image:
    """A digit of a font, large, white on black, as far as it has ink."""
    image = Image.new("L", (3 * _LARGE, 3 * _LARGE))
    face = clutter.font(str(font), _LARGE)
    ImageDraw.Draw(image).text((_LARGE, _LARGE), str(label), fill=255, font=face)
    return image.crop(image.point(lambda ink: 255 * (ink > _INKED)).getbbox())
