"""Glyphs that show no digit: letters, several digits, parts of digits, scribbles, noise, filled shapes, marks, doodles.

For the judge (`judging`), which learns to refuse them, and for measuring refusal. All but noise and some shapes go through the
normaliser that pictures go through, so that they come in the size and place of digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from tenfold.data.digits import SIDE
from tenfold.learn import clutter, doodles, letters, marks
from tenfold.picture import Ink, glyph

_ROOM = 96  # pixels a side that they are drawn in
_SHARES = {
    "letters": 0.24, "written": 0.2, "several": 0.12, "parts": 0.09, "scribbles": 0.07, "noise": 0.05, "shapes": 0.11,
    "marks": 0.05, "doodles": 0.07,
}  # fmt: skip

Image28 = NDArray[np.uint8]


class NonDigits:
    """Draws glyphs that are no digit.

    Args:
        images: digits, uint8 (N, 28, 28), to make pairs and parts of.
        fonts: files of fonts for letters.
    """

    kinds = tuple(_SHARES)

    def __init__(self, images: NDArray[np.uint8], fonts: Sequence[Path]) -> None:
        self._images, self._fonts = images, tuple(fonts)
        self._drawers: dict[str, Callable[[np.random.Generator], Image28]] = {
            "letters": self._letters,
            "written": _written,
            "several": self._several,
            "parts": self._part,
            "scribbles": _scribble,
            "noise": _noise,
            "shapes": _shape,
            "marks": _mark,
            "doodles": _doodle,
        }

    def drawn(self, n: int, seed: int, kind: str | None = None) -> NDArray[np.uint8]:
        """So many, uint8 (n, 28, 28), of one kind or of all; the same arguments give the same glyphs."""
        random = np.random.default_rng([seed, 11])
        kinds = [kind] * n if kind else random.choice(self.kinds, n, p=list(_SHARES.values()))
        made = [self._drawers[str(k)](random) for k in kinds]
        return np.array(made, np.uint8).reshape(-1, SIDE, SIDE)

    def _letters(self, random: np.random.Generator) -> Image28:
        n = 1 if random.random() < 0.85 else int(random.integers(2, 4))
        text = "".join(random.choice(list(clutter.LETTERS), n))
        image = Image.new("L", (_ROOM * n, _ROOM))
        font = clutter.font(str(self._fonts[int(random.integers(len(self._fonts)))]), int(random.integers(40, 64)))
        ImageDraw.Draw(image).text((_ROOM * n / 2, _ROOM / 2), text, fill=255, font=font, anchor="mm")
        return _normalised(_bent(_wider(image, random), random), random)

    def _several(self, random: np.random.Generator) -> Image28:
        n = 2 if random.random() < 0.75 else 3
        room, x = np.zeros((SIDE, SIDE * n), np.uint8), 0
        for image in self._images[random.integers(len(self._images), size=n)]:
            columns = np.flatnonzero(image.max(axis=0) > 60)
            cut = image[:, columns[0] : columns[-1] + 1] if len(columns) else image
            y = int(random.integers(-3, 4))
            place = room[:, x : x + cut.shape[1]]
            np.maximum(place, np.roll(cut, y, axis=0)[:, : place.shape[1]], out=place)
            x += cut.shape[1] + int(random.integers(-2, 7))
        return _normalised(Image.fromarray(room), random)

    def _part(self, random: np.random.Generator) -> Image28:
        """A bit over a third of a digit, on one side of a line through it."""
        image = self._images[random.integers(len(self._images))]
        y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
        angle = random.uniform(0, 2 * np.pi)
        across = np.cos(angle) * x + np.sin(angle) * y
        inked = np.sort(across[image > 60])
        edge = inked[int(random.uniform(0.15, 0.42) * len(inked))]
        part = np.where(across <= edge, image, 0).astype(np.uint8)
        rows, columns = np.flatnonzero(part.max(axis=1) > 60), np.flatnonzero(part.max(axis=0) > 60)
        if not len(rows) or np.ptp(columns) < 0.6 * np.ptp(rows):
            return self._part(random)  # nothing, or what may be a 1
        return _normalised(Image.fromarray(part), random)


def _normalised(image: Image.Image, random: np.random.Generator) -> Image28:
    strength = np.asarray(image, np.float32) / np.float32(255)
    if random.random() < 0.3:
        strength = ndimage.gaussian_filter(strength, random.uniform(0.3, 0.02 * max(strength.shape)))
        strength /= max(strength.max(), 0.1)
    return glyph(Ink(strength, 1))


def _wider(image: Image.Image, random: np.random.Generator) -> Image.Image:
    steps = int(random.integers(-1, 4))
    if steps > 0:
        return image.filter(ImageFilter.MaxFilter(2 * steps + 1))
    return image.filter(ImageFilter.MinFilter(3)) if steps < 0 else image


def _bent(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Slanted, turned and wavy, as nothing printed is."""
    pixels = np.asarray(image, np.float32)
    h, w = pixels.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    shear, turn = random.normal(0, 0.15), random.normal(0, 0.08)
    wave = random.uniform(0, 4)
    phases = random.uniform(0, 6.28, 2)
    period = random.uniform(30, 80)
    across = x - w / 2 + shear * (y - h / 2) + turn * (y - h / 2) + wave * np.sin(6.28 * y / period + phases[0])
    down = y - h / 2 - turn * (x - w / 2) + wave * np.sin(6.28 * x / period + phases[1])
    moved = ndimage.map_coordinates(pixels, [down + h / 2, across + w / 2], order=1)
    return Image.fromarray(np.asarray(moved, np.uint8))


