"""Hands that composed pages are written in: how high, wide and slanted each digit is, in which form, with which pen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tenfold.data.digits import CLASSES
from tenfold.learn import numerals, pens, strangers, typeset
from tenfold.learn.sheets import INK

_FINE, _FINE_HEIGHT = 2.0, 80.0  # digits are drawn so many times larger, but no higher than this, and then resized
_BENT, _GRID = 0.6, 4  # the share of varied hands that bend digits, and how many points a side are moved
_ONCE = 0.3  # how far each single digit is bent otherwise, beside how far its hand bends it


@dataclass(frozen=True)
class Hand:
    """How a page is written; lengths in pixels."""

    height: float
    aspect: float
    slant: float
    turn: float
    gap: float
    slope: float
    pen: float
    of_digit: NDArray[np.float64]  # (10,): the height of each digit as a share
    uneven: float  # how far heights of digits vary, as a share
    bars: bool
    flags: bool
    small_zeros: bool
    forms: NDArray[np.int64]  # (10,): which of `numerals` it writes each digit in, -1 for MNIST's own
    unsteady: float = 1.0  # how far digits stand off the line and from each other, beside how far hands put them
    type: typeset.Type | None = None  # what digits are printed in; None where they are written
    bends: NDArray[np.float64] | None = None  # (10, 2, 4, 4): how each digit is bent, as shares of its height

    @classmethod
    def drawn(cls, random: np.random.Generator, height: float) -> Hand:
        """A hand whose digits are about so high."""
        touching, near, wide = random.uniform(-0.08, 0.06), random.uniform(0, 0.25), random.uniform(0.15, 0.9)
        return cls(
            height=height,
            aspect=random.uniform(0.75, 1.3),
            slant=random.normal(0.05, 0.18),
            turn=random.normal(0, 0.04),
            gap=height * random.choice([touching, near, wide], p=[0.25, 0.5, 0.25]),
            slope=random.normal(0, 0.025),
            pen=max(1.0, height * random.uniform(0.035, 0.19)),
            of_digit=np.clip(random.normal(1, 0.08, CLASSES), 0.75, 1.25),
            uneven=random.uniform(0.04, 0.28),
            bars=random.random() < 0.45,
            flags=random.random() < 0.45,
            small_zeros=random.random() < 0.35,
            forms=numerals.forms(random),
        )

    def printed(self, fonts: Sequence[Path], random: np.random.Generator) -> Hand:
        """A printer beside the hand: its digits alike, in one line, and often smaller."""
        height = self.height * random.uniform(0.6, 1.1)
        gap, set_in = height * random.uniform(0.06, 0.3), typeset.Type.drawn(fonts, random)
        pen = height * random.uniform(0.06, 0.16)
        return replace(self, height=height, gap=gap, pen=pen, unsteady=0.1, small_zeros=False, type=set_in)

    def varied(self, random: np.random.Generator) -> Hand:
        """The hand with more forms, and often with each digit bent in a way of its own, always the same."""
        bends = None
        if random.random() < _BENT:
            bends = random.normal(0, random.uniform(0.01, 0.07), (CLASSES, 2, _GRID, _GRID))
        return replace(self, forms=numerals.more_forms(random), bends=bends)

    def with_bars(self) -> Hand:
        """The hand, but that it writes a 1 as a mere bar."""
        return replace(self, forms=np.where(np.arange(CLASSES) == 1, numerals.BAR, self.forms))

    def digit(self, label: int, image: NDArray[np.uint8], height: float, random: np.random.Generator) -> NDArray[np.uint8]:
        """A digit of this hand, uint8 (H, W) without a margin.

        Args:
            label: which digit.
            image: one of this class, white on black, with ink: it is cut out, scaled, slanted, turned and drawn with the hand's
                pen, unless the hand prints, or has a form of its own.
            height: about how high the digit is to be, in pixels.
            random: decides how much it differs from the hand's others.
        """
        if self.type is not None:
            return self.type.digit(label, height)
        if self.forms[label] >= 0:
            image = numerals.drawn(label, int(self.forms[label]), random)
        elif (label == 7 and self.bars) or (label == 1 and self.flags):
            image = strangers.crossed(image, random) if label == 7 else strangers.serifed(image, random)
        if self.bends is not None:
            image = _bent(_cut_out(image), self.bends[label], random)
        image = _cut_out(image)
        fine = min(_FINE, _FINE_HEIGHT / height)
        tall = max(6, round(fine * height * self.of_digit[label] * random.uniform(1 - self.uneven, 1 + self.uneven)))
        wide = max(3, round(image.shape[1] * tall / image.shape[0] * self.aspect * random.uniform(0.9, 1.1)))
        shear, angle = self.slant + random.normal(0, 0.06), self.turn + random.normal(0, 0.06)
        down, across = image.shape[0] / tall, image.shape[1] / wide
        room = 2 * math.ceil(fine * self.pen)  # for strokes that are turned, or become wider
        size = (wide + int(abs(shear) * tall) + 1 + room, tall + room)
        cos, sin = np.cos(angle), np.sin(angle)
        a, b, d, e = across * cos, across * (shear - sin), down * sin, down * cos
        # Pillow wants, for each place of the result, the place in the image; both are measured from the middle here.
        c = image.shape[1] / 2 - a * size[0] / 2 - b * size[1] / 2
        f = image.shape[0] / 2 - d * size[0] / 2 - e * size[1] / 2
        moved = Image.fromarray(image).transform(size, Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BICUBIC)
        return _cut_out(_reduced(pens.drawn_with(moved, fine * self.pen), fine))


def _cut_out(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part with ink; of no size if there is none."""
    inked = digit > INK
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else digit[:0]


def _reduced(image: Image.Image, fine: float) -> NDArray[np.uint8]:
    """From the size that a digit was drawn in to its real size, `fine` times smaller or larger, with clear edges."""
    if fine < 1:
        image = _resized(image, fine)
    sharp = Image.fromarray(np.clip((np.asarray(image, np.float32) - 128) * 2 + 128, 0, 255).astype(np.uint8))
    return np.asarray(_resized(sharp, fine) if fine > 1 else sharp)


def _resized(image: Image.Image, fine: float) -> Image.Image:
    size = (max(1, round(image.width / fine)), max(1, round(image.height / fine)))
    return image.resize(size, Image.Resampling.BICUBIC)


def _bent(digit: NDArray[np.uint8], bends: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.uint8]:
    """The digit with a grid of points over it moved, (2, n, n), in shares of its height, and a little more by chance."""
    height, width = digit.shape
    moved = height * (bends + random.normal(0, _ONCE * bends.std(), bends.shape))
    room = math.ceil(0.15 * height)
    down, across = np.mgrid[-room : height + room, -room : width + room].astype(np.float64)
    places = [
        np.clip(at / max(1, side - 1), 0, 1) * (_GRID - 1) for at, side in ((down, height), (across, width))
    ]  # beyond the ink as at its rim
    fields = [ndimage.map_coordinates(axis, places, order=1, mode="nearest") for axis in moved]
    return np.asarray(ndimage.map_coordinates(digit, [down + fields[0], across + fields[1]], order=1), np.uint8)