def _scribble(random: np.random.Generator) -> Image28:
    image = Image.new("L", (_ROOM, _ROOM))
    for _ in range(random.integers(1, 4)):
        points = clutter.scribble(random, (_ROOM / 2, _ROOM / 2), random.uniform(30, 70))
        if len(points) < 60:
            points += clutter.scribble(random, points[-1], random.uniform(30, 70))
        ImageDraw.Draw(image).line(points, 255, int(random.integers(3, 11)), joint="curve")
    return _normalised(image, random)


def _noise(random: np.random.Generator) -> Image28:
    smooth = random.uniform(0, 3) if random.random() < 0.7 else 0.0
    noise = ndimage.gaussian_filter(random.standard_normal((SIDE, SIDE)), smooth)
    noise = noise / noise.std() * random.uniform(0.2, 1) + random.uniform(-0.8, 0.7)
    if random.random() < 0.5:
        noise = np.where(noise > 0, 1, 0) * 1.0
    pixels = np.asarray(np.clip(noise, 0, 1) * 255, np.uint8)
    return _normalised(Image.fromarray(pixels), random) if random.random() < 0.5 else pixels


def _shape(random: np.random.Generator) -> Image28:
    """Filled outlines, mostly symmetric, plain or with a texture: silhouettes of things."""
    image = Image.new("L", (_ROOM, _ROOM))
    draw = ImageDraw.Draw(image)
    heights = np.sort(random.uniform(5, _ROOM - 5, int(random.integers(3, 9))))
    half = random.uniform(4, 40, len(heights))
    slip = random.normal(0, 8, len(heights)) * (random.random() < 0.3)
    middle = _ROOM / 2
    right = [(middle + s + h, y) for y, h, s in zip(heights, half, slip, strict=True)]
    left = [(middle + s - h, y) for y, h, s in zip(heights, half, slip, strict=True)]
    draw.polygon([*right, *left[::-1]], fill=255)
    if random.random() < 0.3:
        x, y, radius = *random.uniform(20, 76, 2), random.uniform(8, 30)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    if random.random() < 0.3:  # legs, a neck, an opening
        x, wide, top = middle + random.normal(0, 6), random.uniform(2, 14), random.uniform(0, 70)
        draw.rectangle((x - wide, top, x + wide, top + random.uniform(15, 90)), fill=0)
    pixels = np.asarray(image, np.float32)
    if random.random() < 0.6:
        texture = ndimage.gaussian_filter(
            random.standard_normal((_ROOM, _ROOM)), (random.uniform(0.5, 9), random.uniform(0.5, 9))
        )
        pixels = pixels * np.clip(0.6 + 0.35 * texture / texture.std(), 0.05, 1)
    image = Image.fromarray(np.asarray(pixels * random.uniform(0.4, 1), np.uint8))
    if random.random() < 0.5:
        return _normalised(image, random)
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))


def _mark(random: np.random.Generator) -> Image28:
    room = np.zeros((_ROOM, _ROOM), np.uint8)
    pen = random.uniform(4, 14)
    kind = str(random.choice([".", ",", "-", "=", "+", ":", "corner"]))
    if kind == "corner":
        image = Image.fromarray(room)
        x, y = random.uniform(20, 76, 2)
        draw = ImageDraw.Draw(image)
        draw.line((x, random.choice([2, 94]), x, y), 255, int(pen))
        draw.line((random.choice([2, 94]), y, random.choice([2, 94]), y), 255, int(pen))
        return _normalised(image, random)
    marks.mark(room, kind, 30, 70, random.uniform(35, 60), pen, random)
    return _normalised(Image.fromarray(room), random)


def _written(random: np.random.Generator) -> Image28:
    """A letter by hand, now and then two or three."""
    n = 1 if random.random() < 0.85 else int(random.integers(2, 4))
    height, aspect, pen = random.uniform(35, 50), random.uniform(0.6, 1.2), random.uniform(2.5, 9)
    strokes, width = letters.word(random, n) if n > 1 else (letters.letter(random, random.uniform(0.2, 0.7)), 1.0)
    room = np.zeros((_ROOM, max(_ROOM, int(width * aspect * height) + _ROOM)), np.uint8)
    doodles.draw(room, strokes, (_ROOM / 3, _ROOM / 5), (aspect * height, height), pen)
    return _normalised(_bent(Image.fromarray(room), random), random)


def _doodle(random: np.random.Generator) -> Image28:
    room = np.zeros((_ROOM, _ROOM), np.uint8)
    height = random.uniform(40, 70)
    size = (height * random.uniform(0.55, 1.2), height)
    doodles.draw(room, doodles.doodle(random), ((_ROOM - size[0]) / 2, (_ROOM - size[1]) / 2), size, random.uniform(2.5, 11))
    return _normalised(_bent(Image.fromarray(room), random), random)
